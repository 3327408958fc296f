"""What a host says of itself is its word: what is believed of it, and what a report says where it fails."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import pytest
from support.faults import FORGER
from support.hostile import (
    AGENTS,
    COURSE,
    OF,
    TWO_HOSTS,
    graded,
    honest,
)
from support.machinery import raw as raw_look
from support.strangers import Stranger, honest_agent, honest_engine

from dockerlab.discover.asking import ask as asked
from dockerlab.discover.spot import defined
from dockerlab.doctor.examine import examine
from dockerlab.errors import HostError
from dockerlab.hosts.local import LocalHost
from dockerlab.identity import current
from dockerlab.probe.agent_session import Asked, Run, Session
from dockerlab.probe.agents import AgentProber
from dockerlab.probe.base import Cell, Place
from dockerlab.provision.up import Wish
from dockerlab.report import as_html, as_json, as_table
from dockerlab.students import provision
from dockerlab.survey import survey
from dockerlab.verify import on_hosts


def test_the_job_tells_no_answer():
    """What an agent is sent is the same whatever is expected of the cells, and whatever a name should give."""
    at, to = Place("h0", "a", 1, "x"), Place("h0", "b", 2, "y")

    def job(**other):
        cells = [Cell(1, at, to, "10.0.0.2", "ping", **{k: v for k, v in other.items() if k != "expected"}),
                 Cell(2, at, to, "", "dns", name="b", **other)]  # fmt: skip
        return Session(honest("h0"), Run("00", 2.0, haste=True), Asked(cells)).job

    assert job(silent=True, expected=("10.0.0.2",)) == job(silent=False, expected=("10.0.0.3", "10.0.0.4"))
    assert "10.0.0.3" not in json.dumps(job(expected=("10.0.0.3",)))


def two_hosts(agent=None, arrivals=True):
    """Return what is seen of a ping from h0 to h1, where h0's agent says that it was answered."""
    cell = Cell(7, Place("h0", "a", 1, "x"), Place("h1", "b", 2, "y"), "10.0.0.2", "ping")
    ready = {"event": "ready", "kernel": "k", "places": {"0": {"namespace": 1}}}
    empty = {"event": "report", "overflows": 0, "numbers": [], "arrivals": [], "missed": [[1, 0]], "knocks": [],
             "deaf": [], "delivered": [], "unseen": [], "proxies": [], "cells": []}  # fmt: skip
    answered = {"number": 7, "outcome": "answered", "rtt": 0.5, "attempt": 0, "marks": [[0, "drawn"]]}
    says = {
        "h0": {**empty, "cells": [answered]},
        "h1": {**empty, "arrivals": [[7, 0, 1, agent]] if arrivals else []},
    }
    hosts = {
        name: Stranger(
            name, dict, lambda _, step, said=said: {"job": ready, "go": {"event": "done"}, "stop": said}[step]
        )
        for name, said in says.items()
    }
    return AgentProber(hosts).observe([cell])[7]


def test_a_reply_is_believed_by_what_only_its_sender_knew():
    """An arrival counts with the mark that the sender drew, and is the witness then; a claim without it is nothing."""
    seen = two_hosts("drawn")
    assert (seen.state, seen.witness) == ("reachable", "h1")
    assert two_hosts("guessed").symptom == "wrong answerer"
    assert two_hosts(arrivals=False).symptom == "wrong answerer"


def test_a_forger_that_knows_the_form_is_one_hosts_word():
    """The agent that real hosts are made to run in its place is understood, and all that it says is its host's word."""

    class Forged(LocalHost):
        def converse(self, argv, **given):
            return super().converse([sys.executable, "-c", FORGER, "lies", *argv[-1:]], **given)

    at, to = Place("h", "a", 1, "x"), Place("h", "b", 2, "y")
    cells = [Cell(0, at, to, "10.0.0.2", "ping"), Cell(1, at, to, "10.0.0.2", "tcp", port=80),
             Cell(2, at, None, "", "dns", name="b", expected=("10.0.0.2",))]  # fmt: skip
    prober = AgentProber({"h": Forged("h")})
    found = prober.observe(cells)
    assert prober.failed == {}
    assert {(each.state, each.witness) for each in found.values()} == {("reachable", "")}, "nobody else has seen it"


def test_a_grade_says_whose_word_it_is():
    """On one host alone all that passed is that host's own word, and the grade has how much that is."""
    found = graded({name: honest(name) for name in OF})["h0"]
    assert found["own_word"] == found["summary"]["pass"] > 0
    assert found["probers"] == {"h0": "agent"}


def test_where_the_agent_cannot_run_the_others_keep_it():
    """The portable prober asks for the student on that host alone, and the grade says so."""
    hosts = {name: honest(name) for name in OF}
    hosts["h1"].agent = AGENTS["unable"]("h1")
    found = graded(hosts)
    assert {name: each["probers"][name] for name, each in found.items()} == {
        name: "portable" if name == "h1" else "agent" for name in OF
    }


