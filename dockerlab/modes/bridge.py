"""Mode bridge: a Linux bridge on one host; the host routes between it and the rest, with NAT.

`bridge` as a `network_mode` is docker0, which is there from the start: no names, no fixed addresses. A network with
`driver: bridge` is a bridge of its own: with names, isolated from the other bridges.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from ipaddress import ip_address, ip_interface, ip_network
from typing import Literal

from dockerlab.kernel.addresses import IpInterface
from dockerlab.kernel.model import Link
from dockerlab.lab.model import Lab, Network
from dockerlab.lab.problem import Problem
from dockerlab.modes import bridge_nft, bridge_rules
from dockerlab.modes.base import CONNECT, JOIN, LABELS, OPTIONS, POOLS, Mode, Site, Wants, gateways
from dockerlab.modes.made import At, Joined, Made, Written, cable, default, written
from dockerlab.snapshot import (
    BINDING,
    BRIDGE_NAME,
    GATEWAY_MODE,
    GATEWAY_MODE_6,
    ICC,
    IFACE_PREFIX,
    MASQUERADE,
    MTU,
    OF_BRIDGES,
    TRUSTED,
    EndpointState,
    PublishedPort,
)
from dockerlab.versions import Engine

DEFAULT = "bridge"


class BridgeNetwork(Network):
    """A user-defined bridge."""

    driver: Literal["bridge"] = "bridge"


class Bridge(Mode):
    """docker0 and user-defined bridges."""

    name = "bridge"
    network_type = BridgeNetwork
    options = (
        *(BRIDGE_NAME, ICC, MASQUERADE, BINDING, OF_BRIDGES + "inhibit_ipv4"),
        *(GATEWAY_MODE, GATEWAY_MODE_6, TRUSTED),
        IFACE_PREFIX,
        MTU,
        "com.docker.network.host_ipv4",
    )
    create = (
        """
# Create bridge network {{ name }}: a Linux bridge on this host alone
docker network create
  --driver bridge  # a switch in the kernel; the host is its router
"""
        + POOLS
        + OPTIONS
        + LABELS
        + """\
  {{ name }}
"""
    )
    run = (
        """\
{% if network is none %}
  --network bridge  # docker0: the bridge that every engine has; no names, automatic addresses
{% else %}
"""
        + JOIN
        + """\
{% endif %}
"""
    )
    connect = CONNECT

    def check(self, lab: Lab) -> Iterable[Problem]:
        """Refuse a network that takes the name of one of the engine's own."""
        for name in lab.networks:
            if name in (DEFAULT, "host", "none"):
                yield Problem(("networks", name), f"the engine has a network {name} of its own: choose another name")

    def refuses(self, network: Network, engine: Engine) -> Iterable[str]:
        """Yield gateway modes that the engine does not know; one that knows none at all ignores them in silence."""
        known = {
            "": True, "nat": True, "routed": True, "nat-unprotected": engine.unprotected, "isolated": engine.isolated,
        }  # fmt: skip
        for version in (4, 6) if engine.gateway_modes else ():
            told = network.driver_opts.get({4: GATEWAY_MODE, 6: GATEWAY_MODE_6}[version], "")
            if not known.get(told):
                modes = ", ".join(mode for mode, there in known.items() if there and mode)
                yield f"wants gateway mode {told}, which engine {engine} does not know; it knows {modes}"
            elif told == "isolated" and not network.internal:
                yield "wants gateway mode isolated, which is for internal networks: say `internal: true` as well"

    def wants(self, network: Network | None) -> Wants:
        """Return that the host routes, and that its firewall sees the bridge where containers are kept apart on it."""
        options = network.driver_opts if network is not None else {}
        apart = options.get(ICC, "true").lower() == "false"
        return Wants(forwarding=network is None or not network.internal, bridge_netfilter=apart)

    def makes(self, site: Site) -> Made:
        """Return the bridge, with the host's addresses on it, and the rules by which the host routes for it."""
        if site.state is None:
            return Made()
        name, places = site.state.bridge, _places(site)
        lines = bridge_nft.NETWORK if site.engine.backend == "nftables" else bridge_rules.NETWORK
        rules = [rule for at in places.values() for rule in written(lines, at)]
        if 6 not in places and 6 in site.filters and site.engine.stages_without_subnet and 4 in places:
            bare = replace(places[4], version=6, subnet=ip_network("::/0"))
            rules += written(bridge_rules.PARTED, bare)
        versions = {subnet.version for subnet in site.state.subnets}
        sysctls = {"net/ipv4/ip_forward": "1", "net/ipv6/conf/all/forwarding": "1"}
        wanted = versions if site.engine.forwards else ()
        kept = {path: value for path, value in sysctls.items() if (6 if "ipv6" in path else 4) in wanted}
        if not site.engine.proxy and not site.internal:
            kept[f"net/ipv4/conf/{name}/route_localnet"] = "1"
        if not _said(site, "enable_icc", True):
            kept |= {f"net/bridge/bridge-nf-call-{part}": "1" for part in ("iptables", "ip6tables")}
        return Made((Link(0, name, "bridge", mtu=site.mtu, addresses=addresses(site)),), kept, tuple(rules))

    def joins(self, site: Site, endpoint: EndpointState, name: str) -> Joined:
        """Return a cable from the bridge into the container, and the rules for its addresses."""
        bridge = site.state.bridge if site.state is not None else ""
        inside, outside = cable(name, endpoint.mac, endpoint.addresses, bridge, site.mtu)
        if not site.engine.proxy:  # who calls his own published port is sent back by his own port (`setHairpinMode`)
            outside = replace(outside, info={**outside.info, "hairpin": "true"})
        places = _places(site)
        own = (replace(places[a.version], address=a.ip) for a in endpoint.addresses if a.version in places)
        ways = gateways(endpoint)
        return Joined(
            inside,
            outside,
            gates=frozenset(way.version for way in ways),
            routes=tuple(default(name, way) for way in ways),
            rules=tuple(rule for at in own for rule in _endpoint_rules(at)),
        )

    def publishes(self, site: Site, endpoint: EndpointState, ports: Sequence[PublishedPort]) -> tuple[Written, ...]:
        """Return the rules for ports of the host that lead to a container.

        What comes by IPv6 for a container without an IPv6 address is docker-proxy's: iptables has no rule for it, and
        nftables lets its IPv4 port in all the same.
        """
        nft = site.engine.backend == "nftables"
        lines = bridge_nft.PORT if nft else bridge_rules.PORT
        places = _places(site)
        by_version = {address.version: address.ip for address in endpoint.addresses}
        found: list[Written] = []
        for port in ports:
            on = ip_address(port.host_ip)
            proxied = nft and on.version not in by_version
            own = by_version.get(4 if proxied else on.version)
            if own is not None and own.version in places:
                at = replace(
                    places[own.version],
                    address=own,
                    on=None if on.is_unspecified or proxied else on,
                    published=0 if proxied else port.host_port,
                    target=port.container_port,
                    protocol=port.protocol,
                )
                found += written(lines, at)
        return tuple(found)


