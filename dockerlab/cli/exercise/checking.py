"""`dockerlab exercise check`: what holds, why the rest does not, and on to the next step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dockerlab.cli.exercise import common, words
from dockerlab.cli.output import say, tell
from dockerlab.cli.places import AcceptOption
from dockerlab.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from dockerlab.exercise.model import Folder
    from dockerlab.exercise.progress import Progress


def check(
    exercise: common.Which = None,
    answer: Annotated[
        list[str] | None, typer.Option("--answer", metavar="TEXT", help="Your answer; one for each question, in order.")
    ] = None,
    brief: Annotated[bool, typer.Option("--brief", help="Only what passes and what fails, not why.")] = False,
    accept_new_host_keys: AcceptOption = False,
) -> None:
    """Say which checks pass, and why a failing one fails; when all pass, the next step is on."""
    from dockerlab.checks.judge import overall
    from dockerlab.exercise import course, progress

    folder, here = common.current(exercise)
    where, steps = progress.directory(), folder.exercise.steps
    if here.step >= len(steps) and here.fault is None:
        say(f"{folder.id}: {_done(folder)}")
        return
    if answer:
        here = _answered(folder, here, answer)
        progress.write(here, where)
    with common.hosts_of(folder, here, accept_new_host_keys) as session:
        found = course.check(folder, here, session.hosts)
    tell("".join(f"{line}\n" for line in words.of_outcomes(found.outcomes, brief=brief)))
    tell("".join(f"{line}\n" for line in words.of_cause(here, found, brief=brief)))
    if not found.passed:
        raise typer.Exit({"fail": 1, "unknown": 3}[overall((*found.outcomes, *found.signs))])
    _advance(folder, here, where)


def _answered(folder: Folder, here: Progress, given: list[str]) -> Progress:
    """Return the progress with the answers to the step's questions; raises UsageError where there are too many."""
    questions = words.questions(folder, here)
    if len(given) > len(questions):
        raise UsageError(f"{len(given)} answers, and this step has {len(questions)} questions")
    return here.model_copy(update={"answers": {**here.answers, **dict(zip(questions, given, strict=False))}})


def _advance(folder: Folder, here: Progress, where: Path) -> None:
    from dockerlab.exercise import progress

    steps = folder.exercise.steps
    if here.fault is not None:
        progress.write(here.model_copy(update={"fault": None, "hints": 0, "seed": ""}), where)
        say(f"mended. What such a fault does: {here.fault.fault.changes}")
        return
    here = here.model_copy(update={"step": here.step + 1, "hints": 0, "answers": {}})
    progress.write(here, where)
    if here.step < len(steps):
        say(f"step {here.step} of {len(steps)} is done; 'dockerlab exercise task' shows the next one")
    else:
        say(_done(folder))


def _done(folder: Folder) -> str:
    breaks = "'dockerlab exercise fault' breaks something for you to find, " if folder.exercise.faults else ""
    return f"all {len(folder.exercise.steps)} steps are done; {breaks}'dockerlab exercise stop' takes everything away"
