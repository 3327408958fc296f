"""All instances of a class made: one plan of all, so that everything that can be done at once is done at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from dockerlab.command import Command
from dockerlab.errors import ConflictError, DockerlabError, LockLost
from dockerlab.hosts.base import Host
from dockerlab.identity import CLASS, Identity, current
from dockerlab.lab.model import Lab
from dockerlab.lock import Locks, lock_name, locked
from dockerlab.plan import Key, Plan, Step
from dockerlab.plan.bringing_up import Situation, up
from dockerlab.plan.ownership import belongs
from dockerlab.plan.swarm import swarm_steps
from dockerlab.provision import images, preflight
from dockerlab.provision.execute import Execution, execute
from dockerlab.provision.reporting import Reporter, Reporting, reported, silently
from dockerlab.provision.rollback import Look, made, roll_back
from dockerlab.provision.up import ROUNDS, Wish, addresses
from dockerlab.snapshot import LABEL_INSTANCE, Snapshot
from dockerlab.students.clashes import routes
from dockerlab.students.course import Course
from dockerlab.survey import IN_A_CLASS, Seen, look_where_told, survey

Plans = dict[str, Plan]
"""The plan of each instance, by its ID; that of what all share is `class`."""


@dataclass
class Planned:
    """What is to be done: the plans of instances, and why others have none."""

    who: Identity
    plans: Plans = field(default_factory=dict)
    failures: dict[str, DockerlabError] = field(default_factory=dict)

    @property
    def whole(self) -> Plan:
        """Return the plan of everything; what several plans name alike, such as an image, is done once."""
        steps: dict[Key, Step] = {}
        for each in self.plans.values():
            for step in each.steps:
                steps.setdefault(step.key, step)
        return Plan(tuple(steps.values()))


@dataclass
class Outcome:
    """What came of an `up`: the instances that are there, and why the others are not."""

    up: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    interrupted: bool = False
    changed: bool = False


def bring_up(
    course: Course, hosts: Mapping[str, Host], controller: Host, wish: Wish, reporting: Reporting = silently
) -> Outcome:
    """Make all instances of a class under its lock, and return which are there, and why the others are not.

    Raises ConflictError where somebody else has the lock.
    """
    who = current(course.lab.name)
    with locked(hosts, [lock_name(who.lab, CLASS)], silent=IN_A_CLASS.floor) as locks:
        planned = plan_up(course, who, hosts, controller, wish, locks)
        with reported(planned.whole, reporting, locks) as reporter:
            again = partial(plan_up, course, who, hosts, controller, Wish())
            return carry_out(planned, again, hosts, reporter, keep_failed=wish.keep_failed)


def plan_up(
    course: Course,
    who: Identity,
    hosts: Mapping[str, Host],
    controller: Host,
    wish: Wish,
    locks: Locks | None = None,
) -> Planned:
    """Return what makes the hosts agree with the class, looked at once for all instances.

    An instance that meets something foreign, or a host that does not answer, is left out; the others are not.
    Raises ConflictError where somebody else has the locks.
    """
    seen, silent = look_where_told(hosts, course.names, locks, detail="needed", times=IN_A_CLASS)
    planned = Planned(who)
    there = [lab for lab in course.labs if not silent.keys() & lab.hosts.keys()]
    wanted = {(lab.host_of(n), spec.image) for lab in there for n, spec in lab.containers.items()}
    bring = images.bring(_all(there), hosts, seen.snapshots, controller, wish.pull) if wanted else {}
    ids = [*([CLASS] if course.shared is not None else []), *(each.student.id for each in course.instances)]
    for identity, lab in zip(ids, course.labs, strict=True):
        gone = [silent[host] for host in lab.hosts if host in silent]
        if gone or CLASS in planned.failures:
            planned.failures[identity] = gone[0] if gone else planned.failures[CLASS]
            continue
        own = {(h, i): c for (h, i), c in bring.items() if h in lab.hosts}
        try:
            planned.plans[identity] = plan_instance(lab, replace(who, instance=identity), hosts, seen, own, wish)
        except ConflictError as error:
            planned.failures[identity] = error
    return planned


def plan_instance(
    lab: Lab,
    who: Identity,
    hosts: Mapping[str, Host],
    seen: Seen,
    bring: Mapping[tuple[str, str], Command],
    wish: Wish,
) -> Plan:
    """Return the plan of one instance, which takes what the class shares for its own.

    A Swarm is there for all, and the class's.
    """
    snapshots = {host: _as_own(snapshot, who) for host, snapshot in seen.snapshots.items()}
    reached = addresses(lab, hosts, seen.facts)
    wanted = up(lab, who, Situation(snapshots, reached), bring, wish.until)
    preflight.check(lab, who, seen.facts, snapshots)
    routes(lab, seen.facts, snapshots)
    for_all = {s.key: s for s in swarm_steps(lab, replace(who, instance=CLASS), snapshots, reached)}
    return replace(wanted, steps=tuple(for_all.get(step.key, step) for step in wanted.steps))


def _as_own(snapshot: Snapshot, who: Identity) -> Snapshot:
    """Return a snapshot in which the networks of the class are the instance's."""

    def own(labels: Mapping[str, str]) -> Mapping[str, str]:
        ours = belongs(labels, replace(who, instance=CLASS))
        return {**labels, LABEL_INSTANCE: str(who.instance)} if ours else labels

    networks = (replace(each, labels=own(each.labels)) for each in snapshot.networks)
    return replace(snapshot, networks=tuple(networks))


