"""A packet's way from namespace to namespace: sent, taken in, forwarded, delivered or lost.

The order of things is Linux': `ip_local_out`, `ip_rcv`, `ip_route_input_slow`, `ip_forward`, `ip_output`.
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING

from dockerlab.kernel.addresses import IpAddress
from dockerlab.kernel.model import Link
from dockerlab.kernel.rules import Chain
from dockerlab.walk.compiled import setting
from dockerlab.walk.fate import Fate, Landed, Left, Lost, Told
from dockerlab.walk.filtering import pass_hook
from dockerlab.walk.neighbours import find
from dockerlab.walk.outcome import Element, End
from dockerlab.walk.packet import EPHEMERAL, Packet
from dockerlab.walk.routing import Choice, Query, source_for
from dockerlab.walk.targets import Verdict
from dockerlab.walk.wires import Ear, Pass, Tunnel

if TYPE_CHECKING:
    from dockerlab.walk.compiled import Space
    from dockerlab.walk.way import Way

MOST_HOPS = 40
"""After how many namespaces a packet is taken to go round in circles (its TTL would end it a little later)."""
REJECTIONS: dict[str, Told] = {
    "icmp-net-unreachable": "net",
    "icmp-host-unreachable": "host",
    "icmp-port-unreachable": "port",
    "icmp-proto-unreachable": "protocol",
    "icmp-net-prohibited": "net prohibited",
    "icmp-host-prohibited": "host prohibited",
    "icmp-admin-prohibited": "admin",
    "tcp-reset": "reset",
    "icmp6-no-route": "net",
    "no-route": "net",
    "icmp6-adm-prohibited": "admin",
    "adm-prohibited": "admin",
    "icmp6-addr-unreachable": "host",
    "addr-unreach": "host",
    "icmp6-port-unreachable": "port",
    "port-unreach": "port",
    "icmp6-policy-fail": "policy",
    "icmp6-reject-route": "policy",
    "icmpx-no-route": "net",
    "icmpx-port-unreachable": "port",
    "icmpx-host-unreachable": "host",
    "icmpx-admin-prohibited": "admin",
}
"""What options of REJECT say, by the names of iptables and of nft."""
WORST: dict[str, Told] = {"EHOSTUNREACH": "host", "ENETUNREACH": "net", "EACCES": "admin"}
"""What a host that forwards says of a route that it cannot take (`ip_error`); of a blackhole, nothing."""


def send(way: Way, space: Space, packet: Packet, *, bound: bool = True) -> Fate:
    """Return what becomes of a packet that a namespace sends; its source is the kernel's to choose if not `bound`."""
    choice = space.tables.look(_query(packet, "lo", bound=bound), way.ask)
    if choice.error:
        return _no_route(way, space, packet, choice)
    if not bound:
        source = source_for(space, choice, packet.destination)
        if source is None:
            return Lost("no route", space, choice.element, packet, errno="EADDRNOTAVAIL")
        packet.source = source
    stuck = _stuck_at_home(space, packet, choice)
    if stuck is not None:
        return stuck
    _noted(way, space, packet, choice)
    packet.local = True
    packet.outgoing = _device(choice)
    stopped = pass_hook(way, space, packet, "output")
    if stopped is not None:
        return _stopped(way, space, packet, stopped)
    if packet.turned:
        choice = space.tables.look(_query(packet, "lo"), way.ask)
        if choice.error:
            lost = _no_route(way, space, packet, choice)
            return Lost(lost.end, space, lost.by, packet, errno=lost.errno, told="", late=True)
        stuck = _stuck_at_home(space, packet, choice)
        if stuck is not None:
            return Lost(stuck.end, space, stuck.by, packet, errno=stuck.errno, late=True)
        _noted(way, space, packet, choice)
    return _output(way, space, packet, choice)


def _query(packet: Packet, incoming: str, *, bound: bool = True) -> Query:
    return Query(
        packet.destination,
        packet.source if bound else None,
        incoming,
        mark=packet.mark,
        protocol=packet.protocol,
        sport=packet.sport,
        dport=packet.dport,
    )


