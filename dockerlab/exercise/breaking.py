"""Faults put into an exercise's lab, and taken out again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from dockerlab.checks.judge import judge_checks
from dockerlab.errors import HostError, UsageError
from dockerlab.exercise.course import Hosts, make, scene
from dockerlab.exercise.model import Folder
from dockerlab.exercise.trial import Trial
from dockerlab.faults.fault import Break
from dockerlab.faults.injury import Act, Attempt, Injury, perform, prepare
from dockerlab.identity import current
from dockerlab.plan import Step
from dockerlab.provision.reporting import Reporting
from dockerlab.provision.up import Wish, bring_up
from dockerlab.session import Session
from dockerlab.survey import look

Note = Callable[[Trial], None]


def ready(folder: Folder, breaks: Sequence[Break], hosts: Hosts, *, wide: bool) -> tuple[Injury, ...]:
    """Return what would break the lab; raises UsageError where it is not whole, or where more than it would suffer.

    Those that are another definition come first: what the others break would be gone with it.
    """
    here = scene(folder.lab, hosts)
    found = [prepare(broken, folder.lab, here.snapshots, hosts, current(folder.lab.name)) for broken in breaks]
    if any(injury.wide for injury in found) and not wide:
        raise UsageError(
            "this fault touches more than the lab: everybody on the host would suffer; --host-wide does it all the same"
        )
    signs = (sign for injury in found for sign in injury.signs)
    outcomes = judge_checks((*folder.exercise.intact, *signs), here)
    amiss = [
        line for o in outcomes if o.verdict != "pass" for line in (f"  {o.verdict}: {o.about}", f"    {o.because}")
    ]
    if amiss:
        told = "\n".join(dict.fromkeys(amiss))
        raise UsageError(f"nothing was broken, for the lab is not whole as it is:\n{told}")
    return tuple(sorted(found, key=lambda injury: injury.fault.alter is None))


def break_it(
    folder: Folder, trial: Trial, session: Session, reporting: Reporting, undo: str, note: Note = lambda _: None
) -> None:
    """Put faults in; raises HostError, after taking out again what was begun, where a command fails.

    `note` is told what is going to be broken, with all that mends it, before that is done.
    """
    note(trial)
    lab, altered = folder.lab, False
    for injury in trial.injuries:
        alter = injury.fault.alter
        if alter is not None:
            lab, altered = alter(lab, injury.broken), True
            wish = Wish(undo=undo, part=partial(_is_at, injury.broken.at))
            bring_up(lab, session.hosts, session.controller, wish, reporting)
    if altered:
        trial = _once_more(folder, trial, session.hosts)
        note(trial)
    seen = look(session.hosts, folder.lab.containers)
    for injury in trial.injuries:
        failed = next((a for a in perform(injury.inject, seen.snapshots, session.hosts) if a.failure), None)
        if failed is not None:
            perform(_undo(trial), seen.snapshots, session.hosts)
            raise HostError(failed.act.host, f"could not be broken: {' '.join(failed.act.argv)}: {failed.failure}")


def _is_at(host: str | None, step: Step) -> bool:
    return host in (None, step.key.host)


def _once_more(folder: Folder, trial: Trial, hosts: Hosts) -> Trial:
    """Return a trial with what is broken by commands prepared anew: another definition has made things anew."""
    seen, who = look(hosts, folder.lab.containers), current(folder.lab.name)
    again = (
        injury if injury.fault.alter is not None else prepare(injury.broken, folder.lab, seen.snapshots, hosts, who)
        for injury in trial.injuries
    )
    return trial.model_copy(update={"injuries": tuple(again)})


def _undo(trial: Trial) -> list[Act]:
    """Return all that takes faults out again, the last one first."""
    return [act for injury in reversed(trial.injuries) for act in injury.undo]


def mend(folder: Folder, trial: Trial, session: Session, reporting: Reporting, undo: str) -> list[str]:
    """Take faults out, unless they are out already; return what could not be mended, a line each."""
    attempts = take_out(folder, trial, session.hosts)
    if any(injury.fault.alter is not None for injury in trial.injuries):
        make(folder, session, reporting, undo)
    left = [line for lines in unmended(folder, trial.injuries, session.hosts) for line in lines]
    return [*left, *(f"{a.act.host}: {' '.join(a.act.argv)}: {a.failure}" for a in attempts if a.failure and left)]


def take_out(folder: Folder, trial: Trial, hosts: Hosts) -> list[Attempt]:
    """Undo what commands have broken and is broken still, the last first; return what came of each command."""
    own = [injury for injury in reversed(trial.injuries) if injury.undo]
    if not own:
        return []
    still = [injury for injury, lines in zip(own, unmended(folder, own, hosts), strict=True) if lines]
    seen = look(hosts, folder.lab.containers)
    return [done for injury in still for done in perform(injury.undo, seen.snapshots, hosts)]


def unmended(folder: Folder, injuries: Sequence[Injury], hosts: Hosts) -> list[list[str]]:
    """Return for each fault what still shows its cause, a line each; what could not be told is there as well."""
    here = scene(folder.lab, hosts)
    return [
        [f"{o.about}: {o.because}" for o in judge_checks(injury.signs, here) if o.verdict != "pass"]
        for injury in injuries
    ]
