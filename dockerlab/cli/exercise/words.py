"""What is said of a task, of checks and of a cause, as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dockerlab.checks.judge import Outcome
    from dockerlab.exercise.course import Checked
    from dockerlab.exercise.model import Folder
    from dockerlab.exercise.progress import Progress

MARKS = {"pass": "pass   ", "fail": "FAIL   ", "unknown": "UNKNOWN"}


def of_task(folder: Folder, here: Progress) -> str:
    """Return the current step's task in Markdown; with the first one the exercise's aim."""
    steps = folder.exercise.steps
    if here.fault is not None:
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
    checks = steps[here.step].checks if here.step < len(steps) else ()
    return [check.ask.question for check in checks if check.ask is not None]


def of_outcomes(outcomes: Iterable[Outcome], *, brief: bool) -> Iterator[str]:
    """Yield a line for each check, and unless it is to be brief why it is so; what explains several is said once."""
    told: set[str] = set()
    for outcome in outcomes:
        yield f"{MARKS[outcome.verdict]} {outcome.about}"
        if not brief:
            more = outcome.more if outcome.verdict != "pass" else ()
            new = [outcome.because, *more, *(line for line in outcome.beside if line not in told)]
            yield from (f"        {line}" for line in new)
            told.update(new)


def of_cause(here: Progress, found: Checked, *, brief: bool) -> Iterator[str]:
    """Yield what is known of a fault's cause: while the symptom is there nothing, then how it is known."""
    if here.fault is None or any(outcome.verdict != "pass" for outcome in found.outcomes):
        return
    amiss = [outcome for outcome in found.signs if outcome.verdict != "pass"]
    if amiss:
        yield "FAIL    the cause: what one sees of it is gone, the cause is not"
    else:
        yield f"pass    the cause is repaired: {here.fault.fault.title}"
    if not brief:
        yield from (f"        {outcome.about}: {outcome.because}" for outcome in amiss or found.signs)
