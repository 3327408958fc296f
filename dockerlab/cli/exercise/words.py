"""What is said of a task, of checks and of a cause, as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dockerlab.checks.outcome import Outcome
    from dockerlab.exercise.course import Checked
    from dockerlab.exercise.model import Folder
    from dockerlab.exercise.progress import Progress

MARKS = {"pass": "pass   ", "fail": "FAIL   ", "unknown": "UNKNOWN"}
INDENT = "        "
HINT = "'dockerlab exercise hint' helps"
LOOK = "'check --why' says where to look"


class Level(IntEnum):
    """How much is told of what is not as it should be."""

    WHAT = 0
    WHY = 1
    HOW = 2


def level(*, why: bool, how: bool) -> Level:
    """Return how much somebody wants to be told."""
    return Level.HOW if how else Level.WHY if why else Level.WHAT


def further(here: Progress, found: Checked, much: Level) -> str:
    """Return what says more than was told, empty where nothing does: a question, or a look, has no command."""
    commands = here.trial is not None or any(each.how for each in found.outcomes if each.verdict != "pass")
    if much is Level.HOW or (much is Level.WHY and not commands):
        return ""
    if much is Level.WHY:
        return "'check --how' says what would put it right"
    return f"{HINT}, {LOOK}, and 'check --how' what would put it right" if commands else f"{HINT}, and {LOOK}"


def of_task(folder: Folder, here: Progress) -> str:
    """Return the current step's task in Markdown; with the first one the exercise's aim."""
    steps = folder.exercise.steps
    if here.trial is not None:
        if here.trial.maybe:
            return "Something may be broken, or nothing. Find out which; find the cause, and mend it.\n"
        return "Something is broken. Find the cause and mend it.\n"
    if here.step >= len(steps):
        return f"{folder.id}: all {len(steps)} steps are done.\n"
    section = folder.sections[here.step]
    head = f"**{folder.id}: {folder.lab.title}**\n\n{folder.aim}\n\n" if here.step == 0 else ""
    asked = "".join(f"\n**Question:** {question}\n" for question in questions(folder, here))
    return f"{head}**Step {here.step + 1} of {len(steps)}: {section.title}**\n\n{section.prose}\n{asked}"


def questions(folder: Folder, here: Progress) -> list[str]:
    """Return the questions of the current step, in order."""
    steps = folder.exercise.steps
    checks = steps[here.step].checks if here.step < len(steps) and here.trial is None else ()
    return [check.ask.question for check in checks if check.ask is not None]


def about(here: Progress) -> str:
    """Return what somebody is at: a step, or what is broken."""
    return "a fault" if here.trial is not None else f"step {here.step + 1}"


def helped(here: Progress) -> str:
    """Return for what a solution was shown; empty where none was."""
    return f"what to type was shown for {', '.join(sorted(here.solved))}" if here.solved else ""


def of_check(here: Progress, found: Checked, much: Level) -> Iterator[str]:
    """Yield what a check found: of something that is broken on purpose, no more than what fails unless it is wanted."""
    quiet = here.trial is not None and much is Level.WHAT
    yield from of_outcomes(found.outcomes, much, quiet=quiet)
    yield from of_causes(here, found, much)


def of_outcomes(outcomes: Iterable[Outcome], much: Level, *, quiet: bool = False) -> Iterator[str]:
    """Yield a line for each check, and below it as much of what is wrong as is wanted; what explains several is once.

    With `quiet`, nothing is below it: what is not as it should be would be the answer.
    """
    told: set[str] = set()
    for outcome in outcomes:
        yield f"{MARKS[outcome.verdict]} {outcome.about}"
        new = [line for line in _below(outcome, much) if line not in told]
        yield from (f"{INDENT}{line}" for line in new if not quiet)
        # What is wrong with a check is said at each; where to look and what to type is said once.
        told |= set(new) - {outcome.because}


def _below(outcome: Outcome, much: Level) -> Iterator[str]:
    # The model's reason begins with what is wrong: that is then said once.
    known = outcome.where if much >= Level.WHY and outcome.because else ()
    first = next((line for line in known if line.startswith(outcome.because)), outcome.because)
    if first:
        yield first
    amiss = outcome.verdict != "pass"
    if amiss:
        yield from outcome.more
    if much >= Level.WHY:
        yield from (line for line in outcome.where if line != first)
        yield from outcome.beside if amiss else ()
    if much is Level.HOW and amiss:
        yield from (f"right would be, on {line}" for line in outcome.how)


def of_causes(here: Progress, found: Checked, much: Level) -> Iterator[str]:
    """Yield what is known of causes: while a symptom is there nothing, then whether each is repaired."""
    trial = here.trial
    if trial is None or any(outcome.verdict != "pass" for outcome in found.outcomes):
        return
    for injury, signs in zip(trial.injuries, found.signs, strict=True):
        amiss = [outcome for outcome in signs if outcome.verdict != "pass"]
        if amiss:
            yield "FAIL    the cause: what one sees of it is gone, the cause is not"
        else:
            yield f"pass    the cause is repaired: {injury.fault.title}"
        if much >= Level.WHY:
            yield from (f"{INDENT}{line}" for each in amiss or signs for line in (each.about, *_reasons(each)))


def _reasons(outcome: Outcome) -> Iterator[str]:
    yield from (line for line in (outcome.because, *outcome.where) if line)
