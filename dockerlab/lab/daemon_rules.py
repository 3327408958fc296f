"""What the engine would refuse of a host's `daemon` section, or take and then not be able to live with.

Each rule was seen on engines 20.10 and 28.5. Those that depend on the engine or on its host are in `daemon.preflight`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dockerlab.lab.daemon import AddressPool, Daemon
from dockerlab.lab.model import Lab
from dockerlab.lab.problem import KeyPath, Problem
from dockerlab.snapshot import MTU

USUAL_MTU = 1500
"""What a bridge network has of which nobody says it."""

SMALLEST = 30
"""The longest prefix of an IPv4 subnet with room for docker0 and a container."""

Wrong = tuple[str | int, str]
"""A key of the section, and what is wrong with its value."""


def daemons(lab: Lab) -> Iterable[Problem]:
    """Yield what is wrong with the settings of each host's engine, by themselves and with the rest of the lab."""
    for host, daemon in lab.daemons.items():
        path: KeyPath = ("hosts", host, "daemon")
        for key, message in (*_bridge(daemon), *_ipv6(daemon)):
            yield Problem((*path, key), message)
        for index, pool in enumerate(daemon.default_address_pools or ()):
            wrong = _pool(pool)
            if wrong is not None:
                yield Problem((*path, "default-address-pools", index, "size"), wrong)
        if daemon.default_address_pools and all(pool.base.version == 6 for pool in daemon.default_address_pools):
            yield Problem((*path, "default-address-pools"), "no pool is an IPv4 subnet, and docker0 needs one: add it")
        for key, message in _firewall(lab, host, daemon):
            yield Problem((*path, key), message)
        for key, message in _beside(lab, host, daemon):
            yield Problem((*path, key), message)


def misleading(lab: Lab) -> Iterable[Problem]:
    """Yield settings that the engine reads and that have no effect, or less than they seem to have."""
    for host, daemon in lab.daemons.items():
        for key, value in (
            ("bip6", daemon.bip6),
            ("fixed-cidr-v6", daemon.fixed_cidr_v6),
            ("default-gateway-v6", daemon.default_gateway_v6),
        ):
            if value is not None and not daemon.ipv6:
                message = "without effect, as docker0 has no IPv6 by itself: write `ipv6: true` beside it"
                yield Problem(("hosts", host, "daemon", key), message)
        others = list(_of_another_mtu(lab, host, daemon))
        if others:
            have = " and ".join(others) + (" has" if len(others) == 1 else " have")
            opts = f'driver_opts: {{{MTU}: "{daemon.mtu}"}}'
            message = f"is docker0's alone, and {have} {USUAL_MTU} bytes: say `{opts}` there as well"
            yield Problem(("hosts", host, "daemon", "mtu"), message)


def _of_another_mtu(lab: Lab, host: str, daemon: Daemon) -> Iterator[str]:
    """Yield the bridge networks of a host whose MTU nobody says, where docker0's is said (moby #34981)."""
    if daemon.mtu in (None, USUAL_MTU) or MTU in (daemon.default_network_opts or {}).get("bridge", {}):
        return
    for name, network in lab.networks.items():
        made = network.driver == "bridge" and not network.external and host in lab.hosts_of(name)
        if made and MTU not in network.driver_opts:
            yield name