def _device(choice: Choice) -> str:
    return "lo" if choice.local or choice.hop is None else choice.hop.device


def _noted(way: Way, space: Space, packet: Packet, choice: Choice) -> None:
    hop = choice.hop
    to = "is its own" if choice.local else f"is sent by {_device(choice)}"
    via = f" to {hop.via}" if hop is not None and hop.via is not None else ""
    way.note(space, "route", f"{packet.destination} {to}{via}", choice.element)


def _no_route(way: Way, space: Space, packet: Packet, choice: Choice) -> Lost:
    way.note(space, "dropped", f"there is no way to {packet.destination}", choice.element)
    return Lost("no route", space, choice.element, packet, errno=choice.error)


def _stuck_at_home(space: Space, packet: Packet, choice: Choice) -> Lost | None:
    """Return the loss of a packet that bears a loopback address and would leave (`__mkroute_output`)."""
    if packet.version == 6 or not packet.source.is_loopback or choice.local:
        return None
    if space.most(4, _device(choice), "route_localnet"):
        return None
    path = f"net.ipv4.conf.{_device(choice)}.route_localnet"
    return Lost("martian", space, setting(path, 0), packet, errno="EINVAL")


def _stopped(way: Way, space: Space, packet: Packet, verdict: Verdict) -> Lost:
    """Return the loss of a packet that a rule or a policy stopped."""
    errno = "EPERM" if packet.local else ""
    if verdict.target != "REJECT":
        way.note(space, "dropped", f"dropped by {verdict.element.where}", verdict.element)
        return Lost("dropped", space, verdict.element, packet, errno=errno)
    told = REJECTIONS.get(verdict.option("--reject-with"), "port")
    way.note(space, "rejected", f"rejected by {verdict.element.where}", verdict.element)
    return Lost("rejected", space, verdict.element, packet, errno=errno, told=told)


def _output(way: Way, space: Space, packet: Packet, choice: Choice) -> Fate:
    """Return what becomes of a packet whose way out of a namespace is found."""
    packet.outgoing = _device(choice)
    stopped = pass_hook(way, space, packet, "postrouting")
    if stopped is not None:
        return _stopped(way, space, packet, stopped)
    if packet.outgoing == "lo":
        packet.local = packet.owned = False
        packet.incoming, packet.outgoing = "lo", ""
        stopped = pass_hook(way, space, packet, "prerouting")
        return _stopped(way, space, packet, stopped) if stopped is not None else _deliver(way, space, packet)
    hop = choice.hop.via if choice.hop is not None and choice.hop.via is not None else packet.destination
    link = space.links.get(packet.outgoing)
    if link is None:
        doubt = f"{packet.outgoing} of {space.name} is not among the interfaces that could be read"
        return Lost("lost on the wire", space, choice.element, packet, doubt=doubt)
    return _hand(way, space, packet, link, hop)


def _hand(way: Way, space: Space, packet: Packet, link: Link, hop: IpAddress) -> Fate:
    """Return what becomes of a packet that is handed to a neighbour."""
    if 0 < link.mtu < packet.size:
        element = Element("link", link.name, f"the MTU of {link.name} is {link.mtu}", link)
        return Lost("too big", space, element, packet, errno="EMSGSIZE" if packet.local else "", told="too big")
    found = find(way, space, link, hop, packet)
    if found.ear is not None:
        says = f"{hop} is {found.ear.space.name} on {link.name}"
        way.hand(space, link.name, says, found.element, (found.ear.space.id, found.ear.link.name))
        return carry(way, space, packet, link.mac, found.ear)
    way.note(space, "dropped", found.why, found.element)
    if found.lan and hop not in way.fabric.holders:
        return Left(space, found.lan, None if hop == packet.destination else hop, packet, found.why)
    if found.doubt and not found.lan:
        return Lost("no neighbour", space, found.element, packet, doubt=found.doubt)
    if found.twisted:
        return Lost("lost on the wire", space, found.element, packet, twisted=True)
    wired = found.element is not None and bool(found.element.text)
    end: End = "lost on the wire" if wired else "no neighbour"
    return Lost(end, space, found.element, packet, told="" if found.silent else "host")