def _all(labs: Sequence[Lab]) -> Lab:
    """Return one lab with everybody's containers, to ask for the images of all at once."""
    kept = {name: getattr(labs[0], name) for name in Lab.model_fields}
    hosts = {host: machine for lab in labs for host, machine in lab.hosts.items()}
    containers = {name: spec for lab in labs for name, spec in lab.containers.items()}
    built = {name: spec for lab in labs for name, spec in lab.images.items()}
    return Lab.model_construct(**{**kept, "hosts": hosts, "images": built, "containers": containers})


def carry_out(
    planned: Planned,
    replan: Callable[[], Planned],
    hosts: Mapping[str, Host],
    reporter: Reporter,
    *,
    keep_failed: bool = False,
    look_again: Look = survey,
) -> Outcome:
    """Make all instances; what was made of one that failed is removed again, and the others stay.

    After the restart of an engine, what it no longer runs is made again by a plan of `replan`.
    """
    done, plans, failures = execute(planned.whole, hosts, reporter, keep_going=True), planned.plans, planned.failures
    changed = bool(planned.whole.changes)
    for _ in range(ROUNDS):
        if not done.restarted or done.interrupted:
            break
        again = replan()
        done, plans, failures = execute(again.whole, hosts, reporter, keep_going=True), again.plans, again.failures
    outcome = Outcome(interrupted=done.interrupted, changed=changed)
    outcome.failures |= {identity: str(error) for identity, error in failures.items()}
    finished = {step.key for step in done.begun} - done.failures.keys()
    for identity, wanted in plans.items():
        missing = [step for step in wanted.steps if step.key not in finished]
        if not missing:
            outcome.up += [identity] if identity != CLASS else []
            continue
        lost = any(isinstance(done.failures.get(step.key), LockLost) for step in missing)
        undo = made if keep_failed or lost else roll_back
        own = {step.key for step in wanted.steps}
        part = Execution([s for s in done.begun if s.key in own], {k: e for k, e in done.failures.items() if k in own})
        left = undo(part, replace(planned.who, instance=identity), hosts, reporter, look_again)
        outcome.failures[identity] = "\n".join(_why_absent(missing, done, left))
    return outcome


def _why_absent(missing: Iterable[Step], done: Execution, left: Sequence[str]) -> Iterator[str]:
    """Yield why an instance is not there, and what is left of it."""
    own = [str(done.failures[step.key]) for step in missing if step.key in done.failures]
    causes = own or [str(error) for error in done.failures.values()][:1]
    yield from dict.fromkeys(causes or ["stopped before it was made"])
    yield from (f"left: {line}" for line in left)
