"""A student who is root on a host of a class, and lets it lie to the grading: over real SSH, on real engines."""

from __future__ import annotations

import time
from contextlib import contextmanager

import pytest
from support.faults import python_forged, python_replaced, stopped
from support.lab_hosts import write

from dockerlab.hosts.attending import CEILING, FLOOR, IN_A_CLASS

CLASS = """
name: forge
networks: {net: {}}
containers:
  web: {networks: {net: {aliases: [www]}}, command: "sh -c 'httpd -p 80 -h /www; sleep 1d'", ports: ["8080:80"]}
  client: {networks: [net]}
"""
HONEST, FORGER = "s01", "s02"


def graded(lab, words):
    """Return the grades by student, without the times."""
    outcome = lab.call("grade", *words, "--format", "json")
    return {each["id"]: each for each in outcome.json["students"]}


@pytest.fixture
def machines(lab, tmp_path):
    """Give an inventory of the sandbox's hosts as they are; --sandbox would start one that hangs anew."""
    hosts = ", ".join(f"{name}: ssh://root@{lab.state.host(name).address}" for name in lab.names)
    keys = f"identity_file: {lab.state.identity_file}\nknown_hosts: {lab.state.known_hosts}\n"
    return write(tmp_path, f"hosts: {{{hosts}}}\n{keys}", "machines.yaml")


@pytest.fixture
def words(lab, tmp_path):
    """Give a class of two that is up, each on a host of their own."""
    words = (write(tmp_path, CLASS), "--sandbox", "--students", "2")
    assert lab.call("up", *words, "--no-verify").rc == 0
    yield words
    lab.call("down", "forge", "--sandbox", "--students", "2")


def test_the_others_grades_are_as_without(lab, words):
    """Whatever the forger's host says of its cells or of others', or does not say, the other's grade is what it was."""
    before = graded(lab, words)
    assert [before[each]["verdict"] for each in (HONEST, FORGER)] == ["pass", "pass"]
    assert before[FORGER]["hosts"] == ["vm1"]
    lab.docker("vm1", "network", "disconnect", f"{FORGER}-net", f"{FORGER}-client")
    honest = graded(lab, words)
    assert honest[FORGER]["verdict"] == "fail"
    for mode in ("lies", "others", "hangs"):
        with python_forged(lab, "vm1", mode):
            found = graded(lab, words)
        assert found[HONEST] == before[HONEST], mode
        assert found[FORGER]["own_word"] == found[FORGER]["summary"]["pass"], mode
        assert found[FORGER]["verdict"] != "pass", mode
    assert graded(lab, words)[HONEST] == before[HONEST]


MODES = {
    "the connection": lambda lab: stopped(lab, "vm1", "sshd"),
    "the engine": lambda lab: stopped(lab, "vm1", "dockerd"),
    "the look": lambda lab: python_replaced(lab, "vm1", "sleep 60"),
    "the agent's cells": lambda lab: python_forged(lab, "vm1", "hangs"),
    "the agent's cells, of which it says that they are under way": lambda lab: python_forged(lab, "vm1", "works"),
}

SLACK = 3.0
"""Seconds in which calls of the same may differ beside other work."""


@contextmanager
def timed():
    """Give a list that has the seconds that the block took after it."""
    began, took = time.monotonic(), []
    yield took
    took.append(time.monotonic() - began)


def test_a_host_that_hangs_costs_as_long_again(lab, words, machines):
    """Wherever one of two hosts hangs, the other's grade is what it was, and so is `status`.

    It takes as long again, or two seconds where that is more; ten where it only ever says that it is at work.
    """
    path, *_ = words
    among = ("--inventory", machines, "--students", "2")
    with timed() as usual:
        before = graded(lab, (path, *among))
    for mode, hanging in MODES.items():
        with hanging(lab):
            with timed() as took:
                found = graded(lab, (path, *among))
            with timed() as listing:
                listed = lab.call("status", "forge", *among, "--format", "json")
        assert found[HONEST] == before[HONEST], mode
        assert found[FORGER]["summary"]["pass"] == 0, mode
        assert found[FORGER]["verdict"] not in ("pass", "fail"), mode
        least = CEILING if "under way" in mode else FLOOR
        limit = usual[0] + max(usual[0], least) + SLACK
        assert took[0] < limit, f"{mode}: {took[0]:.1f} s, without {usual[0]:.1f} s"
        assert listing[0] < IN_A_CLASS.floor + usual[0] + SLACK, f"{mode}: status took {listing[0]:.1f} s"
        assert [each["running"] for each in listed.json if each["id"] == HONEST] == [2], mode
    assert graded(lab, (path, *among))[FORGER]["verdict"] == "pass"
