"""The dialogue with the agent of one host: what it is sent, and what comes of what it says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from time import monotonic
from typing import Any

from dockerlab.errors import DeadlineExceeded, HostError
from dockerlab.gate import LONGEST, admitted, misfit, parsed
from dockerlab.hosts.base import Conversation, Host
from dockerlab.hosts.program import PYTHON, Program
from dockerlab.probe.base import Cell, Place
from dockerlab.probe.dialogue import SIGN
from dockerlab.probe.records import LED, RECORDS, Arrival, Done, Failed, Ready, Report, Working, entered
from dockerlab.probe.reported import HostRecords
from dockerlab.probe.wire import TYPE_A, TYPE_AAAA, version_of

AGENT = Program(
    "dockerlab.probe",
    (
        *("dialogue", "wire", "neighbours", "namespaces", "resolver", "knocks", "deliveries", "flight"),
        *("connections", "senders", "agent"),
    ),
)

HOLD = 0.02
"""Seconds that a connection to a published port is kept for its far end to end it; who is not seen by then to have
taken it is asked again with the whole patience.
"""

START = 30.0
"""Seconds that an agent may take for anything but waiting for answers."""

MOST_TRIES = 8
"""So many connections may be begun for one cell, at the most."""

WHO = "its python3"

NEEDS = """
import ipaddress, json, os, platform, selectors, socket, struct, sys
if sys.version_info < (3, 6):
    sys.exit("python3 is " + sys.version)
if not hasattr(os, "setns"):
    import ctypes
"""
"""What the agent needs of a host's Python; a minimal one lacks parts of the standard library."""


class AgentUnavailable(HostError):
    """A host cannot run the agent (no root, no Python 3.6); the portable prober can serve there."""

    def __init__(self, host: str, reason: str) -> None:
        self.reason = reason
        super().__init__(host, f"the agent cannot run here: {reason}")


@dataclass(frozen=True)
class Run:
    """What all agents of one run are told alike."""

    nonce: str
    patience: float
    haste: bool = False
    last: bool = False


class Asked:
    """What is asked in one run, sorted out once for all hosts."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        behind = dict.fromkeys(each for cell in cells for each in cell.behind or ())
        touched = {
            **dict.fromkeys(cell.source for cell in cells),
            **dict.fromkeys(cell.target for cell in cells if cell.target is not None),
            **dict.fromkeys(each.place for each in behind),
        }
        self.places: dict[str, list[Place]] = {}
        for place in touched:
            self.places.setdefault(place.host, []).append(place)
        self.ports: dict[Place, list[int]] = {}
        for place, port in behind:
            self.ports.setdefault(place, []).append(port)
        self.takers = {cell.target for cell in cells if cell.probe == "tcp" and cell.behind is None}
        if None in self.takers:  # nobody of the lab is meant: whoever takes it has to be noticed
            self.takers |= touched.keys()
        self._names = {place: str(place) for place in touched}
        self.of: dict[str, list[Cell]] = {}
        for cell in sorted(cells, key=self._pair):
            self.of.setdefault(cell.source.host, []).append(cell)

    def _pair(self, cell: Cell) -> tuple[bool, str, str]:
        """Return what sorts the two directions of a pair beside each other: one ARP exchange then serves both.

        Names come last, for the name server is no neighbour.
        """
        one = self._names[cell.source]
        other = self._names[cell.target] if cell.target is not None else cell.address
        return (cell.probe == "dns", *((one, other) if one < other else (other, one)))


class Session:
    """The dialogue with the agent of one host, and what came of it."""

    def __init__(self, host: Host, run: Run, asked: Asked) -> None:
        self.host = host
        self.kernel = ""
        self.records = HostRecords()
        self.unable: AgentUnavailable | None = None
        self._conversation: Conversation | None = None
        self._places = asked.places.get(host.name, [])
        own = asked.of.get(host.name, [])
        keys = {place: key for key, place in enumerate(self._places)}
        self._own = {cell.number: cell for cell in own}
        self.job = {
            "nonce": run.nonce,
            "patience": run.patience,
            "haste": run.haste,
            "hold": run.patience if run.last else HOLD,
            "last": run.last,
            "places": [
                {
                    "key": key,
                    "pid": place.pid,
                    "ports": asked.ports.get(place, []),
                    "taker": place in asked.takers,
                }
                for place, key in keys.items()
            ],
            "cells": [_question(cell, keys[cell.source]) for cell in own],
        }
        # The agent sends in waves where the neighbour tables are small: a wave of silence takes the whole patience.
        self.need = run.patience * (1 + len(own) / 256)
        self._timeout = START + self.need

    @property
    def alive(self) -> bool:
        """Tell whether the agent has not failed so far."""
        return self.records.failure is None

    def guard(self, step: Callable[[Session], None]) -> None:
        """Take a step; a host's failure is recorded and not raised."""
        try:
            step(self)
        except HostError as error:
            if self.alive:
                self.unable = error if isinstance(error, AgentUnavailable) else None
                self.records = HostRecords(failure=str(error))

    def give_up(self, seconds: float) -> None:
        """End the dialogue with an agent that does not keep up with the others."""
        self.records = HostRecords(failure=f"it did not answer within {seconds:.0f} s, and the others long have")
        self.abort()

    def start(self) -> None:
        """Send the program and the job, and wait until the agent listens everywhere."""
        self._conversation = self.host.converse(AGENT.argv("agent"), timeout=self._timeout)
        if not self.alive:
            self.abort()  # it was given up meanwhile
            return
        try:
            self._conversation.send(AGENT.source())
            self._say(self.job)
            line = self._agent.receive_line()
        except HostError:
            self._diagnose()
            raise
        ready: Ready | Failed = self._heard(line, Ready | Failed)
        if ready["event"] == "failed":
            raise AgentUnavailable(self.host.name, ready["reason"][:LONGEST])
        self.kernel = ready["kernel"]
        places = ready["places"]
        self._namespaces: dict[Place, int | str] = {
            place: entered(places.get(str(key))) for key, place in enumerate(self._places)
        }

    def go(self, share: int) -> None:
        """Let the agent probe; `share` is how many agents share its kernel's neighbour tables."""
        self._say({"event": "go", "share": share})

    def wait(self) -> None:
        """Wait until every cell of this host is settled; as long as it is not, the agent says that it is at work."""
        end = monotonic() + self._timeout
        for _ in range(int(self._timeout / SIGN) + 1):
            said: Working | Done = self._heard(self._agent.receive_line(), Working | Done)
            if said["event"] == "done":
                return
            if monotonic() > end:
                break
        raise DeadlineExceeded(self.host.name, f"its agent was not done within {self._timeout:.0f} s")

    def report(self) -> None:
        """Stop the agent and read its records."""
        self._say({"event": "stop"})
        report: Report = self._heard(self._agent.receive_line(), Report)
        self._agent.finish()
        made = admitted(self.host.name, WHO, lambda: records_of(report, self._own, self._namespaces), HostRecords)
        if self.alive:
            self.records = made

    def abort(self) -> None:
        """Leave nothing running on the host."""
        if self._conversation is not None:
            self._conversation.abort()

    @property
    def _agent(self) -> Conversation:
        if self._conversation is None:
            raise HostError(self.host.name, "no agent was started")
        return self._conversation

    def _say(self, message: Mapping[str, Any]) -> None:
        self._agent.send(json.dumps(message).encode() + b"\n")

    def _heard(self, line: bytes, form: object) -> Any:
        return admitted(self.host.name, WHO, lambda: parsed(line), form)

    def _diagnose(self) -> None:
        """Raise AgentUnavailable where the host's Python cannot run the agent; only asked after a start that failed."""
        result = self.host.run([*PYTHON, NEEDS], timeout=START)
        if not result.ok:
            reason = (result.error.splitlines() or ["it said nothing"])[-1]
            raise AgentUnavailable(self.host.name, f"it has no complete python3 of version 3.6 or later: {reason}")


