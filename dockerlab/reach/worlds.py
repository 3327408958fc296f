"""The three worlds in which a lab is asked: as it is defined, as the hosts' kernels are, and without any host."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

from dockerlab.facts import Facts
from dockerlab.imagined import ground
from dockerlab.imagined.books import books
from dockerlab.imagined.engines import engine_of
from dockerlab.imagined.machines import machines
from dockerlab.kernel.addresses import IpAddress
from dockerlab.kernel.model import Machine
from dockerlab.lab.daemon import Daemon
from dockerlab.lab.model import Lab
from dockerlab.reach.people import owner_of, people
from dockerlab.reach.world import World
from dockerlab.snapshot import Snapshot
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
    def machines(self) -> Mapping[str, Machine]:
        """Return the state of those hosts' kernels that could be looked at, by host."""
        ...

    @property
    def facts(self) -> Mapping[str, Facts]:
        """Return what else is known of the machines, by host."""
        ...


def offline(lab: Lab, engine: str | Engine = DEFAULT) -> World:
    """Return the world of a lab on hosts that nobody has seen, with engines of that version.

    Of an `Engine` itself, the settings that the definition speaks of are the definition's.
    """
    maker = Engine(numbers(engine)) if isinstance(engine, str) else engine
    engines = {host: _defined(lab, host, maker) for host in lab.hosts}
    book = books(lab, {host: str(each) for host, each in engines.items()}, None, engines)
    return imagined(lab, book, ground.made_up(lab, engines), engines, {})


def defined(lab: Lab, seen: Looked) -> World:
    """Return the world as the definition has it, on the ground of the hosts that were seen."""
    versions = {host: seen.snapshots[host].engine_version for host in lab.hosts}
    grounds = {host: _ground(host, seen) for host in lab.hosts}
    book = books(lab, versions, seen.snapshots)
    return imagined(lab, book, grounds, engines_of(lab, seen), seen.facts)


def booked(lab: Lab, seen: Looked) -> World:
    """Return the world as the engines' own books have it: every object as its engine made it."""
    grounds = {host: _ground(host, seen) for host in lab.hosts}
    return imagined(lab, seen.snapshots, grounds, engines_of(lab, seen), seen.facts)


def upgraded(lab: Lab, seen: Looked, new: Callable[[Engine], Engine]) -> World:
    """Return the world as the definition has it on the hosts that were seen, with other engines in place of theirs.

    `new` tells what comes in the place of each. Addresses that were given to containers stay.
    """
    now = engines_of(lab, seen)
    engines = {host: new(own) for host, own in now.items()}
    grounds = {host: ground.with_engine(_ground(host, seen), now[host], engines[host]) for host in lab.hosts}
    book = books(lab, {host: str(each) for host, each in engines.items()}, seen.snapshots, engines)
    return imagined(lab, book, grounds, engines, seen.facts)


def surveyed(lab: Lab, seen: Looked) -> World:
    """Return the world as the hosts' engines and kernels have it now; of a kernel that was not seen it has nothing."""
    machines = {host: seen.machines.get(host, Machine(host)) for host in lab.hosts}
    places = {name: _home(lab, name, seen.snapshots, machines) for name in (*lab.containers, *lab.hosts)}
    homes = {name: place for name, place in places.items() if isinstance(place, SpaceId)}
    homeless = {name: place for name, place in places.items() if isinstance(place, str)}
    who = people(lab, seen.snapshots, machines, engines_of(lab, seen), seen.facts, real=True)
    return World(lab, seen.snapshots, Fabric(Net(machines, beyond=_beyond(lab))), homes, who, homeless)


def _ground(host: str, seen: Looked) -> Machine:
    """Return a host without Docker: by its kernel, or by what else is known of the machine."""
    if host in seen.machines:
        return ground.stripped(seen.machines[host], seen.snapshots[host])
    return ground.told(host, seen.facts.get(host, Facts(host)).ground, seen.snapshots[host])


def engines_of(lab: Lab, seen: Looked) -> dict[str, Engine]:
    """Return the engines of the hosts, with those of their settings that decide which rules they write."""
    found = {host: engine_of(seen.snapshots[host], seen.facts.get(host, Facts(host)).settings) for host in lab.hosts}
    still = [host for host, daemon in lab.daemons.items() if daemon.ip_forward is False]
    return found | {host: replace(found[host], forwards=False) for host in still}


def _defined(lab: Lab, host: str, engine: Engine) -> Engine:
    daemon = lab.daemons.get(host, Daemon())

    def settled(said: bool | None, given: bool) -> bool:
        return given if said is None else said

    return replace(
        engine,
        backend=daemon.firewall_backend or engine.backend,
        proxy=settled(daemon.userland_proxy, engine.proxy),
        iptables=settled(daemon.iptables, engine.iptables),
        ip6tables=engine.ip6tables if daemon.ip6tables is None else daemon.ip6tables,
        direct=settled(daemon.allow_direct_routing, engine.direct),
        forwards=settled(daemon.ip_forward, engine.forwards),
    )


def imagined(
    lab: Lab,
    book: Mapping[str, Snapshot],
    grounds: Mapping[str, Machine],
    engines: Mapping[str, Engine],
    facts: Mapping[str, Facts],
) -> World:
    """Return the world of a lab as engines would have made it by their books, on what hosts are without Docker."""
    made = machines(lab, book, grounds, engines)
    net = Net(made.machines, beyond=_beyond(lab))
    homes = {host: SpaceId(host, machine.ground.id) for host, machine in made.machines.items()} | dict(made.homes)
    who = people(lab, book, made.machines, engines, facts)
    unsettled = frozenset(host for host, told in facts.items() if not told.settings.known)
    return World(lab, book, Fabric(net), homes, who, unsettled=unsettled, engines=engines)


def _beyond(lab: Lab) -> dict[IpAddress, frozenset[int]]:
    """Return who answers beyond the lab: what the definition vouches for, and the hosts' own name servers."""
    return {target.address: frozenset(target.ports) for target in lab.outside.values()}


def _home(lab: Lab, name: str, books: Mapping[str, Snapshot], machines: Mapping[str, Machine]) -> SpaceId | str:
    """Return the namespace of a container or a host, or why it has none."""
    host = name if name in lab.hosts else lab.host_of(name)
    machine = machines[host]
    if not machine.namespaces:
        return f"the kernel of {host} could not be looked at"
    if name in lab.hosts or owner_of(lab, name) in lab.hosts:
        return SpaceId(host, machine.ground.id)
    state = books[host].container(name)
    if state is None:
        return f"{name} does not exist on {host}"
    if not state.running:
        return f"{name} does not run ({state.status}, exit code {state.exit_code})"
    space = machine.home(state.pid)
    return f"the network namespace of {name} on {host} could not be read" if space is None else SpaceId(host, space.id)
