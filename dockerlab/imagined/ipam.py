"""The addresses of a network, given out as an engine does: fixed ones to whom they belong, and else the first free."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address, ip_interface
from typing import Any

from dockerlab.lab.daemon import Daemon
from dockerlab.lab.model import Attachment, Network, Pool
from dockerlab.lab.places import IFNAME
from dockerlab.modes.parent import ParentNetwork
from dockerlab.snapshot import EndpointState, NetworkState, on_the_link
from dockerlab.topology import IpAddress, IpInterface, IpNetwork
from dockerlab.versions import Engine


@dataclass
class Ipam:
    """Who gives out the addresses of one network, on one host or, for one of a Swarm, on all of them.

    `fixed` are the addresses that the definition gives to somebody, `taken` those that nobody may get any more. `kept`
    tells whether the real network is as the definition has it, so that what was given out there stands.
    """

    state: NetworkState
    spec: Network | None
    daemon: Daemon = field(default_factory=Daemon)
    fixed: frozenset[IpAddress] = frozenset()
    kept: bool = False
    taken: set[IpAddress] = field(default_factory=set)
    _next: dict[IpNetwork, Iterator[IpAddress]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Reserve what no container gets: network and broadcast addresses, gateways, what something else uses."""
        self.taken |= {ip_address(gateway) for gateway in self.state.gateways} | self.fixed
        self.taken |= {subnet[0] for subnet in self.state.subnets}
        self.taken |= {subnet[-1] for subnet in self.state.subnets if subnet.version == 4 and subnet.prefixlen < 31}
        self.taken |= {address for pool in self.pools.values() for address in pool.aux_addresses.values()}
        named = (self.daemon.default_gateway, self.daemon.default_gateway_v6)
        self.taken |= {gateway for gateway in named if gateway is not None}

    @property
    def pools(self) -> Mapping[IpNetwork, Pool]:
        """Return what the definition says of each subnet."""
        return {pool.subnet: pool for pool in self.spec.pools} if self.spec is not None else {}

    def endpoint(self, place: Attachment, real: EndpointState | None, engine: Engine) -> EndpointState:
        """Return a container's endpoint: the real one where that is right, else its fixed and the first free addresses.

        Of a real one, what the engine chose is kept as long as it is an address of the network.
        """
        wanted, aliases = place.addresses, place.aliases
        mac = place.mac_address or (real.mac if real is not None else "")
        said: dict[str, Any] = {
            "mac": mac.lower(),
            "link_local": tuple(map(on_the_link, place.link_local_ips)),
            "priority": place.gw_priority or 0,
            "options": dict(place.driver_opts) | ({IFNAME: place.interface_name} if place.interface_name else {}),
        }
        held = [address for address in real.addresses if self._keeps(address, wanted)] if real is not None else []
        names = tuple(dict.fromkeys((*(real.aliases if real is not None else ()), *aliases)))
        if self.kept and real is not None and held and set(wanted) <= {address.ip for address in held}:
            return replace(real, addresses=tuple(held), aliases=names, **said)
        found = [address for subnet in self._one_of_each_version() if (address := self._address(subnet, wanted, held))]
        gateways = self._gateways(engine)
        return EndpointState(
            self.state.name,
            tuple(found),
            gateway=gateways.get(4, ""),
            gateway6=gateways.get(6, ""),
            aliases=names,
            **said,
        )

    def _keeps(self, address: IpInterface, wanted: tuple[IpAddress, ...]) -> bool:
        """Tell whether an address that the engine gave is one that it could give to this container."""
        others = self.fixed - set(wanted)
        return any(address.ip in subnet for subnet in self.state.subnets) and address.ip not in others

    def _one_of_each_version(self) -> Iterator[IpNetwork]:
        without = {6} if self.spec is not None and not self.spec.ipv6 else set()
        without |= {4} if self.spec is not None and self.spec.enable_ipv4 is False else set()
        versions = {4, 6} - without
        for version in sorted(versions):
            yield from [subnet for subnet in self.state.subnets if subnet.version == version][:1]

    def _address(self, subnet: IpNetwork, wanted: tuple[IpAddress, ...], held: list[IpInterface]) -> IpInterface | None:
        """Return the address that a container has in a subnet; None where all are given away."""
        own = next((address for address in wanted if address in subnet), None)
        if own is None:
            own = next((address.ip for address in held if address.ip in subnet), None)
        if own is None:
            own = next((address for address in self._candidates(subnet) if address not in self.taken), None)
        if own is None:
            return None
        self.taken.add(own)
        return ip_interface(f"{own}/{subnet.prefixlen}")

    def _candidates(self, subnet: IpNetwork) -> Iterator[IpAddress]:
        """Return the addresses that the engine tries, from where it was the last time: none is ever given back."""
        if subnet not in self._next:
            pool = self.pools.get(subnet)
            part = self.daemon.fixed_cidr if subnet.version == 4 else self.daemon.fixed_cidr_v6
            start = pool.ip_range if pool is not None and pool.ip_range is not None else part or subnet
            self._next[subnet] = iter(start)
        return self._next[subnet]

    def _gateways(self, engine: Engine) -> dict[int, str]:
        """Return the default routes that an engine of that version gives with an endpoint, by IP version."""
        alone = isinstance(self.spec, ParentNetwork) and self.spec.parent_interface is None
        bridge = self.state.driver == "bridge"
        shut = self.state.internal and not (bridge and engine.internal_route)
        if self.state.driver == "overlay" or shut or (alone and not engine.parentless_route):
            return {}
        gateways: dict[int, str] = {ip_address(gateway).version: gateway for gateway in self.state.gateways}
        if isinstance(self.spec, ParentNetwork) and not engine.guesses_gateway:
            said = {pool.gateway.version for pool in self.spec.pools if pool.gateway is not None}
            gateways = {version: gateway for version, gateway in gateways.items() if version in said}
        named = (self.daemon.default_gateway, self.daemon.default_gateway_v6 if self.daemon.ipv6 else None)
        return gateways | {gateway.version: str(gateway) for gateway in named if gateway is not None}
