"""The walk of a packet from a sandbox to an address and of its reply back: who gets it, or where it dies.

Texts stand for every cell of a kind: `{source}`, `{address}` and `{to}` are filled in for the cell in question.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from dockerlab.reach import firewall
from dockerlab.reach.fate import TOLD_NO_ROUTE, Arrival, Fate, Loss, unseen
from dockerlab.reach.world import Holder, Sandbox, World
from dockerlab.topology import Interface, IpAddress, Segment, interface_towards


class Packet(NamedTuple):
    """What is sent to an address: a ping, or a connection to a TCP port; a `reply` belongs to what is let through."""

    address: IpAddress
    port: int | None = None
    reply: bool = False


def exchange(world: World, box: Sandbox, address: IpAddress, port: int | None = None) -> Fate:
    """Return what becomes of a packet to an address, a ping or one for a TCP port, and of the reply to it."""
    there = send(world, box, Packet(address, port))
    if isinstance(there, Loss) or there.seen_from is None:
        return there
    if there.box is None:
        return _back_from_beyond(world, there)
    if there.box.holds(there.seen_from) and there.box.name != there.replies_to:
        because = (
            f"it comes to {there.at} from {there.at}'s own address, by its source: the kernel drops such a martian"
        )
        return Loss("same-address", because, hops=there.hops)
    back = send(world, there.box, Packet(there.seen_from, reply=True))
    replied = tuple(f"reply: {hop}".replace("{address}", _sender(box, there)) for hop in back.hops)
    if isinstance(back, Arrival) and back.at == there.replies_to:
        return replace(there, back=replied)
    hops = (*there.hops, *replied)
    if isinstance(back, Loss) and not back.certain:
        return replace(back, hops=hops)
    because = f"the request arrives at {{to}}, but its reply goes astray: {_as_reply(box, back, there)}"
    return Loss("reply-lost", because, "reply lost", hops=hops)


def _as_reply(box: Sandbox, back: Fate, there: Arrival) -> str:
    """Return a reply's fate in words: its source and its address are the request's the other way round."""
    text = back.because if isinstance(back, Loss) else f"{{address}} is {back.at} from there"
    turned = "{to}".join(part.replace("{to}", "{source}") for part in text.split("{source}"))
    return turned.replace("{address}", _sender(box, there))


def _sender(box: Sandbox, there: Arrival) -> str:
    """Return the address from which a packet came, in words that serve all sources of a kind."""
    return "{source}'s address" if there.replies_to == box.name else str(there.seen_from)


def _back_from_beyond(world: World, there: Arrival) -> Fate:
    """Return an arrival beyond the lab, or its loss where the sender's address means nothing there."""
    places = world.places.get(there.seen_from, []) if there.seen_from is not None else []
    if places and all(place.closed for place in places):
        because = "it arrives with {source}'s own address, to which no machine out there has a route"
        return Loss("no-masquerade", because, hops=there.hops)
    return there


def send(world: World, box: Sandbox, packet: Packet) -> Fate:
    """Return what becomes of a packet that a sandbox sends."""
    address = packet.address
    if box.holds(address):
        because = "{address} is an address of the sandbox that {source} is in: the packet never leaves it"
        return Arrival(box.name, box, "own-address", because, hops=(f"{box.name}: {{address}} is its own",))
    on_link = interface_towards(box.interfaces, address)
    if on_link is not None:
        hop = f"{box.name}: {{address}} is in {on_link.address.network}, on-link on {on_link.segment}"
        return _traced(hop, _deliver(world, box, on_link, packet))
    for destination, via, segment in box.routes:
        if address in destination:
            hop = f"{box.name}: the route to {destination} leads to {via} on {segment}"
            return _traced(hop, _through(world, box, via, segment, packet))
    gateway = box.gateway(address.version)
    if gateway is None or box.way_out is None:
        return _no_route(world, box)
    hop = f"{box.name}: the default route leads to {gateway} on {box.way_out}"
    return _traced(hop, _through(world, box, gateway, box.way_out, packet))


def _traced(hop: str, fate: Fate) -> Fate:
    return replace(fate, hops=(hop, *fate.hops))


