"""Mode overlay: one layer-2 network over all hosts of a Swarm, carried in VXLAN.

Docker's own Swarm keeps the addresses and names, so that it has to be there. The network is made once, on a manager,
and appears on another host when a container there joins it. The way out is a second interface, on docker_gwbridge.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dockerlab import topology
from dockerlab.lab.model import Network
from dockerlab.modes.base import CONNECT, JOIN, LABELS, OPTIONS, POOLS, Mode, Site, Wants
from dockerlab.snapshot import GATEWAY_BRIDGE, MTU, VXLAN_IDS, EndpointState
from dockerlab.topology import Attachment, Denial, Forwarding, Interface, NetworkFacts

PORTS = (("tcp", 2377), ("tcp", 7946), ("udp", 7946), ("udp", 4789))
"""Where a Swarm's hosts meet: its managers, the gossip of its members, and VXLAN."""


class OverlayNetwork(Network):
    """An overlay network; attachable, for without that only services can join it."""

    driver: Literal["overlay"] = "overlay"
    attachable: Literal[True] = Field(True, description="always true: plain containers join it, not services alone")


class Overlay(Mode):
    """A network over the hosts of a Swarm."""

    name = "overlay"
    scope = "swarm"
    network_type = OverlayNetwork
    options = ("encrypted", MTU, VXLAN_IDS)
    create = (
        """
# Create overlay network {{ name }}: one layer 2 over all hosts of the Swarm
docker network create
  --driver overlay  # frames travel between the hosts in VXLAN, UDP port 4789
"""
        + POOLS
        + OPTIONS
        + LABELS
        + """\
  {{ name }}
"""
    )
    run = JOIN
    connect = CONNECT

    def needs(self, network: Network) -> tuple[str, ...]:
        """Return the kernel's VXLAN."""
        _ = network
        return ("CONFIG_VXLAN",)

    def wants(self, network: Network | None) -> Wants:
        """Return the Swarm's ports, and that the host routes what leaves by docker_gwbridge."""
        return Wants(forwarding=network is None or not network.internal, ports=PORTS)

    def attach(self, site: Site, endpoint: EndpointState) -> Attachment:
        """Return an interface on the overlay; the way out is docker_gwbridge's address on the host."""
        segment = topology.overlay(site.name)
        interfaces = tuple(
            Interface(segment, address, site.name, f"{site.host}/{site.name}", endpoint.mac)
            for address in endpoint.addresses
        )
        nic = site.facts.nic(GATEWAY_BRIDGE) if site.facts is not None else None
        internal = site.spec is not None and site.spec.internal
        if nic is None or not nic.addresses or internal:
            return Attachment(interfaces, priority=(2, site.name), resolver=True)
        way_out = topology.bridge(site.host, GATEWAY_BRIDGE)
        return Attachment(interfaces, (nic.addresses[0].ip,), way_out, (2, site.name), resolver=True)

    def facts(self, site: Site) -> NetworkFacts:
        """Return that the host masquerades what comes from docker_gwbridge, where containers do not meet."""
        segment, filters = topology.bridge(site.host, GATEWAY_BRIDGE), site.filters
        why = f"{GATEWAY_BRIDGE} is the containers' way out alone: iptables drops what goes from port to port"
        denial = Denial(segment, frozenset({gateway_port(site.host)}), "bridge-icc", why, versions=filters)
        return NetworkFacts((denial,), (Forwarding(segment, masquerade=filters, filters=filters),))


def gateway_port(host: str) -> str:
    """Return what denials call a place on a host's docker_gwbridge."""
    return f"{host}/{GATEWAY_BRIDGE}/port"


MODE = Overlay()
