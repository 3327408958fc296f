"""What TCP adds to the walk of a packet: who listens, and where published ports lead."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from dockerlab.lab.ports import Port
from dockerlab.reach.cells import Target, published
from dockerlab.reach.fate import TOLD_NO_ROUTE, Arrival, Fate, Loss, unseen
from dockerlab.reach.walk import Packet, send
from dockerlab.reach.world import Sandbox, World
from dockerlab.topology import Forwarding, HostFacts, Segment, interface_towards


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
    refused = _refused(world, target, port, container)
    if refused is not None:
        return refused
    host, behind = target.to, world.publishes[container]
    taken = _taken_by(world, box, host, behind, 4 if target.address is None else target.address.version)
    hops = (*fate.hops, f"{host}: {taken.by}: to port {port.target} of {container} on {behind}")
    dropped = _dropped(world, box, host, behind)
    if dropped is None and taken.keeps_sender:
        dropped = _lost_on_the_way_back(world, container, target, fate)
    if dropped is not None:
        return replace(dropped, hops=hops)
    because = f"{host} publishes port {port.published}: {taken.by} leads to port {port.target} of {container}"
    return replace(fate, rule="published", because=because, hops=hops, back=())


def _refused(world: World, target: Target, port: Port, container: str) -> Loss | None:
    """Return why nobody serves a published port at an address of its host, or None."""
    host, number, bound = target.to, port.published, port.host_ip
    if container not in world.publishes:
        runs = container not in world.ended
        because = f"{container} publishes port {number} without effect: it has no way out through a bridge"
        ended = f"{container}, which publishes port {number}, does not run"
        return Loss("publish-needs-bridge", because, "refused") if runs else Loss("nothing-published", ended, "refused")
    behind, facts = world.forwarding[world.publishes[container]], world.facts[host]
    if target.address is not None and target.address.version in behind.routed:
        because = f"{behind.segment} is in gateway mode routed: port {number} is opened at {container}, not at {host}"
        return Loss("publish-routed", because, "refused")
    if not facts.iptables and not facts.userland_proxy:
        # dockerd listens there and accepts nobody: the kernel greets as many as its backlog holds.
        what = f"with neither iptables rules nor docker-proxy, dockerd of {host} only keeps the port from others"
        return unseen("publish-no-proxy", what)
    if bound is not None and bound.is_loopback:
        because = f"port {number} is bound to {bound}: only {host} itself can connect to that"
        return Loss("publish-loopback", because, "refused")
    if bound is not None and not bound.is_unspecified and bound != target.address:
        because = f"port {number} is bound to {bound}, not to {{address}}"
        return Loss("publish-address", because, "refused")
    return None


def _dropped(world: World, box: Sandbox, host: str, behind: Segment) -> Loss | None:
    """Return why a host drops what one of its own containers sends to a published port, or None."""
    if box.is_host or box.host != host or box.way_out is None or not world.facts[host].iptables:
        return None
    way = world.forwarding.get(box.way_out)
    if way is not None and not way.allowed:
        because = f"it leads from {way.segment}, which is internal, to another bridge: iptables drops that"
        return Loss(way.rule, because)
    if box.way_out == behind and not world.facts[host].userland_proxy and _apart(world, behind):
        because = f"{host} runs no docker-proxy: DNAT leads the connection back to {behind}, where icc is off"
        return Loss("bridge-icc", because)
    if way is None or box.way_out == behind or not world.engines[host].returns:
        return None
    return _past_the_proxy(world.facts[host], way)


def _past_the_proxy(facts: HostFacts, way: Forwarding) -> Loss | None:
    """Return why a connection from another bridge does not come to docker-proxy, on an engine up to 28, or None."""
    if not facts.settings_read:
        return unseen("publish-no-proxy", f"whether {facts.host} runs docker-proxy: its daemon.json could not be read")
    if facts.userland_proxy and 4 in way.masquerade:
        return None
    why = f"nat DOCKER has no RETURN for {way.segment}, which is not masqueraded"
    if not facts.userland_proxy:
        why = f"{facts.host} runs no docker-proxy"
    return Loss("publish-no-proxy", f"{why}: DNAT leads the connection from bridge to bridge, which iptables drops")


def _apart(world: World, segment: Segment) -> bool:
    """Tell whether iptables drops what goes from a bridge to the same bridge, however it comes there."""
    return any(denial.rule == "bridge-icc" for denial in world.denials.get(segment, ()))


def _lost_on_the_way_back(world: World, container: str, target: Target, fate: Arrival) -> Loss | None:
    """Return why the answer to a connection that bears its sender's address does not come back, or None."""
    host, source = target.to, fate.seen_from or target.address
    if source is None:
        return None  # nobody can have connected to an address that is not known
    answering = world.sandboxes[world.of[container]]
    aside = interface_towards(answering.interfaces, source)
    if aside is not None and aside.segment != world.publishes[container]:
        why = f"{container} has {source} on-link on {aside.segment} and answers there, past the host that translated"
    else:
        back = send(world, answering, Packet(source, reply=True))
        if isinstance(back, Arrival) and back.at == (fate.replies_to or host):
            return None
        why = f"{source} is {back.at} from there" if isinstance(back, Arrival) else back.because
        why = why.replace("{source}", container).replace("{address}", str(source))
    return Loss("reply-lost", f"{host} sends the connection on to {container}, but the answer goes astray: {why}")


class Taker(NamedTuple):
    """What takes a connection from a host's published port to the container; DNAT keeps its sender's address."""

    by: str
    keeps_sender: bool


def _taken_by(world: World, box: Sandbox, host: str, behind: Segment, version: int) -> Taker:
    """Return what takes a sandbox's connection from a host's published port to the container behind it."""
    if not world.facts[host].iptables:
        return Taker("docker-proxy (the engine keeps no iptables rules)", keeps_sender=False)
    if box.name == host:
        return Taker("DNAT in chain DOCKER of nat OUTPUT", keeps_sender=True)
    near = box.host == host and not box.is_host and box.way_out is not None and box.way_out.kind == "bridge"
    # Chain DOCKER of table nat begins with a RETURN for each masqueraded bridge; engine 29 has it no more.
    proxied = world.facts[host].userland_proxy and (world.engines[host].returns or box.way_out == behind)
    if near and proxied:
        return Taker("docker-proxy on the host (nat DOCKER leaves out what comes from a bridge)", keeps_sender=False)
    way = world.forwarding.get(box.way_out) if near and box.way_out != behind and box.way_out is not None else None
    if way is not None and version in way.masquerade - way.routed:
        return Taker("DNAT in chain DOCKER of nat PREROUTING, and MASQUERADE on the way out", keeps_sender=False)
    return Taker("DNAT in chain DOCKER of nat PREROUTING", keeps_sender=True)
