"""`dockerlab exercise fault`: break something, or take it out again."""

from __future__ import annotations

import secrets
import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from dockerlab.cli import options as o
from dockerlab.cli.exercise import common
from dockerlab.cli.output import say
from dockerlab.cli.places import AcceptOption
from dockerlab.errors import UsageError

if TYPE_CHECKING:
    from dockerlab.exercise.model import Folder
    from dockerlab.exercise.progress import Progress
    from dockerlab.faults.fault import Break


def fault(
    exercise: common.Which = None,
    seed: Annotated[
        str | None, typer.Option("--seed", metavar="TEXT", help="Which one: the same text gives the same fault.")
    ] = None,
    faults: Annotated[int, typer.Option("--faults", min=1, max=9, help="How many at once.")] = 1,
    maybe: Annotated[bool, typer.Option("--maybe", help="Perhaps break nothing at all: find out which.")] = False,
    which: Annotated[
        list[str] | None, typer.Option("--which", metavar="NAME", help="This one, by its name; may be repeated.")
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take out what is broken.")] = False,
    host_wide: Annotated[
        bool,
        typer.Option("--host-wide", help="Also what everybody on a host feels, on hosts that are not the sandbox's."),
    ] = False,
    accept_new_host_keys: AcceptOption = False,
    verbose: o.VerboseOption = False,
) -> None:
    """Break something, without a word on what: find it, mend it, and let `check` say whether the cause is gone."""
    from dockerlab.cli.progress import reporting
    from dockerlab.exercise import breaking, course, progress
    from dockerlab.exercise.trial import Trial
    from dockerlab.faults.injury import fault_of

    folder, here = common.current(exercise)
    if remove:
        _remove(folder, here, verbose, accept_new_host_keys)
        return
    if here.trial is not None:
        raise UsageError(
            "something is to be found already: mend it, or take it out with 'dockerlab exercise fault --remove'"
        )
    chosen_by = seed if seed is not None else secrets.token_hex(4)
    breaks = _chosen(folder, which or [], chosen_by, faults, maybe=maybe)
    left = len(folder.exercise.steps) - here.step
    with common.hosts_of(folder, here, accept_new_host_keys) as session:
        remade = any(fault_of(each).alter is not None for each in breaks)  # only dockerlab's own can be made otherwise
        if (remade or maybe) and course.adopt(folder, here, session, reporting(verbose=verbose), common.undo(folder)):
            say("what you made by hand was made anew by dockerlab, so that it can be broken and made whole again")
        injuries = breaking.ready(folder, breaks, session.hosts, wide=host_wide or here.sandbox)
        trial = Trial(injuries=injuries, seed="" if which else chosen_by, maybe=maybe)

        def note(now: Trial) -> None:
            progress.write(here.model_copy(update={"trial": now, "hints": 0}), progress.directory())

        breaking.break_it(folder, trial, session, reporting(silent=True), common.undo(folder), note)
    by = "" if which else f" (seed {chosen_by}: the same for whoever gives --seed {shlex.quote(chosen_by)})"
    say(f"{_what(faults, maybe=maybe)}{by}")
    if left:
        say(later(left))
    say("find it: 'dockerlab exercise check' says what no longer holds; mend the cause, and check again")


def later(steps: int) -> str:
    """Return what becomes of the steps that are still to be done."""
    what = "one step of the exercise is" if steps == 1 else f"{steps} steps of the exercise are"
    return f"{what} not done yet: {'it goes' if steps == 1 else 'they go'} on once this is found"


def _what(number: int, *, maybe: bool) -> str:
    """Return what is said to be broken; what might be nothing is told in the same words as what is."""
    if maybe:
        return "something may be broken now, or nothing; if nothing is, say so: 'dockerlab exercise check --healthy'"
    return "something is broken now" if number == 1 else f"{number} things are broken now"


def _chosen(folder: Folder, which: list[str], seed: str, number: int, *, maybe: bool) -> tuple[Break, ...]:
    """Return the faults that are named, or that a seed stands for; raises UsageError where there is none."""
    from dockerlab.exercise.trial import choose

    faults = folder.exercise.faults
    if not which:
        return choose(faults, folder.lab, seed, number, maybe=maybe)
    found = {name: [each for each in faults if name in (each.fault, str(each))] for name in which}
    unknown = [name for name, named in found.items() if not named]
    if unknown:
        raise UsageError(f"{folder.id} has no fault {unknown[0]}: {', '.join(map(str, faults)) or 'none'}")
    return tuple(named[0] for named in found.values())


def _remove(folder: Folder, here: Progress, verbose: bool, accept: bool) -> None:
    from dockerlab.cli.progress import reporting
    from dockerlab.exercise import breaking, progress

    if here.trial is None:
        raise UsageError("nothing is broken")
    with common.hosts_of(folder, here, accept) as session:
        left = breaking.mend(folder, here.trial, session, reporting(verbose=verbose), common.undo(folder))
    for line in left:
        say(line)
    if left:
        raise typer.Exit(4)
    progress.write(here.without_trial(), progress.directory())
    for injury in here.trial.injuries:
        say(f"taken out: {injury.broken}: {injury.fault.title}")
    if not here.trial.injuries:
        say("nothing was broken")
