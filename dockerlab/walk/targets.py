"""What targets of rules do to a packet and to its connection."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from dockerlab.kernel.addresses import IpAddress
from dockerlab.kernel.rules import Action
from dockerlab.walk import words
from dockerlab.walk.outcome import Element
from dockerlab.walk.packet import Packet
from dockerlab.walk.routing import Query
from dockerlab.walk.sources import address_on, source_for

if TYPE_CHECKING:
    from dockerlab.walk.compiled import Space
    from dockerlab.walk.firewall import Compiled
    from dockerlab.walk.way import Way

FINAL = frozenset({"ACCEPT", "DROP", "REJECT", "DNAT", "SNAT", "MASQUERADE", "REDIRECT", "NETMAP"})
"""Targets after which a base chain has nothing more to say."""
WORD = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a base chain says in the end, the rule or policy that said it, and the jumps that led there, last first."""

    target: str
    element: Element
    action: Action | None = None
    path: tuple[Element, ...] = ()

    def option(self, *names: str) -> str:
        """Return the value of one of the target's options, empty where it has none of them."""
        return _option(self.action, *names) if self.action is not None else ""


def _option(action: Action, *names: str) -> str:
    return next((each.value for each in action.options if each.option in names), "")


def _has(action: Action, *names: str) -> bool:
    return any(each.option in names for each in action.options)


Effect = Callable[["Way", "Space", Packet, Action, "Compiled"], None]


def _nothing(_way: Way, _space: Space, _packet: Packet, _action: Action, _rule: Compiled) -> None:
    """Do nothing that decides a packet's way."""


def _mark(_way: Way, _space: Space, packet: Packet, action: Action, _rule: Compiled) -> None:
    packet.mark = _changed(packet.mark, action)


def _changed(mark: int, action: Action) -> int:
    """Return a mark as the options of MARK and CONNMARK change it: `(old & ~mask) ^ value`."""
    for option in action.options:
        if option.option in ("--set-xmark", "--set-mark"):
            value, mask = words.masked(option.value)
            if option.option == "--set-mark":  # xtables zeroes the bits of the value as well
                mask |= value
            mark = (mark & ~mask & WORD) ^ value
        elif option.option == "--and-mark":
            mark &= words.number(option.value)
        elif option.option == "--or-mark":
            mark |= words.number(option.value)
        elif option.option == "--xor-mark":
            mark ^= words.number(option.value)
    return mark


def _connmark(_way: Way, _space: Space, packet: Packet, action: Action, _rule: Compiled) -> None:
    connection = packet.connection
    if connection is None:
        return
    nf = words.number(_option(action, "--nfmask") or "0xffffffff")
    ct = words.number(_option(action, "--ctmask") or "0xffffffff")
    if _has(action, "--mask"):
        nf = ct = words.number(_option(action, "--mask"))
    if _has(action, "--save-mark"):
        connection.mark = (connection.mark & ~ct & WORD) ^ (packet.mark & nf)
    elif _has(action, "--restore-mark"):
        packet.mark = (packet.mark & ~nf & WORD) ^ (connection.mark & ct)
    else:
        connection.mark = _changed(connection.mark, action)


def _ct(way: Way, space: Space, packet: Packet, action: Action, rule: Compiled) -> None:
    if action.target == "NOTRACK" or _has(action, "--notrack"):
        if not packet.state:
            packet.state, packet.connection = "UNTRACKED", None
        return
    if any(each.option.startswith("--zone") for each in action.options):
        way.ask(("zone", space.id, rule.rule), f"what the zones of connection tracking change: {rule.rule.text}")


def _ttl(_way: Way, _space: Space, packet: Packet, action: Action, _rule: Compiled) -> None:
    for option in action.options:
        number = words.number(option.value)
        if option.option.endswith("-set"):
            packet.ttl = number
        elif option.option.endswith("-inc"):
            packet.ttl = min(255, packet.ttl + number)
        elif option.option.endswith("-dec"):
            packet.ttl = max(0, packet.ttl - number)


def _dscp(_way: Way, _space: Space, packet: Packet, action: Action, _rule: Compiled) -> None:
    if _has(action, "--set-dscp-class", "--set-dscp"):
        packet.dscp = words.dscp(_option(action, "--set-dscp-class", "--set-dscp"))
    elif _has(action, "--set-tos"):
        value, mask = words.masked(_option(action, "--set-tos"), 0xFF)
        tos = ((packet.dscp << 2) & ~mask) ^ value
        packet.dscp = tos >> 2


EFFECTS: dict[str, Effect] = {
    "MARK": _mark,
    "CONNMARK": _connmark,
    "CT": _ct,
    "NOTRACK": _ct,
    "TTL": _ttl,
    "HL": _ttl,
    "DSCP": _dscp,
    "TOS": _dscp,
} | dict.fromkeys(
    (
        *("LOG", "NFLOG", "ULOG", "TRACE", "AUDIT", "TCPMSS", "TCPOPTSTRIP", "SET", "CHECKSUM", "CLASSIFY"),
        *("SECMARK", "CONNSECMARK", "IDLETIMER", "RATEEST", "LED", "TEE", "ECN", "CONTINUE", "COUNTER"),
    ),
    _nothing,
)
"""Targets after which the next rule is looked at."""