def _address_on(box: Sandbox, segment: Segment, version: int) -> IpAddress | None:
    """Return the address that a sandbox sends from on a segment."""
    own = (i.address.ip for i in box.interfaces if i.segment == segment and i.address.version == version)
    return next(own, None)


def _no_route(world: World, box: Sandbox) -> Loss:
    if not box.interfaces:
        return Loss("none", "{source} has no interface but loopback", "no route")
    if any(interface.segment.routed for interface in box.interfaces):
        return unseen("unseen-router", f"{box.host} routes what {{source}} sends, and the way back cannot be seen")
    closed = [world.forwarding[i.segment] for i in box.interfaces if i.segment in world.forwarding]
    shut = next((forwarding for forwarding in closed if not forwarding.allowed), None)
    if shut is not None:
        return Loss(shut.rule, shut.why, "no route")
    because = "{source} has no route to {address}: no network of its leads there, and it has no default route"
    return Loss("no-default-route", because, "no route")


def _deliver(world: World, box: Sandbox, interface: Interface, packet: Packet) -> Fate:
    """Return what becomes of a packet whose destination is in the subnet of an interface: it asks by ARP there."""
    segment, address = interface.segment, packet.address
    holder = world.holder(segment, address, box, interface.port)
    if holder is None:
        return _nobody(world, segment, address)
    denied = _denied(world, segment, (interface.port, holder.port), packet)
    if denied is not None:
        return denied
    filtered = _reverse_path(world, holder, segment, interface.address.ip)
    if filtered is not None:
        return filtered
    hops: tuple[str, ...] = (f"{segment}: {holder.name} answers the ARP request and gets it",)
    rule, because = _neighbours(box, holder, segment)
    # A neighbour that the lab knows nothing of is taken to answer as neighbours do.
    source = interface.address.ip if holder.sandbox is not None else None
    return Arrival(holder.name, holder.sandbox, rule, because, source, box.name, hops)


def _neighbours(box: Sandbox, holder: Holder, segment: Segment) -> tuple[str, str]:
    """Return the rule by which two on one segment reach each other, in words."""
    if not segment.closed:
        return "same-lan", f"both are on {segment}: plain ARP from neighbour to neighbour, no NAT, no rule of Docker's"
    if box.is_host:
        return "host-to-bridge", f"the host {box.name} is itself on {segment}, and nothing filters what it sends there"
    if holder.sandbox is not None and holder.sandbox.is_host:
        return "host-local", f"{{address}} is the host's own address on {segment}"
    return f"same-{segment.kind}", f"both are on {segment}: one layer 2, nothing in between"


def _reverse_path(world: World, holder: Holder, segment: Segment, source: IpAddress) -> Loss | None:
    """Return the loss of a packet at a host that would not answer through the interface on which it came."""
    box = holder.sandbox
    if box is None or not box.is_host or segment.closed:
        return None
    name = holder.port.rpartition("/")[2]
    nic = world.facts[box.name].nic(name)
    back = interface_towards(box.interfaces, source)
    if nic is None or nic.rp_filter != 1 or (back is not None and back.network == name):
        return None
    because = f"{box.name} drops it: strict rp_filter on {name}, and its own route to the sender is another one"
    return Loss("rp-filter", because)


def _nobody(world: World, segment: Segment, address: IpAddress) -> Loss:
    """Return why nobody answers the ARP request for an address on a segment."""
    hops = (f"{segment}: nobody answers the ARP request for {{address}}",)
    elsewhere = sorted({str(place) for place in world.places.get(address, ())})
    if elsewhere:
        because = (
            f"{{address}} counts as a neighbour on {segment}, by its subnet, but it is on {' and '.join(elsewhere)}: "
            "another layer 2, where the ARP request does not come"
        )
        return Loss("other-segment", because, "host unreachable", hops=hops)
    if segment.closed:
        return Loss("nobody-there", f"nobody on {segment} holds {{address}}", "host unreachable", hops=hops)
    what = f"whether a machine on {segment} holds {{address}} cannot be seen from the lab's hosts"
    return unseen("unseen-lan", what)


def _denied(world: World, segment: Segment, ports: tuple[str, str], packet: Packet) -> Loss | None:
    denial = world.denial(segment, *ports, packet.address.version)
    if denial is None or (packet.port is None and packet.address.version in denial.spares_pings):
        return None
    hops = (f"{segment}: dropped: {denial.why}",)
    return Loss(denial.rule, denial.why, denial.symptom, denial.certain, hops)


