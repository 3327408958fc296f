"""Mode macvlan: containers with MAC addresses of their own, straight on the LAN of a parent interface.

There is no bridge, no NAT and no rule of Docker's firewall. Address management is per host: the engines do not know of
each other, so that a network over several hosts wants fixed addresses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from dockerlab.lab.model import Network
from dockerlab.modes.base import LABELS, OPTIONS, POOLS, Site, Wants
from dockerlab.modes.parent import ParentMode, ParentNetwork
from dockerlab.snapshot import IFACE_PREFIX


class MacvlanNetwork(ParentNetwork):
    """A macvlan network: `parent` is the interface whose LAN the containers join."""

    driver: Literal["macvlan"] = "macvlan"
    macvlan_mode: Literal["bridge", "private", "vepa", "passthru"] | None = Field(
        None,
        description="how children of one parent reach each other; the driver's default is bridge",
        examples=["private"],
    )

    @property
    def submode(self) -> str:
        """Return how children of one parent reach each other; the driver's default is `bridge`."""
        return self.macvlan_mode or self.driver_opts.get("macvlan_mode", "bridge")


class Macvlan(ParentMode):
    """Children with MAC addresses of their own."""

    name = "macvlan"
    network_type = MacvlanNetwork
    options = ("parent", "macvlan_mode", IFACE_PREFIX)
    short_options = ("parent", "macvlan_mode")
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

    def needs(self, network: Network) -> tuple[str, ...]:
        """Return the macvlan driver, and what makes the interface where there is no parent."""
        return ("CONFIG_MACVLAN", *super().needs(network))

    def wants(self, network: Network | None) -> Wants:
        """Return that the parent's adapter has to let MAC addresses pass that are not its own."""
        return Wants(own_macs=isinstance(network, ParentNetwork) and network.parent_interface is not None)

    def submode(self, site: Site) -> Mapping[str, str]:
        """Return how children of one parent reach each other."""
        if isinstance(site.spec, MacvlanNetwork) and not site.spec.external:
            return {"mode": site.spec.submode}
        return {"mode": site.options.get("macvlan_mode", "bridge")}


MODE = Macvlan()
