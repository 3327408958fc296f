"""The three worlds in which a lab is asked: as it is defined, as the hosts' kernels are, and without any host."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from dockerlab.imagined import ground
from dockerlab.imagined.books import books
from dockerlab.imagined.machines import machines
from dockerlab.kernel.addresses import IpAddress
from dockerlab.kernel.model import Machine
from dockerlab.lab.model import Lab
from dockerlab.reach.people import owner_of, people
from dockerlab.reach.world import World
from dockerlab.snapshot import Snapshot
from dockerlab.topology import HostFacts
from dockerlab.versions import DEFAULT, Engine, numbers
from dockerlab.walk.compiled import Fabric
from dockerlab.walk.net import Net
from dockerlab.walk.outcome import SpaceId


class Looked(Protocol):
    """What was seen of the hosts: their engines' books, their kernels, and the facts of the machines."""

    @property
    def snapshots(self) -> Mapping[str, Snapshot]:
        """Return the engines' books, by host."""
        ...

    @property
    def kernels(self) -> Mapping[str, Machine]:
        """Return the kernels' state, by host."""
        ...

    @property
    def facts(self) -> Mapping[str, HostFacts]:
        """Return what else is known of the machines, by host."""
        ...


def offline(lab: Lab, engine: str = DEFAULT) -> World:
    """Return the world of a lab on hosts that nobody has seen, with engines of that version."""
    versions = dict.fromkeys(lab.hosts, engine)
    engines = {host: _defined(lab, host, engine) for host in lab.hosts}
    return _imagined(lab, books(lab, versions, None), ground.made_up(lab), engines, {})


def defined(lab: Lab, seen: Looked) -> World:
    """Return the world as the definition has it, on the ground of the hosts that were seen."""
    versions = {host: seen.snapshots[host].engine_version for host in lab.hosts}
    grounds = {host: ground.stripped(seen.kernels[host], seen.snapshots[host]) for host in lab.hosts}
    book = books(lab, versions, seen.snapshots)
    return _imagined(lab, book, grounds, engines_of(lab, seen), seen.facts)


def surveyed(lab: Lab, seen: Looked) -> World:
    """Return the world as the hosts' engines and kernels have it now."""
    net = Net(seen.kernels, beyond=_beyond(lab, seen.facts))
    homes: dict[str, SpaceId] = {}
    homeless: dict[str, str] = {}
    for host in lab.hosts:
        homes[host] = SpaceId(host, seen.kernels[host].ground.id)
    for name in lab.containers:
        home = _home(lab, name, seen)
        if isinstance(home, str):
            homeless[name] = home
        else:
            homes[name] = home
    engines = engines_of(lab, seen)
    who = people(lab, seen.snapshots, seen.kernels, engines, seen.facts)
    return World(lab, seen.snapshots, Fabric(net), homes, who, homeless)


def engines_of(lab: Lab, seen: Looked) -> dict[str, Engine]:
    """Return the engines of the hosts, with those of their settings that decide which rules they write."""
    return {host: _engine(seen.snapshots[host], seen.facts.get(host, HostFacts(host))) for host in lab.hosts}


def _engine(book: Snapshot, facts: HostFacts) -> Engine:
    return Engine(
        numbers(book.engine_version),
        "nftables" if book.firewall.startswith("nftables") else "iptables",
        proxy=facts.userland_proxy,
        iptables=facts.iptables,
        ip6tables=facts.ip6tables,
        direct=facts.direct_routing,
    )


def _defined(lab: Lab, host: str, engine: str) -> Engine:
    daemon = lab.daemons.get(host)
    proxy = daemon is None or daemon.userland_proxy is not False
    return Engine(numbers(engine), proxy=proxy)


def _imagined(
    lab: Lab,
    book: Mapping[str, Snapshot],
    grounds: Mapping[str, Machine],
    engines: Mapping[str, Engine],
    facts: Mapping[str, HostFacts],
) -> World:
    made = machines(lab, book, grounds, engines)
    net = Net(made.machines, beyond=_beyond(lab, facts))
    homes = {host: SpaceId(host, machine.ground.id) for host, machine in made.machines.items()} | dict(made.homes)
    who = people(lab, book, made.machines, engines, facts)
    return World(lab, book, Fabric(net), homes, who)


def _beyond(lab: Lab, facts: Mapping[str, HostFacts]) -> dict[IpAddress, frozenset[int]]:
    """Return who answers beyond the lab: what the definition vouches for, and the hosts' own name servers."""
    return {target.address: frozenset(target.ports) for target in lab.outside.values()}


def _home(lab: Lab, name: str, seen: Looked) -> SpaceId | str:
    """Return a container's namespace on its host, or why it has none."""
    host = lab.host_of(name)
    owner = owner_of(lab, name)
    machine = seen.kernels[host]
    if owner in lab.hosts:
        return SpaceId(host, machine.ground.id)
    state = seen.snapshots[host].container(name)
    if state is None:
        return f"{name} does not exist on {host}"
    if not state.running:
        return f"{name} does not run ({state.status}, exit code {state.exit_code})"
    space = machine.home(state.pid)
    if space is None:
        return f"the network namespace of {name} on {host} could not be read"
    return SpaceId(host, space.id)
