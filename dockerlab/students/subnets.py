"""From where the instances' subnets come, and where each of a lab's addresses moves. Pure.

Every instance has a block of its own, by its number, and in it a place for each subnet of the lab. The engine's own
pools hold some thirty networks on a host, so that networks which name no subnet get one too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TypeVar

from dockerlab.errors import UsageError
from dockerlab.lab.model import Address, Lab, Network, Pool, Subnet
from dockerlab.modes.parent import ParentNetwork

DEFAULT_V4 = IPv4Network("198.18.0.0/15")
"""Set aside for measurements of networks (RFC 2544), and so hardly ever routed anywhere."""

DEFAULT_V6 = IPv6Network("fd00:198:18::/48")
"""The same for IPv6: local addresses, of which each instance has some subnets of 64 bits."""

USUAL = {4: 24, 6: 64}
"""The size of a subnet where the definition names none, or a larger one than is needed."""

SPARE = 8
"""Addresses beside those of the lab's containers: the network's own, the gateway, and a few for trying things out."""

LITERAL = re.compile(r"(?<![\w.:])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])")

AnyNetwork = TypeVar("AnyNetwork", bound=Network)


@dataclass(frozen=True)
class Source:
    """From where the instances' subnets are taken."""

    v4: IPv4Network = DEFAULT_V4
    v6: IPv6Network = DEFAULT_V6

    def of(self, version: int) -> Subnet:
        """Return the range of an IP version."""
        return self.v4 if version == 4 else self.v6


@dataclass(frozen=True)
class Slot:
    """A place in every instance's block: for a subnet of the lab, or (`network`) for a network that names none."""

    prefix: int
    version: int
    old: Subnet | None = None
    network: str = ""


@dataclass(frozen=True)
class Moves:
    """Where the addresses of a lab are in one instance of it."""

    subnets: Mapping[Subnet, Subnet]
    given: Mapping[str, Subnet]
    """The subnets of networks that name none."""

    def address(self, address: Address) -> Address:
        """Return where an address is; one that is in no subnet of the lab stays."""
        for old, new in self.subnets.items():
            if address in old:
                return new.network_address + (int(address) - int(old.network_address))
        return address

    def subnet(self, subnet: Subnet) -> Subnet:
        """Return where a subnet, or a part of one, is."""
        if subnet in self.subnets:
            return self.subnets[subnet]
        return ip_network(f"{self.address(subnet.network_address)}/{subnet.prefixlen}")

    def text(self, text: str) -> str:
        """Return a text in which every IPv4 address is where it is now."""

        def moved(found: re.Match[str]) -> str:
            try:
                return str(self.address(ip_address(found[0])))
            except ValueError:
                return found[0]

        return LITERAL.sub(moved, text)

    def network(self, name: str, network: AnyNetwork) -> AnyNetwork:
        """Return a network with its subnets where they are; one on a LAN of its parent keeps them."""
        if shares_lan(network):
            return network
        own = (self.given[name],) if name in self.given else ()
        pools = tuple(self._pool(pool) for pool in network.ipam.config)
        return network.model_copy(
            update={
                "subnet": (*own, *map(self.subnet, network.subnet)),
                "gateway": tuple(map(self.address, network.gateway)),
                "ip_range": tuple(map(self.subnet, network.ip_range)),
                "ipam": network.ipam.model_copy(update={"config": pools}),
            }
        )

    def _pool(self, pool: Pool) -> Pool:
        aux = {key: self.address(address) for key, address in pool.aux_addresses.items()}
        return pool.model_copy(
            update={
                "subnet": self.subnet(pool.subnet),
                "gateway": None if pool.gateway is None else self.address(pool.gateway),
                "ip_range": None if pool.ip_range is None else self.subnet(pool.ip_range),
                "aux_addresses": aux,
            }
        )


def shares_lan(network: Network) -> bool:
    """Tell whether all have a network together: that of a LAN beyond the host, or one that is there already."""
    return network.external or (isinstance(network, ParentNetwork) and network.parent_interface is not None)


