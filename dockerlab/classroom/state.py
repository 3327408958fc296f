"""What is known of each student: a fold of all that has happened, in order. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dockerlab.students.roster import Student

MOST_MESSAGES = 50
"""So many messages are shown to a student; all of them are kept."""


@dataclass(frozen=True)
class Event:
    """Something that has happened at a time (UTC, ISO 8601), to a student, or to all where `student` is empty."""

    at: str
    student: str
    kind: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Last:
    """What the last check said: its verdict (pass, fail, unknown, error), and the words."""

    at: str
    verdict: str
    text: str


@dataclass(frozen=True)
class Fault:
    """Something to be found, since a time: of so many things, or perhaps of none (`maybe`). It says nothing of what."""

    since: str
    number: int = 1
    maybe: bool = False


@dataclass(frozen=True)
class Pupil:
    """Where a student stands. `step` counts the steps that are done; `hints` is how many were asked for in all.

    `found` counts the faults that were found and mended; `refused` is why the last one could not be put in, or a reset
    not be done, which is the teacher's to know. `percent` is the last grade of a lab that is no exercise. `more` is
    what the roster's further columns say.
    """

    id: str
    name: str
    step: int = 0
    attempts: int = 0
    hints: int = 0
    last: Last | None = None
    messages: tuple[tuple[str, str], ...] = ()
    first: str = ""
    latest: str = ""
    handed_in: str = ""
    problem: str = ""
    fault: Fault | None = None
    found: int = 0
    refused: str = ""
    percent: int | None = None
    more: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Standing:
    """The whole class: its students by ID, which steps are open (from 0; None: all), and when it ends (empty: never).

    `may_break` tells whether students may have something broken when they want to.
    """

    pupils: Mapping[str, Pupil]
    opened: frozenset[int] | None = None
    until: str = ""
    may_break: bool = False

    def after(self, event: Event) -> Standing:
        """Return the class after something has happened; what is about nobody of it changes nothing."""
        if event.kind == "open":
            return replace(self, opened=_opened(event.data["steps"]))
        if event.kind == "may-break":
            return replace(self, may_break=event.data["allowed"])
        if event.kind == "until":
            return replace(self, until=event.data["at"])
        about = [event.student] if event.student else list(self.pupils)
        changed = {name: _after(self.pupils[name], event) for name in about if name in self.pupils}
        return replace(self, pupils={**self.pupils, **changed})

    def closed(self, step: int | None, now: str) -> str:
        """Return why nothing may be done of a step (from 0; None: it is about none) at a time, empty where it may."""
        if self.until and now >= self.until:
            return "the time is over"
        if step is not None and self.opened is not None and step not in self.opened:
            return f"step {step + 1} is not open: wait for your teacher"
        return ""


def standing(students: Iterable[Student], events: Iterable[Event]) -> Standing:
    """Return the class of these students after all that has happened."""
    now = Standing({each.id: Pupil(each.id, each.name, more=each.more) for each in students})
    for event in events:
        now = now.after(event)
    return now


def _opened(steps: int | Iterable[int] | None) -> frozenset[int] | None:
    """Return which steps are open, by their numbers from 0; a number alone says how many of the first ones."""
    return None if steps is None else frozenset(range(steps) if isinstance(steps, int) else steps)


def _after(pupil: Pupil, event: Event) -> Pupil:
    if event.kind in _TOLD:
        return _TOLD[event.kind](pupil, event)
    pupil = replace(pupil, first=pupil.first or event.at, latest=event.at)
    return _DONE[event.kind](pupil, event) if event.kind in _DONE else pupil


def _checked(pupil: Pupil, event: Event) -> Pupil:
    last = Last(event.at, event.data["verdict"], event.data["text"])
    return replace(
        pupil, attempts=pupil.attempts + 1, last=last, step=event.data["step"], percent=event.data.get("percent")
    )


_Change = Callable[[Pupil, Event], Pupil]
_TOLD: dict[str, _Change] = {
    "message": lambda pupil, event: replace(
        pupil, messages=(*pupil.messages, (event.at, event.data["text"]))[-MOST_MESSAGES:]
    ),
    "problem": lambda pupil, event: replace(pupil, problem=event.data["text"]),
    "step": lambda pupil, event: replace(pupil, step=event.data["step"]),
    "fault": lambda pupil, event: replace(
        pupil, fault=Fault(event.at, event.data["number"], event.data["maybe"]), last=None, refused=""
    ),
    "fault-out": lambda pupil, _: replace(pupil, fault=None, refused=""),
    "reset": lambda pupil, event: replace(pupil, step=event.data["step"], fault=None, last=None, refused=""),
    "refused": lambda pupil, event: replace(pupil, refused=event.data["text"]),
}
"""What is said to a student, or of him."""

_DONE: dict[str, _Change] = {
    "check": _checked,
    "hint": lambda pupil, _: replace(pupil, hints=pupil.hints + 1),
    "found": lambda pupil, _: replace(pupil, fault=None, found=pupil.found + 1),
    "handin": lambda pupil, event: replace(pupil, handed_in=event.at),
}
"""What a student does: it counts as his time."""
