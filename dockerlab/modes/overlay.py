"""Mode overlay: one layer-2 network over all hosts of a Swarm, carried in VXLAN.

Docker's own Swarm keeps the addresses and names, so that it has to be there. The network is made once, on a manager,
and appears on another host when a container there joins it. The way out is a second interface, on docker_gwbridge.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_network
from typing import Literal
from zlib import crc32

from pydantic import Field

from dockerlab.kernel.model import Link
from dockerlab.lab.model import Network
from dockerlab.modes.base import CONNECT, JOIN, LABELS, OPTIONS, POOLS, Mode, Site, Wants
from dockerlab.modes.made import At, Joined, Line, Made, cable, written
from dockerlab.snapshot import MTU, VXLAN_IDS, EndpointState
from dockerlab.versions import Engine

PORTS = (("tcp", 2377), ("tcp", 7946), ("udp", 7946), ("udp", 4789))
"""Where a Swarm's hosts meet: its managers, the gossip of its members, and VXLAN."""

VERSION_6 = 6
"""IPv6, as an address tells its version."""

ENCRYPTED = (
    Line(
        "marks",
        "{vxlan} -j MARK --set-xmark 0xd0c4e3/0xffffffff",
        "what carries the overlay's frames to other hosts is marked, and what is marked gets encrypted",
    ),
    Line(
        "arrived",
        "-m policy --dir in --pol ipsec {vxlan} -j ACCEPT",
        "the overlay's frames come in from other hosts encrypted",
        lambda at: at.engine.accepts_encrypted,
    ),
    Line(
        "arrived",
        "-m policy --dir in --pol none {vxlan} -j DROP",
        "the overlay is encrypted: its frames do not come in in the clear",
        page="overlay-encrypted",
    ),
)


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

    def refuses(self, network: Network, engine: Engine) -> Iterable[str]:
        """Yield that there is no Swarm beside the nftables backend, and that a Swarm never allocates IPv6.

        Source: moby, daemon/cluster (`validateDefaultAddrPool` and `swarm-nftables`, 280a23a32d), and the maintainers'
        specification of the Swarm's networks, "Known divergences".
        """
        if engine.backend == "nftables":
            more = (
                ", or `features: {swarm-nftables: true}`, an experiment that dockerlab does not imagine"
                if engine.swarm_feature
                else ""
            )
            yield (
                f"wants a Swarm, and engine {engine} takes none with `firewall-backend: nftables`: say `iptables` in "
                f"daemon.json{more}, and restart the engine"
            )
        wide = [str(pool.subnet) for pool in network.pools if pool.subnet.version == VERSION_6]
        if wide:
            yield (
                f"has the subnet {wide[0]}: a Swarm's engines give out no IPv6 on an overlay, the network is never "
                "ready, and a container on it is refused after 20 seconds (context deadline exceeded): leave it out"
            )

    def wants(self, network: Network | None) -> Wants:
        """Return the Swarm's ports, and that the host routes what leaves by docker_gwbridge."""
        return Wants(forwarding=network is None or not network.internal, ports=PORTS)

    def makes(self, site: Site) -> Made:
        """Return the bridge and the VXLAN of the network's hidden namespace.

        The firewall has rules for one that is encrypted alone: what carries its frames between the hosts must be.
        """
        mtu = self._mtu(site)
        bridge = Link(0, "br0", "bridge", mtu=mtu, addresses=site.gateways[:1])
        vxlan = Link(0, "vxlan0", "vxlan", mtu=mtu, master="br0", info={"id": _vni(site), "port": "4789"})
        rules = written(ENCRYPTED, _carrier(site)) if "encrypted" in site.options and 4 in site.filters else ()
        return Made(hidden=(bridge, vxlan), rules=tuple(rules))

    def joins(self, site: Site, endpoint: EndpointState, name: str) -> Joined:
        """Return a cable from the hidden namespace's bridge into the container; the way out is docker_gwbridge's."""
        inside, outside = cable(name, endpoint.mac, endpoint.addresses, "br0", self._mtu(site))
        return Joined(inside, outside, hidden=True)

    @staticmethod
    def _mtu(site: Site) -> int:
        """Return the MTU: VXLAN takes 50 bytes of the hosts' own, and what encrypts takes 26 more."""
        told = site.options.get("com.docker.network.driver.mtu", "")
        return (
            int(told)
            if told.isascii() and told.isdigit() and int(told)
            else 1424
            if "encrypted" in site.options
            else 1450
        )


def _vni(site: Site) -> str:
    """Return the number of the network's VXLAN; where no engine has given it one, one that is its own on all hosts."""
    return site.options.get(VXLAN_IDS, "").partition(",")[0] or str(crc32(site.name.encode()) & 0xFFFFFF)


def _carrier(site: Site) -> At:
    """Return what rules about the packets that carry a network's frames are written for."""
    number = _vni(site)
    return At(
        site.engine, 4, "", ip_network("0.0.0.0/0"), vni=int(number) if number.isascii() and number.isdigit() else 0
    )


MODE = Overlay()
