"""Whatever a host, its engine, the survey's program or the agent says is that host's affair, and nobody else's."""

from __future__ import annotations

import socket
import tracemalloc
from dataclasses import replace
from threading import Event, Thread

import pytest
from support.hostile import (
    AGENTS,
    ENGINES,
    LOOKS,
    OF,
    VERSION,
    graded,
    honest,
)
from support.strangers import Speaker, whole

from dockerlab import engine
from dockerlab.errors import EngineError
from dockerlab.hosts.local import LocalHost
from dockerlab.survey import survey

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


@pytest.mark.parametrize("local", [True, False])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_nobody_is_sent_elsewhere(tmp_path, monkeypatch, scheme, local):
    """An engine that sends its caller to another place, this machine's own or a host's, makes it go nowhere."""
    with socket.create_server(("127.0.0.1", 0)) as elsewhere, socket.socket(socket.AF_UNIX) as here:
        to = f"{scheme}://127.0.0.1:{elsewhere.getsockname()[1]}/secret".encode()
        said = b"HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % to
        here.bind(str(tmp_path / "docker.sock"))
        here.listen()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")

        def answer():
            with here.accept()[0] as way:
                way.recv(4096)
                way.sendall(said)

        if local:
            Thread(target=answer).start()
        host = LocalHost("h1") if local else replace(honest("h1"), engine=lambda _: said)
        with pytest.raises(EngineError, match=r"h1: .*it sends us to another place, where nobody is asked"):
            engine.snapshot(host)
        elsewhere.setblocking(False)
        with pytest.raises(BlockingIOError):
            elsewhere.accept()


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


def test_whole_answers_are_http():
    """The stand-in itself speaks HTTP."""
    assert whole(VERSION).startswith(b"HTTP/1.1 200 OK\r\nContent-Length: ")
