"""Mode ipvlan: containers on the LAN of a parent interface, with the parent's own MAC address.

In mode l2 they are neighbours on that LAN as with macvlan. In modes l3 and l3s the host routes for them: they have no
gateway and hear no broadcast, and other machines need a route to them by way of the host.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dockerlab.lab.model import Network
from dockerlab.modes.base import LABELS, OPTIONS, POOLS, Site
from dockerlab.modes.parent import ParentMode, ParentNetwork, child, parent_of, segment
from dockerlab.snapshot import IFACE_PREFIX, EndpointState
from dockerlab.topology import Attachment, Denial, Interface, NetworkFacts, Segment

FLAGS = (23, 0)
"""The engine from which on there is `ipvlan_flag`, and mode l3s (observed: 20.10 ignores the flag, 28.5 heeds it)."""


class IpvlanNetwork(ParentNetwork):
    """An ipvlan network: `parent` is the interface whose LAN and MAC address the containers share."""

    driver: Literal["ipvlan"] = "ipvlan"
    ipvlan_mode: Literal["l2", "l3", "l3s"] | None = Field(
        None, description="neighbours on the LAN (l2, the default) or routed by the host (l3, l3s)", examples=["l3"]
    )

    @property
    def submode(self) -> str:
        """Return the mode; the driver's default is `l2`."""
        return self.ipvlan_mode or self.driver_opts.get("ipvlan_mode", "l2")


class Ipvlan(ParentMode):
    """Children with the parent's MAC address."""

    name = "ipvlan"
    network_type = IpvlanNetwork
    options = ("parent", "ipvlan_mode", "ipvlan_flag", IFACE_PREFIX)
    short_options = ("parent", "ipvlan_mode")
    create = (
        """
# Create ipvlan network {{ name }}: containers on the LAN of {{ network.parent_interface or "no parent" }}
docker network create
  --driver ipvlan  # every container shares the parent's MAC address; no bridge, no NAT
"""
        + POOLS
        + """\
{% if network.parent %}
  --opt parent={{ network.parent }}  # the interface that carries the frames
{% endif %}
{% if network.ipvlan_mode %}
  --opt ipvlan_mode={{ network.ipvlan_mode }}  # neighbours on the LAN (l2), or routed by the host (l3, l3s)
{% endif %}
"""
        + OPTIONS
        + LABELS
        + """\
  {{ name }}
"""
    )

    def needs(self, network: Network) -> tuple[str, ...]:
        """Return the ipvlan driver, and what makes the interface where there is no parent."""
        return ("CONFIG_IPVLAN", *super().needs(network))

    def attach(self, site: Site, endpoint: EndpointState) -> Attachment:
        """Return an interface on the parent's LAN, or with l3 one on a segment of its own without a gateway."""
        routed = _place(site)
        if not routed.routed:
            return super().attach(site, endpoint)
        interfaces = tuple(Interface(routed, a, site.name, child(site), endpoint.mac) for a in endpoint.addresses)
        return Attachment(interfaces, priority=(0, site.name), resolver=True)

    def facts(self, site: Site) -> NetworkFacts:
        """Return what the kernel's ipvlan driver never delivers, or leaves to the switch."""
        about, spec = super().facts(site), site.spec
        flag = spec.driver_opts.get("ipvlan_flag") if spec is not None and site.engine >= FLAGS else None
        if flag not in ("private", "vepa"):
            return about
        place, ports = _place(site), frozenset({child(site)})
        if flag == "private":
            why = "ipvlan_flag private: the kernel hands nothing over between children of one parent"
            symptom = "timeout" if place.routed else "host unreachable"
            return NetworkFacts((*about.denials, Denial(place, ports, "ipvlan-flag", why, symptom)))
        why = (
            "no claim: with ipvlan_flag vepa, what children of one parent say to each other goes to the switch, and "
            "whether that sends it back (hairpin, 802.1Qbg) cannot be seen"
        )
        return NetworkFacts((*about.denials, Denial(place, ports, "ipvlan-flag", why, None, certain=False)))


def _place(site: Site) -> Segment:
    """Return where the containers are: on the parent's LAN, or with l3 on a segment of the host's own."""
    if not isinstance(site.spec, IpvlanNetwork) or site.spec.submode == "l2":
        return segment(site)
    return Segment("ipvlan", (site.host, str(parent_of(site))))


MODE = Ipvlan()
