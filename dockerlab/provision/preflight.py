"""What can be known to fail before anything is created: looked for on all hosts, told all at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from dockerlab import modes
from dockerlab.errors import ConflictError
from dockerlab.identity import Identity
from dockerlab.imagined.engines import engine_of
from dockerlab.lab.model import Lab, Network
from dockerlab.modes.ipvlan import IpvlanNetwork
from dockerlab.modes.parent import ParentNetwork
from dockerlab.plan.ownership import belongs
from dockerlab.provision.unknown import missing, unknown
from dockerlab.snapshot import NetworkState, Snapshot
from dockerlab.topology import HostFacts, IpNetwork
from dockerlab.versions import Engine, numbers


@dataclass(frozen=True)
class Obstacle:
    """Something on a host that is in the lab's way; `culprit` is the object of the engine that is, where one is."""

    host: str
    rule: Literal["name", "parent", "kernel", "subnet", "port", "gossip", "engine", "word", "missing"]
    told: str
    culprit: str = ""

    def __str__(self) -> str:
        return f"{self.host}: {self.told}"


def check(lab: Lab, who: Identity, facts: Mapping[str, HostFacts], snapshots: Mapping[str, Snapshot]) -> None:
    """Raise ConflictError, naming every host and object, when the lab cannot be built on what was found."""
    found = obstacles(lab, who, facts, snapshots)
    if found:
        lines = "\n  ".join(map(str, found))
        raise ConflictError(f"nothing was created, because it would fail:\n  {lines}")


def obstacles(
    lab: Lab, who: Identity, facts: Mapping[str, HostFacts], snapshots: Mapping[str, Snapshot]
) -> list[Obstacle]:
    """Return what keeps the lab from being built, as far as its hosts have told their facts and their objects."""
    found = list(_names(lab))
    for host in lab.hosts:
        if host in facts:
            found += _networks(lab, facts[host])
        if host in snapshots:
            found += _overlaps(lab, who, snapshots[host])
        if host in facts and host in snapshots:
            found += _lans(lab, facts[host], snapshots[host])
            found += _gossip(lab, facts[host], snapshots[host])
            found += _engine(lab, facts[host], snapshots[host])
        if host in snapshots:
            snapshot = snapshots[host]
            engine = Engine(numbers(snapshot.engine_version))
            found += (Obstacle(host, "word", told) for told in unknown(lab, host, engine))
            found += (Obstacle(host, "missing", told) for told in missing(lab, snapshot))
            found += _ports(lab, who, snapshots[host])
    return list(dict.fromkeys(found))


def _names(lab: Lab) -> Iterator[Obstacle]:
    """Yield container names that the engine takes for invalid: it wants two characters, though one of a network."""
    for name in lab.containers:
        if len(name) == 1:
            told = f"container {name}: the engine wants names of at least two characters"
            yield Obstacle(lab.host_of(name), "name", told)


def made(lab: Lab, host: str) -> Iterator[tuple[str, Network]]:
    """Yield the networks that are made on a host, by name."""
    for name, network in lab.networks.items():
        if not network.external and host in lab.hosts_of(name):
            yield name, network


def _networks(lab: Lab, facts: HostFacts) -> Iterator[Obstacle]:
    """Yield networks for which the host lacks the parent interface, or the kernel a driver."""
    nics = {nic.name for nic in facts.nics}
    for name, network in made(lab, facts.host):
        parent = network.parent_interface if isinstance(network, ParentNetwork) else None
        if parent is not None and parent not in nics and nics:
            trunk, dot, _ = parent.partition(".")
            if not dot or trunk not in nics:
                told = f"network {name} wants parent {parent}, but the interfaces are {', '.join(sorted(nics))}"
                yield Obstacle(facts.host, "parent", told)
                continue
        lacking = [
            option
            for option in kernel_needs(network, facts)
            if facts.kernel_config and option not in facts.kernel_config
        ]
        if lacking:
            options = ", ".join(lacking)
            told = f"network {name} needs {options}, which kernel {facts.kernel} was built without"
            yield Obstacle(facts.host, "kernel", told)


def kernel_needs(network: Network, facts: HostFacts) -> tuple[str, ...]:
    """Return the kernel's build options that a network needs on a host; a parent that is not there is a VLAN's."""
    needs = modes.for_driver(network.driver).needs(network)
    parent = network.parent_interface if isinstance(network, ParentNetwork) else None
    there = parent is None or facts.nic(parent) is not None or not facts.nics
    return needs if there else (*needs, "CONFIG_VLAN_8021Q")


