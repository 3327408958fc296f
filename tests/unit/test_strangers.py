"""Whatever a host, its engine, the survey's program or the agent says is that host's affair, and nobody else's."""

from __future__ import annotations

import gzip
import json
import sys
import tracemalloc
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from threading import Event
from time import monotonic

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from support.labs import lab
from support.machinery import raw as raw_look
from support.strangers import Speaker, Stranger, honest_agent, honest_engine, whole

from dockerlab import engine, plan
from dockerlab.cli import main
from dockerlab.discover.spot import defined
from dockerlab.engine import bounded
from dockerlab.errors import EngineError, HostError, UsageError
from dockerlab.probe import agents
from dockerlab.probe.agents import AgentProber
from dockerlab.probe.base import Cell, Place
from dockerlab.provision.down import Which, plan_down
from dockerlab.report import as_html, as_json, as_table, inventory
from dockerlab.serve.board import Board
from dockerlab.serve.rounds import rounds
from dockerlab.session import Session
from dockerlab.students.as_json import document
from dockerlab.students.course import arranged
from dockerlab.students.grading import grade
from dockerlab.students.roster import one
from dockerlab.students.subnets import Source
from dockerlab.survey import send, survey
from dockerlab.verify import on_hosts

LAB = lab("""
    hosts: {h: local}
    networks: {net: {subnet: 172.31.1.0/24}}
    containers:
      web: {image: dockerlab/node, networks: {net: {ip: 172.31.1.10}}, command: "httpd -f"}
      peer: {image: dockerlab/node, networks: {net: {ip: 172.31.1.11}}}
""")
TWO_HOSTS = lab("""
    hosts: {h0: local, h1: "ssh://far"}
    networks: {net: {subnet: 172.31.1.0/24, hosts: [h0]}, far: {subnet: 172.31.2.0/24, hosts: [h1]}}
    containers:
      web: {host: h0, image: dockerlab/node, networks: {net: {ip: 172.31.1.10}}}
      peer: {host: h0, image: dockerlab/node, networks: {net: {ip: 172.31.1.11}}}
      away: {host: h1, image: dockerlab/node, networks: {far: {ip: 172.31.2.10}}}
""")
NAMES = [f"h{number}" for number in range(6)]
COURSE, _ = arranged(LAB, [one(f"s0{number}") for number in range(1, 7)], NAMES, Source())
OF = {next(iter(each.lab.hosts)): each.lab for each in COURSE.instances}

DEEP = b"[" * 200_000 + b"]" * 200_000
VERSION = {"Version": "28.5.2", "ApiVersion": "1.51"}


def honest(name):
    return Stranger(name, honest_engine(OF[name], name), honest_agent(OF[name], name))


def answering(path, answer):
    """Return what makes an engine of an honest one that gives another answer to a path."""

    def made(name):
        right = honest_engine(OF[name], name)
        return lambda asked: answer if asked.endswith(path) else right(asked)

    return made


def raw(body, head=b""):
    return b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s" % (head, len(body), body)


ENGINES = {
    "noapi": answering("/version", {}),
    "list": answering("/version", []),
    "nullver": answering("/version", {"ApiVersion": None}),
    "badver": answering("/version", {"ApiVersion": "../../x"}),
    "deepjson": answering("/version", raw(DEEP)),
    "infolist": answering("/info", [1]),
    "intlist": answering("/containers/json", [1, 2]),
    "nothing": answering("/networks", None),
    "numbers": answering("/images/json", [{"Id": 3}]),
    "labels": answering("/containers/json", [{"Id": "x", "Names": ["/x"], "Labels": {"dockerlab.lab": ["demo"]}}]),
    "half": answering("/info", raw(b'{"DockerRootDir": "\\ud800"}')),
    "infinite": answering("/info", raw(b'{"Swarm": {"x": Infinity}}')),
    "redirect": answering("/version", b"HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:8443/secret\r\n"
                                      b"Content-Length: 0\r\n\r\n"),
    "redirect to a socket": answering("/version", b"HTTP/1.1 302 Found\r\nLocation: http+unix://x\r\n"
                                                  b"Content-Length: 0\r\n\r\n"),
    "gzip": answering("/info", raw(gzip.compress(b" " * 2**26), b"Content-Encoding: gzip\r\n")),
    "big": answering("/info", raw(b" " * (bounded.LARGEST + 1))),
    "many": answering("/info", raw(b"[" + b"{}," * 2**20 + b"{}]")),
    "no HTTP": answering("/version", b"Welcome!\r\n"),
}  # fmt: skip


