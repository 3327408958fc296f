"""A lab taken away: `down`, where the pure parts and the hosts meet."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from dockerlab import plan
from dockerlab.errors import HostError
from dockerlab.hosts.base import Host
from dockerlab.identity import CLASS, current
from dockerlab.lock import Locks, lock_name, locked
from dockerlab.plan import Plan
from dockerlab.plan.steps import Ours
from dockerlab.provision import beneath, proof, stale
from dockerlab.provision.execute import execute, raise_for
from dockerlab.provision.proof import bridges
from dockerlab.provision.reporting import Reporter, Reporting, reported, silently
from dockerlab.snapshot import LABEL_INSTANCE, LABEL_LAB, LABEL_OWNER, Snapshot
from dockerlab.survey import settings, survey

ROUNDS = 2
"""How often it is looked and removed: an engine that only runs again with its old settings has more to tell."""


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


@dataclass(frozen=True)
class Taken:
    """What a `down` did: the plans that it carried out, and the removal of the last look.

    `left` is what a second look at the hosts that answer has found, a line each; None where nobody looked again.
    """

    plans: tuple[Plan, ...]
    removal: Removal
    answering: tuple[str, ...]
    left: tuple[str, ...] | None = None

    @property
    def count(self) -> int:
        """Return how many objects went."""
        return sum(len(plan.changes) for plan in self.plans)

    @property
    def whole(self) -> bool:
        """Tell whether everything that was meant went from the hosts that answer."""
        return not self.removal.plan.notes and not self.left


def bring_down(
    which: Which,
    hosts: Mapping[str, Host],
    reporting: Reporting = silently,
    *,
    may_restart: bool = False,
    prove: bool = False,
) -> Taken:
    """Remove what a call means from the hosts that answer; see `take_all`."""
    names = locks_for(which, hosts)
    return take_all(partial(plan_down, which, hosts), names, hosts, reporting, may_restart=may_restart, prove=prove)


def take_all(
    planned: Callable[[Locks], Removal],
    names: Collection[str],
    hosts: Mapping[str, Host],
    reporting: Reporting = silently,
    *,
    may_restart: bool = False,
    prove: bool = False,
) -> Taken:
    """Carry out the removal that is planned once the locks of these names are had; `prove` looks at the hosts again.

    `may_restart` lets an engine start anew that does not let a network go, where that stops nobody's container.
    Raises ConflictError where somebody else has a lock, ExecutionError with all that could not be removed.
    """
    plans = []
    with locked(hosts, names) as locks:
        for _ in range(ROUNDS):
            removal = planned(locks)
            with reported(removal.plan, reporting, locks) as reporter:
                take_down(removal.plan, hosts, reporter, may_restart=may_restart)
            plans.append(removal.plan)
            if not removal.revived:
                break
        answering = {name: host for name, host in hosts.items() if name not in removal.failures}
        left = proof.left(answering, removal.ours, removal.bridges) if prove else None
    return Taken(tuple(plans), removal, tuple(answering), None if left is None else tuple(left))


def plan_down(which: Which, hosts: Mapping[str, Host], locks: Locks | None = None) -> Removal:
    """Return the plan that removes what a call means from the hosts that answer.

    Raises ConflictError where somebody else has the locks.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="settings") as beside:
        looking = beside.submit(settings, hosts, locks)
        seen, found = survey(hosts, locks, detail="none"), looking.result()
    owner = None if which.everyone else current("").owner

    def ours(labels: Mapping[str, str]) -> bool:
        mine_or_all = owner in (None, labels.get(LABEL_OWNER))
        return LABEL_LAB in labels and which.lab in (None, labels[LABEL_LAB]) and mine_or_all

    changed = beneath.for_down(hosts, seen.answers, lambda labels: which.lab in (None, labels.get(LABEL_LAB)))
    planned = partial(plan.down, seen.answers, which.lab, expired=which.expired, files=found.answers, beneath=changed)
    mine, all_of_it = planned(owner=owner), planned(owner=None)
    others = len(all_of_it.steps) - len(mine.steps)
    foreign = (f"{others} objects belong to somebody else and stay; --everyone removes them too",) if others else ()

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
