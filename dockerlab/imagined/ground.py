"""A host without Docker: what an engine finds before it makes anything, as it was surveyed, or made up.

Of a surveyed host it is its links, addresses, connected and default routes, and FORWARD's policy, which the engine sets
only where it turned forwarding on itself. Its rules, other policies, routes and settings are nobody's promise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from ipaddress import ip_interface
from urllib.parse import urlsplit

from dockerlab.imagined.spaces import LO, brought
from dockerlab.kernel.addresses import IpInterface, IpNetwork
from dockerlab.kernel.model import Link, Machine, Namespace
from dockerlab.kernel.routes import MAIN, Route
from dockerlab.kernel.rules import UNREAD, Chain, Ruleset
from dockerlab.lab.model import Lab
from dockerlab.modes.made import default
from dockerlab.snapshot import Snapshot
from dockerlab.versions import Engine

FORWARDING: Mapping[str, str] = {
    "net/ipv4/ip_forward": "1",
    "net/ipv6/conf/all/forwarding": "1",
    "net/bridge/bridge-nf-call-iptables": "1",
    "net/bridge/bridge-nf-call-ip6tables": "1",
}
"""What Docker promises: the host routes for the containers, and its firewall sees what bridges switch."""


def stripped(seen: Machine, book: Snapshot) -> Machine:
    """Return a surveyed host without Docker: `book` tells what there is Docker's.

    Its links are up: one that is down is a difference, and nothing that a host is. So is an address out of a subnet
    that an engine gave to a bridge.
    """
    own = seen.ground
    given = [subnet for network in book.networks if network.bridge for subnet in network.subnets]
    bridges = {network.bridge for network in book.networks if network.bridge}
    foreign = {link.name for link in own.links if link.name in bridges or link.master in bridges}
    foreign |= {link.name for link in own.links if link.kind == "dummy" and link.name[:3] in ("dm-", "di-")}
    links = tuple(
        replace(link, up=True, carrier=True, addresses=tuple(a for a in link.addresses if not _is_out_of(a, given)))
        for link in own.links
        if link.name not in foreign
    )
    names = {link.name for link in links}
    connected = {(route.destination, route.table) for link in links for route in brought(link)}
    routes = tuple(
        route
        for route in own.routes
        if {hop.device for hop in route.hops} <= names
        and (
            (route.destination, route.table) in connected
            or (route.table == MAIN and not route.destination.prefixlen and route.kind == "unicast")
        )
    )
    policies = tuple(_policy(chain) for chain in own.ruleset.chains if _is_forward(chain))
    ground = Namespace(
        own.id, host=True, links=links, routes=routes, sysctls=FORWARDING,
        ruleset=Ruleset(policies, read=frozenset({"ip", "ip6"})),
    )  # fmt: skip
    return Machine(seen.host, seen.root, seen.kernel, (ground,))


def with_engine(seen: Machine, before: Engine, after: Engine) -> Machine:
    """Return a host without Docker as another engine finds it after the machine's next start.

    An engine with iptables that turns forwarding on makes FORWARD's policy DROP, from 27 on for IPv6 too; one with
    nftables never does (moby, daemon/libnetwork/drivers/bridge/setup_ip_forwarding.go).
    """
    own = seen.ground
    dropping = any(chain.family == "ip" and chain.policy == "DROP" for chain in own.ruleset.chains)
    policies = {chain.family: chain.policy for chain in own.ruleset.chains}
    if after.backend == "nftables":
        policies = dict.fromkeys(policies, "ACCEPT")
    elif before.filters != after.filters:
        policies["ip6"] = "DROP" if dropping and 6 in after.filters else "ACCEPT"
    chains = tuple(
        Chain(family, "filter", "FORWARD", hook="forward", policy=policy) for family, policy in policies.items()
    )
    return replace(seen, namespaces=(replace(own, ruleset=replace(own.ruleset, chains=chains)),))


def _is_out_of(held: IpInterface, subnets: Iterable[IpNetwork]) -> bool:
    """Tell whether an address was taken out of one of some subnets; a LAN that is one of them is no part of it."""
    return any(held.ip in subnet and held.network.prefixlen > subnet.prefixlen for subnet in subnets)


def _is_forward(chain: Chain) -> bool:
    return chain.backend == "iptables" and (chain.table, chain.name, chain.hook) == ("filter", "FORWARD", "forward")


def _policy(chain: Chain) -> Chain:
    return replace(chain, rules=())


def told(host: str, own: Namespace, book: Snapshot) -> Machine:
    """Return a host without Docker by what is known of it where its kernel could not be looked at as a whole."""
    docker = {network.bridge for network in book.networks if network.bridge}
    links = tuple(link for link in own.links if link.name not in docker)
    hops = [route.hops[0] for route in own.ways if not route.destination.prefixlen]
    routes = [default(hop.device, hop.via) for hop in hops if hop.via is not None and hop.device not in docker]
    policies = tuple(
        Chain(family, "filter", "FORWARD", hook="forward", policy=policy)
        for family, policy in (("ip", own.forward_policy or UNREAD), ("ip6", "ACCEPT"))
    )
    ground = Namespace(
        own.id, host=True, links=links, routes=(*routes, *_connected(links)), sysctls=dict(FORWARDING),
        ruleset=Ruleset(policies, read=frozenset({"ip", "ip6"})),
    )  # fmt: skip
    return Machine(host, namespaces=(ground,))


def made_up(lab: Lab, engines: Mapping[str, Engine] | None = None) -> dict[str, Machine]:
    """Return the hosts of a lab as they might be: an interface on the hosts' LAN, the parents, and FORWARD's policy.

    An engine that turned forwarding on has set it to DROP. One that writes its rules for nftables does neither.
    """
    parents = {getattr(network, "parent_interface", None) for network in lab.networks.values()}
    named = sorted(parent for parent in parents if parent is not None)
    main = next((parent.partition(".")[0] for parent in named), "eth0")
    return {
        host: _made_up(
            host,
            main,
            [parent for parent in named if parent != main],
            address(where, number),
            _policies(engines[host] if engines is not None else Engine()),
        )
        for number, (host, where) in enumerate(lab.addresses.items())
    }


def _policies(engine: Engine) -> dict[str, str]:
    """Return FORWARD's policy for each IP version where an engine turned forwarding on."""
    ours = engine.backend == "iptables"
    return {"ip": "DROP" if ours else "ACCEPT", "ip6": "DROP" if ours and 6 in engine.filters else "ACCEPT"}