def reporting(**other):
    """Return what makes an agent of an honest one whose report has something else in it."""

    def made(name):
        right = honest_agent(OF[name], name)
        return lambda job, step: {**right(job, step), **(other if step == "stop" else {})}

    return made


def starting(said):
    return lambda name: lambda job, step: said if step == "job" else honest_agent(OF[name], name)(job, step)


def in_records(**other):
    def made(name):
        right = honest_agent(OF[name], name)

        def say(job, step):
            said = right(job, step)
            return {**said, "cells": [{**each, **other} for each in said["cells"]]} if step == "stop" else said

        return say

    return made


AGENTS = {
    "noevent": starting({}),
    "list": starting([1]),
    "deep": starting(DEEP + b"\n"),
    "kernlist": starting({"event": "ready", "kernel": [1], "places": {}}),
    "noplaces": starting({"event": "ready", "kernel": "x", "places": {}}),
    "notready": starting({"event": "x", "reason": "I would rather not"}),
    "unable": starting({"event": "failed", "reason": "the agent needs root"}),
    "nocells": reporting(cells=None),
    "badarr": reporting(arrivals=[1]),
    "others": reporting(arrivals=[[0, 0, 4711, "mark of 0"]]),
    "others' cells": reporting(cells=[{"number": 10**6, "outcome": "silent", "server": ""}]),
    "nooutcome": in_records(outcome=None),
    "rttlist": in_records(rtt=[1]),
    "markless": in_records(marks=[["x"]]),
    "no address": in_records(addresses=["x"]),
    "overstr": reporting(overflows="x"),
    "overflow": reporting(overflows=5),
    "numbers": reporting(numbers=list(range(10**4))),
    "knocks": reporting(knocks=[[1, 2]]),
}

LOOKS = {
    "noevent": b"{}",
    "deep": DEEP,
    "list": b"[1]",
    "other types": json.dumps({
        "uid": 0, "kernel": [1], "namespaces": [], "unread": {}, "proxies": [], "owners": [], "unseen": 0,
    }).encode(),
}  # fmt: skip


def graded(hosts, left_out=()):
    """Return the grades of a class as JSON's values, by the host of each student."""
    kept = tuple(each for each in COURSE.instances if not left_out or next(iter(each.lab.hosts)) not in left_out)
    found = grade(replace(COURSE, instances=kept), {name: hosts[name] for name in OF if name not in left_out}, "auto")
    return {each.hosts[0]: document(each) for each in found}


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


def test_the_job_tells_no_answer():
    """What an agent is sent is the same whatever is expected of the cells, and whatever a name should give."""
    at, to = Place("h0", "a", 1, "x"), Place("h0", "b", 2, "y")

    def job(**other):
        cells = [Cell(1, at, to, "10.0.0.2", "ping", **{k: v for k, v in other.items() if k != "expected"}),
                 Cell(2, at, to, "", "dns", name="b", **other)]  # fmt: skip
        return agents.Session(honest("h0"), agents.Run("00", 2.0, haste=True), cells).job

    assert job(silent=True, expected=("10.0.0.2",)) == job(silent=False, expected=("10.0.0.3", "10.0.0.4"))
    assert "10.0.0.3" not in json.dumps(job(expected=("10.0.0.3",)))


def two_hosts(agent=None, arrivals=True):
    """Return what is seen of a ping from h0 to h1, where h0's agent says that it was answered."""
    cell = Cell(7, Place("h0", "a", 1, "x"), Place("h1", "b", 2, "y"), "10.0.0.2", "ping")
    ready = {"event": "ready", "kernel": "k", "places": {"0": {"sandbox": 1}}}
    empty = {"event": "report", "overflows": 0, "numbers": [], "arrivals": [], "missed": [[1, 0]], "knocks": [],
             "deaf": [], "proxies": [], "cells": []}  # fmt: skip
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


def test_a_fault_of_our_own_is_no_hosts(monkeypatch):
    """What a report is made wrong by is raised as it is, whoever's report it was: no host is blamed for it."""

    def wrong(*_):
        raise KeyError("ours")

    monkeypatch.setattr("dockerlab.verify.judging.promises", wrong)
    with pytest.raises(KeyError, match="ours"):
        graded({name: honest(name) for name in OF})


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


