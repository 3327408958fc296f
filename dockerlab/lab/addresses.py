"""Addresses that contradict each other: a network's pools, the fixed addresses in them, and pools that overlap."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from dockerlab.lab.model import Address, Lab, Network, Pool, Subnet
from dockerlab.lab.problem import KeyPath, Problem


def network_addresses(lab: Lab) -> Iterable[Problem]:
    """Yield every gateway, range and reserved address that does not lie in its network's subnet."""
    for name, network in lab.networks.items():
        path: KeyPath = ("networks", name)
        subnets = ", ".join(str(subnet) for subnet in network.subnet)
        outside = f"is not in {subnets}" if subnets else "needs a `subnet` that it lies in"
        gateways: set[Subnet] = set()
        for index, gateway in enumerate(network.gateway):
            home = next((subnet for subnet in network.subnet if gateway in subnet), None)
            if home is None:
                yield Problem((*path, "gateway", index), f"gateway {gateway} {outside}")
            elif home in gateways:
                yield Problem((*path, "gateway", index), f"gateway {gateway} is the second in {home}: one is enough")
            else:
                gateways.add(home)
        for index, part in enumerate(network.ip_range):
            if not any(_contains(subnet, part) for subnet in network.subnet):
                yield Problem((*path, "ip_range", index), f"ip_range {part} {outside}")
        for index, pool in enumerate(network.ipam.config):
            yield from _long_form(pool, (*path, "ipam", "config", index))


def _long_form(pool: Pool, path: KeyPath) -> Iterable[Problem]:
    if pool.gateway is not None and pool.gateway not in pool.subnet:
        yield Problem((*path, "gateway"), f"gateway {pool.gateway} is not in {pool.subnet}")
    if pool.ip_range is not None and not _contains(pool.subnet, pool.ip_range):
        yield Problem((*path, "ip_range"), f"ip_range {pool.ip_range} is not in {pool.subnet}")
    for key, address in pool.aux_addresses.items():
        if address not in pool.subnet:
            yield Problem((*path, "aux_addresses", key), f"{address} is not in {pool.subnet}")


def fixed_addresses(lab: Lab) -> Iterable[Problem]:
    """Yield every fixed address that an engine would refuse, and each that two containers have on one network."""
    taken: dict[tuple[str, Address], str] = {}
    for name, spec in lab.containers.items():
        for network, place in spec.networks.items():
            for key, address in (("ip", place.ip), ("ip6", place.ip6)):
                if address is None:
                    continue
                path: KeyPath = ("containers", name, "networks", network, key)
                other = taken.setdefault((network, address), name)
                if other != name:
                    yield Problem(path, f"{address} is the address of {other} on {network} already: choose another")
                wrong = _refusal(address, network, lab.networks[network])
                if wrong is not None:
                    yield Problem(path, wrong)


def _refusal(address: Address, name: str, network: Network) -> str | None:
    """Return why an engine would give no container this address on a network, or None."""
    pools = [pool for pool in network.pools if pool.subnet.version == address.version]
    if not pools and network.external:
        return None  # its subnet, only its host tells
    if not pools:
        return f"a fixed address needs an IPv{address.version} `subnet` at the network {name}, or the engine refuses it"
    pool = next((pool for pool in pools if address in pool.subnet), None)
    if pool is None:
        return f"{address} is not in {' or '.join(str(pool.subnet) for pool in pools)}, the subnet of {name}"
    role = _roles(name, pool, internal=network.internal).get(address)
    return None if role is None else f"{address} is {role}: choose another"


def _roles(name: str, pool: Pool, *, internal: bool) -> dict[Address, str]:
    """Return the addresses of a pool that no container can have, with what each is."""
    roles: dict[Address, str] = {address: f"reserved in {name} as {key}" for key, address in pool.aux_addresses.items()}
    if pool.gateway is not None:
        roles[pool.gateway] = f"the gateway of {name}"
    if pool.subnet.version == 4 and pool.subnet.prefixlen < 31:
        if pool.gateway is None and not internal:
            roles[_first(pool)] = f"what the engine takes for the gateway of {name}, as no `gateway` is given"
        roles[pool.subnet.network_address] = f"the address of the subnet {pool.subnet} itself"
        roles[pool.subnet.broadcast_address] = f"the broadcast address of {pool.subnet}"
    return roles


def _first(pool: Pool) -> Address:
    """Return the address that an engine takes for the gateway where none is given."""
    start = (pool.ip_range or pool.subnet).network_address
    return start + 1 if start == pool.subnet.network_address else start


def overlaps(lab: Lab) -> Iterable[Problem]:
    """Yield every subnet that overlaps with another network's on a host: an engine refuses the second."""
    told: set[tuple[str, str]] = set()
    for name, network in lab.networks.items():
        subnets = _subnets(network)
        for (path, subnet), (other_path, other) in ((a, b) for i, a in enumerate(subnets) for b in subnets[:i]):
            if subnet.overlaps(other) and path != other_path:
                yield Problem(("networks", name, *path), f"{subnet} overlaps with {other} of the same network")
    on: dict[str, list[str]] = {host: [] for host in lab.hosts}
    for name in lab.networks:
        for host in lab.hosts_of(name):
            on[host].append(name)
    alike = {tuple(here): host for host, here in reversed(on.items())}
    for here, host in reversed(alike.items()):  # of hosts with the same networks, the first speaks for all
        yield from _overlaps_on(lab, host, here, told)


def _overlaps_on(lab: Lab, host: str, here: Iterable[str], told: set[tuple[str, str]]) -> Iterable[Problem]:
    """Yield what overlaps on one host; `told` are the pairs of networks of which it is known already."""
    pools = chain.from_iterable(((n, p, s) for p, s in _subnets(lab.networks[n])) for n in here)
    # In the order of their first addresses, what overlaps with anything overlaps with the furthest-reaching before.
    furthest: tuple[str, Subnet] | None = None
    order = {name: number for number, name in enumerate(lab.networks)}
    where = {}
    for name, path, subnet in sorted(pools, key=lambda item: (item[2].version, int(item[2].network_address))):
        where[name, subnet] = path
        if furthest is not None and furthest[0] != name and subnet.overlaps(furthest[1]):
            (first, one), (second, two) = sorted([furthest, (name, subnet)], key=lambda item: order[item[0]])
            if (first, second) not in told:
                told.add((first, second))
                message = f"{two} overlaps with {one} of the network {first} on host {host}: the engine refuses it"
                yield Problem(("networks", second, *where[second, two]), message)
        if furthest is None or subnet.version != furthest[1].version or _end(subnet) > _end(furthest[1]):
            furthest = (name, subnet)


def _subnets(network: Network) -> list[tuple[KeyPath, Subnet]]:
    short: list[tuple[KeyPath, Subnet]] = [(("subnet", index), subnet) for index, subnet in enumerate(network.subnet)]
    long: list[tuple[KeyPath, Subnet]] = [
        (("ipam", "config", index, "subnet"), pool.subnet) for index, pool in enumerate(network.ipam.config)
    ]
    return short + long


def _end(subnet: Subnet) -> int:
    return int(subnet.broadcast_address)


def _contains(subnet: Subnet, part: Subnet) -> bool:
    return subnet.version == part.version and subnet.overlaps(part) and subnet.prefixlen <= part.prefixlen
