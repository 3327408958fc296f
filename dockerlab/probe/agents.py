"""The controller's side of the agents: send one to every host, let all probe at the same moment, join their records."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import wait
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from typing import Any

from dockerlab.errors import HostError
from dockerlab.gate import LONGEST, admitted, misfit, parsed
from dockerlab.hosts.base import Conversation, Host
from dockerlab.hosts.program import PYTHON, Program
from dockerlab.hosts.together import begun, most_of
from dockerlab.probe.base import FLAKY, REPLY_LOST, TIMEOUT, Cell, Observation, Place
from dockerlab.probe.doors import MIXED, UNPROVEN
from dockerlab.probe.join import HostRecords, join
from dockerlab.probe.records import LED, RECORDS, Arrival, Done, Failed, Ready, Report, entered
from dockerlab.probe.wire import NONCE_SIZE, TYPE_A, TYPE_AAAA, version_of

AGENT = Program(
    "dockerlab.probe",
    (
        *("dialogue", "wire", "neighbours", "sandboxes", "resolver", "knocks", "deliveries", "flight"),
        *("connections", "senders", "agent"),
    ),
)

PATIENCE = 2.0
"""Seconds after which a cell that was sent and not answered is silent."""

HOLD = 0.02
"""Seconds that a connection to a published port is kept for its far end to end it; who is not seen by then to have
taken it is asked again with the whole patience.
"""

START = 30.0
"""Seconds that an agent may take for anything but waiting for answers."""

GRACE = 10.0
"""Seconds, at the least, for which agents are waited for that need longer than the most: in all, however many and
however often."""

HASTY = frozenset({TIMEOUT, REPLY_LOST, FLAKY})
"""What may be seen of a cell for no other reason than haste."""

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


class Kernels:
    """How many agents of one run are on one machine's kernel, though several probers start them."""

    def __init__(self, hosts: int) -> None:
        """Expect the agents of so many hosts."""
        self._hosts = hosts
        self._told: dict[str, str] = {}
        self._telling = threading.Lock()

    def shares(self, told: Mapping[str, str]) -> Mapping[str, int]:
        """Return how many agents may be on each kernel, from which kernel each host says that it is on.

        Where nothing speaks against it, those that have not said it yet are taken to be on the same one.
        """
        with self._telling:
            self._told |= told
            found = Counter(self._told.values())
            alike = len(self._told) == len(told) or max(found.values(), default=0) > 1
            return {each: number + (self._hosts - len(self._told)) * alike for each, number in found.items()}


class AgentProber:
    """Probe with one agent on each host that the cells touch; who fails is not asked again.

    `unable` says of the hosts of the last question on which no agent can run why that is, `failed` of those whose
    agent did not get to the end of it.
    """

    name = "agent"

    def __init__(self, hosts: Mapping[str, Host], patience: float = PATIENCE, kernels: Kernels | None = None) -> None:
        """Probe on these hosts; `kernels` is shared with the probers that ask others at the same time."""
        self._hosts = hosts
        self._patience = patience
        self._kernels = kernels
        self._waited = 0.0
        self.unable: dict[str, AgentUnavailable] = {}
        self.failed: dict[str, str] = {}

    def observe(self, cells: Sequence[Cell]) -> dict[int, Observation]:
        """Probe every cell and return one observation for each cell's number.

        A host that lacks root or Python, or that is lost on the way, makes its cells unknown and leaves the others'.
        """
        self.unable, self.failed, self._waited = {}, {}, 0.0
        # No agent is told of which cell no answer is predicted. Silence is believed soon, or of none.
        haste = any(cell.silent for cell in cells)
        found = join(cells, self._ask(cells, haste=haste))
        hasty = [cell for cell in cells if found[cell.number].symptom in HASTY]
        if haste and any(not cell.silent for cell in hasty):
            found |= self._again(cells, hasty)
        doubtful = [cell for cell in cells if found[cell.number] == UNPROVEN]
        if doubtful:
            found |= self._patiently(doubtful)
        return found

    def _again(self, cells: Sequence[Cell], hasty: Sequence[Cell]) -> dict[int, Observation]:
        """Ask all that nobody answered once more with patience, and with the pings that tell who is asked."""
        meant = {(cell.source, cell.address, cell.target) for cell in hasty}
        silent = {cell.number for cell in hasty}
        beside = {c.number for c in cells if c.probe == "ping" and (c.source, c.address, c.target) in meant}
        wanted = silent | beside
        again = [cell for cell in cells if cell.number in wanted]
        told = join(again, self._ask(again))
        return {number: told[number] for number in silent}

    def _patiently(self, cells: Sequence[Cell]) -> dict[int, Observation]:
        """Ask who takes connections that are accepted; what several doors lead to is then asked through each."""
        found = join(cells, self._ask(cells, last=True), last=True)
        doors: dict[tuple[Place | None, str, int | None], list[Cell]] = {}
        for cell in cells:
            if found[cell.number] == MIXED:
                doors.setdefault((cell.target, cell.address, cell.port), []).append(cell)
        for alone in doors.values() if len(doors) > 1 else ():
            found |= join(alone, self._ask(alone, last=True), last=True)
        return found

    def _ask(self, cells: Sequence[Cell], *, last: bool = False, haste: bool = False) -> dict[str, HostRecords]:
        """Return what each host's agent records while all probe at once."""
        places = {place.host for cell in cells for place in _touched(cell)}
        run = Run(secrets.token_hex(NONCE_SIZE), self._patience, haste=haste, last=last)
        sessions = [Session(self._hosts[name], run, cells) for name in sorted(places - self.failed.keys())]
        try:
            self._in_step(sessions)
        finally:
            for session in sessions:
                session.abort()
        self.unable |= {each.host.name: each.unable for each in sessions if each.unable is not None}
        self.failed |= {each.host.name: each.records.failure for each in sessions if each.records.failure is not None}
        failed = {name: HostRecords(failure=self.failed[name]) for name in places & self.failed.keys()}
        return {session.host.name: session.records for session in sessions} | failed

    def _in_step(self, sessions: Sequence[Session]) -> None:
        """Take every step on all hosts before the next one begins."""
        self._everywhere(sessions, Session.start)
        told = {session.host.name: session.kernel for session in sessions if session.alive}
        shares = (self._kernels or Kernels(len(told))).shares(told)
        self._everywhere(sessions, lambda session: session.go(shares[session.kernel]))
        self._everywhere(sessions, Session.wait)
        self._everywhere(sessions, Session.report)

    def _everywhere(self, sessions: Iterable[Session], step: Callable[[Session], None]) -> None:
        """Let all take a step; who needs much longer than the others is not waited for."""
        alive = [session for session in sessions if session.alive]
        began = time.monotonic()
        # Who has more to ask may need longer, and a table that is full makes waves of it.
        need = max((session.need for session in alive), default=0.0)
        steps = {begun(partial(session.guard, step), f"agent {session.host.name}"): session for session in alive}
        late = most_of(steps)
        if late:
            most = time.monotonic() - began
            _, late = wait(late, timeout=need + max(GRACE / 10, max(GRACE, 2 * most) - self._waited))
            self._waited += max(0.0, time.monotonic() - began - most - need)
        for each in late:
            steps[each].give_up(time.monotonic() - began)
        for each in steps.keys() - late:
            each.result()


