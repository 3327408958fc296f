"""A fault put into an exercise's lab, and taken out again."""

from __future__ import annotations

from dockerlab.checks.judge import judge_checks
from dockerlab.errors import HostError, UsageError
from dockerlab.exercise.course import Hosts, make, scene
from dockerlab.exercise.model import Folder
from dockerlab.faults.fault import Break
from dockerlab.faults.injury import Injury, perform, prepare
from dockerlab.identity import current
from dockerlab.provision.reporting import Reporting
from dockerlab.provision.up import Wish, bring_up
from dockerlab.session import Session
from dockerlab.survey import look


def ready(folder: Folder, broken: Break, hosts: Hosts, *, wide: bool) -> Injury:
    """Return what would break the lab; raises UsageError where it is not whole, or where more than it would suffer."""
    here = scene(folder.lab, hosts)
    injury = prepare(broken, folder.lab, here.snapshots, hosts, current(folder.lab.name))
    if injury.wide and not wide:
        raise UsageError(
            "this fault touches more than the lab: everybody on the host would suffer; --host-wide does it all the same"
        )
    outcomes = judge_checks((*folder.exercise.intact, *injury.signs), here)
    amiss = [f"  {o.verdict}: {o.about}: {o.because}" for o in outcomes if o.verdict != "pass"]
    if amiss:
        raise UsageError("nothing was broken, for the lab is not whole as it is:\n" + "\n".join(amiss))
    return injury


def break_it(folder: Folder, injury: Injury, session: Session, reporting: Reporting, undo: str) -> None:
    """Put a fault in; raises HostError, after taking out again what was begun, where a command fails."""
    alter = injury.fault.alter
    if alter is not None:
        at = injury.broken.at
        wish = Wish(undo=undo, part=lambda step: at in (None, step.key.host))
        bring_up(alter(folder.lab, injury.broken), session.hosts, session.controller, wish, reporting)
        return
    seen = look(session.hosts, folder.lab.containers)
    failed = next((a for a in perform(injury.inject, seen.snapshots, session.hosts) if a.failure), None)
    if failed is not None:
        perform(injury.undo, seen.snapshots, session.hosts)
        raise HostError(failed.act.host, f"could not be broken: {' '.join(failed.act.argv)}: {failed.failure}")


def mend(folder: Folder, injury: Injury, session: Session, reporting: Reporting, undo: str) -> list[str]:
    """Take a fault out, unless it is out already; return what could not be mended, a line each."""
    if injury.fault.alter is not None:
        make(folder, session, reporting, undo)
        return unmended(folder, injury, session.hosts)
    if not unmended(folder, injury, session.hosts):
        return []
    seen = look(session.hosts, folder.lab.containers)
    attempts = perform(injury.undo, seen.snapshots, session.hosts)
    left = unmended(folder, injury, session.hosts)
    return [*left, *(f"{a.act.host}: {' '.join(a.act.argv)}: {a.failure}" for a in attempts if a.failure and left)]


def unmended(folder: Folder, injury: Injury, hosts: Hosts) -> list[str]:
    """Return what still shows the cause of a fault, a line each; what could not be told is there as well."""
    outcomes = judge_checks(injury.signs, scene(folder.lab, hosts))
    return [f"{o.about}: {o.because}" for o in outcomes if o.verdict != "pass"]
