"""The walk of a packet from a sandbox to an address: who gets it, or where it dies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dockerlab.reach.world import Holder, Sandbox, World
from dockerlab.topology import Interface, IpAddress, Segment


@dataclass(frozen=True)
class Arrival:
    """The packet came to a sandbox (or, beyond the lab, to who has that name), and a reply finds its way back."""

    at: str
    rule: str
    because: str


@dataclass(frozen=True)
class Loss:
    """The packet goes nowhere; `certain` is False where the model cannot see enough to say so."""

    rule: str
    because: str
    symptom: str = "timeout"
    certain: bool = True


Fate = Arrival | Loss


def send(world: World, box: Sandbox, address: IpAddress) -> Fate:
    """Return what becomes of a packet that a sandbox sends to an address."""
    if box.holds(address):
        return Arrival(box.name, "own-address", f"{address} is an address of the sandbox that {box.name} is in")
    on_link = _interface_towards(box.interfaces, address)
    if on_link is not None:
        return _deliver(world, box, on_link, address)
    for destination, via, segment in box.routes:
        if address in destination:
            return _through(world, box, via, segment, address)
    if box.gateway is None or box.way_out is None or box.gateway.version != address.version:
        return _no_route(world, box, address)
    return _through(world, box, box.gateway, box.way_out, address)


def _interface_towards(interfaces: Sequence[Interface], address: IpAddress) -> Interface | None:
    """Return the interface whose subnet holds the address, the longest prefix first."""
    fitting = [interface for interface in interfaces if address in interface.address.network]
    return max(fitting, key=lambda interface: interface.address.network.prefixlen, default=None)


def _no_route(world: World, box: Sandbox, address: IpAddress) -> Loss:
    if not box.interfaces:
        return Loss("none", f"{box.name} has no interface but loopback", "no route")
    closed = [world.forwarding[i.segment] for i in box.interfaces if i.segment in world.forwarding]
    shut = next((forwarding for forwarding in closed if not forwarding.allowed), None)
    if shut is not None:
        return Loss(shut.rule, shut.why, "no route")
    return Loss("no-default-route", f"{box.name} has no route to {address}: no default route leads there", "no route")


def _deliver(world: World, box: Sandbox, interface: Interface, address: IpAddress) -> Fate:
    """Return what becomes of a packet whose destination is in the subnet of an interface: it asks by ARP there."""
    segment = interface.segment
    holder = world.holders.get((segment, address))
    if holder is None:
        return _nobody(world, box, segment, address)
    denied = _denied(world, segment, interface.port, holder.port)
    if denied is not None:
        return denied
    if not segment.closed:
        because = f"{box.name} and {holder.name} are neighbours on {segment}: plain ARP, no NAT, no rule of Docker's"
        return Arrival(holder.name, "same-lan", because)
    if box.is_host:
        because = f"the host {box.name} is itself on {segment}, and nothing filters what it sends there"
        return Arrival(holder.name, "host-to-bridge", because)
    if holder.sandbox is not None and holder.sandbox.is_host:
        return Arrival(holder.name, "host-local", f"{address} is the host's own address on {segment}")
    return Arrival(holder.name, f"same-{segment.kind}", f"both are on {segment}: one layer 2, nothing in between")


def _nobody(world: World, box: Sandbox, segment: Segment, address: IpAddress) -> Loss:
    """Return why nobody answers the ARP request for an address on a segment."""
    elsewhere = [str(place) for place in world.places(address)]
    if elsewhere:
        because = (
            f"{box.name} takes {address} for a neighbour on {segment}, by its subnet, but that address is on "
            f"{' and '.join(sorted(set(elsewhere)))}: another layer 2, where its ARP request does not come"
        )
        return Loss("other-segment", because, "host unreachable")
    if segment.closed:
        return Loss("nobody-there", f"nobody on {segment} holds {address}", "host unreachable")
    return _unseen("unseen-lan", f"whether a machine on {segment} holds {address} cannot be seen from the lab's hosts")


def _denied(world: World, segment: Segment, one: str, other: str) -> Loss | None:
    for denial in world.denials.get(segment, ()):
        if denial.applies(one, other):
            return Loss(denial.rule, denial.why, denial.symptom)
    return None


def _through(world: World, box: Sandbox, gateway: IpAddress, segment: Segment, address: IpAddress) -> Fate:
    """Return what becomes of a packet that is handed to a gateway."""
    holder = world.holders.get((segment, gateway))
    if holder is None:
        missing = _nobody(world, box, segment, gateway)
        return replace(missing, because=f"the default route leads to {gateway}, and {missing.because}")
    own = next((i for i in box.interfaces if i.segment == segment), None)
    denied = _denied(world, segment, own.port, holder.port) if own is not None else None
    if denied is not None:
        return denied
    if holder.sandbox is not None and holder.sandbox.is_host:
        return _forward(world, holder.sandbox, segment, address)
    if holder.routes_on:
        return _beyond(world, holder, address)
    return _unseen("unseen-router", f"{holder.name} would have to forward it, and that cannot be seen")


def _forward(world: World, host: Sandbox, segment: Segment, address: IpAddress) -> Fate:
    """Return what a host does with a packet that came from a bridge and goes on."""
    if host.holds(address):
        because = f"{address} is an address of {host.name} itself: the packet is delivered there, not forwarded"
        return Arrival(host.name, "host-local", because)
    stopped = _stopped(world, host, segment, address)
    if stopped is not None:
        return stopped
    onward = send(world, host, address)
    if isinstance(onward, Loss):
        return replace(onward, because=f"goes out through {host.name}, and {onward.because}")
    if not world.forwarding[segment].masquerade:
        return _unseen("no-masquerade", f"masquerading is off on {segment}; the way back for a reply cannot be seen")
    because = f"goes out through {host.name}, which puts its own address in place of the container's (MASQUERADE)"
    return Arrival(onward.at, "masquerade", because)


def _unseen(rule: str, what: str) -> Loss:
    """Return that the model makes no claim, and what it would have to see."""
    return Loss(rule, f"no claim: {what}", certain=False)


def _stopped(world: World, host: Sandbox, segment: Segment, address: IpAddress) -> Loss | None:
    """Return what keeps a host from forwarding a packet, or None."""
    rules, forwards = world.forwarding.get(segment), world.facts[host.name].ip_forward
    if rules is None:
        return _unseen("unseen-forwarding", f"how {host.name} forwards from {segment} is not known")
    if not rules.allowed:
        return Loss(rules.rule, rules.why)
    if forwards is None:
        return _unseen("unseen-forwarding", f"ip_forward of {host.name} could not be read")
    if not forwards:
        return Loss("ip-forward-off", f"{host.name} does not forward: net.ipv4.ip_forward is 0")
    towards = _interface_towards(host.interfaces, address)
    if towards is not None and towards.segment.kind == "bridge":
        because = f"{towards.segment} is another bridge of {host.name}: iptables drops what goes from bridge to bridge"
        return Loss("bridge-isolation", because)
    return None


def _beyond(world: World, router: Holder, address: IpAddress) -> Fate:
    """Return what a router of the LAN does, of which only the definition's word about the outside is known."""
    for name, outside in world.lab.outside.items():
        if outside.address == address:
            return Arrival(
                f"outside:{name}", "outside", f"{router.name} leads to the outside, where the definition puts {name}"
            )
    places = world.places(address)
    if places and all(place.closed for place in places):
        because = f"{address} is on {places[0]}, which only its own host knows: {router.name} has no route to it"
        return Loss("unrouted", because)
    return _unseen("unseen-router", f"whether {router.name} leads to {address} cannot be seen")