def test_a_round_never_ends_the_page():
    """Whatever a round meets, it is told on the page, and the next one is tried."""
    stop, board, told = Event(), Board("demo"), []

    def verify():
        told.append(board.summary().get("error"))
        if len(told) == 3:
            stop.set()
        raise (KeyError("event") if len(told) < 3 else UsageError("no"))

    board.begin([])
    rounds(board, verify, stop, 0.0)
    assert "KeyError" in told[1]
    assert board.summary()["error"] == "no"


def test_whole_answers_are_http():
    """The stand-in itself speaks HTTP."""
    assert whole(VERSION).startswith(b"HTTP/1.1 200 OK\r\nContent-Length: ")


def test_down_goes_on():
    """What is on the good host is removed, whatever the other one answers; that is told as not cleaned."""
    for made in ENGINES.values():
        hosts = {name: honest(name) for name in ("h0", "h1")}
        hosts["h1"].engine = made("h1")
        hosts["h0"].facts = hosts["h1"].facts = b"id 0\nflags \nend\n"
        removal = plan_down(Which(None, everyone=True), hosts)
        assert {(step.key.host, step.key.name) for step in removal.plan.changes} >= {("h0", "s01-web")}
        assert set(removal.failures) == {"h1"}


def test_discover_without_a_host_that_says_nonsense():
    """The others are discovered; which is left out is said, also where only putting it together shows the nonsense."""
    hosts = {name: honest(name) for name in ("h0", "h1")}
    addresses = dict.fromkeys(hosts)
    whole_, silent = defined(hosts, addresses)
    assert (len(whole_.lab.containers), dict(silent)) == (4, {})
    for engine_of in (ENGINES["infolist"], answering("/containers/s02-web/json", {
        **honest_engine(OF["h1"], "h1")("/v1.51/containers/s02-web/json"),
        "HostConfig": {"NetworkMode": "s02-net", "Ulimits": [{"Soft": 1}]},
    })):  # fmt: skip
        hosts["h1"].engine = engine_of("h1")
        found, silent = defined(hosts, addresses)
        assert sorted(found.lab.containers) == ["s01-peer", "s01-web"]
        assert set(silent) == {"h1"}


def test_who_does_not_keep_up(monkeypatch):
    """An agent that says nothing is not waited for long after all others have spoken."""
    monkeypatch.setattr("dockerlab.probe.agents.GRACE", 0.2)
    hosts = {name: honest(name) for name in OF}
    ending = Event()

    def hang(job, step):
        if step == "go":
            ending.wait(20)
        return honest_agent(OF["h1"], "h1")(job, step)

    hosts["h1"].agent = hang
    hosts["h1"].aborted = ending.set
    began = monotonic()
    found = graded(hosts)
    assert monotonic() - began < 15
    assert found["h1"]["summary"]["pass"] == 0
    assert "did not answer within" in found["h1"]["amiss"][0]["detail"]
    assert found["h0"]["summary"]["pass"] == 7


def call(monkeypatch, capsys, hosts, *words):
    """Run the command line on hosts, and return the exit code, and what was written to both streams."""

    @contextmanager
    def opened(*_):
        yield Session(hosts, hosts["h0"])

    monkeypatch.setattr("dockerlab.cli.places.Places.open", opened)
    monkeypatch.setattr(sys, "argv", ["dockerlab", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    told = capsys.readouterr()
    return ended.value.code, told.out, told.err


@pytest.mark.parametrize(
    "words", [("inspect", "vone", "--sandbox"), ("watch", "vone", "--sandbox", "--for", "3"), ("status", "--sandbox")]
)
def test_a_part_of_a_look_is_told_as_one(monkeypatch, capsys, words):
    """Where one host cannot be looked at, it is named with why, and the exit code is that of a failure."""
    hosts = {name: honest(name) for name in ("h0", "h1")}
    hosts["h1"].engine = ENGINES["infolist"]("h1")
    for host in hosts.values():
        host.look = lambda _: b"{}"
    code, out, err = call(monkeypatch, capsys, hosts, *words)
    assert code == 4
    assert ("h1: " if words[0] == "watch" else "h1: what its ") in out + err


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
