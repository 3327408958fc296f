"""What TCP adds to the walk of a packet: who listens, and where published ports lead."""

from __future__ import annotations

from dataclasses import replace

from dockerlab.lab.ports import Port
from dockerlab.reach.cells import Target, published
from dockerlab.reach.walk import TOLD_NO_ROUTE, Arrival, Fate, Loss
from dockerlab.reach.world import Sandbox, World
from dockerlab.topology import Segment

NO_RETURN = (29, 0)
"""The engine from which on a connection from one bridge of a host to another goes by DNAT (moby #49981)."""


def connect(world: World, box: Sandbox, target: Target, port: int, fate: Fate) -> Fate:
    """Return what becomes of a connection to a port, where `fate` is that of a packet to the address."""
    if isinstance(fate, Loss):
        return _as_connection(world, port, fate)
    if fate.box is None:
        return fate
    if target.published:
        return _to_host(world, box, target, port, fate)
    if port in fate.box.listens:
        return fate
    because = f"the connection arrives at {fate.at}, where nothing listens on port {port}"
    return Loss("nothing-listens", because, "refused", hops=fate.hops)


def _as_connection(world: World, port: int, fate: Loss) -> Loss:
    """Return a packet's loss as a connection shows it."""
    if fate.symptom == "reply lost":
        return replace(fate, symptom="timeout")
    if fate.symptom == TOLD_NO_ROUTE:
        return replace(fate, symptom="no route")
    if fate.symptom == "wrong answerer":
        held = world.sandboxes.get(fate.at or "")
        listens = held is not None and port in held.listens
        return fate if listens else replace(fate, symptom="refused")
    return fate


def _to_host(world: World, box: Sandbox, target: Target, port: int, fate: Arrival) -> Fate:
    """Return what a host does with a connection to one of its ports: one number may be bound to several addresses."""
    if port in world.sandboxes[target.to].listens:
        return fate
    fates = [
        _binding(world, box, target, bound, name, fate)
        for bound, name in published(world, target.to)
        if bound.published == port
    ]
    nothing = Loss("nothing-published", f"nothing on {target.to} publishes port {port}", "refused")
    return next((found for found in fates if isinstance(found, Arrival)), fates[0] if fates else nothing)


def _binding(world: World, box: Sandbox, target: Target, port: Port, container: str, fate: Arrival) -> Fate:
    """Return what one published port does with a connection that has come to its host."""
    host, number, bound = target.to, port.published, port.host_ip
    behind = world.publishes.get(container)
    if behind is None:
        because = f"{container} publishes port {number} without effect: it has no way out through a bridge"
        return Loss("publish-needs-bridge", because, "refused")
    if bound is not None and bound.is_loopback:
        because = f"port {number} is bound to {bound}: only {host} itself can connect to that"
        return Loss("publish-loopback", because, "refused")
    if bound is not None and not bound.is_unspecified and bound != target.address:
        because = f"port {number} is bound to {bound}, not to {{address}}"
        return Loss("publish-address", because, "refused")
    way = world.forwarding.get(box.way_out) if box.way_out is not None and box.host == host else None
    if way is not None and not way.allowed and not box.is_host:
        because = f"port {number} leads from {way.segment}, which is internal, to another bridge: iptables drops that"
        return Loss(way.rule, because, hops=fate.hops)
    if not world.facts[host].userland_proxy and way is not None and box.way_out != behind:
        because = f"{host} runs no docker-proxy, and its NAT rules do not serve another bridge of the same host"
        return Loss("publish-no-proxy", because, hops=fate.hops)
    taken = _taken_by(world, box, host, behind)
    because = f"{host} publishes port {number}: {taken} leads to port {port.target} of {container}"
    there = (hop for hop in fate.hops if not hop.startswith("reply: "))
    hops = (*there, f"{host}: {taken}: to port {port.target} of {container} on {behind}")
    return replace(fate, rule="published", because=because, hops=hops)


def _taken_by(world: World, box: Sandbox, host: str, behind: Segment) -> str:
    """Return what takes a connection from a host's published port to the container behind it."""
    if box.is_host:
        return "DNAT in chain DOCKER of nat " + ("OUTPUT" if box.name == host else "PREROUTING")
    near = box.host == host and box.way_out is not None and box.way_out.kind == "bridge"
    # Chain DOCKER of table nat begins with a RETURN for what comes from any bridge; engine 29 has it no more.
    if near and (world.engines[host] < NO_RETURN or box.way_out == behind):
        return "docker-proxy on the host (nat DOCKER leaves out what comes from a bridge)"
    return "DNAT in chain DOCKER of nat PREROUTING"
