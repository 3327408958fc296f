"""The matrix: every cell that is probed, and what the model expects of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address

from dockerlab.lab.ports import Port
from dockerlab.reach.walk import Arrival, Fate, Loss, send
from dockerlab.reach.world import World
from dockerlab.topology import IpAddress


@dataclass(frozen=True)
class Cell:
    """One question: does `source` reach `target` (an address, or a name to look up) by `probe`.

    `probe` is `ping`, `tcp/PORT` or `dns`. `to` is a container, a host, `gateway:NETWORK[@HOST]` or an outside target.
    `holder` is the sandbox that has to answer, None for what is beyond the lab. `answers` are the addresses that a
    name has to give. An empty `target` is a container of which no address is known.
    """

    source: str
    to: str
    target: str
    probe: str
    holder: str | None = None
    port: int | None = None
    answers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Expectation:
    """What the model says of a cell; `reachable` None is "no claim", and `because` then says what it cannot see."""

    reachable: bool | None
    rule: str
    because: str
    symptom: str | None = None


def matrix(world: World) -> list[tuple[Cell, Expectation]]:
    """Return every cell of the lab with its expectation, grouped by source in the definition's order."""
    return [(cell, expect(world, cell)) for source in _names(world) for cell in _cells(world, source)]


def _names(world: World) -> list[str]:
    return [*world.lab.containers, *world.lab.hosts]


def _cells(world: World, source: str) -> Iterator[Cell]:
    for name in _names(world):
        if name != source:
            yield from _cells_to(world, source, name)
    yield from _to_gateways(world, source)
    for name, outside in world.lab.outside.items():
        yield Cell(source, name, str(outside.address), "ping")
        for port in outside.ports:
            yield Cell(source, name, str(outside.address), f"tcp/{port}", port=port)


def _cells_to(world: World, source: str, name: str) -> Iterator[Cell]:
    spec = world.lab.containers.get(name)
    holder = world.of[name]
    known = world.addresses[name]
    for _, address in known:
        yield Cell(source, name, str(address), "ping", holder)
        for port in spec.listens if spec is not None else ():
            yield Cell(source, name, str(address), f"tcp/{port}", holder, port)
    if spec is not None and holder == name and not known and spec.mode != "none":
        yield Cell(source, name, "", "ping", holder)
    if spec is None:
        for number in sorted({port.published for port, _ in _published(world, name) if port.published}):
            for _, address in known:
                yield Cell(source, name, str(address), f"tcp/{number}", holder, number)
        return
    if source in world.lab.containers and world.addresses[name]:
        answers = tuple(str(address) for address in _visible(world, source, name))
        yield Cell(source, name, name, "dns", holder, answers=answers)


def _to_gateways(world: World, source: str) -> Iterator[Cell]:
    for network in dict.fromkeys(network for network, _ in world.gateways):
        hosts = [host for name, host in world.gateways if name == network]
        found = dict.fromkeys(world.gateways[network, host] for host in hosts)
        for address, segment in found:
            at = next(host for host in hosts if world.gateways[network, host] == (address, segment))
            label = f"gateway:{network}" if len(found) == 1 else f"gateway:{network}@{at}"
            held = world.holders.get((segment, address))
            inside = held.sandbox.name if held is not None and held.sandbox is not None else None
            yield Cell(source, label, str(address), "ping", inside)


def _published(world: World, host: str) -> list[tuple[Port, str]]:
    """Return the TCP ports that containers publish on a host, with the container."""
    return [
        (port, name)
        for name, spec in world.lab.on_host(host).items()
        for port in spec.ports
        if port.protocol == "tcp" and port.published is not None
    ]


def _visible(world: World, source: str, name: str) -> list[IpAddress]:
    """Return the addresses under which Docker's DNS gives a container to another one."""
    asking, asked = world.sandboxes[world.of[source]], world.sandboxes[world.of[name]]
    if asking.is_host or asked.is_host:
        return []
    segments = {i.segment for i in asking.interfaces if i.network in asking.resolves}
    shared = (i for i in asked.interfaces if i.segment in segments and i.network in asked.resolves)
    near = (i for i in shared if i.segment.kind == "overlay" or asking.host == asked.host)
    return [interface.address.ip for interface in near]


def expect(world: World, cell: Cell) -> Expectation:
    """Return what the model says of a cell."""
    if not cell.target:
        return Expectation(None, "no-address", f"no claim: no address of {cell.to} is known")
    if cell.probe == "dns":
        return _expect_name(world, cell)
    fate = send(world, world.sandboxes[world.of[cell.source]], ip_address(cell.target))
    if isinstance(fate, Arrival):
        fate = _rightly(world, cell, fate)
    if isinstance(fate, Arrival) and cell.port is not None and cell.to in world.lab.hosts:
        fate = _published_port(world, cell, fate)
    return _as_expectation(fate)


def _rightly(world: World, cell: Cell, fate: Arrival) -> Fate:
    """Return the arrival, or its loss where the address leads to somebody else than the cell means."""
    meant = cell.holder or (f"outside:{cell.to}" if cell.to in world.lab.outside else fate.at)
    if fate.at == meant:
        return fate
    because = f"for {cell.source}, {cell.target} is {fate.at}, not {cell.to}: {fate.because}"
    return Loss("same-address", because, "wrong answerer")


def _published_port(world: World, cell: Cell, fate: Arrival) -> Fate:
    """Return what a host does with a connection to one of its published ports."""
    host = cell.to
    for port, container in _published(world, host):
        if port.published != cell.port:
            continue
        if container not in world.publishes:
            because = f"{container} publishes port {port.published} without effect: it has no way out through a bridge"
            return Loss("publish-needs-bridge", because, "refused")
        bound = port.host_ip
        if bound is not None and bound.is_loopback and world.of[cell.source] != host:
            because = f"port {port.published} is bound to {bound}: only {host} itself can connect to that"
            return Loss("publish-loopback", because, "refused")
        if bound is not None and not bound.is_unspecified and str(bound) != cell.target:
            because = f"port {port.published} is bound to {bound}, not to {cell.target}"
            return Loss("publish-address", because, "refused")
        because = (
            f"{host} publishes port {port.published}: DNAT or docker-proxy leads to port {port.target} of {container}"
        )
        return Arrival(fate.at, "published", because)
    return Loss("nothing-published", f"nothing on {host} publishes port {cell.port}", "refused")


def _expect_name(world: World, cell: Cell) -> Expectation:
    asking = world.sandboxes[world.of[cell.source]]
    if cell.answers:
        shared = "a network that both are on"
        return Expectation(True, "dns-shared-network", f"Docker's DNS at 127.0.0.11 knows the names of {shared}")
    if asking.is_host:
        why = f"{cell.source} uses the resolver of the host {asking.name}, which knows no container names"
        return Expectation(False, "dns-host-mode", why, "no such name")
    if not asking.interfaces:
        return Expectation(False, "none", f"{cell.source} has no interface but loopback", "no route")
    if not asking.resolves:
        why = f"{cell.source} is on docker0 alone, where Docker's DNS is off: names need a user-defined network"
        return Expectation(False, "dns-default-bridge", why, "no such name")
    why = f"{cell.source} and {cell.to} share no network within reach of one Docker DNS server"
    return Expectation(False, "dns-no-shared-network", why, "no such name")


def _as_expectation(fate: Fate) -> Expectation:
    if isinstance(fate, Arrival):
        return Expectation(True, fate.rule, fate.because)
    return Expectation(False if fate.certain else None, fate.rule, fate.because, fate.symptom if fate.certain else None)
