"""Whatever a host, its engine, the survey's program or the agent says is that host's affair, and nobody else's."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace
from datetime import datetime, timezone
from threading import Event

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from support.hostile import (
    AGENTS,
    COURSE,
    ENGINES,
    LOOKS,
    OF,
    VERSION,
    answering,
    graded,
    honest,
    raw,
)
from support.machinery import raw as raw_look
from support.strangers import Speaker, Stranger, honest_agent, honest_engine, whole

from dockerlab import engine, plan
from dockerlab.errors import EngineError, HostError
from dockerlab.probe.agents import AgentProber
from dockerlab.probe.base import Cell, Place
from dockerlab.report import inventory
from dockerlab.students.as_json import document
from dockerlab.students.grading import grade
from dockerlab.survey import send, survey

HOSTILE = [
    *(pytest.param({"engine": made}, id=f"engine {mode}") for mode, made in ENGINES.items()),
    *(pytest.param({"agent": made}, id=f"agent {mode}") for mode, made in AGENTS.items()),
    *(pytest.param({"look": lambda _, said=said: lambda _: said}, id=f"look {mode}") for mode, said in LOOKS.items()),
    pytest.param({"facts": lambda _: b"== ip_forward\n\xff\n== addresses\n1\n== links\n1\n== end\n"}, id="facts"),
]


@pytest.fixture(scope="module")
def alone():
    """The grades of the four others, without the two."""
    return graded({name: honest(name) for name in OF}, left_out=("h1", "h3"))


@pytest.mark.parametrize("other", HOSTILE)
def test_two_hostile_hosts_of_six(other, alone):
    """The grades of the four others are exactly those that they have without the two, and nobody's ends the command."""
    hosts = {name: honest(name) for name in OF}
    for name in ("h1", "h3"):
        for part, made in other.items():
            setattr(hosts[name], part, made(name))
    found = graded(hosts)
    assert {name: found[name] for name in alone} == alone
    assert all(each["summary"]["pass"] == 7 for each in alone.values())


@pytest.mark.parametrize("mode", ENGINES)
def test_an_engine_that_is_none(mode):
    """What does not fit is that host's failure, with its name and what to do; the others' objects are there."""
    hosts = {name: honest(name) for name in ("h0", "h1")}
    hosts["h1"].engine = ENGINES[mode]("h1")
    found = survey(hosts)
    assert [each.name for each in found.answers["h0"].containers] == ["s01-peer", "s01-web"]
    told = str(found.failures["h1"])
    assert isinstance(found.failures["h1"], EngineError)
    assert told.startswith("h1: ")
    assert len(told) < 600


def test_an_answer_without_end(monkeypatch):
    """An engine that says a byte now and then has one time for a whole answer, not for each byte."""
    monkeypatch.setattr("dockerlab.engine.client.TIMEOUT", 0.3)
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    class Slow(Speaker):
        def __init__(self):
            super().__init__(lambda _: {})
            self.said = [head]

        def receive(self, timeout):  # noqa: ARG002 - it takes its time
            Event().wait(0.01)
            return (self.said.pop() if self.said else b"1\r\n \r\n", b"")

    with pytest.raises(EngineError, match="did not answer"):
        engine.snapshot(replace(honest("h0"), speaker=lambda _: Slow()))


def test_memory_is_bounded():
    """No answer takes more than 300 MiB, however small it was on the way or large it says it is."""
    for mode in ("gzip", "big", "many"):
        host = honest("h1")
        host.engine = ENGINES[mode]("h1")
        tracemalloc.start()
        with pytest.raises(EngineError):
            engine.snapshot(host)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < 300 * 2**20, mode


LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["1.51", "/a"])
KEYS = st.text(max_size=4) | st.sampled_from(
    ["Id", "Names", "Labels", "State", "Config", "Name", "IPAM", "Containers", "ApiVersion", "event", "kernel",
     "places", "cells", "arrivals", "number", "outcome", "namespaces"]
)  # fmt: skip
ANYTHING = st.deferred(
    lambda: LEAF | LEAF | st.lists(ANYTHING, max_size=3) | st.dictionaries(KEYS, ANYTHING, max_size=3)
)