def _made_up(host: str, main: str, parents: Iterable[str], own: IpInterface, forward: Mapping[str, str]) -> Machine:
    links = [LO, Link(2, main, mac=f"02:00:{own.ip.packed[-4:].hex(':')}", mtu=1500, addresses=(own,))]
    for name in parents:
        base, dot, _ = name.partition(".")
        kind = {"kind": "vlan", "peer": 2} if dot and base == main else {}
        links.append(Link(len(links) + 1, name, mtu=1500, **kind))  # type: ignore[arg-type]
    router = own.network[1]
    routes: tuple[Route, ...] = (default(main, router),) if router != own.ip else ()
    policies = tuple(
        Chain(family, "filter", "FORWARD", hook="forward", policy=policy) for family, policy in forward.items()
    )
    ground = Namespace(
        4026531840, host=True, links=tuple(links), routes=(*routes, *_connected(links)), sysctls=FORWARDING,
        ruleset=Ruleset(policies, read=frozenset({"ip", "ip6"})),
    )  # fmt: skip
    return Machine(host, root=True, namespaces=(ground,))


def _connected(links: Iterable[Link]) -> Iterator[Route]:
    for link in links:
        yield from brought(link)


def address(where: str | None, number: int) -> IpInterface:
    """Return a host's address on the hosts' LAN: the one that it is reached by, if that is one."""
    name = urlsplit(where).hostname if where and "://" in where else None
    try:
        return ip_interface(f"{ip_interface(name or '').ip}/24")
    except ValueError:
        return ip_interface(f"192.0.2.{10 + number}/24")
