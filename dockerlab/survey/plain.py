"""A host's own namespace as a shell tells it: links, addresses, routes, a few settings.

It is for hosts without Python, and for looks that want no more of the kernel than that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from ipaddress import ip_address, ip_interface

from dockerlab.facts import GOSSIP, UNKNOWN
from dockerlab.kernel.model import BRIDGE_NF, IP6_FORWARD, IP_FORWARD, Link, Listener, Namespace
from dockerlab.kernel.routes import Hop, Route
from dockerlab.kernel.rules import UNREAD, Chain, Ruleset
from dockerlab.kernel.tables import network

SECTIONS = rf"""
section ip_forward; cat /proc/sys/{IP_FORWARD}
section ip6_forward; cat /proc/sys/{IP6_FORWARD}
section bridge_nf; cat /proc/sys/{BRIDGE_NF}
section forward_policy; iptables -S FORWARD | head -n 1
section gossip; [ -r /proc/net/tcp ] && cat /proc/net/tcp /proc/net/tcp6 | grep -c ':{GOSSIP:04X} [0-9A-F]*:0000 0A '
section addresses; ip -o address show
section links; ip -o link show
section routes; ip -o -4 route show
section routes6; ip -o -6 route show
"""
"""Reads only. It is a constant: nothing of a definition ever becomes part of it."""

SETTINGS: Mapping[str, str] = {"ip_forward": IP_FORWARD, "ip6_forward": IP6_FORWARD, "bridge_nf": BRIDGE_NF}


def namespace(sections: Mapping[str, list[str]]) -> Namespace:
    """Return a host's own namespace, as far as the lines behind the headings tell it.

    The policy of FORWARD is the only part of its rules that is read, and of who listens whether somebody does on the
    port of the Swarms. Raises LookupError or ValueError for what is not of the form that the programs print.
    """
    said = {name: lines[0].strip() for name, lines in sections.items() if lines}
    policy = said.get("forward_policy", "").removeprefix("-P FORWARD ") or UNREAD
    listens = int(said.get("gossip", "0")) > 0
    return replace(
        UNKNOWN,
        links=tuple(_links(sections)),
        routes=tuple(_routes(sections)),
        sysctls={path: said[name] for name, path in SETTINGS.items() if said.get(name) in ("0", "1")},
        ruleset=Ruleset((Chain("ip", "filter", "FORWARD", hook="forward", policy=policy),)),
        listeners=(Listener("tcp", "", GOSSIP),) if listens else (),
        deaf="" if "gossip" in said else UNKNOWN.deaf,
    )


def _links(sections: Mapping[str, list[str]]) -> list[Link]:
    """Parse `ip -o`: `2: eth0@if7    inet 192.168.22.61/24 brd …` and `2: eth0@if7: <UP> … link/ether MAC …`."""
    held: dict[str, list[str]] = {}
    for line in sections.get("addresses", ()):
        words = line.split()
        if len(words) > 3 and words[2] in ("inet", "inet6"):
            held.setdefault(words[1].partition("@")[0], []).append(words[3])
    links = []
    for line in sections.get("links", ()):
        words = line.split()
        name = words[1].rstrip(":").partition("@")[0]
        links.append(
            Link(
                int(words[0].rstrip(":")),
                name,
                mac=_behind(words, "link/ether"),
                mtu=int(_behind(words, "mtu") or 0),
                up="UP" in words[2].strip("<>").split(","),
                addresses=tuple(ip_interface(address) for address in held.get(name, ())),
            )
        )
    return links


def _behind(words: list[str], word: str) -> str:
    return words[words.index(word) + 1] if word in words else ""


def _routes(sections: Mapping[str, list[str]]) -> Iterator[Route]:
    for heading, version in (("routes", 4), ("routes6", 6)):
        for line in sections.get(heading, ()):
            route = _route(line, version)
            if route is not None:
                yield route


def _route(line: str, version: int) -> Route | None:
    """Parse a line of `ip -o route`, such as `default via 192.168.22.1 dev eth0`; None for what is no unicast route.

    Of several next hops it is the first that counts.
    """
    words = line.split()
    if words[0] in ("unreachable", "blackhole", "prohibit", "multicast", "broadcast", "local") or "dev" not in words:
        return None
    after = words[words.index("via") + 1 :] if "via" in words else []
    via = ip_address(after[1] if after[0] in ("inet", "inet6") else after[0]) if after else None
    hop = Hop(words[words.index("dev") + 1], via)
    return Route(network(words[0], version), hops=(hop,), text=" ".join(words))
