"""The controller's side of the agents: send one to every host, let all probe at the same moment, join their records."""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from dockerlab.hosts.base import Host
from dockerlab.hosts.together import begun, nearly_all
from dockerlab.probe.agent_session import AgentUnavailable, Asked, Run, Session
from dockerlab.probe.base import FLAKY, REPLY_LOST, TIMEOUT, Cell, Observation, Place
from dockerlab.probe.doors import MIXED, UNPROVEN
from dockerlab.probe.join import join
from dockerlab.probe.reported import HostRecords
from dockerlab.probe.wire import NONCE_SIZE

PATIENCE = 2.0
"""Seconds after which a cell that was sent and not answered is silent."""

GRACE = 10.0
"""Seconds, at the least, for which agents are waited for that need longer than the most: in all, however many and
however often."""

HASTY = frozenset({TIMEOUT, REPLY_LOST, FLAKY})
"""What may be seen of a cell for no other reason than haste."""


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
        asked = Asked(cells)
        places = asked.places.keys()
        run = Run(secrets.token_hex(NONCE_SIZE), self._patience, haste=haste, last=last)
        sessions = [Session(self._hosts[name], run, asked) for name in sorted(places - self.failed.keys())]
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
        late, longer = nearly_all(steps, lambda most: need + max(GRACE / 10, max(GRACE, 2 * most) - self._waited))
        self._waited += max(0.0, longer - need)
        for each in late:
            steps[each].give_up(time.monotonic() - began)
        for each in steps.keys() - late:
            each.result()
