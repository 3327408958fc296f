"""What a network mode has to say. A mode is one file here; it is found by its `MODE`, there is no list to edit.

A mode knows its options, the command that creates its network, the flags it adds to `docker run`, what it
needs of a host, and what an engine makes of it in the kernel's own words. It says what is made, never who reaches whom.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_interface
from typing import TYPE_CHECKING

from dockerlab.kernel.addresses import IpAddress, IpInterface, IpNetwork
from dockerlab.lab.problem import Problem, meant
from dockerlab.modes.made import Joined, Made, Written
from dockerlab.snapshot import EndpointState, NetworkState, PublishedPort
from dockerlab.versions import Engine

if TYPE_CHECKING:
    from dockerlab.lab.model import Container, Lab, Network


@dataclass(frozen=True)
class Site:
    """One network as it is on one host: its definition (None for the engine's own) and what the engine made of it."""

    host: str
    name: str
    spec: Network | None
    state: NetworkState | None = None
    engine: Engine = field(default_factory=Engine)

    @property
    def filters(self) -> frozenset[int]:
        """Return the IP versions for which the host's engine keeps firewall rules."""
        return self.engine.filters

    @property
    def options(self) -> Mapping[str, str]:
        """Return the driver's options: the engine's word, and the definition's where there is no engine."""
        if self.state is not None:
            return self.state.options
        return self.spec.driver_opts if self.spec is not None else {}

    @property
    def internal(self) -> bool:
        """Tell whether the network is internal."""
        if self.state is not None and (self.spec is None or self.spec.external):
            return self.state.internal
        return self.spec is not None and self.spec.internal

    @property
    def gateways(self) -> tuple[IpInterface, ...]:
        """Return the addresses that the network keeps for its gateways, each with its subnet's prefix.

        Where nobody named one it is the first address of what the engine gives out; then its books name none either.
        """
        told = [ip_address(gateway) for gateway in (self.state.gateways if self.state is not None else ())]
        subnets = self.state.subnets if self.state is not None else ()
        found = ((subnet, next((a for a in told if a in subnet), None) or self._first(subnet)) for subnet in subnets)
        return tuple(ip_interface(f"{address}/{subnet.prefixlen}") for subnet, address in found)

    def _first(self, subnet: IpNetwork) -> IpAddress:
        """Return the first address that an engine gives out of a subnet."""
        pools = self.spec.pools if self.spec is not None else ()
        start = next((pool.ip_range for pool in pools if pool.subnet == subnet and pool.ip_range is not None), subnet)
        return start[0] if start[0] != subnet[0] or subnet.num_addresses == 1 else start[1]

    @property
    def mtu(self) -> int:
        """Return the MTU of its links."""
        told = self.options.get("com.docker.network.driver.mtu", "")
        return int(told) if told.isascii() and told.isdigit() and int(told) else 1500


@dataclass(frozen=True)
class Wants:
    """What a mode wants of a host beside the kernel's drivers.

    `forwarding`: the host routes for the containers. `bridge_netfilter`: the firewall sees what a bridge switches.
    `own_macs`: frames with other MAC addresses than the parent's pass its adapter. `ports`: protocols and ports of the
    host that the engine takes for itself.
    """

    forwarding: bool = False
    bridge_netfilter: bool = False
    own_macs: bool = False
    ports: tuple[tuple[str, int], ...] = ()


def gateways(endpoint: EndpointState) -> tuple[IpAddress, ...]:
    """Return the default routes that the engine gave with an endpoint: one address of each IP version, or none."""
    return tuple(ip_address(gateway) for gateway in (endpoint.gateway, endpoint.gateway6) if gateway)


class Mode:
    """The part that all modes share: a mode overrides what is particular to it."""

    name: str = ""
    """The driver's name, or the value of `network_mode`."""

    network_type: type[Network] | None = None
    """What a network of this driver may say in a definition; None where the mode makes no network."""

    scope: str = "host"
    """`host`: each host has a network of its own; `swarm`: one network, made on one host, serves all."""

    options: tuple[str, ...] = ()
    """The driver options that the engine knows; it ignores others in silence."""

    create: str = ""
    """Template of the command that creates the network: sees `network` (the definition), `name`, `labels`."""

    run: str = ""
    """Template lines for `docker run`: sees `name`, `spec` (the container), `mode`, `network`, `place`."""

    connect: str = ""
    """Template of the command that attaches a running container to a further network."""

    def serves(self, network_mode: str) -> bool:
        """Tell whether a container's `network_mode` is this mode's."""
        return network_mode == self.name

    def check(self, lab: Lab) -> Iterable[Problem]:
        """Yield what is wrong in a definition by this mode's own rules."""
        _ = lab
        return ()

    def needs(self, network: Network) -> tuple[str, ...]:
        """Return the kernel's build options without which the engine cannot make the network."""
        _ = network
        return ()

    def refuses(self, network: Network, engine: Engine) -> Iterable[str]:
        """Yield why an engine would not make the network: what it does not know, or cannot do."""
        _ = network, engine
        return ()

    def wants(self, network: Network | None) -> Wants:
        """Return what else has to be right on the host for a network of this mode, None for the engine's own."""
        _ = network
        return Wants()

    def lint(self, lab: Lab) -> Iterable[Problem]:
        """Yield what works in a definition but misleads: driver options that the engine ignores in silence."""
        for name, network in lab.networks.items():
            for option in network.driver_opts if self.network_type and network.driver == self.name else ():
                if option not in self.options:
                    yield Problem(
                        ("networks", name, "driver_opts", option),
                        f"the {self.name} driver does not know {option} and ignores it in silence: "
                        f"{meant(option, self.options)}",
                    )

    def namespace(self, host: str, container: str, spec: Container) -> str:
        """Return the name of the network namespace that the container is in."""
        _ = host, spec
        return container

    def makes(self, site: Site) -> Made:
        """Return what the engine makes of the network itself on one host."""
        _ = site
        return Made()

    def joins(self, site: Site, endpoint: EndpointState, name: str) -> Joined:
        """Return what the engine makes of a container's place on the network, by an interface of that name in it."""
        _ = site, endpoint, name
        return Joined()

    def publishes(self, site: Site, endpoint: EndpointState, ports: Sequence[PublishedPort]) -> tuple[Written, ...]:
        """Return the rules for ports of the host that lead to a place; a port without a number is only let in."""
        _ = site, endpoint, ports
        return ()


# What the driver modes have in common, in the order in which the engine's own documentation explains it.

POOLS = """\
{% for pool in network.pools %}
  --subnet {{ pool.subnet }}  # the containers' addresses come from here
{% if pool.ip_range %}
  --ip-range {{ pool.ip_range }}  # automatic addresses only from this part of the subnet
{% endif %}
{% if pool.gateway %}
  --gateway {{ pool.gateway }}  # the default route of the containers
{% endif %}
{% for name, address in pool.aux_addresses.items() %}
  --aux-address {{ name }}={{ address }}  # in use by something else: never given to a container
{% endfor %}
{% endfor %}
{% if network.ipam.driver != "default" %}
  --ipam-driver {{ network.ipam.driver }}  # who gives out the addresses
{% endif %}
{% for key, value in network.ipam.options.items() %}
  --ipam-opt {{ key }}={{ value }}  # an option of the address driver
{% endfor %}
{% if network.enable_ipv4 is false %}
  --ipv4=false  # no IPv4 at all
{% endif %}
{% if network.ipv6 %}
  --ipv6  # IPv6 as well
{% endif %}
{% if network.attachable %}
  --attachable  # plain containers may join a Swarm's network, not services alone
{% endif %}
{% if network.internal %}
  --internal  # no way out: no default route, no masquerading, dropped by the host's firewall
{% endif %}
"""

OPTIONS = """\
{% for key, value in network.driver_opts.items() %}
  --opt {{ key }}={{ value }}  # an option of the driver; an unknown one is ignored in silence
{% endfor %}
"""

LABELS = """\
{% if labels %}
 {% for key, value in labels.items() %} --label {{ key }}={{ value }}{% endfor %}  # whose it is: `down` goes by this
{% endif %}
{% for key, value in own_labels.items() %}
  --label {{ key }}={{ value }}  # from the definition
{% endfor %}
"""

JOIN = """\
  --network {{ joined }}  # its place on the first network
{% for flag, value, reason in said %}
  {{ flag }} {{ value }}  # {{ reason }}
{% endfor %}
{% for further in at_once %}
  --network {{ further }}  # a further network: a MAC address there cannot be given later
{% endfor %}
"""

CONNECT = """
# Attach {{ name }} to network {{ mode }} as well
docker network connect
{% for flag, value, reason in said %}
  {{ flag }} {{ value }}  # {{ reason }}
{% endfor %}
  {{ mode }} {{ name }}
"""
