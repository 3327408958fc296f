"""A student who is root on a host of a class, and lets it lie to the grading: over real SSH, on real engines."""

from __future__ import annotations

import pytest
from support.faults import python_forged
from support.lab_hosts import write

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
