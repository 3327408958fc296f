"""A host that says nothing, or never comes to an end, costs the others one short wait, and is not asked again."""

# ruff: noqa: ARG002
from __future__ import annotations

from collections import Counter
from concurrent.futures import wait
from dataclasses import replace
from threading import Event
from time import monotonic

import pytest
from support.hostile import COURSE, OF, TWO_HOSTS, graded, honest
from support.silent import MODES, SILENT, Hanging, at_work, hosts_of
from support.strangers import honest_agent, honest_engine

from dockerlab.errors import DeadlineExceeded, HostError
from dockerlab.hosts.attending import Times
from dockerlab.hosts.fake import FakeHost
from dockerlab.hosts.guests import Guest
from dockerlab.hosts.together import begun
from dockerlab.identity import current
from dockerlab.lock import locked
from dockerlab.probe.agents import AgentProber, Kernels
from dockerlab.probe.base import Cell, Place
from dockerlab.provision.up import Wish
from dockerlab.serve.board import Board
from dockerlab.students import grading, provision
from dockerlab.survey import survey
from dockerlab.verify import on_hosts


def eventually(holds):
    """Wait until something holds, for some seconds at the most."""
    for _ in range(500):
        if holds():
            return
        Event().wait(0.01)
    pytest.fail("it never came to that")


@pytest.fixture
def released():
    """Give what ends all that hangs at the end of the test."""
    event = Event()
    yield event
    event.set()


SOON = Times(floor=0.3, ceiling=20.0)
"""Who says nothing is not waited for long; who gets on is."""


@pytest.mark.parametrize("mode", MODES)
def test_two_silent_hosts_of_six(released, mode):
    """The four others' grades are as without the two, after one wait for both; no question is put to these twice."""
    alone = graded({name: honest(name) for name in OF}, left_out=SILENT)
    gone = []

    def noted(late, **given):
        before = len(late)
        found = wait(late, **given)
        gone.append((before, len(found.not_done)))
        return found

    hangs, agent = MODES[mode]
    hosts = hosts_of(hangs, released, agent)
    began = monotonic()
    found = graded(hosts, times=replace(SOON, waiting=noted))
    took = monotonic() - began
    assert not released.is_set()
    assert {name: found[name] for name in alone} == alone
    assert took < 10, "nobody is waited for as long as one who gets on may be"
    assert (2, 2) in gone, "both are waited for together"
    for name in SILENT:
        assert found[name]["summary"]["pass"] == 0
        assert hosts[name].asked["session"] <= 1
        assert hosts[name].asked["waited"] <= 3, "a look asks the engine, the shell and python3 at once"
        assert "did not answer within" in str(found[name])


def test_who_is_at_work(released):
    """An agent whose cells take much longer than the others', and that says so now and then, is waited for."""
    alone = graded({name: honest(name) for name in OF})
    hosts = hosts_of(lambda _: False, released) | {"h1": at_work("h1", 12, 0.1)}
    assert graded(hosts, times=SOON) == alone


def test_who_is_at_work_for_ever(released):
    """One that never says anything else is dismissed when any that gets on is, and costs the others no more."""
    alone = graded({name: honest(name) for name in OF}, left_out=("h1",))
    hosts = hosts_of(lambda _: False, released) | {"h1": at_work("h1", 10**6, 0.05)}
    began = monotonic()
    found = graded(hosts, times=Times(floor=0.3, ceiling=1.0))
    assert monotonic() - began < 5
    assert {name: found[name] for name in alone} == alone
    assert "did not answer within" in str(found["h1"])


def test_who_says_that_too_often():
    """So often as an agent that is at work says so in all its time, and no more, it is listened to."""
    hosts = {name: honest(name) for name in ("h0", "h2")} | {"h1": at_work("h1", 10**6, 0.0)}
    cells = [Cell(n, Place(name, "web", 100, "x"), None, "192.0.2.9", "ping") for n, name in enumerate(sorted(hosts))]
    prober = AgentProber(hosts)
    prober.observe(cells)
    assert prober.failed == {"h1": "h1: its agent was not done within 32 s"}
    assert hosts["h1"].asked["session"] == 1


def test_the_others_are_shown_while_two_are_waited_for(released):
    """The page has the others' grades before the wait for silent hosts begins, and everybody's after it."""
    board = Board("demo")
    board.begin([{"id": each.student.id, "name": each.student.name} for each in COURSE.instances])
    shown = []

    def early(grades):
        board.partly(grades)
        shown.append([each["id"] for each in board.summary()["students"] if "verdict" in each])

    hosts = hosts_of(lambda what: what == "answer", released)
    found = grading.grade(COURSE, hosts, "auto", early, SOON)
    assert shown == [["s01", "s03", "s05", "s06"]]
    assert [each.student.id for each in found] == [each.student.id for each in COURSE.instances]
    assert board.summary()["round"] == 0


