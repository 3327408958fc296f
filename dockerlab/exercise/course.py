"""Start and check: where an exercise meets its hosts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial

from dockerlab.checks.judge import Outcome, Scene, judge_checks, overall
from dockerlab.errors import ConflictError, HostError
from dockerlab.exercise.model import Folder
from dockerlab.exercise.progress import Progress
from dockerlab.exercise.remains import Holdings, held
from dockerlab.hosts.base import Host
from dockerlab.lab.model import Lab
from dockerlab.provision.reporting import Reporting
from dockerlab.provision.up import Wish, bring_up
from dockerlab.sandbox import identities
from dockerlab.session import Session, Whereabouts
from dockerlab.snapshot import LABEL_LAB, Snapshot
from dockerlab.survey import look
from dockerlab.verify import on_hosts

Hosts = Mapping[str, Host]


def new(folder: Folder, where: Whereabouts, before: Mapping[str, Holdings]) -> Progress:
    """Return the progress of somebody who begins an exercise now, on hosts that held `before` beside the lab."""
    return Progress(
        id=folder.id,
        folder=folder.path,
        sandbox=where.sandbox,
        inventory=where.inventory.resolve() if where.inventory is not None else None,
        machines=identities() if where.sandbox else {},
        started=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        before=dict(before),
    )


def survey(folder: Folder, hosts: Hosts) -> dict[str, Holdings]:
    """Return what the hosts hold beside the lab."""
    return held(look(hosts, folder.lab.containers), hosts)


def refuse_what_is_there(lab: Lab, hosts: Hosts) -> None:
    """Raise ConflictError where objects with the lab's names are there already, which a student is to make."""
    seen = look(hosts, lab.containers)
    there = [
        f"{host}: {kind} {state.name}"
        for host, snapshot in seen.snapshots.items()
        for kind, states, names in (
            ("network", snapshot.networks, lab.networks),
            ("container", snapshot.containers, lab.containers),
        )
        for state in states
        if state.name in names and host in _places(lab, kind, state.name)
    ]
    if there and lab.name:
        raise ConflictError(
            "nothing was changed: what this exercise is about to make is there already:\n  "
            + "\n  ".join(there)
            + f"\nRemove it; if dockerlab made it, with 'dockerlab down {lab.name}'."
        )


def _places(lab: Lab, kind: str, name: str) -> Sequence[str]:
    return lab.hosts_of(name) if kind == "network" else (lab.host_of(name),)


def make(folder: Folder, session: Session, reporting: Reporting, undo: str) -> None:
    """Make an exercise's lab; `undo` is the command that removes what is left of a failure."""
    bring_up(folder.lab, session.hosts, session.controller, Wish(undo=undo), reporting)


def bring_images(folder: Folder, session: Session, reporting: Reporting, undo: str) -> None:
    """Bring the images of an exercise's lab to its hosts, and make nothing more."""
    # The engines' settings may be others, for no step is taken that touches them.
    wish = Wish(daemons=True, undo=undo, part=lambda step: step.key.kind == "image")
    bring_up(folder.lab, session.hosts, session.controller, wish, reporting)


@dataclass(frozen=True)
class Checked:
    """What a call of `check` found: the outcomes, whether a fault is what they are about, and its signs apart."""

    outcomes: tuple[Outcome, ...]
    signs: tuple[Outcome, ...] = ()

    @property
    def passed(self) -> bool:
        """Tell whether everything passed; what could not be told has not."""
        return overall((*self.outcomes, *self.signs)) == "pass"


def check(folder: Folder, progress: Progress, hosts: Hosts) -> Checked:
    """Return what the hosts say of the current step, or of the whole lab while something is broken on purpose."""
    here = scene(folder.lab, hosts, progress.answers, spares=progress.fault is None)
    if progress.fault is None:
        return Checked(tuple(judge_checks(folder.exercise.steps[progress.step].checks, here)))
    outcomes = judge_checks(folder.exercise.intact, here)
    return Checked(tuple(outcomes), tuple(judge_checks(progress.fault.signs, here)))


def scene(lab: Lab, hosts: Hosts, answers: Mapping[str, str] | None = None, *, spares: bool = False) -> Scene:
    """Return what checks are judged by, as the hosts are now.

    With `spares`, what a host is at fault for is not charged: so it is unless it was broken on purpose.
    """
    seen = look(hosts, (*lab.containers, *lab.networks), kernels="all")
    answered = answers or {}
    verify = partial(on_hosts.verify, lab, hosts, seen=seen)
    return Scene(lab, hosts, seen, verify, answered, spares)


def adopt(folder: Folder, progress: Progress, session: Session, reporting: Reporting, undo: str) -> bool:
    """Make anew, as dockerlab's own, what a student made by hand since the beginning; tell whether there was any.

    So that it can be broken by another definition, and made whole by `dockerlab up`.
    """
    seen = look(session.hosts, folder.lab.containers)
    removals = [
        (host, argv)
        for host, snapshot in seen.snapshots.items()
        if host in progress.before
        for argv in _made_by_hand(folder.lab, snapshot, progress.before[host])
    ]
    # Containers first, on all hosts: they may be on a network that spans them.
    for host, argv in sorted(removals, key=lambda removal: "network" in removal[1]):
        result = session.hosts[host].run(argv, timeout=60)
        if not result.ok:
            raise HostError(host, f"{' '.join(argv)} failed: {result.error}")
    if removals:
        make(folder, session, reporting, undo)
    return bool(removals)


def _made_by_hand(lab: Lab, snapshot: Snapshot, before: Holdings) -> Iterator[tuple[str, ...]]:
    """Yield the removal of what bears the lab's names, none of its labels, and was not there before."""
    for container in snapshot.containers:
        named = container.name in lab.containers and container.name not in before.containers
        if named and LABEL_LAB not in container.labels:
            yield ("docker", "rm", "--force", container.id)
    for network in snapshot.networks:
        if network.scope == "swarm" and not snapshot.swarm.manager:
            continue  # it goes with the manager's
        known = {*before.networks, *before.wide}
        if network.name in lab.networks and LABEL_LAB not in network.labels and network.name not in known:
            yield ("docker", "network", "rm", network.id)
