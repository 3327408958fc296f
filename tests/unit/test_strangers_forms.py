"""Random forms at the stand-ins of an engine, an agent and an SSH server: none costs more than its own host's answer.

So many of each as DOCKERLAB_FORMS says; `scripts/fuzz strangers 10000` runs that many, and prints what it took. A form
that is amiss is told with its reason when it is met, before hypothesis tries whether it is so again, and is written to
the file DOCKERLAB_FORMS_AMISS where that is given: what passes the second time is kept all the same.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import sys
import time
import traceback
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from support.hostile import COURSE, OF, answering, honest, raw
from support.machinery import raw as raw_look
from support.server import After, Before, Server
from support.strangers import Stranger, honest_agent, honest_engine

from dockerlab import plan
from dockerlab.errors import HostError
from dockerlab.hosts.fake import FakeHost
from dockerlab.probe.agents import AgentProber
from dockerlab.probe.base import Cell, Place
from dockerlab.report import inventory
from dockerlab.students.as_json import document
from dockerlab.students.grading import grade
from dockerlab.survey import ask_all, send, survey

FORMS = int(os.environ.get("DOCKERLAB_FORMS", "150"))
AMISS = os.environ.get("DOCKERLAB_FORMS_AMISS", "")
MEMORY = 300 * 2**20
SECONDS = 20.0
"""One form takes some milliseconds; more than this would be a wait for each of several things."""


@contextmanager
def bounded(what):
    """Hold that what runs inside takes no more memory than a host may cost; tell how many forms, and how long."""
    before, began, took = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic(), []

    @contextmanager
    def one(*form):
        start = time.monotonic()
        try:
            yield
            took.append(time.monotonic() - start)
            assert took[-1] < SECONDS, f"it took {took[-1]:.1f} s"
        except Exception:
            amiss(
                f"{what}, form {len(took)}, after {time.monotonic() - start:.2f} s: {form!r}\n{traceback.format_exc()}"
            )
            raise

    yield one
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds, more = time.monotonic() - began, (most - before) * 1024
    told = f"slowest {max(took):.2f}, at most {most / 1024:.0f} MiB, {more / 2**20:.0f} of them for it"
    sys.stderr.write(f"{what}: {len(took)} forms in {seconds:.0f} s, {told}\n")
    assert more < MEMORY


def amiss(told):
    """Tell a form that is amiss, and keep it."""
    sys.stderr.write(told)
    if AMISS:
        with Path(AMISS).open("a", encoding="utf-8") as kept:
            kept.write(told)


LEAF = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["1.51", "/a", "9" * 5000, "²", "-1", "1/2", "0x1", "1.2.3.4/99", "fe80::1%eth0"])
)
KEYS = st.text(max_size=4) | st.sampled_from(
    ["Id", "Names", "Labels", "State", "Config", "Name", "IPAM", "Containers", "ApiVersion", "event", "kernel",
     "places", "cells", "arrivals", "number", "outcome", "namespaces"]
)  # fmt: skip
ANYTHING = st.deferred(
    lambda: LEAF | LEAF | st.lists(ANYTHING, max_size=3) | st.dictionaries(KEYS, ANYTHING, max_size=3)
)

MANY = settings(
    max_examples=FORMS, deadline=None, database=None, print_blob=True, suppress_health_check=list(HealthCheck)
)


HTTP = (
    b"HTTP/1.1 ", b"200 OK", b"204", b"302 Found\r\nLocation: /x", b"500 no", b"\r\n", b"\r\n\r\n", b"Content-Length: ",
    b"Transfer-Encoding: chunked", b"Content-Encoding: gzip", b"-1", b"0", b"5", b"99999999999999999999", b"{}", b"[]",
    b"\x00", b"\xff\xfe", b"Connection: close", b"5\r\nabcde\r\n0\r\n\r\n", b"ffffffff\r\n", b"a: b\r\n" * 200,
)  # fmt: skip
ANSWERS = ANYTHING.map(lambda told: raw(json.dumps(told).encode())) | st.lists(
    st.sampled_from(HTTP) | st.binary(max_size=8), max_size=12
).map(b"".join)
PATHS = st.sampled_from(["/version", "/info", "/networks", "/containers/json", "/volumes", "/images/json"])


def test_an_engine_says_anything():
    """A snapshot of the declared form, or that host's failure; the other host's objects are what they are."""
    now, right = datetime(2027, 1, 31, tzinfo=timezone.utc), survey({"h0": honest("h0")}, detail="every").answers["h0"]

    with bounded("engine") as one:

        @MANY
        @given(ANSWERS, PATHS)
        def form(answer, path):
            host = honest("h1")
            host.engine = answering(path, answer)("h1")
            with one(path, answer):
                found = survey({"h0": honest("h0"), "h1": host}, detail="every")
                assert found.answers["h0"] == right
                assert found.failures.keys() | found.answers.keys() == {"h0", "h1"}
                if "h1" in found.answers:
                    assert inventory.table(inventory.rows(found.answers, None, now))
                    assert inventory.expiring(found.answers, None, now) == []
                assert {step.key.host for step in plan.down(found.answers, None, None).changes} >= {"h0"}

        form()


WORDS = ANYTHING.map(lambda told: json.dumps(told).encode() + b"\n") | st.binary(max_size=30)


def test_an_agent_says_anything():
    """Its own cells are unknown or judged, and the other host's are what they are, after one session with each."""
    cells = [
        Cell(n, Place(name, "web", 100, "x"), Place(name, "peer", 101, "y"), address, "ping")
        for n, (name, address) in enumerate((name, str(OF[name].containers[f"{s}-peer"].networks[f"{s}-net"].ip))
                                            for name, s in (("h0", "s01"), ("h1", "s02")))
    ]  # fmt: skip
    with bounded("agent") as one:

        @MANY
        @given(ANYTHING, WORDS, st.sampled_from(["job", "go", "stop"]),
               st.sampled_from(["", "bytes", "cells", "arrivals", "places", "knocks"]))  # fmt: skip
        def form(answer, words, when, key):
            hosts = {name: honest(name) for name in ("h0", "h1")}
            right = hosts["h1"].agent

            def say(job, step):
                said = right(job, step)
                if step != when or key == "bytes":
                    return said if step != when else words
                return {**said, key: answer} if key else answer

            hosts["h1"].agent = say
            with one(when, key, answer, words):
                found = AgentProber(hosts).observe(cells)
                assert found[0].state == "reachable"
                assert found.keys() == {0, 1}

        form()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Give a server that says what it is told to."""
    made = Server(tmp_path_factory.mktemp("server"))
    yield made
    made.close()


SSH = (
    *(b"SSH-2.0-x\r\n", b"SSH-1.99-x\r\n", b"SSH-9", b"Exceeded MaxStartups\r\n", b"\r\n", b"HTTP/1.1 400 no\r\n\r\n"),
    *(b"\x00" * 4, b"\xff" * 8, b"\x00\x00\x00\x0c\x0a\x14", b"\x00\x00\x01\x3c\x04\x14" + b"a" * 316),
    *(b"\x7f\xff\xff\xff\x04", b"x" * 5000),
)
"""Beginnings of what a server says, right and wrong: banners, packets of a key exchange, lengths."""

BEFORE = st.builds(
    Before,
    st.lists(st.sampled_from(SSH) | st.binary(max_size=16), max_size=5).map(tuple),
    st.integers(0, 19).map(lambda number: number == 0),
)
AFTER = st.builds(
    After,
    st.integers(0, 9).map(bool),
    st.integers(0, 9).map(bool),
    st.binary(max_size=64),
    st.sampled_from([1, 1, 1, 2**14]),
    st.binary(max_size=64),
    st.none() | st.integers(0, 2**31 - 1) | st.integers(0, 3),
    st.sampled_from(["close", "close", "eof", "drop"]),
)


def test_an_ssh_server_says_anything(monkeypatch, server):
    """A result, or that host's failure, within the time that a connection and a start have; the other host answers."""
    monkeypatch.setattr("dockerlab.hosts.sshconnect.FIRST_PAUSE", 0.001)
    monkeypatch.setattr("dockerlab.hosts.sshconnect.ATTEMPTS", 2)
    monkeypatch.setattr("dockerlab.hosts.ssh.OPEN_TIMEOUT", 0.5)
    monkeypatch.setattr("dockerlab.hosts.ssh.REFUSALS", 2)
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    good, kept = FakeHost("h0", lambda *_: b"here"), [server.host()]

    def ask(host):
        return host.run(["true"], timeout=0.5)

    with bounded("ssh") as one:

        @MANY
        @given(BEFORE | AFTER | AFTER)
        def form(form):
            server.form = form
            if isinstance(form, Before):
                kept.append(server.host())
            with one(form):
                found = ask_all({"h0": good, "h1": kept[-1]}, ask)
                assert found.answers["h0"].text == "here"
                assert found.failures.keys() | found.answers.keys() == {"h0", "h1"}
            if isinstance(form, Before):
                kept.pop().close()

        form()
    kept[0].close()
    logging.getLogger("paramiko").setLevel(logging.NOTSET)


@MANY
@given(ANYTHING)
def test_a_look_says_anything(answer):
    """The survey's program prints anything: a machine of the declared form, or that host's failure."""
    said = json.dumps(answer).encode()
    with pytest.raises(HostError, match="h1: what its python3 says cannot be understood"):
        send.look(Stranger("h1", honest_engine(OF["h1"], "h1"), honest_agent(OF["h1"], "h1"), lambda _: said), ())


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
        path = data.draw(
            st.sampled_from(
                ["/containers/s02-web/json", "/networks/net-s02-net", "/containers/json", "/version", "/info"]
            )
        )
        asked = path if path == "/version" else f"/v1.51{path}"
        hosts["h1"].engine = answering(path, data.draw(otherwise(right(asked))))("h1")
    elif which == "agent":
        report = data.draw(otherwise(reports[-1]))
        hosts["h1"].agent = lambda job, step: agent(job, step) if step != "stop" else report
    else:
        other = data.draw(otherwise(LOOKED))
        hosts["h1"].look = lambda _: json.dumps(other).encode()
    found = {each.hosts[0]: document(each) for each in grade(PAIR, hosts)}
    assert found["h0"] == before["h0"]
    assert found["h1"]["verdict"]