def test_a_second_look_that_hangs(released):
    """An engine that is silent from the second look on: its cells are not judged, and the others are as without it."""
    alone = graded({name: honest(name) for name in OF}, left_out=SILENT)
    hosts = hosts_of(lambda what: what == "answer" and all(h.asked["session"] for h in two), released, "nooutcome")
    two = [hosts[name] for name in SILENT]
    found = graded(hosts, times=SOON)
    assert {name: found[name] for name in alone} == alone
    assert {(found[name]["summary"]["pass"], found[name]["summary"]["fail"]) for name in SILENT} == {(0, 0)}
    assert [host.asked["waited"] for host in two] == [1, 1]


@pytest.mark.parametrize("what", ["connect", "answer", "shell"])
def test_a_class_is_planned_and_listed_without_two(monkeypatch, released, what):
    """What a class's `up` and `status` look at is had without two hosts that say nothing, each with the reason."""
    monkeypatch.setattr("dockerlab.students.provision.IN_A_CLASS", SOON)
    hosts = hosts_of(lambda asked: asked == what, released)
    planned = provision.plan_up(COURSE, current(COURSE.lab.name), hosts, FakeHost("c", lambda *_: b""), Wish())
    why = {each.student.id: str(planned.failures.get(each.student.id)) for each in COURSE.instances}
    assert {name for name, said in why.items() if "did not answer within" in said} == {"s02", "s04"}
    assert what == "shell" or survey(hosts, times=SOON).failures.keys() == set(SILENT)
    assert not released.is_set()


def test_who_failed_is_not_asked_again(released):
    """An agent that fails in the first pass gets no session in those that follow it; the others get theirs."""
    hosts = hosts_of(lambda _: False, released, "nocells")
    good = Hanging("h0", honest_engine(OF["h0"], "h0"), honest_agent(OF["h0"], "h0"))
    at = Place("h0", "s01-web", 100, "x")
    cells = [
        Cell(0, at, Place("h1", "s02-peer", 101, "y"), "198.18.1.11", "tcp", port=80),
        Cell(1, at, None, "192.0.2.9", "ping"),
        Cell(2, at, None, "192.0.2.8", "ping", silent=True),
    ]
    quiet = good.agent

    def say(job, step):
        said = quiet(job, step)
        return said if step != "stop" else {**said, "cells": [
            {"number": cell[0], "outcome": "silent", "server": ""} for cell in job["cells"]]}  # fmt: skip

    good.agent = say
    prober = AgentProber({"h0": good, "h1": hosts["h1"]})
    prober.observe(cells)
    assert set(prober.failed) == {"h1"}
    assert hosts["h1"].asked["session"] == 1
    assert good.asked["session"] == 2


def test_late_agents_share_one_time(monkeypatch, released):
    """However many steps and passes an agent is late in, the others wait for it so long in all, and no longer."""
    monkeypatch.setattr("dockerlab.probe.agents.GRACE", 1.2)
    steps = []

    def late(what):
        if what in ("job", "go", "stop"):
            steps.append(what)
            released.wait(0.9)
        return False

    hosts = {name: honest(name) for name in ("h0", "h2", "h4")}
    hosts["h1"] = Hanging("h1", honest_engine(OF["h1"], "h1"), honest_agent(OF["h1"], "h1"), hangs=late)
    cells = [Cell(n, Place(name, "web", 100, "x"), None, "192.0.2.9", "ping") for n, name in enumerate(sorted(hosts))]
    prober = AgentProber(hosts, patience=0.0)
    prober.observe(cells)
    assert "did not answer within" in prober.failed["h1"]
    assert steps in (["job", "go"], ["job", "go", "stop"])


def test_a_guest_lets_time_pass():
    """A host of which a deadline is missed is asked nothing more, by whomever; why is said each time."""
    calls = []

    def respond(argv, _):
        calls.append(argv)
        if len(calls) > 1:
            raise DeadlineExceeded("h", "did not end")
        return b"x"

    guest = Guest(FakeHost("h", respond))
    assert guest.run(["true"]).text == "x"
    for ask in (guest.run, guest.run, lambda argv: next(iter(guest.stream(argv)))):
        with pytest.raises(DeadlineExceeded, match="h: did not end"):
            ask(["true"])
    assert len(calls) == 2


