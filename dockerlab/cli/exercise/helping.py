"""`dockerlab exercise task`, `hint` and `solution`: what is to be done, and how."""

from __future__ import annotations

from dockerlab.cli.exercise import common, words
from dockerlab.cli.output import say, show, write
from dockerlab.cli.places import AcceptOption


def task(exercise: common.Which = None) -> None:
    """Show the current step's task."""
    folder, here = common.current(exercise)
    common.refuse_lost(folder, here)
    show(words.of_task(folder, here))


def hint(exercise: common.Which = None) -> None:
    """Show one more hint for the current step; each is more concrete than the one before."""
    from dockerlab.exercise import hints, progress

    folder, here = common.current(exercise)
    known = hints.for_trial(here.trial) if here.trial is not None else hints.for_step(folder, here.step)
    shown = min(here.hints + 1, len(known))
    for number, line in enumerate(known[:shown], 1):
        show(f"{number}. {line}")
    if here.hints >= len(known):
        say("there is no further hint; 'dockerlab exercise solution' shows the commands")
    progress.write(here.model_copy(update={"hints": shown}), progress.directory())


def solution(exercise: common.Which = None, accept_new_host_keys: AcceptOption = False) -> None:
    """Show the commands of the current step; while something is broken, what it is and what mends it.

    That it was shown is remembered, and said at the end.
    """
    from dockerlab.exercise import hints, progress

    folder, here = common.current(exercise)
    if here.trial is None:
        lines: list[str] = list(hints.commands(folder, here.step))
    else:
        with common.hosts_of(folder, here, accept_new_host_keys) as session:
            lines = hints.repair(folder, here, session.hosts)
        for injury in here.trial.injuries:
            say(f"{injury.broken}: {injury.fault.title}. {injury.fault.changes}")
        if not here.trial.injuries:
            say("nothing is broken: 'dockerlab exercise check --healthy'")
    about = words.about(here)
    if here.trial is not None or here.step < len(folder.exercise.steps):
        progress.write(here.model_copy(update={"solved": here.solved | {about}}), progress.directory())
        say(f"it is noted that you have seen the solution of {about}")
    write("".join(f"{line}\n" for line in lines), None)
