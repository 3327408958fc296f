"""What of a lab cannot be had once for each student: said with its place, before anything is touched. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from dockerlab import modes
from dockerlab.identity import CLASS
from dockerlab.lab import check
from dockerlab.lab.model import Ground, Lab
from dockerlab.lab.problem import KeyPath, Problem, meant
from dockerlab.snapshot import BRIDGE_NAME, VXLAN_IDS, Snapshot
from dockerlab.students.instance import FIRST_PORT, LONGEST_LINK, Instance, port_block, ports_of
from dockerlab.students.listing import instances as instances_of
from dockerlab.students.subnets import shares_lan

LONGEST_NAME = 63


def refusals(lab: Lab, instances: Sequence[Instance]) -> Iterator[Problem]:
    """Yield what of a lab these instances cannot have, each with its path in the lab's definition."""
    longest = max((each.student for each in instances), key=lambda student: len(student.id), default=None)
    if longest is None:
        return
    for section, entries in (("containers", lab.containers), ("networks", lab.networks)):
        for name in entries:
            if len(longest.id) + 1 + len(name) > LONGEST_NAME:
                message = f"{longest.id}-{name} would be longer than the {LONGEST_NAME} characters that a name may have"
                yield Problem((section, name), message, of_key=True)
    for name, machine in lab.hosts.items():
        if machine.daemon is not None:
            message = "an engine's settings are its host's, and no student's: leave them out, or bring up the lab alone"
            yield Problem(("hosts", name, "daemon"), message, of_key=True)
        for key in Ground.model_fields if machine.ground is not None else ():
            if getattr(machine, key):
                message = "a host itself is no student's: leave this out, or bring up the lab alone"
                yield Problem(("hosts", name, key), message, of_key=True)
    together = _together(instances)
    if together:
        yield from _only_once(lab, together)
    highest = max(each.student.number for each in instances)
    yield from _ports(lab, highest)
    yield from _links(lab, highest)
    yield from _instances(instances)


def shared_swarm(lab: Lab, hosts: Collection[str]) -> str | None:
    """Return what it means that a class's hosts are joined, or None where the lab joins none.

    A manager of a Swarm has any service run on any of its nodes, with any directory of theirs mounted.
    """
    overlays = [name for name, network in lab.networks.items() if network.driver == "overlay"]
    if not overlays or len(hosts) < 2:
        return None
    return (
        f"the overlay {', '.join(overlays)} joins {', '.join(hosts)} in one Swarm: whoever is root on its manager can "
        "run anything as root on all of them, and read what is there. Where students are root on these hosts, one of "
        "them has all the others'"
    )


def of_nobody(instance: Instance, snapshots: Mapping[str, Snapshot]) -> str | None:
    """Return why an instance is taken for nobody's: the lab's class is on these hosts, and nothing there is of it.

    An object counts by its name as well: students type theirs. None where something is there, or nobody's of the class.
    """
    names = {each.name for snapshot in snapshots.values() for each in snapshot.containers}
    names |= {each.name for snapshot in snapshots.values() for each in snapshot.networks}
    others = {*instances_of(snapshots, instance.lab.name)} - {CLASS, instance.student.id}
    if not others or not names.isdisjoint({*instance.lab.containers, *instance.lab.networks}):
        return None
    return (
        f"--student {instance.student.id}: nothing of it is on {', '.join(snapshots)}, where a class is; "
        f"{meant(instance.student.id, sorted(others))}\n"
        "One of the class whose instance is not made yet is known by --students, with the class's number or roster"
    )


def _together(instances: Sequence[Instance]) -> str:
    """Return a host that two instances are on, or an empty text."""
    seen: set[str] = set()
    for each in instances:
        for host in each.lab.hosts:
            if host in seen:
                return host
            seen.add(host)
    return ""


def _only_once(lab: Lab, host: str) -> Iterator[Problem]:
    """Yield what a host has only once, where several students share one."""
    why = f"and {host} serves several students"
    for name, spec in lab.containers.items():
        path: KeyPath = ("containers", name, "network_mode")
        if spec.mode == "host" and (spec.ports or spec.expose):
            yield Problem(path, f"in host mode its ports are the host's own, {why}: give each a host, or publish ports")
    for name, network in lab.networks.items():
        if VXLAN_IDS in network.driver_opts:
            yield Problem(("networks", name, "driver_opts", VXLAN_IDS), f"the numbers serve one network, {why}")
        if shares_lan(network) and not network.ip_range and not any(p.ip_range for p in network.ipam.config):
            places = [spec.networks[name] for spec in lab.containers.values() if name in spec.networks]
            if len({bool(place.addresses) for place in places}) > 1:
                message = (
                    f"some addresses on this LAN are fixed and others the engine's choice, {why}: it may give one "
                    "student's to another; write an `ip_range` in which no fixed address lies"
                )
                yield Problem(("networks", name), message, of_key=True)


def _ports(lab: Lab, highest: int) -> Iterator[Problem]:
    last = FIRST_PORT + (highest + 1) * port_block(lab) - 1
    if ports_of(lab) and last > 65_535:
        name, index = next((n, i) for n, c in lab.containers.items() for i, p in enumerate(c.ports) if p.published)
        message = f"number {highest} would publish on port {last}, and 65535 is the last one: fewer students, or ports"
        yield Problem(("containers", name, "ports", index), message)


def _links(lab: Lab, highest: int) -> Iterator[Problem]:
    for name, network in lab.networks.items():
        link = network.driver_opts.get(BRIDGE_NAME)
        if link is not None and len(f"{link}-{highest}") > LONGEST_LINK:
            message = (
                f"{link}-{highest} is longer than an interface's name may be ({LONGEST_LINK} characters): shorten it"
            )
            yield Problem(("networks", name, "driver_opts", BRIDGE_NAME), message)


def _instances(instances: Sequence[Instance]) -> Iterator[Problem]:
    """Yield what is wrong with an instance as with any definition, such as an address beyond the LAN's last one."""
    told: set[KeyPath] = set()
    for each in instances:
        names = {new: old for old, new in each.names.items()}
        for checked in (*check.CHECKS, modes.check):
            for problem in checked(each.lab):
                path = _original(problem.path, names)
                if path not in told:
                    told.add(path)
                    yield Problem(path, f"instance {each.student.id}: {problem.message}", of_key=problem.of_key)


def _original(path: KeyPath, names: Mapping[str, str]) -> KeyPath:
    """Return a path of an instance as the lab's definition has it."""
    return tuple(names.get(part, part) if isinstance(part, str) else part for part in path)
