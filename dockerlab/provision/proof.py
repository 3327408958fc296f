"""The proof that nothing is left: the hosts looked at again after a `down`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from dockerlab.hosts.base import Host
from dockerlab.plan import Plan
from dockerlab.plan.steps import Ours
from dockerlab.snapshot import Snapshot
from dockerlab.survey import ask_all, ground, survey


def bridges(snapshots: Mapping[str, Snapshot], ours: Ours) -> dict[str, frozenset[str]]:
    """Return the interfaces of each host that are bridges of networks which are `ours`."""
    return {
        host: frozenset(n.bridge for n in snapshot.networks if n.driver == "bridge" and ours(n.labels))
        for host, snapshot in snapshots.items()
    }


def counted(removed: Iterable[Plan]) -> str:
    """Return how many objects of each kind some plans remove, such as `60 containers, 2 networks`."""
    kinds = Counter(step.key.kind for plan in removed for step in plan.changes)
    return ", ".join(f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in kinds.items()) or "nothing"


def left(hosts: Mapping[str, Host], ours: Ours, gone: Mapping[str, frozenset[str]]) -> list[str]:
    """Look at the hosts again, and return a line for each object that is `ours` and still there; none is the proof.

    Also what the engine may leave behind counts: the interfaces in `gone`. A host that does not answer is a line too,
    as nothing is known of it.
    """
    found = survey(hosts, detail="none")
    machines = ask_all({host: hosts[host] for host in found.answers}, ground)
    failures = {**found.failures, **machines.failures}
    lines = [f"{host}: could not be looked at again: {error}" for host, error in failures.items()]
    for host, snapshot in found.answers.items():
        for kind, objects in (
            ("container", snapshot.containers),
            ("network", snapshot.networks),
            ("volume", snapshot.volumes),
        ):
            lines += [f"{host}: {kind} {each.name}" for each in objects if ours(each.labels)]
        images = (image for image in snapshot.image_states if ours(image.labels))
        lines += [f"{host}: image {', '.join(image.names) or image.id}" for image in images]
    for host, machine in machines.answers.items():
        links = {link.name for link in machine.ground.links} & gone.get(host, frozenset())
        lines += [f"{host}: interface {link}" for link in sorted(links)]
    return lines