def carry(way: Way, space: Space | None, packet: Packet, mac: str, ear: Ear) -> Fate:
    """Return what becomes of a packet in a frame from a MAC address, out of a namespace or of none, to an interface."""
    packet.mac = mac.lower()
    here = space
    for part in ear.ways:
        packet.scrub(away=part.space is not here)
        here = part.space
        if isinstance(part, Tunnel):
            fate = _through_tunnel(way, part, packet)
            here = part.to
        else:
            fate = _bridged(way, part, packet)
        if fate is not None:
            return fate
    packet.scrub(away=ear.space is not here)
    at, taken = ear.instead or (ear.space, ear.link)
    if 0 < taken.mtu < packet.size:
        element = Element("link", taken.name, f"the MTU of {taken.name} is {taken.mtu}", taken)
        return Lost("lost on the wire", at, element, packet)
    return take(way, at, taken, packet, ear.port)


def _calls(space: Space, bridge: Link, version: int) -> bool:
    """Tell whether iptables sees what goes through a bridge (br_netfilter)."""
    name = "iptables" if version == 4 else "ip6tables"
    if bridge.info.get(f"nf_call_{name}", "0") in ("1", "true"):
        return True
    return bool(space.sysctl(f"net.bridge.bridge-nf-call-{name}"))


def _bridged(way: Way, part: Pass, packet: Packet) -> Fate | None:
    """Return what becomes of a packet at a bridge that it goes through, None where it passes."""
    space, bridge = part.space, part.bridge
    if packet.hops >= MOST_HOPS:
        return Lost("lost on the wire", space, None, packet, doubt="it goes round in circles")
    packet.hops += 1
    if any(_speaks(chain) for chain in space.namespace.ruleset.chains if chain.family == "bridge" and chain.hook):
        doubt = f"what the rules of family bridge on {space.name} do"
        if way.ask(("bridge rules", space.id), doubt):
            return Lost("dropped", space, Element("rule", "nft bridge", doubt), packet)
    if not _calls(space, bridge, packet.version):
        return None
    before = (packet.destination, packet.dport)
    packet.incoming, packet.port_in = bridge.name, part.port_in
    stopped = pass_hook(way, space, packet, "prerouting")
    if stopped is not None:
        return _stopped(way, space, packet, stopped)
    if packet.destination != before[0]:
        return _redirected(way, part, packet)
    return _pass_on(way, part, packet)


def _speaks(chain: Chain) -> bool:
    return bool(chain.rules) or chain.policy == "DROP"


def _pass_on(way: Way, part: Pass, packet: Packet) -> Fate | None:
    """Lead a packet that stays on a bridge through FORWARD and POSTROUTING."""
    name = part.bridge.name
    packet.incoming, packet.outgoing, packet.port_out = name, name, part.port_out
    stopped = pass_hook(way, part.space, packet, "forward")
    if stopped is None:
        packet.incoming = ""
        stopped = pass_hook(way, part.space, packet, "postrouting")
    return _stopped(way, part.space, packet, stopped) if stopped is not None else None


def _redirected(way: Way, part: Pass, packet: Packet) -> Fate:
    """Return what becomes of a packet whose destination was translated on a bridge (`br_nf_pre_routing_finish`)."""
    space, bridge = part.space, part.bridge
    choice = space.tables.look(_query(packet, bridge.name), way.ask)
    hop = choice.hop
    if choice.error or choice.local or hop is None or hop.device != bridge.name:
        return _route_in(way, space, bridge, packet)
    _noted(way, space, packet, choice)
    found = find(way, space, bridge, hop.via or packet.destination, packet)
    if found.ear is None or found.ear.shut is not None:
        return Lost("no neighbour", space, found.element, packet, doubt=found.doubt)
    port = _port_to(space, bridge, found.ear)
    stopped = _pass_on(way, Pass(space, bridge, part.port_in, port), packet)
    if stopped is not None:
        return stopped
    return carry(way, space, packet, bridge.mac, found.ear)


