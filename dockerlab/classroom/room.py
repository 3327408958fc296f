"""A class that is on: what students and teacher do, and what becomes of it. Lives in the server's one thread."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from dockerlab.classroom import keeping
from dockerlab.classroom.keeping import Enrolled
from dockerlab.classroom.running import PATIENCE, Begin, Enter, Said, run
from dockerlab.classroom.state import Event, Standing, standing
from dockerlab.classroom.terminal import Terminal
from dockerlab.errors import DockerlabError
from dockerlab.exercise.hints import for_step, for_trial
from dockerlab.exercise.model import Folder
from dockerlab.exercise.progress import Progress

AT_ONCE = os.cpu_count() or 1
"""Programs in places for which somebody waits, that run side by side: with more, each only takes longer. As many
beside them may do what can wait (a look, a reset), with less of the processor (`LESS`).
"""

LESS = 10
"""How nice those are to the others, of 19."""

PREFIX = "class-"
"""What the names of a class's places begin with."""


def place_of(student: str) -> str:
    """Return the name of a student's place."""
    return PREFIX + student


def now() -> str:
    """Return the time, in UTC, as ISO 8601."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Sight:
    """What was seen of a student's lab, as his page shows it, or why it could not be; when, and which look it was."""

    found: Mapping[str, Any]
    problem: str = ""
    at: str = ""
    number: int = 0


