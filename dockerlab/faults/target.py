"""The values that a fault's templates are filled in with: what is broken, as it is on its host now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dockerlab.errors import HostError, UsageError
from dockerlab.faults.fault import Break, Fault
from dockerlab.hosts.base import Host
from dockerlab.identity import Identity
from dockerlab.lab.model import Lab
from dockerlab.modes.parent import ParentNetwork
from dockerlab.snapshot import ContainerState, EndpointState, Snapshot
from dockerlab.survey.inside import look

WRITE_RESOLVER = 'printf %s "$1" >/etc/resolv.conf'
"""A constant: what is written is its argument."""


def host_of(fault: Fault, broken: Break, lab: Lab) -> str:
    """Return the host on which a fault is put in; raises UsageError where the lab has no such thing."""
    about = {"host": lab.hosts, "network": (*lab.networks, "bridge"), "container": lab.containers}
    known = tuple(about[fault.about])
    if broken.on not in known:
        raise UsageError(f"{broken}: the lab has no {fault.about} {broken.on}; it has {', '.join(known) or 'none'}")
    if fault.about == "host":
        return broken.on
    if fault.about == "container":
        return lab.host_of(broken.on)
    hosts = lab.hosts_of(broken.on) if broken.on in lab.networks else tuple(lab.hosts)
    if broken.at is not None and broken.at not in hosts:
        raise UsageError(f"{broken}: network {broken.on} is not on {broken.at}, but on {', '.join(hosts)}")
    return broken.at or hosts[0]


def values(
    fault: Fault, broken: Break, lab: Lab, snapshots: Mapping[str, Snapshot], hosts: Mapping[str, Host], who: Identity
) -> dict[str, Any]:
    """Return all that is known of what is broken; raises UsageError where it is not there, or HostError."""
    name = host_of(fault, broken, lab)
    found: dict[str, Any] = {"using": broken.using, "labels": who.labels("-")}
    if fault.about == "network":
        return found | _network(broken.on, lab, snapshots[name])
    if fault.about == "container":
        found |= _container(broken.on, lab, snapshots[name], hosts[name])
        return found | _other(broken.using, found.get("network"), lab, snapshots)
    return found


def _network(name: str, lab: Lab, snapshot: Snapshot) -> dict[str, Any]:
    state, spec = snapshot.network(name), lab.networks.get(name)
    if state is None:
        raise UsageError(f"there is no network {name} on {snapshot.host}: bring the lab up first")
    found: dict[str, Any] = {"bridge": state.bridge} if state.bridge else {}
    if state.subnets:
        found["subnet"] = str(state.subnets[0])
    if isinstance(spec, ParentNetwork) and spec.parent_interface is not None:
        found["parent"] = spec.parent_interface
    return found


def _container(name: str, lab: Lab, snapshot: Snapshot, host: Host) -> dict[str, Any]:
    spec = lab.containers[name]
    state = snapshot.container(name)
    if state is None or not state.running:
        raise UsageError(f"{name} does not run on {snapshot.host}: bring the lab up first")
    found: dict[str, Any] = {"container": name, "write": WRITE_RESOLVER}
    published = [port.host_port for port in state.published]
    on_host = sorted(spec.listens) if spec.mode == "host" else []
    if published or on_host:
        found["published"] = [*published, *on_host][0]
    if spec.owner is not None:
        owner = snapshot.container(spec.owner)
        place = _endpoint(owner) if owner is not None else None
        found["owner"] = spec.owner
        found |= {"owner_address": str(place.addresses[0])} if place is not None else {}
    found["resolver"] = _output(host, ["docker", "exec", state.id, "cat", "/etc/resolv.conf"])
    place = _endpoint(state)
    return found if place is None else found | _place(name, lab, state, place, host)


def _endpoint(state: ContainerState) -> EndpointState | None:
    return next((endpoint for endpoint in state.endpoints.values() if endpoint.addresses), None)


def _place(name: str, lab: Lab, state: ContainerState, place: EndpointState, host: Host) -> dict[str, Any]:
    """Return a container's place on its first network: addresses from the engine, the interface from its namespace."""
    address = place.addresses[0]
    inside = look(host, [state.pid])[state.pid]
    if isinstance(inside, str):
        raise HostError(host.name, f"the network namespace of {name} cannot be read: {inside}")
    link = next((link for link in inside.links if address.ip in {held.ip for held in link.addresses}), None)
    if link is None:
        raise UsageError(f"{host.name}: no interface of {name} has its address {address.ip}: is it broken already?")
    fixed = {spot.ip for spec in lab.containers.values() for spot in spec.networks.values()}
    last = address.network.broadcast_address
    found = {
        "network": place.network,
        "address": str(address.ip),
        "prefix": address.network.prefixlen,
        "broadcast": str(last),
        "device": link.name,
        "mtu": str(link.mtu),
        "unused": str(next(last - n for n in range(1, 9) if last - n not in fixed)),
    }
    return found | ({"gateway": place.gateway} if place.gateway else {})


def _other(using: str, network: str | None, lab: Lab, snapshots: Mapping[str, Snapshot]) -> dict[str, Any]:
    """Return the address of the other container that a fault is about, on the same network."""
    if using not in lab.containers or network is None:
        return {}
    state = snapshots[lab.host_of(using)].container(using)
    place = state.endpoints.get(network) if state is not None else None
    return {"other": str(place.addresses[0].ip)} if place is not None and place.addresses else {}


def _output(host: Host, argv: list[str]) -> str:
    result = host.run(argv, timeout=20)
    if not result.ok:
        raise HostError(host.name, f"{' '.join(argv)} failed: {result.error}")
    return result.text