def test_who_asked_where_an_agent_failed():
    """Table, page and JSON say so of its host; of one that could not be looked at they say that nobody asked there."""
    hosts = {
        name: Stranger(name, honest_engine(TWO_HOSTS, name), honest_agent(TWO_HOSTS, name)) for name in ("h0", "h1")
    }
    hosts["h0"].agent = lambda job, step: [1] if step == "stop" else honest_agent(TWO_HOSTS, "h0")(job, step)
    hosts["h1"].engine = lambda _: {}
    report = on_hosts.verify(TWO_HOSTS, hosts)
    assert report.probers == {"h0": "agent, which failed", "h1": "nobody"}
    for form in (as_table.render(report, why=True), as_html.render(report)):
        assert "probed by agent, which failed" in form
        assert "probed by nobody" in form
    told = json.loads(as_json.render(report))["hosts"]
    assert {host: each["prober"] for host, each in told.items()} == report.probers


def both():
    """Return two honest hosts, of which a look at the kernel is what a real one was."""
    hosts = {name: honest(name) for name in ("h0", "h1")}
    for host in hosts.values():
        host.look = lambda _: json.dumps(raw_look("28.5")).encode()
    return hosts


OURS = {
    "dockerlab.verify.judging.promises": lambda: graded({name: honest(name) for name in OF}),
    "dockerlab.verify.trial.expected": lambda: graded({name: honest(name) for name in OF}),
    "dockerlab.verify.judging.lab_suspects": lambda: on_hosts.verify(OF["h0"], {"h0": honest("h0")}),
    "dockerlab.students.provision.plan_instance": lambda: provision.plan_up(
        COURSE, current("demo"), {name: honest(name) for name in OF}, LocalHost(), Wish()
    ),
    "dockerlab.doctor.machine.findings": lambda: examine(both(), LocalHost()),
    "dockerlab.discover.spot.discovered": lambda: defined(asked(both()), dict.fromkeys(("h0", "h1"))),
    "dockerlab.engine.to_snapshot": lambda: survey(both()),
}
"""What hosts' words are given to, and what calls it."""


@pytest.mark.parametrize("ours", OURS)
def test_a_fault_of_our_own_is_no_hosts(monkeypatch, ours):
    """Where our own code goes wrong about what hosts say, that is raised as it is: no host is blamed for it."""

    def wrong(*_, **__):
        raise KeyError("ours")

    monkeypatch.setattr(ours, wrong)
    monkeypatch.setattr("dockerlab.provision.images.bring", lambda *_, **__: {})
    with pytest.raises(KeyError, match="ours"):
        OURS[ours]()


def test_a_host_that_fails_while_the_report_is_made(monkeypatch):
    """A host's failure then is that host's: its student has no grade but the reason, the others have theirs."""

    def checks(lab, hosts):
        if "h1" in hosts:
            raise HostError("h1", f"it went while {lab.name} was looked at")
        return ()

    monkeypatch.setattr("dockerlab.verify.judging.image_checks.checks", checks)
    found = graded({name: honest(name) for name in OF})
    assert "it went while" in json.dumps(found["h1"])
    assert found["h0"]["summary"]["pass"] == 7


def test_verify_without_a_look_at_a_kernel():
    """Where a host's kernel cannot be looked at, the report says why, and that nothing is predicted there."""
    hosts = {
        name: Stranger(name, honest_engine(TWO_HOSTS, name), honest_agent(TWO_HOSTS, name)) for name in TWO_HOSTS.hosts
    }
    for host in hosts.values():
        host.look = lambda _: json.dumps(raw_look("28.5")).encode()
    assert on_hosts.verify(TWO_HOSTS, hosts).notes == ()
    hosts["h1"].look = lambda _: b"[1]"
    (note,) = on_hosts.verify(TWO_HOSTS, hosts).notes
    assert note.startswith("h1: what its python3 says cannot be understood")
    assert note.endswith("; nothing is predicted there")


def test_verify_with_a_host_that_does_not_answer():
    """The other host's cells are judged, its own are unknown, the report says why, and it is no success."""
    hosts = {
        name: Stranger(name, honest_engine(TWO_HOSTS, name), honest_agent(TWO_HOSTS, name)) for name in TWO_HOSTS.hosts
    }
    hosts["h1"].engine = lambda _: {}
    report = on_hosts.verify(TWO_HOSTS, hosts)
    far = [each for each in report.cells if {"h1", "away"} & {each.cell.source, each.cell.holder}]
    near = [each for each in report.cells if {each.cell.source, each.cell.holder} <= {"web", "peer"}]
    assert far
    assert near
    assert {each.observed.state for each in far} == {"unknown"}
    assert {each.observed.state for each in near} == {"reachable"}
    assert "h1: what its engine says cannot be understood" in report.notes[0]
    assert report.exit_code in (1, 3)
    assert not any(cause.host == "h1" for cause in report.causes)
    with pytest.raises(HostError):
        on_hosts.verify(TWO_HOSTS, {name: replace(host, engine=lambda _: {}) for name, host in hosts.items()})
