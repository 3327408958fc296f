"""The end of an exercise: everything is taken away, and the hosts are held against what they were at its beginning."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from dockerlab.exercise.breaking import take_out
from dockerlab.exercise.changes import Change, changes, forwards
from dockerlab.exercise.course import Hosts, survey
from dockerlab.exercise.model import Folder
from dockerlab.exercise.progress import Progress
from dockerlab.exercise.remains import held
from dockerlab.provision.down import Taken, Which, bring_down
from dockerlab.provision.reporting import Reporting
from dockerlab.session import Session
from dockerlab.snapshot import LABEL_LAB
from dockerlab.survey import look

SETTLING = 5.0
"""Seconds in which links and rules of what was removed may still go."""


@dataclass(frozen=True)
class Ending:
    """What `stop` did: how many objects went, what it mended beside, and what is left (nothing, if all is well)."""

    removed: int
    mended: tuple[str, ...]
    left: tuple[str, ...]
    proof: tuple[str, ...]


def stop(
    folder: Folder, progress: Progress, session: Session, reporting: Reporting, others: frozenset[str] = frozenset()
) -> Ending:
    """Take everything of an exercise away, and hold the hosts against what they were at its beginning.

    What a student made by hand goes as well where it bears one of the lab's names, and on the sandbox's hosts, which
    are ours, whatever it is called. Elsewhere the rest is named, with what would remove it. `others` are the names of
    other exercises that are on: theirs stay.
    """
    said = _mended_fault(folder, progress, session.hosts)
    taken = bring_down(Which(folder.lab.name), session.hosts, reporting)
    removed = taken.count
    unreached = [str(error) for error in taken.removal.failures.values()]
    if unreached:
        return Ending(removed, tuple(said), tuple(unreached), ())
    failed: dict[Change, str] = {}
    # An engine that has other settings makes its rules anew: what is amiss is looked at again after that.
    for kinds in (("container", "settings"), None):
        for change in _changes(folder, progress, session.hosts, others, ours=True):
            if kinds is None or change.kind in kinds:
                result = session.hosts[change.host].run(change.undo, timeout=60)
                removed += change.come and result.ok
                if result.ok:
                    said.append(f"{change.host}: {change.what}; {'removed' if change.come else 'mended'}")
                else:
                    failed[change] = result.error
        if (
            kinds is not None and taken.removal.plan.notes
        ):  # for a container that the student made anew, which is gone by now
            taken = bring_down(Which(folder.lab.name), session.hosts, reporting)
            removed += taken.count
    left = _settled(folder, progress, session.hosts, others)
    # What went by itself with something else, such as the end of a cable, could not be removed and need not be.
    said += [f"{each.host}: {each.what}; not mended: {failed[each]}" for each in left if each in failed]
    return Ending(removed, tuple(said), (*_kept(taken), *map(str, left)), tuple(_proof(folder, session.hosts)))


def _kept(taken: Taken) -> tuple[str, ...]:
    """Return what of the lab stayed, and for whom."""
    return (*taken.removal.plan.notes, *taken.removal.foreign)


def _mended_fault(folder: Folder, progress: Progress, hosts: Hosts) -> list[str]:
    """Take out what commands have broken; another definition goes with the lab. Return what was done."""
    trial = progress.trial
    if trial is None or not take_out(folder, trial, hosts):
        return []
    return [f"the fault is taken out: {injury.broken}" for injury in trial.injuries if injury.undo]


def _changes(folder: Folder, progress: Progress, hosts: Hosts, others: frozenset[str], *, ours: bool) -> list[Change]:
    """Return what differs from the beginning; with `ours`, only what we may mend, in an order in which it can be."""
    names = {*folder.lab.containers, *folder.lab.networks, *folder.images_to_make}
    now = survey(folder, hosts)
    found = [c for host, was in progress.before.items() if host in now for c in changes(host, was, now[host])]
    found = [change for change in found if change.name not in others]
    # Elsewhere than in the sandbox, who made an image is not known: one that the exercise names is of its making.
    found = [change for change in found if change.kind != "image" or progress.sandbox or change.name in names]
    if not ours:
        return found
    mendable = (c for c in found if c.undo and (progress.sandbox or c.name in names))
    turns = {"container": 0, "swarm": 2}
    return sorted(mendable, key=lambda change: turns.get(change.kind, 1))


def _settled(folder: Folder, progress: Progress, hosts: Hosts, others: frozenset[str]) -> Sequence[Change]:
    deadline = time.monotonic() + SETTLING
    while True:
        left = _changes(folder, progress, hosts, others, ours=False)
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.3)


def _proof(folder: Folder, hosts: Hosts) -> list[str]:
    """Return for each host what was looked at, so that "nothing is left" can be believed."""
    seen = look(hosts, folder.lab.containers)
    now = held(seen, hosts)
    lines = []
    for host, holds in now.items():
        mine = [labels for labels in seen.snapshots[host].labelled() if labels.get(LABEL_LAB) == folder.lab.name]
        rules = "not to be read" if holds.rules is None else f"{len(holds.rules)} beside Docker's"
        lines.append(
            f"{host}: {len(mine)} objects of lab {folder.lab.name}; {len(holds.containers)} other containers, "
            f"{len(holds.networks)} networks, {len(holds.links)} interfaces, firewall rules: {rules}; "
            f"FORWARD {holds.policy}, ip_forward {forwards(holds.ip_forward)}"
        )
    return lines