def _bridge(daemon: Daemon) -> Iterator[Wrong]:
    """Yield what is wrong with docker0's addresses as far as the section alone tells."""
    if daemon.bip is None:
        return
    subnet, own = daemon.bip.network, daemon.bip.ip
    if subnet.prefixlen > SMALLEST:
        yield "bip", f"{subnet} has no room for docker0 and a container: write /{SMALLEST} or a shorter prefix"
        return
    first, last = subnet.network_address, subnet.broadcast_address
    ends = {first: "the address of the subnet itself", last: "its broadcast address"}
    if own in ends:
        yield "bip", f"{own} is {ends[own]}: write an address of docker0 in it, such as {subnet[1]}/{subnet.prefixlen}"
        return
    gateway = daemon.default_gateway
    if gateway is not None and gateway not in subnet:
        yield "default-gateway", f"{gateway} is not in {subnet}, the subnet of `bip`: the engine would not start"
    elif gateway == own:
        yield "default-gateway", f"{gateway} is docker0's own address, which is the default route anyway: leave it out"
    elif gateway in ends:
        yield "default-gateway", f"{gateway} is of no machine in {subnet}: the engine would not start"
    part = daemon.fixed_cidr
    if part is not None and not part.subnet_of(subnet):
        yield "fixed-cidr", f"{part} is not in {subnet}, the subnet of `bip`: no container could get an address"
    elif part is not None and part.prefixlen >= SMALLEST and set(part) <= {own, gateway, *ends}:
        yield "fixed-cidr", f"{part} has no address that is free for a container: write a larger part of {subnet}"


def _ipv6(daemon: Daemon) -> Iterator[Wrong]:
    """Yield what is wrong with docker0's IPv6, which counts only where it is wanted."""
    subnet, gateway = daemon.fixed_cidr_v6, daemon.default_gateway_v6
    if subnet is not None and subnet.is_multicast:
        yield "fixed-cidr-v6", f"{subnet} is for multicast: no machine can have an address of it"
    elif daemon.ipv6 and subnet is not None and subnet.prefixlen > 126:
        yield "fixed-cidr-v6", f"{subnet} has no room for docker0 and a container: write /126 or a shorter prefix"
    elif daemon.ipv6 and subnet is not None and gateway is not None and gateway not in subnet:
        yield (
            "default-gateway-v6",
            f"{gateway} is not in {subnet}, the `fixed-cidr-v6`: the engine refuses it",
        )


def _firewall(lab: Lab, host: str, daemon: Daemon) -> Iterator[Wrong]:
    """Yield what does not go together with the firewall that is wanted."""
    wide = [name for name, spec in lab.networks.items() if spec.driver == "overlay" and host in lab.hosts_of(name)]
    if daemon.firewall_backend == "nftables" and wide:
        yield "firewall-backend", f"network {wide[0]} needs a Swarm, which nftables is not for: write iptables"
    if daemon.iptables is False and daemon.icc is False:
        yield "icc", "the engine keeps no firewall rules (`iptables: false`), and `icc: false` is one: leave it out"
    versions = [each.version for each in daemon.host_gateway_ips or ()]
    if len(set(versions)) < len(versions):
        yield "host-gateway-ips", "there is one address of each IP version: leave one of the two out"


def _pool(pool: AddressPool) -> str | None:
    """Return what is wrong with a pool, or None."""
    longest = SMALLEST if pool.base.version == 4 else 126
    if pool.size < pool.base.prefixlen:
        return f"a subnet of /{pool.size} does not fit into {pool.base}: write {pool.base.prefixlen} or more"
    if pool.size > longest:
        return f"a subnet of /{pool.size} has no room for a gateway and a container: write {longest} or less"
    return None


def _beside(lab: Lab, host: str, daemon: Daemon) -> Iterator[Wrong]:
    """Yield what does not go together with the lab's networks on the host."""
    here = {name: spec for name, spec in lab.networks.items() if host in lab.hosts_of(name)}
    if daemon.live_restore and (wide := [name for name, spec in here.items() if spec.driver == "overlay"]):
        yield "live-restore", f"network {wide[0]} needs a Swarm on {host}, and an engine has either: leave it out"
    if daemon.bip is not None:
        for name, spec in here.items():
            for pool in spec.pools if spec.driver != "overlay" else ():
                if pool.subnet.version == 4 and pool.subnet.overlaps(daemon.bip.network):
                    yield "bip", f"{daemon.bip.network} overlaps with {pool.subnet} of network {name} on {host}"
