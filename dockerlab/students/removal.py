"""A class taken away, by its labels alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial

from dockerlab import plan
from dockerlab.hosts.base import Host
from dockerlab.identity import CLASS, current
from dockerlab.lock import Locks, lock_name
from dockerlab.provision.down import Removal, Taken, take_all
from dockerlab.provision.proof import bridges
from dockerlab.provision.reporting import Reporting, silently
from dockerlab.snapshot import LABEL_INSTANCE, LABEL_LAB, LABEL_OWNER
from dockerlab.students.listing import instances
from dockerlab.survey import survey


def bring_down(
    lab: str,
    ids: Collection[str],
    hosts: Mapping[str, Host],
    reporting: Reporting = silently,
    *,
    everyone: bool = False,
    may_restart: bool = False,
) -> Taken:
    """Remove these instances of a lab, and look again; see `provision.down.take_all`."""
    planned = partial(plan_down, lab, ids, hosts, everyone=everyone)
    return take_all(planned, [lock_name(lab, CLASS)], hosts, reporting, may_restart=may_restart, prove=True)


def plan_down(
    lab: str, ids: Collection[str], hosts: Mapping[str, Host], locks: Locks | None = None, *, everyone: bool = False
) -> Removal:
    """Return the removal of these instances of a lab, with what the class shares when no other instance is left.

    The lab's instances that are not meant stay, which is said. Raises ConflictError where somebody else has the locks.
    """
    seen = survey(hosts, locks)
    owner = None if everyone else current("").owner
    others = sorted(set(instances(seen.answers, lab, owner)) - set(ids) - {CLASS})
    meant = {*ids, *([] if others else [CLASS])}

    def ours(labels: Mapping[str, str]) -> bool:
        return (
            labels.get(LABEL_LAB) == lab
            and labels.get(LABEL_INSTANCE) in meant
            and owner in (None, labels.get(LABEL_OWNER))
        )

    wanted = plan.remove(seen.answers, ours)
    foreign = (f"not in the roster, and so they stay: {', '.join(others)}",) if others else ()
    return Removal(wanted, seen.failures, foreign, ours, bridges(seen.answers, ours))
