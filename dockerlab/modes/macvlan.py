"""Mode macvlan: containers with MAC addresses of their own, straight on the LAN of a parent interface.

There is no bridge, no NAT and no rule of Docker's firewall. Address management is per host: the engines do not know of
each other, so that a network over several hosts wants fixed addresses.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from dockerlab import topology
from dockerlab.lab.model import Lab, Network
from dockerlab.lab.problem import Problem
from dockerlab.modes.base import CONNECT, JOIN, LABELS, OPTIONS, POOLS, Mode, Site, gateways
from dockerlab.snapshot import EndpointState
from dockerlab.topology import Attachment, Denial, Interface, NetworkFacts, Segment


class MacvlanNetwork(Network):
    """A macvlan network: `parent` is the interface whose LAN the containers join."""

    driver: Literal["macvlan"] = "macvlan"
    parent: str | None = Field(
        None, description="the host's interface whose LAN the containers join", examples=["eth0.50"]
    )
    macvlan_mode: Literal["bridge", "private", "vepa", "passthru"] | None = Field(
        None,
        description="how children of one parent reach each other; the driver's default is bridge",
        examples=["private"],
    )

    @property
    def parent_interface(self) -> str | None:
        """Return the parent, from the short form or the driver's option."""
        return self.parent or self.driver_opts.get("parent")

    @property
    def submode(self) -> str:
        """Return how children of one parent reach each other; the driver's default is `bridge`."""
        return self.macvlan_mode or self.driver_opts.get("macvlan_mode", "bridge")


class Macvlan(Mode):
    """Children of a parent interface, side by side with the machines of its LAN."""

    name = "macvlan"
    network_type = MacvlanNetwork
    options = ("parent", "macvlan_mode", "com.docker.network.container_iface_prefix")
    create = (
        """
# Create macvlan network {{ name }}: containers straight on the LAN of {{ network.parent_interface or "no parent" }}
docker network create
  --driver macvlan  # every container gets a MAC address of its own on the parent's LAN; no bridge, no NAT
"""
        + POOLS
        + """\
{% if network.parent %}
  --opt parent={{ network.parent }}  # the interface that carries the frames
{% endif %}
{% if network.macvlan_mode %}
  --opt macvlan_mode={{ network.macvlan_mode }}  # how children of one parent reach each other
{% endif %}
"""
        + OPTIONS
        + LABELS
        + """\
  {{ name }}
"""
    )
    run = JOIN
    connect = CONNECT

    def check(self, lab: Lab) -> Iterable[Problem]:
        """Yield contradictions, and containers without a fixed address where several engines give out addresses."""
        for name, network in lab.networks.items():
            if not isinstance(network, MacvlanNetwork):
                continue
            for key in ("parent", "macvlan_mode"):
                if getattr(network, key) and key in network.driver_opts:
                    yield Problem(("networks", name, "driver_opts", key), f"said twice: keep `{key}` or this, not both")
            if len(lab.hosts_of(name)) > 1:
                yield from self._unfixed(lab, name)

    def _unfixed(self, lab: Lab, network: str) -> Iterable[Problem]:
        for name, spec in lab.containers.items():
            if network in spec.networks and not spec.networks[network].addresses:
                yield Problem(
                    ("containers", name, "networks", network),
                    f"needs a fixed address: {network} is on {' and '.join(lab.hosts_of(network))}, whose engines give "
                    "out its addresses without knowing of each other, so that two containers would get the same; "
                    f"write networks: {{{network}: {{ip: …}}}}",
                )

    def attach(self, site: Site, endpoint: EndpointState) -> Attachment:
        """Return an interface on the parent's LAN; the default route is the definition's gateway, on that LAN."""
        segment = _segment(site)
        interfaces = tuple(
            Interface(segment, address, site.name, _child(site), endpoint.mac) for address in endpoint.addresses
        )
        internal = site.spec is not None and site.spec.internal
        routes = () if internal else gateways(endpoint)
        return Attachment(interfaces, routes, segment, (0, site.name), resolver=True)

    def facts(self, site: Site) -> NetworkFacts:
        """Return what the kernel's macvlan driver never delivers."""
        network, segment = _network(site), _segment(site)
        parent, child = network.parent_interface, _child(site)
        if parent is None:
            return NetworkFacts()
        denials = [
            Denial(
                segment,
                frozenset({child, f"{site.host}/{parent}"}),
                "macvlan-own-host",
                f"a macvlan child and its own host never meet on {parent}: the frame leaves through the parent and the "
                "kernel does not hand it back to the host",
            )
        ]
        if network.submode in ("private", "vepa"):
            why = f"macvlan mode {network.submode}: the kernel does not forward between children of {parent}"
            denials.append(Denial(segment, frozenset({child}), f"macvlan-{network.submode}", why))
        return NetworkFacts(tuple(denials))


def _network(site: Site) -> MacvlanNetwork:
    if not isinstance(site.spec, MacvlanNetwork):
        raise TypeError(f"{site.name} is not a macvlan network")
    return site.spec


def _segment(site: Site) -> Segment:
    """Return the parent's LAN; without a parent the driver makes a dummy interface that leads nowhere."""
    parent = _network(site).parent_interface
    return Segment("dummy", (site.host, site.name)) if parent is None else topology.lan(parent)


def _child(site: Site) -> str:
    return f"{site.host}/{_network(site).parent_interface}/child"


MODE = Macvlan()