def _overlaps(lab: Lab, who: Identity, snapshot: Snapshot) -> Iterator[Obstacle]:
    """Yield subnets that a network of somebody else has already: the engine says `Pool overlaps` and not with whom."""
    others = [network for network in snapshot.networks if not belongs(network.labels, who)]
    for name, network in made(lab, snapshot.host):
        scope = "swarm" if modes.for_driver(network.driver).scope == "swarm" else "local"
        for pool in network.pools:
            for other in others:
                if other.scope == scope and any(pool.subnet.overlaps(s) for s in _same(other, pool.subnet.version)):
                    told = (
                        f"subnet {pool.subnet} of network {name} overlaps with network {other.name} "
                        f"({', '.join(map(str, other.subnets))}), which is there already"
                    )
                    yield Obstacle(snapshot.host, "subnet", told, other.name)


def _lans(lab: Lab, facts: HostFacts, snapshot: Snapshot) -> Iterator[Obstacle]:
    """Yield subnets of bridges in which the host itself has a neighbour: the engine takes them, and cuts the host off.

    Networks on a parent interface have their subnet from there, and those of a Swarm are kept apart from the host.
    """
    bridges = {network.bridge for network in snapshot.networks}
    for name, network in made(lab, snapshot.host):
        if network.driver != "bridge":
            continue
        for pool in network.pools:
            for nic in facts.nics:
                for address in nic.addresses:
                    theirs: IpNetwork = address.network
                    same = theirs.version == pool.subnet.version
                    if same and theirs.overlaps(pool.subnet) and nic.name not in bridges:
                        told = (
                            f"subnet {pool.subnet} of network {name} overlaps with the host's own network {theirs} on "
                            f"{nic.name}: the host would look for its neighbours on the bridge"
                        )
                        yield Obstacle(snapshot.host, "subnet", told)


def _gossip(lab: Lab, facts: HostFacts, snapshot: Snapshot) -> Iterator[Obstacle]:
    """Yield that the port is taken on which a Swarm's members tell each other of containers.

    The engine says nothing of it but in its log, and goes on: names and addresses of other hosts are then never known.
    """
    wide = [n for n, spec in lab.networks.items() if modes.for_driver(spec.driver).scope == "swarm"]
    if facts.gossip and snapshot.swarm.state == "inactive" and any(facts.host in lab.hosts_of(n) for n in wide):
        told = (
            "TCP port 7946, by which the members of a Swarm tell each other of containers, is taken, though the engine "
            "is in no Swarm: an engine can keep it from an earlier one until it is restarted (systemctl restart "
            "docker); ss -ltnp 'sport = :7946' shows whose it is"
        )
        yield Obstacle(facts.host, "gossip", told)


def _engine(lab: Lab, facts: HostFacts, snapshot: Snapshot) -> Iterator[Obstacle]:
    """Yield what the host's engine would refuse: an option, IPv6 that is not forwarded, two ways out."""
    engine = engine_of(snapshot, facts)
    if not engine.known:
        return
    for name, network in lab.networks.items():
        if facts.host not in lab.hosts_of(name):
            continue
        for told in modes.for_driver(network.driver).refuses(network, engine):
            yield Obstacle(facts.host, "engine", f"network {name} {told}")
        if network.driver == "bridge" and network.ipv6 and engine.backend == "nftables" and facts.ip6_forward is False:
            told = (
                f"network {name} has IPv6, which engine {engine} wants the host to forward by itself: "
                "sysctl -w net.ipv6.conf.all.forwarding=1 net.ipv6.conf.default.forwarding=1"
            )
            yield Obstacle(facts.host, "engine", told)
    if engine.routes_by_version:
        return
    for name, spec in lab.on_host(facts.host).items():
        routed = [n for n in spec.networks if _routed(lab.networks[n])]
        others = [n for n in spec.networks if n not in routed and not lab.networks[n].internal]
        if routed and others:
            told = (
                f"container {name} is on {routed[0]}, whose mode l3 gives a default route, and on {others[0]}, which "
                f"gives one too: engine {engine} does not start it (from 28.0 on one of them is chosen)"
            )
            yield Obstacle(facts.host, "engine", told)


def _routed(network: Network) -> bool:
    return isinstance(network, IpvlanNetwork) and network.submode != "l2" and not network.internal


def _same(network: NetworkState, version: int) -> list[IpNetwork]:
    return [subnet for subnet in network.subnets if subnet.version == version]


def _ports(lab: Lab, who: Identity, snapshot: Snapshot) -> Iterator[Obstacle]:
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
                        told = f"port {port.published} of {name} is taken by container {other.name}"
                        yield Obstacle(snapshot.host, "port", told, other.name)
