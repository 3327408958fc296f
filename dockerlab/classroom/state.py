"""What is known of each student: a fold of all that has happened, in order. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

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
class Pupil:
    """Where a student stands. `step` counts the steps that are done; `hints` is how many were asked for in all."""

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


@dataclass(frozen=True)
class Standing:
    """The whole class: its students by ID, how many steps are open (None: all), and when it ends (empty: never)."""

    pupils: Mapping[str, Pupil]
    opened: int | None = None
    until: str = ""

    def after(self, event: Event) -> Standing:
        """Return the class after something has happened; what is about nobody of it changes nothing."""
        if event.kind == "open":
            return replace(self, opened=event.data["steps"])
        if event.kind == "until":
            return replace(self, until=event.data["at"])
        about = [event.student] if event.student else list(self.pupils)
        changed = {name: _after(self.pupils[name], event) for name in about if name in self.pupils}
        return replace(self, pupils={**self.pupils, **changed})

    def closed(self, step: int | None, now: str) -> str:
        """Return why nothing may be done of a step (from 0; None: it is about none) at a time, empty where it may."""
        if self.until and now >= self.until:
            return "the time is over"
        if step is not None and self.opened is not None and step >= self.opened:
            return f"step {step + 1} is not open yet: wait for your teacher"
        return ""


def standing(students: Iterable[tuple[str, str]], events: Iterable[Event]) -> Standing:
    """Return the class of these students, ID and name, after all that has happened."""
    now = Standing({identity: Pupil(identity, name) for identity, name in students})
    for event in events:
        now = now.after(event)
    return now


def _after(pupil: Pupil, event: Event) -> Pupil:
    if event.kind in _TOLD:
        return _TOLD[event.kind](pupil, event)
    pupil = replace(pupil, first=pupil.first or event.at, latest=event.at)
    return _DONE[event.kind](pupil, event) if event.kind in _DONE else pupil


def _checked(pupil: Pupil, event: Event) -> Pupil:
    last = Last(event.at, event.data["verdict"], event.data["text"])
    return replace(pupil, attempts=pupil.attempts + 1, last=last, step=event.data["step"])


_Change = Callable[[Pupil, Event], Pupil]
_TOLD: dict[str, _Change] = {
    "message": lambda pupil, event: replace(
        pupil, messages=(*pupil.messages, (event.at, event.data["text"]))[-MOST_MESSAGES:]
    ),
    "problem": lambda pupil, event: replace(pupil, problem=event.data["text"]),
    "step": lambda pupil, event: replace(pupil, step=event.data["step"]),
}
"""What is said to a student, or of him."""

_DONE: dict[str, _Change] = {
    "check": _checked,
    "hint": lambda pupil, _: replace(pupil, hints=pupil.hints + 1),
    "handin": lambda pupil, event: replace(pupil, handed_in=event.at),
}
"""What a student does: it counts as his time."""
