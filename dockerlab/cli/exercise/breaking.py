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
    which: Annotated[str | None, typer.Option("--which", metavar="NAME", help="This one, by its name.")] = None,
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
    from dockerlab.faults.injury import fault_of

    folder, here = common.current(exercise)
    if remove:
        _remove(folder, here, verbose, accept_new_host_keys)
        return
    if here.fault is not None:
        raise UsageError(
            "something is broken already: mend it, or take it out with 'dockerlab exercise fault --remove'"
        )
    chosen_by = seed if seed is not None else secrets.token_hex(4)
    broken = _chosen(folder, which, chosen_by)
    with common.hosts_of(folder, here, accept_new_host_keys) as session:
        remade = fault_of(broken).alter is not None  # only dockerlab's own can be made by another definition
        if remade and course.adopt(folder, here, session, reporting(verbose=verbose), common.undo(folder)):
            say("what you made by hand was made anew by dockerlab, so that it can be broken and made whole again")
        injury = breaking.ready(folder, broken, session.hosts, wide=host_wide or here.sandbox)
        here = here.model_copy(update={"fault": injury, "hints": 0, "seed": "" if which else chosen_by})
        progress.write(here, progress.directory())
        breaking.break_it(folder, injury, session, reporting(silent=True), common.undo(folder))
    by = "" if which is not None else f" (seed {chosen_by}: the same for whoever gives --seed {shlex.quote(chosen_by)})"
    say(f"something is broken now{by}")
    say("find it: 'dockerlab exercise check' says what no longer holds; mend the cause, and check again")


def _chosen(folder: Folder, which: str | None, seed: str) -> Break:
    """Return the fault that is named, or that a seed stands for; raises UsageError where there is none."""
    from dockerlab.faults.injury import choose

    faults = folder.exercise.faults
    if which is None:
        return choose(faults, seed)
    named = [each for each in faults if which in (each.fault, str(each))]
    if not named:
        raise UsageError(f"{folder.id} has no fault {which}: {', '.join(map(str, faults)) or 'none'}")
    return named[0]


def _remove(folder: Folder, here: Progress, verbose: bool, accept: bool) -> None:
    from dockerlab.cli.progress import reporting
    from dockerlab.exercise import breaking, progress

    if here.fault is None:
        raise UsageError("nothing is broken")
    with common.hosts_of(folder, here, accept) as session:
        left = breaking.mend(folder, here.fault, session, reporting(verbose=verbose), common.undo(folder))
    for line in left:
        say(line)
    if left:
        raise typer.Exit(4)
    progress.write(here.model_copy(update={"fault": None, "hints": 0, "seed": ""}), progress.directory())
    say(f"taken out: {here.fault.broken}: {here.fault.fault.title}")
