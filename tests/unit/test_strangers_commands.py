"""Commands and the page go on with the other hosts where one is hostile, and say which one it is."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from threading import Event
from time import monotonic

import pytest
from support.hostile import (
    ENGINES,
    OF,
    answering,
    graded,
    honest,
)
from support.strangers import honest_agent, honest_engine

from dockerlab.cli import main
from dockerlab.discover.asking import ask
from dockerlab.discover.spot import defined
from dockerlab.errors import UsageError
from dockerlab.provision.down import Which, plan_down
from dockerlab.serve.board import Board
from dockerlab.serve.rounds import rounds
from dockerlab.session import Session


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
    whole_, silent = defined(ask(hosts), addresses)
    assert (len(whole_.lab.containers), dict(silent)) == (4, {})
    for engine_of in (ENGINES["infolist"], answering("/containers/s02-web/json", {
        **honest_engine(OF["h1"], "h1")("/v1.51/containers/s02-web/json"),
        "HostConfig": {"NetworkMode": "s02-net", "Ulimits": [{"Soft": 1}]},
    })):  # fmt: skip
        hosts["h1"].engine = engine_of("h1")
        found, silent = defined(ask(hosts), addresses)
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
    monkeypatch.setattr("dockerlab.sandbox.hosts_there", lambda: list(hosts))
    monkeypatch.setattr(sys, "argv", ["dockerlab", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    told = capsys.readouterr()
    return ended.value.code, told.out, told.err


def test_who_has_not_answered_has_not_nothing(monkeypatch, capsys):
    """Where no host could be asked, it is not said that nothing is there."""
    hosts = {"h0": honest("h0")}
    hosts["h0"].engine = ENGINES["infolist"]("h0")
    code, out, err = call(monkeypatch, capsys, hosts, "status", "--sandbox")
    assert (code, out) == (4, "")
    assert "h0: " in err


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