def _through(world: World, box: Sandbox, gateway: IpAddress, segment: Segment, packet: Packet) -> Fate:
    """Return what becomes of a packet that is handed to a gateway."""
    address = packet.address
    own = next((i for i in box.interfaces if i.segment == segment), None)
    holder = world.holder(segment, gateway, box, own.port if own is not None else "")
    if holder is None:
        missing = _nobody(world, segment, gateway)
        because = missing.because.replace("{address}", str(gateway))
        hops = tuple(hop.replace("{address}", str(gateway)) for hop in missing.hops)
        return replace(missing, because=f"the default route leads to {gateway}; {because}", hops=hops)
    denied = _denied(world, segment, (own.port, holder.port), packet) if own is not None else None
    if denied is not None:
        return replace(denied, because=f"the default route leads to {gateway}, and {denied.because}")
    if holder.sandbox is not None and holder.sandbox.is_host:
        return _forward(world, box, holder.sandbox, segment, packet)
    if holder.routes_on:
        fate = _beyond(world, holder, address)
        source = _address_on(box, segment, address.version)
        return replace(fate, seen_from=source, replies_to=box.name) if isinstance(fate, Arrival) else fate
    return unseen("unseen-router", f"{holder.name} would have to forward it, and that cannot be seen")


def _forward(world: World, box: Sandbox, host: Sandbox, segment: Segment, packet: Packet) -> Fate:
    """Return what a host does with a packet that came to it from a bridge or a LAN and goes on."""
    address = packet.address
    source = _address_on(box, segment, address.version)
    if host.holds(address):
        because = f"{{address}} is an address of {host.name} itself: the packet is delivered there, not forwarded"
        hops = (f"{host.name}: {{address}} is its own: INPUT, not FORWARD",)
        return Arrival(host.name, host, "host-local", because, source, box.name, hops)
    if packet.reply:
        stopped = firewall.stopped_early(world, host, segment, address)
    else:
        stopped = firewall.stopped(world, host, segment, address, packet.port)
    if stopped is not None:
        return stopped
    onward = send(world, host, packet)
    if isinstance(onward, Loss):
        because = onward.because.replace("{source}", host.name)
        symptom = TOLD_NO_ROUTE if onward.symptom == "no route" else onward.symptom
        return replace(onward, because=f"it goes out through {host.name}, and there: {because}", symptom=symptom)
    rules = world.forwarding.get(segment)
    if not packet.reply and rules is not None and address.version in rules.masquerade - rules.routed:
        because = f"it goes out through {host.name}, which puts its own address in place of {{source}}'s (MASQUERADE)"
        masked = (f"{host.name}: FORWARD, then MASQUERADE in nat POSTROUTING", *onward.hops)
        return replace(onward, rule="masquerade", because=because, hops=masked)
    # A reply bears the address that its request was sent to: connection tracking answers for it, and not chain nat.
    because = f"{host.name} passes it on with its sender's own address, and the reply finds the way back"
    passed = (f"{host.name}: FORWARD", *onward.hops)
    return replace(onward, rule="routed", because=because, seen_from=source, replies_to=box.name, hops=passed)


def _beyond(world: World, router: Holder, address: IpAddress) -> Fate:
    """Return what a router of the LAN does, of which only the definition's word about the outside is known."""
    hops = (f"{router.name}: forwards it, outside the lab",)
    for name, outside in world.lab.outside.items():
        if outside.address == address:
            because = f"{router.name} leads to the outside, where the definition puts {name}"
            return Arrival(f"outside:{name}", None, "outside", because, hops=hops)
    if any(address in box.asks for box in world.sandboxes.values() if box.is_host):
        because = f"{router.name} leads to the hosts' own DNS server"
        return Arrival("outside:DNS server", None, "outside", because, hops=hops)
    places = world.places.get(address, [])
    if places and all(place.closed for place in places):
        because = f"{{address}} is on {places[0]}, of which no router outside knows: {router.name} has no route to it"
        return Loss("unrouted", because, None, hops=(f"{router.name}: has no route to {{address}}",))
    return unseen("unseen-router", f"whether {router.name} leads to {{address}} cannot be seen")
