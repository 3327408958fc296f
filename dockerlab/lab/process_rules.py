"""What is wrong in how a container is to run, by the definition alone: what the engine would refuse, or never do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter

from dockerlab.lab.container import NODE, Container
from dockerlab.lab.model import Lab
from dockerlab.lab.places import at_once, on_run
from dockerlab.lab.problem import KeyPath, Problem, meant, shown

JOINS = ("pid", "ipc")
"""The keys that may name a container whose namespace is joined, beside `network_mode`."""
IPC = ("none", "private", "shareable", "host")


def processes(lab: Lab) -> Iterable[Problem]:
    """Yield what is wrong with how containers run, each by itself and with the others."""
    for name, spec in lab.containers.items():
        path: KeyPath = ("containers", name)
        yield from _volumes(lab, path, spec)
        yield from _joined(lab, name, spec)
        yield from _network(lab, path, spec)
        for other in spec.depends_on:
            if other not in lab.containers or other == name:
                known = [each for each in lab.containers if each != name]
                yield Problem((*path, "depends_on", other), f"no container {shown(other)}: {meant(other, known)}")
        for other, what in spec.depends_on.items():
            there = lab.containers.get(other)
            if what.condition == "service_healthy" and there is not None and _never_well(there):
                message = f"{other} has no `healthcheck`, so nobody can tell when it is well: give it one"
                yield Problem((*path, "depends_on", other), message)
    yield from _circles(lab)


def before(lab: Lab, name: str) -> tuple[str, ...]:
    """Return the containers that have to be made before one: what it waits for, and whose namespaces it joins."""
    spec = lab.containers[name]
    return tuple(dict.fromkeys([*owners_of(spec), *spec.depends_on]))


def owners_of(spec: Container) -> tuple[str, ...]:
    """Return the containers whose namespaces one joins: made anew, they take it along."""
    values = (spec.network_mode, *(getattr(spec, key) for key in JOINS))
    return tuple(dict.fromkeys(owner for value in values if (owner := joins(value)) is not None))


def joins(value: str | None) -> str | None:
    """Return the container that a value names whose namespace is joined, or None."""
    kind, _, name = (value or "").partition(":")
    return name if kind == "container" else None


def _never_well(spec: Container) -> bool:
    """Tell whether nothing looks after a container; of other images than ours, only the image can tell."""
    return spec.image == NODE if spec.healthcheck is None else spec.healthcheck.off


def _volumes(lab: Lab, path: KeyPath, spec: Container) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, mount in enumerate(spec.volumes):
        at = (*path, "volumes", index)
        source = mount.source
        if mount.type == "volume" and source is not None and source not in lab.volumes:
            yield Problem(at, f"no volume {shown(source)}: {meant(source, lab.volumes)}; write it under `volumes:`")
        elif mount.type == "bind" and source is None:
            yield Problem(at, "a bind has a `source`: an absolute path of the host")
        elif mount.type == "bind" and not str(source).startswith("/"):
            message = (
                f"{shown(source)} is no absolute path: it is one of the host, which knows no directory of this file; "
                "write it in full, as in /srv/www"
            )
            yield Problem(at, message)
        elif mount.type == "tmpfs" and source is not None:
            yield Problem(at, "a file system in memory has no `source`: leave it out")
        elif mount.type == "bind" and mount.legacy and ":" in f"{source}{mount.target}":
            yield Problem(at, "with `selinux` or `create_host_path` no path can have a colon in it")
        if mount.target in seen:
            yield Problem(at, f"{mount.target} is mounted twice: leave one out")
        seen.add(mount.target)


def _joined(lab: Lab, name: str, spec: Container) -> Iterator[Problem]:
    for key in JOINS:
        value = getattr(spec, key)
        if value is None:
            continue
        path: KeyPath = ("containers", name, key)
        other = joins(value)
        if other is None and value not in (("host",) if key == "pid" else IPC):
            known = [*(("host",) if key == "pid" else IPC), "container:NAME"]
            yield Problem(path, f"{shown(value)} is no value of `{key}`: {meant(value, known)}")
        elif other is not None and (other not in lab.containers or other == name):
            known = [each for each in lab.containers if each != name]
            yield Problem(path, f"no container {shown(other)}: {meant(other, known)}")
        elif other is not None and lab.host_of(other) != lab.host_of(name):
            message = f"{other} runs on {lab.host_of(other)}, and a namespace is shared on one host: let both run there"
            yield Problem(path, message)
        elif other is not None and key == "ipc" and lab.containers[other].ipc != "shareable":
            yield Problem(path, f"{other} shares no memory: write `ipc: shareable` there")


def _network(lab: Lab, path: KeyPath, spec: Container) -> Iterator[Problem]:
    """Yield what cannot be said of places on networks."""
    if spec.mac_address is not None and (spec.mode in ("host", "none") or spec.owner is not None):
        yield Problem((*path, "mac_address"), f"in mode {spec.mode} it has no interface of its own: leave it out")
    first = spec.networks.get(spec.mode)
    if spec.mac_address is not None and first is not None and first.mac_address not in (None, spec.mac_address):
        yield Problem((*path, "mac_address"), f"another one is given on {spec.mode}: leave one of them out")
    names: dict[str, str] = {}
    for network, place in spec.networks.items():
        at = (*path, "networks", network)
        driver = lab.networks[network].driver if network in lab.networks else ""
        if place.mac_address is not None and driver == "ipvlan":
            yield Problem((*at, "mac_address"), "on ipvlan every container has its parent's MAC address: leave it out")
        if place.mac_address is not None and int(place.mac_address[:2], 16) & 1:
            yield Problem((*at, "mac_address"), f"{place.mac_address} is a multicast address: begin with an even byte")
        if place.interface_name is not None:
            if place.interface_name == "lo" or place.interface_name in names:
                other = names.get(place.interface_name, "loopback")
                yield Problem((*at, "interface_name"), f"that is the name of its interface on {other}: choose another")
            names[place.interface_name] = network
        real = lab.networks[network].name or network if network in lab.networks else network
        long = on_run(real, place) if network == spec.mode else ""
        long = at_once(real, place) if network in spec.at_once else long
        if "=" in long and long != long.lower():
            word = next(word for word in re.split(r"[,=\"]", long) if word != word.lower())
            message = f"the engine's command line would write {shown(word)} in lower case: write it so here as well"
            yield Problem(at, message)


def _circles(lab: Lab) -> Iterator[Problem]:
    graph = {name: [o for o in before(lab, name) if o in lab.containers and o != name] for name in lab.containers}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        first = circle[0]
        waits = next((o for o in circle[1:] if o in lab.containers[first].depends_on), None)
        told = " → ".join(circle)
        path: KeyPath = ("containers", first, *(("depends_on", waits) if waits else ()))
        yield Problem(path, f"these wait for each other, and none could be made first: {told}")
