"""What can be known to fail before anything is created: looked for on all hosts, told all at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dockerlab import modes
from dockerlab.errors import ConflictError
from dockerlab.identity import Identity
from dockerlab.lab.model import Lab
from dockerlab.modes.parent import ParentNetwork
from dockerlab.plan.ownership import belongs
from dockerlab.snapshot import NetworkState, Snapshot
from dockerlab.topology import HostFacts, IpNetwork


def check(lab: Lab, who: Identity, facts: Mapping[str, HostFacts], snapshots: Mapping[str, Snapshot]) -> None:
    """Raise ConflictError, naming every host and object, when the lab cannot be built on what was found."""
    found = [
        line
        for host in lab.hosts
        for line in (
            *_networks(lab, facts[host]),
            *_overlaps(lab, who, snapshots[host]),
            *_ports(lab, who, snapshots[host]),
        )
    ]
    found = [*_names(lab), *found]
    if found:
        raise ConflictError("nothing was created, because it would fail:\n  " + "\n  ".join(dict.fromkeys(found)))


def _names(lab: Lab) -> Iterator[str]:
    """Yield container names that the engine takes for invalid: it wants two characters, though one of a network."""
    for name in lab.containers:
        if len(name) == 1:
            yield f"{lab.host_of(name)}: container {name}: the engine wants names of at least two characters"


def _networks(lab: Lab, facts: HostFacts) -> Iterator[str]:
    """Yield networks for which the host lacks the parent interface, or the kernel a driver."""
    nics = {nic.name for nic in facts.nics}
    for name, network in lab.networks.items():
        if facts.host not in lab.hosts_of(name):
            continue
        needs = list(modes.for_driver(network.driver).needs(network))
        parent = network.parent_interface if isinstance(network, ParentNetwork) else None
        if parent is not None and parent not in nics and nics:
            trunk, dot, _ = parent.partition(".")
            if not dot or trunk not in nics:
                there = ", ".join(sorted(nics))
                yield f"{facts.host}: network {name} wants parent {parent}, but the interfaces are {there}"
                continue
            needs.append("CONFIG_VLAN_8021Q")
        lacking = [option for option in needs if facts.kernel_config and option not in facts.kernel_config]
        if lacking:
            options = ", ".join(lacking)
            yield f"{facts.host}: network {name} needs {options}, which kernel {facts.kernel} was built without"


def _overlaps(lab: Lab, who: Identity, snapshot: Snapshot) -> Iterator[str]:
    """Yield subnets that a network of somebody else has already: the engine says `Pool overlaps` and not with whom."""
    others = [network for network in snapshot.networks if not belongs(network.labels, who)]
    for name, network in lab.networks.items():
        if snapshot.host not in lab.hosts_of(name):
            continue
        scope = "swarm" if modes.for_driver(network.driver).scope == "swarm" else "local"
        for pool in network.pools:
            for other in others:
                if other.scope == scope and any(pool.subnet.overlaps(s) for s in _same(other, pool.subnet.version)):
                    yield (
                        f"{snapshot.host}: subnet {pool.subnet} of network {name} overlaps with network {other.name} "
                        f"({', '.join(map(str, other.subnets))}), which is there already"
                    )


def _same(network: NetworkState, version: int) -> list[IpNetwork]:
    return [subnet for subnet in network.subnets if subnet.version == version]


def _ports(lab: Lab, who: Identity, snapshot: Snapshot) -> Iterator[str]:
    """Yield published ports that a container of somebody else has already."""
    for name, spec in lab.on_host(snapshot.host).items():
        for port in spec.ports:
            for other in snapshot.containers:
                if other.name == name or belongs(other.labels, who) or not other.running:
                    continue
                for taken in other.published:
                    same = (taken.host_port, taken.protocol) == (port.published, port.protocol)
                    bound = {str(port.host_ip or "0.0.0.0"), taken.host_ip}  # noqa: S104 - what an empty one means
                    if same and (len(bound) == 1 or "0.0.0.0" in bound):  # noqa: S104 - the same
                        yield f"{snapshot.host}: port {port.published} of {name} is taken by container {other.name}"
