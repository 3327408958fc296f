"""The controller's side of the agents: send one to every host, let all probe at the same moment, join their records."""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from dockerlab.errors import HostError
from dockerlab.hosts.base import Conversation, Host
from dockerlab.hosts.program import PYTHON, Program
from dockerlab.probe.base import Cell, Observation, Place
from dockerlab.probe.doors import MIXED, UNPROVEN
from dockerlab.probe.join import HostRecords, join
from dockerlab.probe.wire import NONCE_SIZE

AGENT = Program(
    "dockerlab.probe",
    (
        *("dialogue", "wire", "neighbours", "sandboxes", "resolver", "knocks", "flight", "connections", "senders"),
        "agent",
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


class AgentProber:
    """Probe with one agent on each host that the cells touch."""

    name = "agent"

    def __init__(self, hosts: Mapping[str, Host], patience: float = PATIENCE) -> None:
        self._hosts = hosts
        self._patience = patience

    def observe(self, cells: Sequence[Cell]) -> dict[int, Observation]:
        """Probe every cell and return one observation for each cell's number.

        Raises AgentUnavailable where a host lacks root or Python. A host that is lost on the way makes its cells
        unknown and leaves the others'.
        """
        found = join(cells, self._ask(cells))
        doubtful = [replace(cell, silent=False) for cell in cells if found[cell.number] == UNPROVEN]
        if doubtful:
            found |= self._patiently(doubtful)
        return found

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

    def _ask(self, cells: Sequence[Cell], *, last: bool = False) -> dict[str, HostRecords]:
        """Return what each host's agent records while all probe at once."""
        places = {place.host for cell in cells for place in _touched(cell)}
        nonce = secrets.token_hex(NONCE_SIZE)
        sessions = [_Session(self._hosts[name], nonce, self._patience, cells, last=last) for name in sorted(places)]
        if not sessions:
            return {}
        try:
            with ThreadPoolExecutor(len(sessions)) as pool:
                self._in_step(pool, sessions)
        finally:
            for session in sessions:
                session.abort()
        return {session.host.name: session.records for session in sessions}

    def _in_step(self, pool: ThreadPoolExecutor, sessions: Sequence[_Session]) -> None:
        """Take every step on all hosts before the next one begins."""

        def everywhere(step: Callable[[_Session], None]) -> None:
            list(pool.map(lambda session: session.guard(step), sessions))

        everywhere(_Session.start)
        kernels = Counter(session.kernel for session in sessions if session.alive)
        everywhere(lambda session: session.go(kernels[session.kernel]))
        everywhere(_Session.wait)
        everywhere(_Session.report)


class _Session:
    """The dialogue with the agent of one host, and what came of it."""

    def __init__(self, host: Host, nonce: str, patience: float, cells: Sequence[Cell], *, last: bool = False) -> None:
        self.host = host
        self.kernel = ""
        self.records = HostRecords()
        self._patience = patience
        self._conversation: Conversation | None = None
        touched = dict.fromkeys(place for cell in cells for place in _touched(cell))
        self._places = [place for place in touched if place.host == host.name]
        watched = {behind for cell in cells for behind in cell.behind or ()}
        keys = {place: key for key, place in enumerate(self._places)}
        own = sorted((cell for cell in cells if cell.source in keys), key=_pair)
        self._job = {
            "nonce": nonce,
            "patience": patience,
            "hold": patience if last else HOLD,
            "last": last,
            "numbered": bool(watched),
            "places": [
                {"key": key, "pid": place.pid, "ports": [port for where, port in watched if where == place]}
                for place, key in keys.items()
            ],
            "cells": [_question(cell, keys[cell.source]) for cell in own],
        }
        # The agent sends in waves where the neighbour tables are small: a wave of silence takes the whole patience.
        self._timeout = START + patience * (1 + len(own) / 256)

    @property
    def alive(self) -> bool:
        """Tell whether the agent has not failed so far."""
        return self.records.failure is None

    def guard(self, step: Callable[[_Session], None]) -> None:
        """Take a step unless the agent has failed; a host's failure is recorded and not raised."""
        if not self.alive:
            return
        try:
            step(self)
        except AgentUnavailable:
            raise
        except HostError as error:
            self.records = HostRecords(failure=str(error))

    def start(self) -> None:
        """Send the program and the job, and wait until the agent listens everywhere."""
        self._conversation = self.host.converse(AGENT.argv("agent"), timeout=self._timeout)
        try:
            self._conversation.send(AGENT.source())
            self._say(self._job)
            ready = self._hear()
        except HostError:
            self._diagnose()
            raise
        if ready["event"] != "ready":
            raise AgentUnavailable(self.host.name, ready["reason"])
        self.kernel = ready["kernel"]
        found = ready["places"]
        self._sandboxes: dict[Place, int | str] = {
            place: found[str(key)].get("sandbox") or found[str(key)]["error"] for key, place in enumerate(self._places)
        }

    def go(self, share: int) -> None:
        """Let the agent probe; `share` is how many agents share its kernel's neighbour tables."""
        self._say({"event": "go", "share": share})

    def wait(self) -> None:
        """Wait until every cell of this host is settled."""
        self._hear()

    def report(self) -> None:
        """Stop the agent and read its records."""
        self._say({"event": "stop"})
        report = self._hear()
        self._agent.finish()
        self.records = HostRecords(
            sandboxes=self._sandboxes,
            cells={record["number"]: record for record in report["cells"]},
            arrivals=frozenset((number, attempt, sandbox) for number, attempt, sandbox in report["arrivals"]),
            missed=dict(report["missed"]),
            overflows=report["overflows"],
            numbers=frozenset(report["numbers"]),
            knocks=tuple((sandbox, port, number, what) for sandbox, port, number, what in report["knocks"]),
            deaf=dict(report["deaf"]),
            proxies=frozenset(report["proxies"]),
        )

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

    def _hear(self) -> dict[str, Any]:
        line = self._agent.receive_line()
        try:
            message: dict[str, Any] = json.loads(line)
        except ValueError as error:
            raise HostError(self.host.name, f"the agent's output is not its own: {line[:200]!r}") from error
        return message

    def _diagnose(self) -> None:
        """Raise AgentUnavailable where the host's Python cannot run the agent; only asked after a start that failed."""
        result = self.host.run([*PYTHON, NEEDS], timeout=START)
        if not result.ok:
            reason = (result.error.splitlines() or ["it said nothing"])[-1]
            raise AgentUnavailable(self.host.name, f"it has no complete python3 of version 3.6 or later: {reason}")


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
        list(cell.expected),
        cell.silent,
        cell.full,
        cell.behind is not None,
    ]
