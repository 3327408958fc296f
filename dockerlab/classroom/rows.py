"""A class as a table, which every export writes in its own form: a row for each student, a cell for each step. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dockerlab.classroom.state import Pupil
from dockerlab.exercise.model import Folder

WHO = ("id", "name")
DONE = (
    "steps done", "of", "percent", "attempts", "hints", "faults found", "first", "latest", "last check",
    "handed in",
)  # fmt: skip


def columns(more: Sequence[str]) -> list[str]:
    """Return the headings; `more` are the roster's further ones."""
    return [*WHO, *more, *DONE]


@dataclass(frozen=True)
class Case:
    """A step (or the lab, where there are none), and how a student stands there: pass, fail, unknown, error, or open.

    `told` is what the last check said of it.
    """

    name: str
    verdict: str
    told: str = ""


def row(folder: Folder, pupil: Pupil, more: Sequence[str]) -> list[str | int]:
    """Return the values of a student, as the columns have them; what is not known is an empty text."""
    who = [pupil.id, pupil.name, *(pupil.more.get(key, "") for key in more)]
    percent = "" if pupil.percent is None else pupil.percent
    verdict = pupil.last.verdict if pupil.last is not None else ""
    steps = len(folder.exercise.steps)
    return [*who, pupil.step, steps, percent, pupil.attempts, pupil.hints, pupil.found,
            pupil.first, pupil.latest, verdict, pupil.handed_in]  # fmt: skip


def cases(folder: Folder, pupil: Pupil) -> list[Case]:
    """Return how a student stands with each step: what the last check said belongs to the first that is not done.

    While something broken is to be found, a check is about that, and says nothing of a step.
    """
    last = pupil.last if pupil.fault is None else None
    verdict, told = (last.verdict, last.text) if last is not None else ("open", "")
    steps: Sequence[str] = [section.title for section in folder.sections]
    if not steps:
        return [Case(folder.lab.title or folder.id, verdict, told)]
    done = [Case(f"{number} {title}", "pass") for number, title in enumerate(steps[: pupil.step], 1)]
    left = [Case(f"{number} {title}", "open") for number, title in enumerate(steps, 1)][pupil.step :]
    if left and verdict not in ("open", "pass"):
        left[0] = Case(left[0].name, verdict, told)
    return [*done, *left]