def translate(way: Way, space: Space, packet: Packet, hook: str, verdict: Verdict) -> Verdict:
    """Do what a target of table nat says to a packet's connection; return what becomes of the packet."""
    connection = packet.connection
    if connection is None:
        return Verdict("ACCEPT", verdict.element)
    target = verdict.target
    if target in ("DNAT", "REDIRECT") or (target == "NETMAP" and hook in ("prerouting", "output")):
        aimed = _aim(way, space, packet, hook, verdict)
        if aimed is None:
            return Verdict("DROP", verdict.element)
        connection.aim(*aimed)
        to = f"{aimed[0]}" + (f" port {aimed[1]}" if aimed[1] is not None and packet.protocol != "icmp" else "")
        way.note(space, "translated", f"the destination becomes {to}", verdict.element)
    else:
        source = _masked(way, space, packet, verdict)
        if source is None:
            return Verdict("DROP", verdict.element)
        connection.mask(source)
        way.note(space, "translated", f"the source becomes {source}", verdict.element)
    return Verdict("ACCEPT", verdict.element)


def _aim(way: Way, space: Space, packet: Packet, hook: str, verdict: Verdict) -> tuple[IpAddress, int | None] | None:
    """Return the destination and port that a packet gets, or None where the kernel has none and drops it."""
    if verdict.target == "NETMAP":
        return _mapped(packet.destination, verdict.option("--to")), None
    if verdict.target == "REDIRECT":
        address = _own(space, packet, hook)
        ports = verdict.option("--to-ports")
        return None if address is None else (address, _port(way, space, packet, ports, verdict))
    low, high, ports = split(verdict.option("--to-destination"))
    address = packet.destination if low is None else _of_range(way, space, low, high, verdict)
    return address, _port(way, space, packet, ports, verdict)


def _own(space: Space, packet: Packet, hook: str) -> IpAddress | None:
    """Return the address to which REDIRECT sends (`nf_nat_redirect_ipv4`)."""
    if hook == "output":
        return ip_address("127.0.0.1" if packet.version == 4 else "::1")
    link = space.links.get(packet.incoming)
    found = [a.ip for a in link.addresses if a.version == packet.version] if link is not None else []
    if packet.version == 6:
        near = packet.destination.is_link_local
        found = [each for each in found if each.is_link_local is near] or found
    return next(iter(found), None)


def _masked(way: Way, space: Space, packet: Packet, verdict: Verdict) -> IpAddress | None:
    """Return the source that a packet gets, or None where the kernel has none and drops it."""
    if verdict.target == "NETMAP":
        return _mapped(packet.source, verdict.option("--to"))
    if verdict.target == "SNAT":
        low, high, _ = split(verdict.option("--to-source"))
        return packet.source if low is None else _of_range(way, space, low, high, verdict)
    link = space.links.get(packet.outgoing)
    if link is None:
        return None
    hop = next_hop(way, space, packet)
    if packet.version == 4:
        return address_on(space, link, hop)
    query_way = space.tables.look(_query(packet), way.ask)
    return source_for(space, query_way, packet.destination)


def next_hop(way: Way, space: Space, packet: Packet) -> IpAddress:
    """Return the neighbour that a packet is handed to."""
    found = space.tables.look(_query(packet), way.ask)
    return found.hop.via if found.hop is not None and found.hop.via is not None else packet.destination


def _query(packet: Packet) -> Query:
    return Query(packet.destination, packet.source, outgoing=packet.outgoing, mark=packet.mark)


def _of_range(way: Way, space: Space, low: IpAddress, high: IpAddress, verdict: Verdict) -> IpAddress:
    """Return the address that is taken of a range: which one depends on a hash that nobody sees."""
    for number in range(int(low), int(high)):
        which = ip_address(number) if low.version == 4 else ip_address(number.to_bytes(16, "big"))
        if not way.ask(
            ("range", space.id, verdict.element.text, number), f"which address `{verdict.element.text}` takes"
        ):
            return which
    return high


def _port(way: Way, space: Space, packet: Packet, ports: str, verdict: Verdict) -> int | None:
    """Return the port that a destination gets, None where it keeps its own."""
    if not ports or packet.protocol == "icmp":
        return None
    ((low, high),) = words.spans([ports.partition("/")[0]])
    if low == high:
        return low
    if low <= packet.dport <= high and not (verdict.action is not None and _has(verdict.action, "--random")):
        return packet.dport
    for number in range(low, high):
        if not way.ask(("port", space.id, verdict.element.text, number), f"which port `{verdict.element.text}` takes"):
            return number
    return high


def split(text: str) -> tuple[IpAddress | None, IpAddress, str]:
    """Return `A`, `A-B`, `A:PORTS`, `[A]:PORTS` or `:PORTS` as the first address (or None), the last, and the ports."""
    found = re.fullmatch(r"\[([^\]]+)\](?:-\[([^\]]+)\])?(?::(.+))?", text)
    if found:
        first, last, ports = found[1], found[2] or "", found[3] or ""
    elif text.count(":") > 1:
        first, last, ports = text, "", ""
    else:
        first, _, ports = text.partition(":")
        last = ""
    first, _, more = first.partition("-")
    if not first:
        return None, ip_address("0.0.0.0"), ports  # noqa: S104 - no address is bound
    low = ip_address(first)
    return low, ip_address(last or more) if last or more else low, ports


def _mapped(address: IpAddress, network: str) -> IpAddress:
    """Return an address with its network's part replaced (NETMAP)."""
    to = ip_network(network, strict=False)
    number = int(to.network_address) | (int(address) & int(to.hostmask))
    return ip_address(number) if to.version == 4 else ip_address(number.to_bytes(16, "big"))