def _port_to(space: Space, bridge: Link, ear: Ear) -> str:
    """Return the port of a bridge that leads to an interface, empty where it is not plain which."""
    for port in space.ports.get(bridge.name, ()):
        if (port.index, port.peer) == (ear.link.peer, ear.link.index):
            return port.name
    return ""


def _through_tunnel(way: Way, part: Tunnel, packet: Packet) -> Fate | None:
    """Return what becomes of a frame that a VXLAN carries to another host in a datagram, None where it arrives."""
    ground, far = way.fabric.ground(part.space.id.host), way.fabric.ground(part.to.id.host)
    to = next((f.to for f in part.space.namespace.forwards if f.device == part.link.name and far is not None
               and any(str(address) == f.to for address in far.own)), "")  # fmt: skip
    if ground is None or far is None or not to:
        doubt = f"how {part.link.name} of {part.space.name} sends to {part.to.id.host} cannot be seen"
        return Lost("lost on the wire", part.space, None, packet, doubt=doubt)
    address = ip_address(to)
    port = int(part.link.info.get("port", "4789"))
    outer = Packet(address.version, "udp", address, address, EPHEMERAL, port, size=packet.size + 50)
    before = len(way.steps)
    fate = send(way, ground, outer, bound=False)
    way.steps[before:] = [replace(step, beneath=True) for step in way.steps[before:]]
    if isinstance(fate, Landed) and fate.space is far:
        return None
    if isinstance(fate, Lost):
        return Lost("lost on the wire" if not fate.doubt else fate.end, fate.space, fate.by, packet, doubt=fate.doubt)
    doubt = f"whether what {part.link.name} sends to {to} comes there"
    return Lost("lost on the wire", part.space, None, packet, doubt=doubt)


def take(way: Way, space: Space, link: Link, packet: Packet, port: str = "") -> Fate:
    """Return what becomes of a packet that comes to an interface of a namespace."""
    if packet.hops >= MOST_HOPS:
        return Lost("lost on the wire", space, None, packet, doubt="it goes round in circles")
    packet.hops += 1
    packet.incoming, packet.port_in = link.name, port
    stopped = pass_hook(way, space, packet, "prerouting")
    if stopped is not None:
        return _stopped(way, space, packet, stopped)
    return _route_in(way, space, link, packet)


def _route_in(way: Way, space: Space, link: Link, packet: Packet) -> Fate:
    """Return what becomes of a packet that has passed PREROUTING: it is the namespace's own, or goes on."""
    query = _query(packet, link.name)
    strange = _strange(space, link, packet)
    if strange is not None:
        return _martian(way, space, packet, strange)
    choice = space.tables.look(query, way.ask)
    if choice.local:
        strange = doubted_source(way, space, link, query)
        if strange is not None:
            return _martian(way, space, packet, strange)
        _noted(way, space, packet, choice)
        return _deliver(way, space, packet)
    shut = _forwards_not(way, space, link, packet.version)
    if shut is not None:
        way.note(space, "dropped", f"{space.name} does not forward", shut)
        return Lost("dropped", space, shut, packet)
    if choice.error or choice.hop is None:
        way.note(space, "dropped", f"there is no way to {packet.destination}", choice.element)
        return Lost("no route", space, choice.element, packet, told=WORST.get(choice.error, ""))
    strange = doubted_source(way, space, link, query)
    if strange is not None:
        return _martian(way, space, packet, strange)
    if choice.route is not None and choice.route.kind != "unicast":
        return _martian(way, space, packet, choice.element)
    return _forward(way, space, link, packet, choice)


def _martian(way: Way, space: Space, packet: Packet, element: Element | None) -> Lost:
    way.note(space, "dropped", f"{packet.source} is not believed to come from there", element)
    return Lost("martian", space, element, packet)


