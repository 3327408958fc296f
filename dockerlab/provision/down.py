"""A lab taken away: `down`, where the pure parts and the hosts meet."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from dockerlab import plan
from dockerlab.errors import HostError
from dockerlab.hosts.base import Host
from dockerlab.identity import CLASS, current
from dockerlab.lock import Locks, lock_name
from dockerlab.plan import Plan
from dockerlab.plan.steps import Ours
from dockerlab.provision import stale
from dockerlab.provision.execute import Reporter, execute, raise_for
from dockerlab.provision.proof import bridges
from dockerlab.snapshot import LABEL_INSTANCE, LABEL_LAB, LABEL_OWNER, Snapshot
from dockerlab.survey import settings, survey


@dataclass(frozen=True)
class Removal:
    """What `down` will do; `failures` are the hosts that did not answer, `foreign` says what is somebody else's."""

    plan: Plan
    failures: Mapping[str, HostError]
    foreign: tuple[str, ...] = ()
    ours: Ours = bool
    """Tells by an object's labels whether it is meant."""
    bridges: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The hosts' interfaces that have to go with the networks."""
    answers: Mapping[str, Snapshot] = field(default_factory=dict)
    """What the hosts had that did answer."""

    @property
    def revived(self) -> bool:
        """Tell whether an engine that did not answer was started anew, with its settings of before."""
        return any(step.key.kind == "daemon" and step.key.host in self.failures for step in self.plan.steps)


@dataclass(frozen=True)
class Which:
    """What a call of `down` is about: a lab or every lab (None), of this user or of everyone, or only what expired."""

    lab: str | None = None
    everyone: bool = False
    expired: datetime | None = None


def plan_down(which: Which, hosts: Mapping[str, Host], locks: Locks | None = None) -> Removal:
    """Return the plan that removes what a call means from the hosts that answer.

    Raises ConflictError where somebody else has the locks.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="settings") as beside:
        looking = beside.submit(settings, hosts, locks)
        seen, found = survey(hosts, locks, detail="none"), looking.result()
    owner = None if which.everyone else current("").owner
    mine = plan.down(seen.answers, which.lab, owner, expired=which.expired, files=found.answers)
    all_of_it = plan.down(seen.answers, which.lab, None, expired=which.expired, files=found.answers)
    others = len(all_of_it.steps) - len(mine.steps)
    foreign = (f"{others} objects belong to somebody else and stay; --everyone removes them too",) if others else ()

    def ours(labels: Mapping[str, str]) -> bool:
        mine_or_all = owner in (None, labels.get(LABEL_OWNER))
        return LABEL_LAB in labels and which.lab in (None, labels[LABEL_LAB]) and mine_or_all

    gone = {**found.failures, **seen.failures}
    return Removal(mine, gone, foreign, ours, bridges(seen.answers, ours), seen.answers)


def locks_for(which: Which, hosts: Mapping[str, Host]) -> list[str]:
    """Return the names of the locks that a call of `down` needs: the lab's, or those of every lab on the hosts."""
    if which.lab is not None:
        return [lock_name(which.lab)]
    labelled = [labels for snapshot in survey(hosts, detail="none").answers.values() for labels in snapshot.labelled()]
    labelled += [file.kept.labels for file in settings(hosts).answers.values() if file.kept is not None]
    return sorted({lock_name(labels[LABEL_LAB], CLASS if LABEL_INSTANCE in labels else None) for labels in labelled})


def take_down(removal: Plan, hosts: Mapping[str, Host], reporter: Reporter, *, may_restart: bool = False) -> int:
    """Remove what a plan of `down` names, as much of it as can be; return how many objects went.

    `may_restart` lets an engine start anew that does not let a network go, where that stops nobody's container.
    Raises ExecutionError with all that could not be removed.
    """
    done = execute(removal, hosts, reporter, keep_going=True, cure=partial(stale.cures, may_restart=may_restart))
    raise_for(
        done, "all else was removed; run the same command again for the rest" if done.failures else "run it again"
    )
    return len(removal.changes)
