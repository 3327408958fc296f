"""`dockerlab exercise check`: what holds, why the rest does not, and on to the next step."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from dockerlab.cli.exercise import common, words
from dockerlab.cli.output import say, tell
from dockerlab.cli.places import AcceptOption
from dockerlab.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from dockerlab.exercise.course import Checked
    from dockerlab.exercise.model import Folder
    from dockerlab.exercise.progress import Progress

CODES = {"pass": 0, "fail": 1, "unknown": 3}


def check(
    exercise: common.Which = None,
    answer: Annotated[
        list[str] | None,
        typer.Option("--answer", metavar="TEXT", help="Your answer; one for each open question, in order."),
    ] = None,
    why: Annotated[bool, typer.Option("--why", help="Also where to look, and why it is so.")] = False,
    how: Annotated[bool, typer.Option("--how", help="Also the commands that would put it right.")] = False,
    healthy: Annotated[bool, typer.Option("--healthy", help="Say that nothing is broken.")] = False,
    accept_new_host_keys: AcceptOption = False,
) -> None:
    """Say which checks pass, and what is wrong where one fails; when all pass, the next step is on."""
    from dockerlab.exercise import course, progress

    try:
        folder, here = common.current(exercise)
    except UsageError as error:
        if exercise is None:
            raise
        if answer:
            rule, whole = "an answer with blanks in it goes in quotes", f"{answer[-1]} {exercise}"
        else:
            rule, whole = "an answer goes behind --answer", exercise
        right = shlex.join(["dockerlab", "exercise", "check", "--answer", whole])
        raise UsageError(f"{error}; {rule}, and right would be: {right}") from error
    where = progress.directory()
    here = here.answered(words.questions(folder, here), answer or [])
    with common.hosts_of(folder, here, accept_new_host_keys) as session:
        found = course.check(folder, here, session.hosts)
    if here.trial is None:
        here = here.kept(outcome.about for outcome in found.outcomes if outcome.verdict != "fail")
    if how and any(outcome.how for outcome in found.outcomes if outcome.verdict != "pass"):
        here = here.model_copy(update={"solved": here.solved | {words.about(here)}})
    progress.write(here, where)
    much = words.level(why=why, how=how)
    told = words.of_check(here, found, much)
    tell("".join(f"{line}\n" for line in told))
    code = CODES[found.verdict] if found.outcomes or found.signs else 0
    if healthy:
        code = claimed(here, found)
    if code:
        more = words.further(here, found, much)
        if more and not (healthy and here.trial is None):
            say(more)
        raise typer.Exit(code)
    _advance(folder, here, where, healthy=healthy)


def claimed(here: Progress, found: Checked) -> int:
    """Say what there is to a student's word that nothing is broken; return the exit code."""
    if here.trial is None:
        say("nothing was to be found: 'dockerlab exercise fault' breaks something")
        return 2
    if found.verdict == "pass":
        return 0
    if here.trial.injuries:
        say("that is not so: something is broken")
    else:
        say("nothing was broken on purpose; but by now it is not as it should be")
    return 1


def _advance(folder: Folder, here: Progress, where: Path, *, healthy: bool) -> None:
    from dockerlab.exercise import progress

    steps, trial = folder.exercise.steps, here.trial
    if trial is not None:
        if not trial.injuries and not healthy:
            say("all of this is as it should be; if nothing is broken, say so: 'dockerlab exercise check --healthy'")
            return
        progress.write(here.without_trial(), where)
        say("right: nothing was broken" if not trial.injuries else "mended")
        for injury in trial.injuries:
            say(f"what such a fault does: {injury.fault.changes}")
        return
    if here.step >= len(steps):
        say(_done(folder, here))
        return
    here = here.model_copy(update={"step": here.step + 1, "hints": 0, "answers": {}})
    progress.write(here, where)
    if here.step < len(steps):
        say(f"step {here.step} of {len(steps)} is done; 'dockerlab exercise task' shows the next one")
    else:
        say(_done(folder, here))


def _done(folder: Folder, here: Progress) -> str:
    breaks = "'dockerlab exercise fault' breaks something for you to find, " if folder.exercise.faults else ""
    helped = words.helped(here)
    by = f" ({helped})" if helped else ""
    return (
        f"all {len(folder.exercise.steps)} steps are done{by}; {breaks}'dockerlab exercise stop' takes everything away"
    )
