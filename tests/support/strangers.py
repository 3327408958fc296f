"""Hosts that are functions down to their engine's HTTP, the survey's program and the agent: honest ones, and others."""

# ruff: noqa: ARG002
from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dockerlab.command import Result
from dockerlab.errors import TransportError
from dockerlab.hosts.base import Conversation, Input
from dockerlab.hosts.fake import FakeDialogue
from dockerlab.lab.model import Lab

Answers = Callable[[str], Any]
"""What an engine answers to a path, as JSON's values; bytes are sent as they are, the head of HTTP among them."""

Agent = Callable[[Mapping[str, Any], str], Any]
"""What an agent says to a job after `job`, `go` or `stop`; bytes are sent as they are."""


class Speaker:
    """A program whose streams are an engine's: HTTP, one answer after the other."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._asked = b""
        self._said: list[bytes] = []

    def write(self, data: bytes, timeout: float) -> int:
        self._asked += data
        while b"\r\n\r\n" in self._asked:
            head, _, self._asked = self._asked.partition(b"\r\n\r\n")
            self._said.append(whole(self._answers(head.split()[1].decode().partition("?")[0])))
        return len(data)

    def receive(self, timeout: float) -> tuple[bytes, bytes] | None:
        return (self._said.pop(0), b"") if self._said else (b"", b"")

    def close_input(self) -> None:
        pass

    def wait(self, timeout: float) -> int | None:
        return 0

    def kill(self) -> None:
        pass

    def close(self) -> None:
        pass


def whole(answer: Any) -> bytes:
    """Return an answer with its head."""
    if isinstance(answer, bytes):
        return answer
    body = json.dumps(answer).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


class Dialogue:
    """The dialogue with an agent."""

    def __init__(self, host: str, agent: Agent, aborted: Callable[[], None]) -> None:
        self._host, self._agent, self._aborted = host, agent, aborted
        self._heard: list[bytes] = []
        self._said: list[bytes] = []

    def send(self, data: bytes) -> None:
        self._heard += data.splitlines()
        if len(self._heard) >= 2:
            step = ("job", "go", "stop")[min(len(self._heard) - 2, 2)]
            said = self._agent(json.loads(self._heard[1]), step)
            self._said.append(said if isinstance(said, bytes) else json.dumps(said).encode() + b"\n")

    def receive_line(self) -> bytes:
        if not self._said:
            raise TransportError(self._host, "the agent said nothing")
        return self._said.pop(0)

    def finish(self) -> Result:
        return Result((), 0, b"", b"", 0.0)

    def abort(self) -> None:
        self._aborted()


@dataclass
class Stranger:
    """A host of which everything that it says is given."""

    name: str
    engine: Answers
    agent: Agent
    look: Callable[[str], Any] = lambda _: (1, b"", b"no python3")
    facts: bytes = b"== id\n0\n== end\n"
    address: str | None = "192.0.2.1"
    channels: int = 8
    speaker: Callable[[Answers], Speaker] = Speaker
    aborted: Callable[[], None] = lambda: None

    def begin(self) -> None:
        pass

    def resume(self, argv: tuple[str, ...], timeout: float) -> Speaker:
        return self.speaker(self.engine)

    def keep(self, argv: tuple[str, ...], program: Speaker) -> None:
        pass

    def run(self, argv: Sequence[str], *, input: Input | None = None, timeout: float = 1.0) -> Result:  # noqa: A002 - the contract
        if argv[0] == "python3":
            said = self.look(argv[-1])
            rc, out, err = said if isinstance(said, tuple) else (0, said, b"")
            return Result(tuple(argv), rc, out if isinstance(out, bytes) else json.dumps(out).encode(), err, 0.0)
        return Result(tuple(argv), 0, self.facts, b"", 0.0)

    def converse(self, argv: Sequence[str], *, timeout: float = 1.0) -> Conversation:
        if argv[0] == "python3":
            return Dialogue(self.name, self.agent, self.aborted)
        return FakeDialogue(lambda argv, _: Result(argv, 1, b"", b"no sh", 0.0), tuple(argv), self.name)

    def stream(self, argv: Sequence[str], *, timeout: float = 1.0) -> Iterator[bytes]:
        yield b""

    def close(self) -> None:
        pass


def honest_engine(lab: Lab, host: str) -> Answers:
    """Return an engine on which a lab's containers on a host run, with the addresses that the lab gives them."""
    pids = {name: 100 + number for number, name in enumerate(lab.on_host(host))}
    details = {name: _container(lab, name, pids[name]) for name in pids}
    networks = [
        {"Id": f"net-{name}", "Name": name, "Driver": "bridge", "Labels": {"dockerlab.lab": lab.name},
         "IPAM": {"Config": [{"Subnet": str(pool.subnet)} for pool in spec.pools]}}
        for name, spec in lab.networks.items()
    ]  # fmt: skip

    def answers(path: str) -> Any:
        ending = path.partition("/v1.51")[2]
        fixed = {
            "/info": {"OperatingSystem": "Debian", "Swarm": {"LocalNodeState": "inactive"}},
            "/networks": networks,
            "/containers/json": [{"Id": name, "Names": [f"/{name}"], "Labels": {"dockerlab.lab": lab.name}}
                                 for name in details],
            "/volumes": {"Volumes": []},
            "/images/json": [],
        }  # fmt: skip
        fixed |= {f"/containers/{name}/json": detail for name, detail in details.items()}
        fixed |= {f"/networks/{each['Id']}": each for each in networks}
        return fixed[ending] if ending else {"Version": "28.5.2", "ApiVersion": "1.51"}

    return answers


