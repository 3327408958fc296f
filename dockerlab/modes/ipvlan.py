"""Mode ipvlan: containers on the LAN of a parent interface, with the parent's own MAC address.

In mode l2 they are neighbours on that LAN as with macvlan. In modes l3 and l3s the host routes for them: they have no
gateway and hear no broadcast, and other machines need a route to them by way of the host.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from pydantic import Field

from dockerlab.lab.model import Network
from dockerlab.modes.base import LABELS, OPTIONS, POOLS, Site
from dockerlab.modes.made import Joined, onto
from dockerlab.modes.parent import ParentMode, ParentNetwork, parent_of
from dockerlab.snapshot import IFACE_PREFIX, EndpointState


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

    def submode(self, site: Site) -> Mapping[str, str]:
        """Return the mode and the flag; an engine that does not know the flag ignores it."""
        flag = site.options.get("ipvlan_flag", "bridge") if site.engine.ipvlan_flags else "bridge"
        return {"mode": _submode(site), "flags": flag}

    def joins(self, site: Site, endpoint: EndpointState, name: str) -> Joined:
        """Return a child of the parent; in modes l3 everything goes out by it, without a router."""
        joined = super().joins(site, endpoint, name)
        routed = _submode(site) != "l2"
        shut = site.internal or (parent_of(site) is None and not site.engine.parentless_route)
        if not routed or shut:
            return replace(joined, gates=frozenset(), routes=()) if routed else joined
        versions = sorted({address.version for address in endpoint.addresses})
        return replace(joined, gates=frozenset(versions), routes=tuple(onto(name, each) for each in versions))


def _submode(site: Site) -> str:
    """Return the mode of a network: the definition's word, and of one that is not the lab's the engine's."""
    if isinstance(site.spec, IpvlanNetwork) and not site.spec.external:
        return site.spec.submode
    return site.options.get("ipvlan_mode", "l2")


MODE = Ipvlan()
