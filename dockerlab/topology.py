"""What is known of a machine beneath its engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network

IpAddress = IPv4Address | IPv6Address
IpInterface = IPv4Interface | IPv6Interface
IpNetwork = IPv4Network | IPv6Network


@dataclass(frozen=True)
class Nic:
    """A network interface of a host; `rp_filter` is the kernel's number (1 is strict), None where it is not known."""

    name: str
    addresses: tuple[IpInterface, ...] = ()
    mac: str = ""
    up: bool = True
    rp_filter: int | None = None


@dataclass(frozen=True)
class Route:
    """A route of a host; `via` is None for what is on-link, `destination` None for the default route."""

    destination: IpNetwork | None
    via: IpAddress | None
    device: str


@dataclass(frozen=True)
class HostFacts:
    """What the model and the prober need to know of a machine. None means: could not be read, or left to the default.

    From `userland_proxy` to `dns` they are the engine's settings, where `settings_read` is false the default ones;
    `settings_of` is the lab that has changed them. `gossip` tells whether somebody listens on TCP port 7946.
    """

    host: str
    nics: tuple[Nic, ...] = ()
    routes: tuple[Route, ...] = ()
    root: bool | None = None
    python: str | None = None
    ip_forward: bool | None = None
    ip6_forward: bool | None = None
    forward_policy: str | None = None
    bridge_nf: bool | None = None
    userland_proxy: bool = True
    iptables: bool = True
    ip6tables: bool | None = None
    direct_routing: bool = False
    live_restore: bool = False
    dns: tuple[str, ...] = ()
    settings_read: bool = True
    settings_of: str = ""
    firewall: str = ""
    nameservers: tuple[str, ...] = ()
    kernel_config: Mapping[str, str] = field(default_factory=dict)
    kernel: str = ""
    architecture: str = ""
    gossip: bool | None = None
    missing: tuple[str, ...] = ()

    def nic(self, name: str) -> Nic | None:
        """Return the interface of that name, or None."""
        return next((nic for nic in self.nics if nic.name == name), None)

    def primary_address(self) -> IpAddress | None:
        """Return the address that the default route leaves from, or the first global one, or None."""
        default = next((route for route in self.routes if route.destination is None), None)
        ordered = sorted(self.nics, key=lambda nic: default is None or nic.name != default.device)
        found = (a.ip for nic in ordered for a in nic.addresses if not a.ip.is_loopback and not a.ip.is_link_local)
        return next(found, None)