def _strange(space: Space, link: Link, packet: Packet) -> Element | None:
    """Return why a packet's addresses may not come from outside, None where they may (`ip_route_input_slow`)."""
    for address in (packet.source, packet.destination):
        if not address.is_loopback:
            continue
        if packet.version == 6 or not space.most(4, link.name, "route_localnet"):
            return setting(f"net.ipv4.conf.{link.name}.route_localnet", 0)
    return None


def doubted_source(way: Way, space: Space, link: Link, query: Query) -> Element | None:
    """Return the setting by which a packet's source is not believed, None where it is (`__fib_validate_source`)."""
    source = query.source
    if source is None or source.version == 6 or source.is_unspecified:
        return None
    strict = space.most(4, link.name, "rp_filter")
    accepts = bool(space.most(4, link.name, "accept_local"))
    if not strict and not space.tables.chosen(4):
        if accepts or source not in space.own:
            return None
        return setting(f"net.ipv4.conf.{link.name}.accept_local", 0)
    mark = query.mark if space.most(4, link.name, "src_valid_mark") else 0
    back = space.tables.look(Query(source, query.destination, link.name, mark=mark), way.ask)
    path = f"net.ipv4.conf.{link.name}.rp_filter"
    if back.error or back.route is None:
        return setting(path, strict) if strict else None
    if back.route.kind != "unicast" and not (back.local and accepts):
        return setting(f"net.ipv4.conf.{link.name}.accept_local", 0)
    if any(hop.device == link.name for hop in back.route.hops):
        return None
    if not any(address.version == 4 for address in link.addresses):
        return setting(path, strict) if strict else None
    return setting(path, strict) if strict == 1 else None


def _forwards_not(way: Way, space: Space, link: Link, version: int) -> Element | None:
    """Return the setting by which a namespace forwards nothing that comes in there, None where it forwards."""
    if version == 6:
        everywhere = space.sysctl("net.ipv6.conf.all.forwarding")
        if everywhere or space.conf(6, link.name, "force_forwarding"):
            return None
        path = "net.ipv6.conf.all.forwarding"
    else:
        everywhere = space.sysctl("net.ipv4.ip_forward", None)
        here = space.sysctl(f"net.ipv4.conf.{link.name}.forwarding", everywhere)
        if here is not None and here:
            return None
        path = f"net.ipv4.conf.{link.name}.forwarding" if everywhere else "net.ipv4.ip_forward"
        everywhere = here
    if everywhere is None and "sysctls" in space.namespace.unread:
        if way.ask(("forwarding", space.id, link.name), f"{path} of {space.name} could not be read"):
            return None
    return setting(path, 0)


def _deliver(way: Way, space: Space, packet: Packet) -> Fate:
    """Return what INPUT makes of a packet for the namespace itself."""
    packet.outgoing = ""
    stopped = pass_hook(way, space, packet, "input")
    if stopped is not None:
        return _stopped(way, space, packet, stopped)
    way.note(space, "delivered", f"{packet.destination} takes it")
    return Landed(space, packet.incoming, packet)


def _forward(way: Way, space: Space, link: Link, packet: Packet, choice: Choice) -> Fate:
    """Return what becomes of a packet that a namespace passes on."""
    _noted(way, space, packet, choice)
    if packet.ttl <= 1:
        return Lost("dropped", space, Element("none", "ttl", "its hops are used up"), packet, told="expired")
    out = space.links.get(_device(choice))
    if out is not None and 0 < out.mtu < packet.size:
        element = Element("link", out.name, f"the MTU of {out.name} is {out.mtu}", out)
        return Lost("too big", space, element, packet, told="too big")
    packet.ttl -= 1
    packet.incoming, packet.outgoing = link.name, _device(choice)
    stopped = pass_hook(way, space, packet, "forward")
    if stopped is not None:
        return _stopped(way, space, packet, stopped)
    return _output(way, space, packet, choice)