def _form(cell: Cell) -> object:
    return RECORDS[cell.probe] if cell.behind is None else LED


def records_of(report: Report, own: Mapping[int, Cell], namespaces: Mapping[Place, int | str]) -> HostRecords:
    """Return what an agent reports of its own cells and of its own places; raises ValueError for anything else."""
    cells: dict[int, Mapping[str, Any]] = {record["number"]: record for record in report["cells"]}
    marks: dict[tuple[int, int], str] = {}
    for number, record in cells.items():
        wrong = misfit(record, _form(own[number])) if number in own else " is none of its own"
        if wrong is not None:
            raise ValueError(f"the record of cell {number}{wrong}")
        marks |= {(number, attempt): mark for attempt, mark in record.get("marks", ())}
        for address in record.get("addresses", ()):
            ip_address(address)
    arrivals = frozenset(Arrival._make(each) for each in report["arrivals"])
    entered = {found for found in namespaces.values() if isinstance(found, int)}
    seen = {each.namespace for each in arrivals} | {each[0] for each in (*report["knocks"], *report["delivered"])}
    if not seen <= entered:
        raise ValueError("it speaks of a namespace that it did not enter")
    if len(report["numbers"]) > MOST_TRIES * len(own):
        raise ValueError("it began more connections than were asked for")
    return HostRecords(
        namespaces=namespaces,
        cells=cells,
        marks=marks,
        arrivals=arrivals,
        missed={namespace: count for namespace, count in report["missed"]},  # noqa: C416 - dict() takes no lists for pairs
        overflows=report["overflows"],
        numbers=frozenset(report["numbers"]),
        knocks=tuple((namespace, port, number, what) for namespace, port, number, what in report["knocks"]),
        deaf={int(namespace): str(why) for namespace, why in report["deaf"]},
        delivered=frozenset((namespace, number) for namespace, number in report["delivered"]),
        unseen={int(namespace): str(why) for namespace, why in report["unseen"]},
        proxies=frozenset(report["proxies"]),
    )


def _question(cell: Cell, place: int) -> list[Any]:
    """Return a cell as the agent reads it: the fields of its `Question`."""
    return [
        cell.number,
        place,
        cell.probe,
        cell.address,
        cell.port,
        cell.name,
        record_type(cell.expected),
        cell.full,
        cell.behind is not None,
    ]


def record_type(expected: Sequence[str]) -> int:
    """Return which DNS record answers: AAAA where only IPv6 addresses are expected, else A."""
    return TYPE_AAAA if expected and all(version_of(address) == 6 for address in expected) else TYPE_A