def _container(lab: Lab, name: str, pid: int) -> dict[str, Any]:
    spec = lab.containers[name]
    places = {
        network: {"IPAddress": str(place.ip), "IPPrefixLen": 24, "MacAddress": f"02:42:00:00:00:{pid % 256:02x}"}
        for network, place in spec.networks.items()
    }
    return {
        "Id": name, "Name": f"/{name}", "State": {"Running": True, "Status": "running", "Pid": pid},
        "Config": {"Image": spec.image, "Labels": {"dockerlab.lab": lab.name}},
        "HostConfig": {"NetworkMode": next(iter(places), "none")}, "NetworkSettings": {"Networks": places},
    }  # fmt: skip


def begins(number: int) -> int:
    """Return what the connection of a cell begins with."""
    return 5000 + number


def honest_agent(lab: Lab, host: str) -> Agent:
    """Return an agent of a host on which every packet to an address of the lab arrives, and every name is known."""
    own = list(lab.on_host(host))
    pids = {str(place.ip): 100 + own.index(name) for name in own for place in lab.containers[name].networks.values()}
    names = {name: str(place.ip) for name in own for place in lab.containers[name].networks.values()}

    def record(cell: list[Any]) -> dict[str, Any]:
        number, _, probe, address, _, name, *_ = cell
        if probe == "dns":
            told = [names[name]] if name in names else []
            return {"number": number, "outcome": "answered", "rcode": 0, "addresses": told, "server": "127.0.0.11"}
        if address not in pids:
            return {"number": number, "outcome": "errno", "errno": "ENETUNREACH", "server": ""}
        more = {"attempt": 0, "marks": [[0, f"mark of {number}"]]} if probe == "ping" else {"began": begins(number)}
        return {"number": number, "outcome": "answered", "rtt": 0.5, **more}

    def say(job: Mapping[str, Any], step: str) -> Any:
        if step == "job":
            places = {str(place["key"]): {"namespace": place["pid"]} for place in job["places"]}
            return {"event": "ready", "kernel": host, "python": "3.11.2", "places": places}
        if step == "go":
            return {"event": "done"}
        inside = {place["pid"] for place in job["places"]}
        here = {probe: [cell for cell in job["cells"] if cell[2] == probe and pids.get(cell[3]) in inside]
                for probe in ("ping", "tcp")}  # fmt: skip
        return {
            "event": "report", "cells": [record(cell) for cell in job["cells"]], "overflows": 0, "numbers": [],
            "arrivals": [[cell[0], 0, pids[cell[3]], f"mark of {cell[0]}"] for cell in here["ping"]],
            "delivered": [[pids[cell[3]], begins(cell[0])] for cell in here["tcp"]], "unseen": [],
            "missed": [[pid, 0] for pid in inside], "knocks": [], "deaf": [], "proxies": [],
        }  # fmt: skip

    return say
