"""What a host's forwarding and firewall do with a packet that came in by one segment and goes out by another."""

from __future__ import annotations

from dockerlab.reach.fate import Loss, unseen
from dockerlab.reach.world import Sandbox, World
from dockerlab.topology import Forwarding, HostFacts, IpAddress, Segment, interface_towards

STAGE = "DOCKER-ISOLATION-STAGE-2"
"""The chain that keeps bridges apart, up to engine 28."""


def stopped(world: World, host: Sandbox, segment: Segment, address: IpAddress, port: int | None) -> Loss | None:
    """Return what keeps a host from forwarding a packet that opens something new, or None.

    `port` is the TCP port that it is for, None for a ping.
    """
    rules, facts, version = world.forwarding.get(segment), world.facts[host.name], address.version
    if rules is not None and not rules.allowed and version in rules.filters:
        return Loss(rules.rule, rules.why, hops=(f"{host.name}: dropped in FORWARD: {segment} is internal",))
    forwards, setting = (facts.ip_forward, "ip_forward") if version == 4 else (facts.ip6_forward, "conf.all.forwarding")
    if forwards is None:
        return unseen("unseen-forwarding", f"{setting} of {host.name} could not be read")
    if not forwards:
        because = f"{host.name} does not forward: net.ipv{version}.{setting} is 0"
        return Loss(
            "ip-forward-off",
            because,
            hops=(f"{host.name}: {{address}} is not its own, and it passes nothing on: dropped",),
        )
    inside = _bridge_towards(world, host, segment, address)
    if inside is not None:
        return _kept_out(world, host, segment, inside, address, port)
    if rules is not None and version in rules.filters:
        return None  # -i BRIDGE ! -o BRIDGE -j ACCEPT
    return _by_policy(facts, version)


def stopped_early(world: World, host: Sandbox, segment: Segment, address: IpAddress) -> Loss | None:
    """Return what keeps a host from forwarding even a reply: what is dropped before connections are looked up."""
    inside = _bridge_towards(world, host, segment, address)
    if inside is None or not inside.allowed or not world.engines[host.name].drops_past_bridge:
        return None
    if address.version in inside.routed | inside.unprotected or _trusted(world.facts[host.name], segment, inside):
        return None
    because = f"{host.name} drops in raw PREROUTING what comes for {{address}} from elsewhere than {inside.segment}"
    return Loss("bridge-isolation", because, hops=(_dropped(world, host, inside.segment, STAGE),))


def _bridge_towards(world: World, host: Sandbox, segment: Segment, address: IpAddress) -> Forwarding | None:
    """Return what the engine's rules say of the other bridge that a packet goes to, None where it goes to none."""
    towards = interface_towards(host.interfaces, address)
    if towards is None or towards.segment == segment or towards.segment.kind != "bridge":
        return None
    inside = world.forwarding.get(towards.segment, Forwarding(towards.segment))
    return inside if address.version in inside.filters else None


def _kept_out(
    world: World, host: Sandbox, segment: Segment, inside: Forwarding, address: IpAddress, port: int | None
) -> Loss | None:
    """Return what keeps a packet from another segment out of a bridge, or None."""
    bridge, facts = inside.segment, world.facts[host.name]
    published = port in world.opened.get((bridge, address), ())
    if not inside.allowed:
        because = f"{bridge} is internal: iptables drops what enters or leaves it"
        return Loss(inside.rule, because, hops=(f"{host.name}: dropped in FORWARD: {bridge} is internal",))
    if address.version in inside.routed:
        return None if port is None or published else _not_published(world, host, bridge, port)
    if segment.kind == "bridge":
        because = f"{bridge} is another bridge of {host.name}: iptables drops what goes from bridge to bridge"
        return Loss("bridge-isolation", because, hops=(_dropped(world, host, bridge, STAGE),))
    closed = world.engines[host.name].closes_ports
    if address.version in inside.unprotected or (published and (not closed or _trusted(facts, segment, inside))):
        return None
    because = f"{host.name} keeps what comes from {segment} out of {bridge}: nobody reaches its containers directly"
    if not closed:
        return _by_policy(facts, address.version)
    return Loss("direct-routing", because, hops=(_dropped(world, host, bridge, "DOCKER"),))


def _dropped(world: World, host: Sandbox, bridge: Segment, chain: str) -> str:
    """Return where the engine drops what comes from elsewhere into a bridge: in this chain, if not long before."""
    if world.engines[host.name].drops_past_bridge:
        return f"{host.name}: dropped in raw PREROUTING (-d {{address}} ! -i BRIDGE): it comes from without {bridge}"
    return f"{host.name}: FORWARD, and dropped in {chain} (-o BRIDGE): it comes from without {bridge}"


def _not_published(world: World, host: Sandbox, bridge: Segment, port: int) -> Loss:
    """Return the loss of a connection to a port that a bridge in gateway mode routed does not let in."""
    if not world.engines[host.name].closes_ports:
        return unseen("unseen-forwarding", f"what engine 27 of {host.name} lets into {bridge}, in gateway mode routed")
    because = f"{bridge} is in gateway mode routed, and lets in pings and published ports alone: {port} is not one"
    return Loss("direct-routing", because, hops=(f"{host.name}: FORWARD, and dropped in DOCKER (-o BRIDGE)",))


def _trusted(facts: HostFacts, segment: Segment, inside: Forwarding) -> bool:
    """Tell whether a bridge's published ports may be reached directly by what comes from a LAN of the host."""
    return segment.kind == "lan" and (facts.direct_routing or segment.key[0] in inside.trusted)


def _by_policy(facts: HostFacts, version: int) -> Loss | None:
    """Return the loss of a packet that no rule speaks of, by FORWARD's policy (IPv6's is not read), or None."""
    if version == 6 or facts.forward_policy == "ACCEPT":
        return None
    if facts.forward_policy is None:
        return unseen("unseen-forwarding", f"the policy of chain FORWARD of {facts.host} could not be read")
    because = f"no rule of {facts.host} accepts it, and the policy of chain FORWARD is DROP"
    return Loss("forward-policy", because, hops=(f"{facts.host}: dropped by the policy of FORWARD",))
