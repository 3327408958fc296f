"""A class that is on: what students and teacher do, and what becomes of it. Lives in the server's one thread."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from dockerlab.classroom import keeping
from dockerlab.classroom.keeping import Enrolled
from dockerlab.classroom.running import Enter, run
from dockerlab.classroom.state import Event, Standing, standing
from dockerlab.classroom.terminal import Terminal
from dockerlab.errors import DockerlabError
from dockerlab.exercise.hints import for_step, for_trial
from dockerlab.exercise.model import Folder
from dockerlab.exercise.progress import Progress

VERDICTS = {0: "pass", 1: "fail", 3: "unknown"}
DOCKERLAB = (sys.executable, "-m", "dockerlab")
AT_ONCE = os.cpu_count() or 1
"""Checks that run side by side: with more, each only takes longer."""

LONGEST_ANSWER = 200
PREFIX = "class-"
"""What the names of a class's places begin with."""


def place_of(student: str) -> str:
    """Return the name of a student's place."""
    return PREFIX + student


def now() -> str:
    """Return the time, in UTC, as ISO 8601."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Room:
    """A class. `hosts` are those of each place; `unconfined` says why a student's terminal is not offered, or None."""

    folder: Folder
    enrolled: Enrolled
    where: Path
    enter: Enter
    unconfined: Callable[[str], str | None]
    hosts: Sequence[str] = ("vm0", "vm1")
    clock: Callable[[], str] = now
    version: int = 0
    standing: Standing = field(init=False)
    terminals: dict[tuple[str, str], Terminal] = field(default_factory=dict)
    busy: set[str] = field(default_factory=set)
    progress: dict[str, Progress] = field(default_factory=dict)
    boundary: dict[str, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Stand where the class stood when its server ended."""
        self.standing = standing(self.enrolled.students, keeping.events(self.where))
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._starting: dict[tuple[str, str], asyncio.Lock] = {}

    def note(self, student: str, kind: str, **data: object) -> None:
        """Keep what has happened, and show it."""
        event = Event(self.clock(), student, kind, data)
        keeping.append(self.where, event)
        self.standing = self.standing.after(event)
        self.version += 1

    async def look(self, student: str) -> Progress | None:
        """Read how far a student is from his place; None, and a problem that is noted, where it cannot be read."""
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
        if problem != self.standing.pupils[student].problem:
            self.note(student, "problem", text=problem)
        self.boundary[student] = self.unconfined(place_of(student))
        self.version += 1
        return here

    async def check(self, student: str, answers: Sequence[str]) -> str:
        """Check a student's step, from outside his hosts; return why it was not, empty where it was."""
        shut = self.standing.closed(self.standing.pupils[student].step, self.clock())
        if shut or student in self.busy:
            return shut or "a check is running: wait for its end"
        words = [f"--answer={answer[:LONGEST_ANSWER]}" for answer in answers]
        self._busy(student, on=True)
        try:
            async with self._turns:
                said = await run(self._dockerlab(student, "check", *words))
            text = said.text if said.code is not None else "the check did not end in time: try again"
            await self.look(student)
            verdict = VERDICTS.get(-1 if said.code is None else said.code, "error")
            self.note(student, "check", verdict=verdict, text=text[:20_000], step=self._step(student))
        except (DockerlabError, OSError) as error:
            self.note(student, "check", verdict="error", text=str(error), step=self._step(student))
        finally:
            self._busy(student, on=False)
        return ""

    async def hint(self, student: str) -> str:
        """Show a student one more hint; return why there is none, empty where there is."""
        if student in self.busy:
            return "a check is running: wait for its end"
        here = self.progress.get(student) or await self.look(student)
        if here is None:
            return "the exercise is not on in your place: ask your teacher"
        if here.hints >= len(self._hints(here)):
            return "there is no further hint"
        self._busy(student, on=True)
        try:
            said = await run(self._dockerlab(student, "hint"), 30)
            if said.code == 0:
                self.note(student, "hint")
            await self.look(student)
        except (DockerlabError, OSError) as error:
            return str(error)
        finally:
            self._busy(student, on=False)
        return "" if said.code == 0 else said.text

    def hints(self, student: str) -> tuple[str, ...]:
        """Return the hints that a student has been shown of the current step."""
        here = self.progress.get(student)
        return () if here is None else tuple(self._hints(here)[: here.hints])

    def targets(self) -> dict[str, list[str]]:
        """Return what there are terminals into, by name, with the words of `entry` for each."""
        own: dict[str, list[str]] = {host: [host] for host in self.hosts}
        for name in self.folder.lab.containers:
            host = self.folder.lab.host_of(name)
            at = host if host in own else self.hosts[0]
            own.setdefault(name, [at, "docker", "exec", "--interactive", "--tty", name, "sh"])
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
        """End all terminals."""
        for terminal in self.terminals.values():
            await terminal.end()

    def _dockerlab(self, student: str, *words: str) -> list[str]:
        command, *rest = words
        return self.enter(place_of(student), [*DOCKERLAB, "exercise", command, self.folder.id, *rest])

    def _hints(self, here: Progress) -> tuple[str, ...]:
        return for_trial(here.trial) if here.trial is not None else for_step(self.folder, here.step)

    def _step(self, student: str) -> int:
        here = self.progress.get(student)
        return self.standing.pupils[student].step if here is None else here.step

    def _busy(self, student: str, *, on: bool) -> None:
        (self.busy.add if on else self.busy.discard)(student)
        self.version += 1