@dataclass(frozen=True)
class Run:
    """What all agents of one run are told alike."""

    nonce: str
    patience: float
    haste: bool = False
    last: bool = False


class Session:
    """The dialogue with the agent of one host, and what came of it."""

    def __init__(self, host: Host, run: Run, cells: Sequence[Cell]) -> None:
        self.host = host
        self.kernel = ""
        self.records = HostRecords()
        self.unable: AgentUnavailable | None = None
        self._conversation: Conversation | None = None
        touched = dict.fromkeys(place for cell in cells for place in _touched(cell))
        self._places = [place for place in touched if place.host == host.name]
        watched = {behind for cell in cells for behind in cell.behind or ()}
        takers = {cell.target for cell in cells if cell.probe == "tcp" and cell.behind is None}
        keys = {place: key for key, place in enumerate(self._places)}
        own = sorted((cell for cell in cells if cell.source in keys), key=_pair)
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
                    "ports": [port for where, port in watched if where == place],
                    "taker": place in takers,
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
        self._sandboxes: dict[Place, int | str] = {
            place: entered(places.get(str(key))) for key, place in enumerate(self._places)
        }

    def go(self, share: int) -> None:
        """Let the agent probe; `share` is how many agents share its kernel's neighbour tables."""
        self._say({"event": "go", "share": share})

    def wait(self) -> None:
        """Wait until every cell of this host is settled."""
        self._heard(self._agent.receive_line(), Done)

    def report(self) -> None:
        """Stop the agent and read its records."""
        self._say({"event": "stop"})
        report: Report = self._heard(self._agent.receive_line(), Report)
        self._agent.finish()
        made = admitted(self.host.name, WHO, lambda: records_of(report, self._own, self._sandboxes), HostRecords)
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


def records_of(report: Report, own: Mapping[int, Cell], sandboxes: Mapping[Place, int | str]) -> HostRecords:
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
    entered = {found for found in sandboxes.values() if isinstance(found, int)}
    seen = {each.sandbox for each in arrivals} | {each[0] for each in (*report["knocks"], *report["delivered"])}
    if not seen <= entered:
        raise ValueError("it speaks of a namespace that it did not enter")
    if len(report["numbers"]) > MOST_TRIES * len(own):
        raise ValueError("it began more connections than were asked for")
    return HostRecords(
        sandboxes=sandboxes,
        cells=cells,
        marks=marks,
        arrivals=arrivals,
        missed={sandbox: count for sandbox, count in report["missed"]},  # noqa: C416 - dict() takes no lists for pairs
        overflows=report["overflows"],
        numbers=frozenset(report["numbers"]),
        knocks=tuple((sandbox, port, number, what) for sandbox, port, number, what in report["knocks"]),
        deaf={int(sandbox): str(why) for sandbox, why in report["deaf"]},
        delivered=frozenset((sandbox, number) for sandbox, number in report["delivered"]),
        unseen={int(sandbox): str(why) for sandbox, why in report["unseen"]},
        proxies=frozenset(report["proxies"]),
    )


def _pair(cell: Cell) -> tuple[bool, str, str]:
    """Return what sorts the two directions of a pair beside each other: one ARP exchange then serves both.

    Names come last, for the name server is no neighbour.
    """
    one, other = str(cell.source), str(cell.target or cell.address)
    return (cell.probe == "dns", min(one, other), max(one, other))


def _touched(cell: Cell) -> Iterator[Place]:
    """Yield the places that a cell is about: who asks, who has to answer, and who is behind a published port."""
    yield cell.source
    if cell.target is not None:
        yield cell.target
    for place, _ in cell.behind or ():
        yield place


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
