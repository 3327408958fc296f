"""Start and check: where an exercise meets its hosts."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial

from dockerlab.checks.judge import judge_checks, of_differences
from dockerlab.checks.outcome import Outcome, overall
from dockerlab.checks.scene import Scene
from dockerlab.errors import ConflictError, HostError
from dockerlab.exercise import loader
from dockerlab.exercise.model import Folder
from dockerlab.exercise.progress import Progress
from dockerlab.exercise.remains import Holdings, held
from dockerlab.exercise.scope import so_far, undone
from dockerlab.hosts.base import Host
from dockerlab.lab.model import Lab
from dockerlab.provision.reporting import Reporting
from dockerlab.provision.up import Wish, bring_up
from dockerlab.sandbox import identities
from dockerlab.session import Session, Whereabouts
from dockerlab.snapshot import LABEL_LAB, Snapshot
from dockerlab.survey import Seen, look
from dockerlab.verify import Report, Verdict, on_hosts

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
    return held(look(hosts, folder.lab.containers), hosts, folder.images_to_make)


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
    """What a call of `check` found: the outcomes, and for each thing that is broken the signs of its repair."""

    outcomes: tuple[Outcome, ...]
    signs: tuple[tuple[Outcome, ...], ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Return fail where something fails, else unknown where something could not be told, else pass."""
        return overall((*self.outcomes, *(sign for each in self.signs for sign in each)))


Verify = Callable[[Lab, Hosts, Seen], Report]
"""How a lab's matrix is asked, of hosts that were just looked at."""


def _asked(lab: Lab, hosts: Hosts, seen: Seen) -> Report:
    return on_hosts.verify(lab, hosts, seen=seen)


def check(folder: Folder, progress: Progress, hosts: Hosts) -> Checked:
    """Return what the hosts say of the current step, or of the whole lab while something is broken on purpose."""
    seen = look(hosts, (*folder.lab.containers, *folder.lab.networks), kernels="all")
    return judged(folder, progress, hosts, seen)


def judged(folder: Folder, progress: Progress, hosts: Hosts, seen: Seen, verify: Verify = _asked) -> Checked:
    """Return the same of hosts that were just looked at.

    A step is judged by what it and the steps before it have asked for. What those had made and is no longer so is told
    first: without it the step cannot be done.
    """
    lacking = tuple(_without_images(folder, seen.snapshots))
    if progress.trial is not None:
        here = _scene(folder.lab, hosts, seen, {}, verify)
        signs = (judge_checks(injury.signs, here) for injury in progress.trial.injuries)
        return Checked((*lacking, *judge_checks(folder.exercise.intact, here)), tuple(map(tuple, signs)))
    exercise, step = folder.exercise, progress.step
    lab = so_far(exercise, folder.lab, step, seen.snapshots)
    here = _scene(lab, hosts, seen, progress.answers, verify, spares=True)
    gone = undone(exercise, folder.lab, step, here.differences)
    before = (of_differences("what the steps before have made is as it was", gone),) if gone else ()
    checks = exercise.steps[step].checks if step < len(exercise.steps) else ()
    return Checked((*lacking, *before, *judge_checks(checks, here)))


def _without_images(folder: Folder, snapshots: Mapping[str, Snapshot]) -> Iterator[Outcome]:
    """Yield the failure that it is where a host has lost an image that the exercise began with."""
    lab = folder.lab
    gone = [
        f"{host}: image {image} is not there any more"
        for host, snapshot in snapshots.items()
        for image in sorted(lab.images_needed(host) | {name for name in lab.images if host in lab.hosts_of_image(name)})
        if not snapshot.has_image(image)
    ]
    if gone:
        command = again(folder)
        why = f"docker run would ask a registry for it; '{command}' brings it back, and leaves all else alone"
        about = "the images are there that the exercise began with"
        yield Outcome(about, "fail", gone[0], tuple(gone[1:]), (why,), how=(f"this machine: {command}",))


def again(folder: Folder) -> str:
    """Return the command that makes whole what an exercise has been given at its beginning."""
    packaged = loader.exercises().get(folder.id)
    word = folder.id if packaged is not None and packaged.resolve() == folder.path else str(folder.path)
    return shlex.join(["dockerlab", "exercise", "start", word])


def scene(lab: Lab, hosts: Hosts) -> Scene:
    """Return what checks are judged by, as the hosts are now."""
    return _scene(lab, hosts, look(hosts, (*lab.containers, *lab.networks), kernels="all"), {}, _asked)


def _scene(
    lab: Lab, hosts: Hosts, seen: Seen, answers: Mapping[str, str], verify: Verify, *, spares: bool = False
) -> Scene:
    """Return a scene; with `spares`, what a host is at fault for is not charged: nobody has broken it on purpose."""
    return Scene(lab, hosts, seen, partial(verify, lab, hosts, seen), answers, spares)


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