def moves(lab: Lab, number: int, source: Source) -> Moves:
    """Return where the addresses of a lab are in the instance of that number; raises UsageError where no room is."""
    slots = _slots(lab)
    subnets: dict[Subnet, Subnet] = {}
    given: dict[str, Subnet] = {}
    for version in (4, 6):
        ours = sorted((slot for slot in slots if slot.version == version), key=lambda slot: slot.prefix)
        for slot, subnet in zip(ours, _block(ours, number, source.of(version)), strict=True):
            if slot.old is None:
                given[slot.network] = subnet
            else:
                subnets[slot.old] = subnet
    return Moves(subnets, given)


def _block(slots: Sequence[Slot], number: int, source: Subnet) -> Iterator[Subnet]:
    """Yield a subnet of an instance's block for each slot, the largest slots first."""
    if not slots:
        return
    width = source.max_prefixlen
    total = sum(1 << (width - slot.prefix) for slot in slots)
    size = 1 << (total - 1).bit_length()
    room = source.num_addresses // size
    if number > room:
        raise UsageError(
            f"{source} has room for {room} instances of this lab, {size} addresses each, and one has number {number}: "
            "name a larger range with --subnets"
        )
    at = int(source.network_address) + (number - 1) * size
    kind = type(source.network_address)
    for slot in slots:
        yield ip_network(f"{kind(at)}/{slot.prefix}")
        at += 1 << (width - slot.prefix)


def _slots(lab: Lab) -> list[Slot]:
    """Return the places of a lab's subnets: one for equal ones, and for those of which one holds the other."""
    moving = {name: network for name, network in lab.networks.items() if not shares_lan(network)}
    found: list[Subnet] = []
    for subnet in sorted({p.subnet for n in moving.values() for p in n.pools}, key=lambda s: s.prefixlen):
        if not any(_within(subnet, larger) for larger in found):
            found.append(subnet)
    slots = [Slot(_prefix(lab, subnet, moving), subnet.version, subnet) for subnet in found]
    for name, network in moving.items():
        if not any(pool.subnet.version == 4 for pool in network.pools):
            prefix = min(USUAL[4], _fitting(32, _members(lab, [name]) + SPARE))
            slots.append(Slot(prefix, 4, network=name))
    return slots


def _prefix(lab: Lab, subnet: Subnet, moving: Mapping[str, Network]) -> int:
    """Return how large the new place of a subnet has to be: as it was, unless that is more than is usual and needed."""
    usual = USUAL[subnet.version]
    if subnet.prefixlen >= usual:
        return subnet.prefixlen
    here = [name for name, network in moving.items() if any(_within(p.subnet, subnet) for p in network.pools)]
    ends = [int(a) - int(subnet.network_address) + 2 for a in _spoken_of(lab, here, subnet)]
    needed = max([*ends, _members(lab, here) + SPARE])
    return max(subnet.prefixlen, min(usual, _fitting(subnet.max_prefixlen, needed)))


def _spoken_of(lab: Lab, networks: Iterable[str], subnet: Subnet) -> Iterator[Address]:
    """Yield the addresses in a subnet of which the definition speaks, and the last ones of its parts."""
    for name in networks:
        for pool in lab.networks[name].pools:
            parts = [pool.ip_range, pool.subnet if pool.subnet != subnet else None]
            addresses = [pool.gateway, *pool.aux_addresses.values()]
            addresses += [part.broadcast_address for part in parts if part is not None]
            yield from (address for address in addresses if address is not None and address in subnet)
        for spec in lab.containers.values():
            if name in spec.networks:
                yield from (address for address in spec.networks[name].addresses if address in subnet)


def _members(lab: Lab, networks: Iterable[str]) -> int:
    wanted = set(networks)
    return sum(1 for spec in lab.containers.values() if wanted & spec.networks.keys())


@cache
def _fitting(width: int, addresses: int) -> int:
    """Return the prefix of the smallest subnet with that many addresses."""
    return width - (addresses - 1).bit_length()


def _within(part: Subnet, whole: Subnet) -> bool:
    return part.version == whole.version and part.prefixlen >= whole.prefixlen and part.overlaps(whole)