MANY = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@MANY
@given(ANYTHING, st.sampled_from(["/version", "/info", "/networks", "/containers/json", "/volumes", "/images/json"]))
def test_random_answers_of_an_engine(answer, path):
    """An engine says anything: a snapshot of the declared form, or that host's failure."""
    host = honest("h1")
    host.engine = answering(path, raw(json.dumps(answer).encode()))("h1")
    found = survey({"h0": honest("h0"), "h1": host}, detail="every")
    assert next(iter(found.answers)) == "h0"
    assert found.failures.keys() | found.answers.keys() == {"h0", "h1"}
    now = datetime(2027, 1, 31, tzinfo=timezone.utc)
    assert inventory.table(inventory.rows(found.answers, None, now))
    assert inventory.expiring(found.answers, None, now) == []
    assert {step.key.host for step in plan.down(found.answers, None, None).changes} >= {"h0"}


@MANY
@given(ANYTHING, st.sampled_from(["job", "go", "stop"]), st.sampled_from(["", "cells", "arrivals", "places", "knocks"]))
def test_random_words_of_an_agent(answer, when, key):
    """An agent says anything: its own cells are unknown or judged, and the others' are what they are."""
    hosts = {name: honest(name) for name in ("h0", "h1")}
    right = hosts["h1"].agent

    def say(job, step):
        said = right(job, step)
        return said if step != when else {**said, key: answer} if key else answer

    hosts["h1"].agent = say
    cells = [
        Cell(n, Place(name, "web", 100, "x"), Place(name, "peer", 101, "y"), address, "ping")
        for n, (name, address) in enumerate((name, str(OF[name].containers[f"{s}-peer"].networks[f"{s}-net"].ip))
                                            for name, s in (("h0", "s01"), ("h1", "s02")))
    ]  # fmt: skip
    found = AgentProber(hosts).observe(cells)
    assert found[0].state == "reachable"
    assert found.keys() == {0, 1}


@MANY
@given(ANYTHING)
def test_random_looks(answer):
    """The survey's program prints anything: a machine of the declared form, or that host's failure."""
    said = json.dumps(answer).encode()
    with pytest.raises(HostError, match="h1: what its python3 says cannot be understood"):
        send.look(Stranger("h1", honest_engine(OF["h1"], "h1"), honest_agent(OF["h1"], "h1"), lambda _: said), ())


def test_whole_answers_are_http():
    """The stand-in itself speaks HTTP."""
    assert whole(VERSION).startswith(b"HTTP/1.1 200 OK\r\nContent-Length: ")


@st.composite
def otherwise(draw, value):
    """Draw what is like a value but for one place in it, where anything may stand."""
    inner = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    if not inner or draw(st.integers(0, 5)) == 0:
        return draw(ANYTHING)
    key, one_ = draw(st.sampled_from(inner))
    other = draw(otherwise(one_))
    if isinstance(value, dict):
        return {**value, key: other}
    return [other if number == key else each for number, each in enumerate(value)]


LOOKED = raw_look("28.5")
ONE, TWO = (COURSE.instances[number] for number in (0, 1))
PAIR = replace(COURSE, instances=(ONE, TWO))


@settings(MANY, max_examples=40, phases=[Phase.generate])
@given(st.data())
def test_words_that_are_nearly_right(data):
    """One place of what a host says is something else: the other student's grade is what it is, and both have one."""
    hosts = {name: honest(name) for name in ("h0", "h1")}
    right, agent, reports = honest_engine(OF["h1"], "h1"), honest_agent(OF["h1"], "h1"), []
    hosts["h0"].look = hosts["h1"].look = lambda _: json.dumps(LOOKED).encode()

    def noted(job, step):
        reports.append(agent(job, step))
        return reports[-1]

    hosts["h1"].agent = noted
    before = {each.hosts[0]: document(each) for each in grade(PAIR, hosts)}
    which = data.draw(st.sampled_from(["engine", "agent", "look"]))
    if which == "engine":
        path = data.draw(st.sampled_from(["/containers/s02-web/json", "/networks/net-s02-net", "/containers/json"]))
        hosts["h1"].engine = answering(path, data.draw(otherwise(right(f"/v1.51{path}"))))("h1")
    elif which == "agent":
        report = data.draw(otherwise(reports[-1]))
        hosts["h1"].agent = lambda job, step: agent(job, step) if step != "stop" else report
    else:
        other = data.draw(otherwise(LOOKED))
        hosts["h1"].look = lambda _: json.dumps(other).encode()
    found = {each.hosts[0]: document(each) for each in grade(PAIR, hosts)}
    assert found["h0"] == before["h0"]
    assert found["h1"]["verdict"]