@dataclass
class Room:
    """A class. `hosts` are those of each place; `unconfined` says why a student's terminal is not offered, or None.

    `ready` begins dockerlab's own programs in a place from a process that has imported them; None: each imports anew.
    """

    folder: Folder
    enrolled: Enrolled
    where: Path
    enter: Enter
    unconfined: Callable[[str], str | None]
    hosts: Sequence[str] = ("vm0", "vm1")
    clock: Callable[[], str] = now
    ready: Begin | None = None
    version: int = 0
    standing: Standing = field(init=False)
    terminals: dict[tuple[str, str], Terminal] = field(default_factory=dict)
    busy: set[str] = field(default_factory=set)
    looking: set[str] = field(default_factory=set)
    seen: dict[str, Sight] = field(default_factory=dict)
    tasks: set[asyncio.Task[object]] = field(default_factory=set)
    progress: dict[str, Progress] = field(default_factory=dict)
    boundary: dict[str, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Stand where the class stood when its server ended."""
        self.standing = standing(self.enrolled.roster.students, keeping.events(self.where))
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._behind = asyncio.Semaphore(AT_ONCE)
        self._alone: dict[str, asyncio.Lock] = {}
        self._starting: dict[tuple[str, str], asyncio.Lock] = {}

    def note(self, student: str, kind: str, **data: object) -> None:
        """Keep what has happened, and show it."""
        event = Event(self.clock(), student, kind, data)
        keeping.append(self.where, event)
        self.standing = self.standing.after(event)
        self.version += 1

    @property
    def plain(self) -> bool:
        """Tell whether the lab is no exercise: there are no steps, and a check is a grade."""
        return not self.folder.exercise.steps

    async def look(self, student: str, gone: str = "fault-out") -> Progress | None:
        """Read how far a student is from his place; None, and a problem that is noted, where it cannot be read.

        Where what was broken is no longer, it is noted as `gone`.
        """
        if self.plain:
            await self.bounded(student)
            return None
        script = 'cat "${XDG_STATE_HOME:?}/dockerlab/exercises/$1.json"'
        try:
            said = await run(self.enter(place_of(student), ["sh", "-c", script, "sh", self.folder.id]), 20)
            here = Progress.model_validate_json(said.text) if said.code == 0 else None
            problem = "" if here is not None else f"the exercise is not on: {said.text.strip()[-300:]}"
        except (DockerlabError, ValueError, OSError) as error:
            here, problem = None, str(error)[:300]
        if here is not None:
            self.progress[student] = here
            if here.step != self.standing.pupils[student].step:
                self.note(student, "step", step=here.step)
            known = self.standing.pupils[student].fault
            if here.trial is None and known is not None:
                self.note(student, gone)
            elif here.trial is not None and known is None:
                number = 0 if here.trial.maybe else len(here.trial.injuries)  # of nothing it would be the answer
                self.note(student, "fault", number=number, maybe=here.trial.maybe)
        if problem != self.standing.pupils[student].problem:
            self.note(student, "problem", text=problem)
        await self.bounded(student)
        return here

    async def bounded(self, student: str) -> str | None:
        """Return why no terminal is offered to a student, None where there is a boundary around his hosts.

        All of their processes are looked at for that: in a thread, for the terminals' sake.
        """
        self.boundary[student] = await asyncio.to_thread(self.unconfined, place_of(student))
        self.version += 1
        return self.boundary[student]

    def shut(self, student: str) -> str:
        """Return why a student can do nothing now, empty where he can."""
        pupil = self.standing.pupils[student]
        at_a_step = pupil.fault is None and pupil.step < len(self.folder.exercise.steps)
        return self.standing.closed(pupil.step if at_a_step else None, self.clock())

    def over(self) -> str:
        """Return that the class's time is over, empty where it is not."""
        return self.standing.closed(None, self.clock())

    @asynccontextmanager
    async def turn(self, student: str, *, looking: bool = False, behind: bool = False) -> AsyncIterator[None]:
        """Have a student's place alone, and one of the turns that there are at a time.

        What can wait, as looks can, has turns of its own, so that a check, for which somebody waits, has none ahead.
        """
        mark = self.looking if looking else self.busy
        mark.add(student)
        self.version += 1
        try:
            async with AsyncExitStack() as turns:
                own = self._alone.setdefault(student, asyncio.Lock())
                # What can wait does so without the place in hand: a check of this student's may come meanwhile.
                for each in (self._behind, own) if looking or behind else (own, self._turns):
                    await turns.enter_async_context(each)
                yield
        finally:
            mark.discard(student)
            self.version += 1

    def inside(self, student: str, argv: Sequence[str]) -> list[str]:
        """Return the argument list that runs a command in a student's place; raises SandboxError, UsageError."""
        return self.enter(place_of(student), argv)

    async def program(
        self, student: str, words: Sequence[str], patience: float = PATIENCE, *, behind: bool = False
    ) -> Said:
        """Run one of dockerlab's modules, with its arguments, in a student's place; raises SandboxError, OSError.

        What runs `behind` others has less of the processor than they have.
        """
        if self.ready is not None:
            return await self.ready(place_of(student), words, patience, LESS if behind else 0)
        return await run(self.inside(student, [sys.executable, "-m", *words]), patience)

    def later(self, work: Coroutine[None, None, object]) -> None:
        """Do something when there is time, without anybody who waits for it."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def show(self, student: str, found: Sight) -> None:
        """Keep what was seen of a student's lab last, for his page."""
        self.seen[student] = replace(found, at=self.clock(), number=self.version)
        self.version += 1

    def hints(self, student: str) -> tuple[str, ...]:
        """Return the hints that a student has been shown of the current step."""
        here = self.progress.get(student)
        return () if here is None else tuple(self.known_hints(here)[: here.hints])

    def targets(self) -> dict[str, list[str]]:
        """Return what there are terminals into, by name, with the words of `entry` for each."""
        own: dict[str, list[str]] = {host: [host] for host in self.hosts}
        # A lab's hosts that are called otherwise are the sandbox's in their order.
        free = iter(host for host in self.hosts if host not in self.folder.lab.hosts)
        at = {host: host if host in own else next(free, self.hosts[0]) for host in self.folder.lab.hosts}
        for name in self.folder.lab.containers:
            host = at[self.folder.lab.host_of(name)]
            own.setdefault(name, [host, "docker", "exec", "--interactive", "--tty", name, "sh"])
        return own

    async def terminal(self, student: str, target: str) -> Terminal:
        """Return a student's terminal into a host or container, begun where there is none; raises what it fails with.

        Whoever looks at it, the student or the teacher, gets the same one.
        """
        key = (student, target)
        async with self._starting.setdefault(key, asyncio.Lock()):
            there = self.terminals.get(key)
            if there is not None and not there.ended:
                return there
            opened = Terminal()
            words = [sys.executable, "-m", "dockerlab.classroom.entry", *self.targets()[target]]
            await opened.start(self.enter(place_of(student), words))
            self.terminals[key] = opened
            return opened

    async def end(self) -> None:
        """End all terminals, and what nobody waits for."""
        for task in tuple(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        for terminal in self.terminals.values():
            await terminal.end()

    def forget_sight(self, student: str) -> None:
        """Forget what was seen of a student's lab: it is another one by now."""
        self.seen.pop(student, None)
        self.version += 1

    def known_hints(self, here: Progress) -> tuple[str, ...]:
        """Return all hints that there are where a student is."""
        return for_trial(here.trial) if here.trial is not None else for_step(self.folder, here.step)

    def step(self, student: str) -> int:
        """Return how many steps a student has done, as was read last."""
        here = self.progress.get(student)
        return self.standing.pupils[student].step if here is None else here.step
