"""Mode macvlan: containers with MAC addresses of their own, straight on the LAN of a parent interface.

There is no bridge, no NAT and no rule of Docker's firewall. Address management is per host: the engines do not know of
each other, so that a network over several hosts wants fixed addresses.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dockerlab.lab.model import Network
from dockerlab.modes.base import LABELS, OPTIONS, POOLS, Site, Wants
from dockerlab.modes.parent import ParentMode, ParentNetwork, child, parent_of, segment
from dockerlab.snapshot import IFACE_PREFIX
from dockerlab.topology import Denial, NetworkFacts


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

    def facts(self, site: Site) -> NetworkFacts:
        """Return what the kernel's macvlan driver never delivers."""
        about, spec = super().facts(site), site.spec
        if not isinstance(spec, MacvlanNetwork) or parent_of(site) is None:
            return about
        ports = frozenset({child(site)})
        if spec.submode == "private":
            why = f"macvlan mode private: the kernel does not forward between children of {parent_of(site)}"
            return NetworkFacts(
                (*about.denials, Denial(segment(site), ports, "macvlan-private", why, "host unreachable"))
            )
        if spec.submode == "vepa":
            why = (
                f"no claim: in mode vepa, what children of {parent_of(site)} say to each other goes to the switch, "
                "and whether that sends it back (hairpin, 802.1Qbg) cannot be seen"
            )
            denial = Denial(segment(site), ports, "macvlan-vepa", why, symptom=None, certain=False)
            return NetworkFacts((*about.denials, denial))
        if spec.submode == "passthru":
            return NetworkFacts((*about.denials, *_deaf(site)))
        return about


def _deaf(site: Site) -> tuple[Denial, Denial]:
    """Return that the host does not get what comes for it by its parent.

    A broadcast comes to both, so that the host answers ARP requests, and knows who has asked it; all else is the
    child's (`macvlan_handle_frame` of Linux). ARP replies to the host are: how its own packets fail depends on who has
    asked it before.
    """
    parent, port, ports = parent_of(site), f"{site.host}/{parent_of(site)}", frozenset({child(site)})
    why = f"macvlan mode passthru: the child of {parent} gets every frame that comes for {site.host} there"
    return (
        Denial(segment(site), ports, "macvlan-passthru", why, receiver=port),
        Denial(segment(site), ports, "macvlan-passthru", f"{why}, replies among them", symptom=None, sender=port),
    )


MODE = Macvlan()