def test_a_guest_is_dismissed_while_it_is_asked(released):
    """Who waits for a host that is dismissed is told at once, and what comes later is ended, not used."""
    ended = []

    class Late:
        def abort(self):
            ended.append("aborted")

    class Waiting(FakeHost):
        def converse(self, argv, **_):
            Event.wait(released, 5)
            return Late()

    guest = Guest(Waiting("h", lambda *_: b""))
    talk = begun(lambda: guest.converse(["x"]))
    eventually(lambda: guest.busy)
    guest.dismiss(HostError("h", "gone"))
    with pytest.raises(HostError, match="gone"):
        talk.result(2)
    assert ended == []
    released.set()
    eventually(lambda: ended == ["aborted"])


def test_agents_on_one_kernel():
    """How many share a kernel is counted over all groups; who has not said it yet counts as one more."""
    kernels = Kernels(4)
    assert kernels.shares({"a": "k"}) == {"k": 4}
    assert kernels.shares({"b": "other"}) == {"k": 1, "other": 1}
    alike = Kernels(4)
    alike.shares({"a": "k"})
    assert alike.shares({"b": "k"}) == {"k": 4}
    assert Kernels(2).shares({"a": "k", "b": "l"}) == {"k": 1, "l": 1}


def test_verify_asks_a_silent_host_once():
    """In a lab of two hosts the one whose shell missed its time is not asked by what comes after the look."""
    hosts = {
        name: Hanging(name, honest_engine(TWO_HOSTS, name), honest_agent(TWO_HOSTS, name)) for name in ("h0", "h1")
    }
    right = hosts["h1"].run

    def run(argv, **given):
        if argv[0] == "sh":
            hosts["h1"].asked["missed"] += 1
            raise DeadlineExceeded("h1", "`sh -s` did not end within 30 s")
        return right(argv, **given)

    hosts["h1"].run = run
    report = on_hosts.verify(TWO_HOSTS, hosts)
    assert report.silent.keys() == {"h1"}
    assert hosts["h1"].asked["missed"] == 1
    assert hosts["h1"].asked["session"] == 0


def test_a_lock_on_a_silent_host(monkeypatch, released):
    """A host that does not say whether it gives the lock is left out; the others' are had, kept, and let go of."""
    monkeypatch.setattr("dockerlab.lock.END", 0.2)
    monkeypatch.setattr("dockerlab.lock.BEAT", 0.01)
    said = Counter()

    class Holding:
        def __init__(self, host):
            self.host = host

        def send(self, data):
            said[self.host, data] += 1

        def receive_line(self):
            return b"granted\n"

        def finish(self):
            said[self.host, "finished"] += 1

        def abort(self):
            said[self.host, "aborted"] += 1

    class Locking(FakeHost):
        def converse(self, argv, **_):
            if self.name == "h1":
                released.wait(30)
            return Holding(self.name)

    hosts = {name: Locking(name, lambda *_: b"") for name in ("h0", "h1", "h2")}
    with locked(hosts, ["lab"], silent=0.2) as locks:
        locks.wait("h0")
        locks.wait("h2")
        with pytest.raises(HostError, match="h1: it did not answer for"):
            locks.wait("h1")
        eventually(lambda: said["h0", b"+\n"] and said["h2", b"+\n"])
    assert not released.is_set()
    assert (said["h0", "finished"], said["h2", "finished"]) == (1, 1)
    released.set()
    eventually(lambda: said["h1", "aborted"])


def test_a_lock_that_is_waited_for(monkeypatch):
    """A host that says that it waits for its turn is no silent one: it is waited for as long as a turn may take."""
    monkeypatch.setattr("dockerlab.lock.LATE", 5.0)

    class InTurn:
        def __init__(self, said):
            self.said = said

        def send(self, data):
            pass

        def receive_line(self):
            if self.said[0] == b"granted\n" and len(self.said) < 2:
                Event().wait(self.after)
            return self.said.pop(0)

        after = 0.0

        def finish(self):
            pass

        abort = finish

    class Locking(FakeHost):
        def converse(self, argv, **_):
            talk = InTurn([b"waits\n", b"granted\n"] if self.name == "h1" else [b"granted\n"])
            talk.after = 1.0 if self.name == "h1" else 0.0
            return talk

    with locked({name: Locking(name, lambda *_: b"") for name in ("h0", "h1", "h2")}, ["lab"], silent=0.1) as locks:
        locks.wait("h1")
