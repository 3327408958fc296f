"""Mode bridge: a Linux bridge on one host; the host routes between it and the rest, with NAT.

`bridge` as a `network_mode` is docker0, which is there from the start: no names, no fixed addresses. A network with
`driver: bridge` is a bridge of its own: with names, isolated from the other bridges.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from dockerlab import topology
from dockerlab.lab.model import Lab, Network
from dockerlab.lab.problem import Problem
from dockerlab.modes.base import CONNECT, JOIN, LABELS, OPTIONS, POOLS, Mode, Site, Wants, gateways
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
)
from dockerlab.topology import Attachment, Denial, Forwarding, Interface, NetworkFacts, Segment

DEFAULT = "bridge"
GATEWAY_MODES = (27, 0)
UNPROTECTED = (28, 0)


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

    def wants(self, network: Network | None) -> Wants:
        """Return that the host routes, and that its firewall sees the bridge where containers are kept apart on it."""
        options = network.driver_opts if network is not None else {}
        apart = options.get(ICC, "true").lower() == "false"
        return Wants(forwarding=network is None or not network.internal, bridge_netfilter=apart)

    def attach(self, site: Site, endpoint: EndpointState) -> Attachment:
        """Return an interface on the bridge; its own address is the default route, unless the engine gave none.

        On an internal network, engines up to 26 still give the default route, and later ones do not: what the
        engine says of the endpoint decides.
        """
        segment = topology.bridge(site.host, site.name)
        interfaces = tuple(
            Interface(segment, address, site.name, _port(site), endpoint.mac) for address in endpoint.addresses
        )
        # Of several networks, an internal one gives the default route only where no other does (libnetwork's order).
        order = (1 if _internal(site) else 0, site.name)
        return Attachment(interfaces, gateways(endpoint), segment, order, resolver=site.name != DEFAULT)

    def facts(self, site: Site) -> NetworkFacts:
        """Return what the host's firewall does with this bridge's packets."""
        segment, options, filters = topology.bridge(site.host, site.name), _options(site), site.filters
        denials = _apart(site, segment, filters) if options.get(ICC, "true").lower() == "false" else ()
        if _internal(site):
            why = f"{site.name} is internal: iptables drops what enters or leaves it; later engines give no route"
            shut = Forwarding(
                segment, allowed=False, masquerade=frozenset(), filters=filters, rule="bridge-internal", why=why
            )
            return NetworkFacts(denials, (shut,))
        masked = options.get(MASQUERADE, "true").lower() != "false"
        out = Forwarding(
            segment,
            masquerade=filters if masked else frozenset(),
            filters=filters,
            unprotected=_gates(site, "nat-unprotected", UNPROTECTED),
            routed=_gates(site, "routed", GATEWAY_MODES),
            trusted=frozenset(options.get(TRUSTED, "").split(":")) - {""},
        )
        return NetworkFacts(denials, (out,))


def _gates(site: Site, mode: str, since: tuple[int, int]) -> frozenset[int]:
    """Return the IP versions for which a network is in a gateway mode; engines before `since` ignore the option."""
    options, versions = _options(site), (4, 6) if site.engine >= since else ()
    return frozenset(version for version in versions if options.get(f"{OF_BRIDGES}gateway_mode_ipv{version}") == mode)


def _apart(site: Site, segment: Segment, filters: frozenset[int]) -> tuple[Denial, ...]:
    """Return that containers on the bridge do not meet: iptables sees what the bridge switches only by br_netfilter."""
    port, nf = frozenset({_port(site)}), site.facts.bridge_nf if site.facts is not None else True
    why = f"inter-container communication is off on {site.name}: iptables drops what goes from port to port"
    if nf is None:
        why = f"no claim: {why}, where br_netfilter hands it over, but bridge-nf-call-iptables could not be read"
        return (Denial(segment, port, "bridge-icc", why, symptom=None, certain=False, versions=filters),)
    # The setting is for IPv4 alone; the one for IPv6 is not read and taken to be on.
    # In gateway mode routed, chain DOCKER accepts ICMP before.
    spared = _gates(site, "routed", GATEWAY_MODES)
    return (Denial(segment, port, "bridge-icc", why, versions=filters if nf else filters - {4}, spares_pings=spared),)


def _port(site: Site) -> str:
    return f"{site.host}/{site.name}/port"


def _internal(site: Site) -> bool:
    return site.spec.internal if site.spec is not None else site.state is not None and site.state.internal


def _options(site: Site) -> Mapping[str, str]:
    if site.state is not None:
        return site.state.options
    return site.spec.driver_opts if site.spec is not None else {}


MODE = Bridge()