def gate(site: Site, version: int) -> str:
    """Return a network's gateway mode in an IP version; engines that do not know the option ignore it."""
    told = site.options.get({4: GATEWAY_MODE, 6: GATEWAY_MODE_6}[version], "nat")
    known = {
        "routed": site.engine.gateway_modes,
        "nat-unprotected": site.engine.unprotected,
        "isolated": site.engine.isolated,
    }
    return told if known.get(told) else "nat"


def _said(site: Site, option: str, default: bool) -> bool:
    """Return the value of an option that is true or false."""
    return site.options.get(OF_BRIDGES + option, str(default)).lower() in ("true", "1", "t")


def addresses(site: Site) -> tuple[IpInterface, ...]:
    """Return the addresses that the host has on the bridge."""
    bare = _said(site, "inhibit_ipv4", False) or (site.internal and not site.engine.internal_address)
    kept = [
        address
        for address in site.gateways
        if gate(site, address.version) != "isolated" and not (address.version == 4 and bare)
    ]
    if site.engine.link_local_gateway and any(address.version == 6 for address in kept):
        kept.append(ip_interface("fe80::1/64"))
    return tuple(kept)


def _places(site: Site) -> dict[int, At]:
    """Return what the network's rules are written for, by the IP version."""
    state = site.state
    found: dict[int, At] = {}
    for subnet in state.subnets if state is not None else ():
        if subnet.version in site.filters and subnet.version not in found:
            trusted = site.options.get(TRUSTED, "") if site.engine.trusts_interfaces else ""
            known = subnet.version == 4 or site.engine.source_option
            found[subnet.version] = At(
                engine=site.engine,
                version=subnet.version,
                bridge=state.bridge if state is not None else "",
                subnet=subnet,
                internal=site.internal,
                gate=gate(site, subnet.version),
                icc=_said(site, "enable_icc", True),
                masquerade=_said(site, "enable_ip_masquerade", True),
                source=site.options.get(f"com.docker.network.host_ipv{subnet.version}", "") if known else "",
                trusted=tuple(name for name in trusted.split(":") if name),
            )
    return found


def _endpoint_rules(at: At) -> Iterator[Written]:
    """Yield the rules for one address of a container; nft asks for all trusted interfaces at once."""
    nft = at.engine.backend == "nftables"
    lines = bridge_nft.ENDPOINT if nft else bridge_rules.ENDPOINT
    for trust in ("",) if nft else (*at.trusted, ""):
        yield from written(lines, replace(at, trust=trust))


MODE = Bridge()
