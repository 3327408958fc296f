"""What a host's `daemon` section promises its containers, held against what each of them really has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address

from dockerlab.errors import HostError
from dockerlab.facts import Facts
from dockerlab.hosts.base import Host
from dockerlab.kernel.addresses import IpInterface
from dockerlab.lab.daemon import Daemon
from dockerlab.lab.model import Lab
from dockerlab.modes.bridge import DEFAULT
from dockerlab.snapshot import ICC, Snapshot
from dockerlab.survey import Seen
from dockerlab.survey import inside as containers
from dockerlab.survey.inside import Inside
from dockerlab.verify.verdicts import Checked, Verdict


def promises(lab: Lab, seen: Seen, hosts: Mapping[str, Host]) -> tuple[Checked, ...]:
    """Return a check for each thing that the definition promises by setting something of an engine."""
    found: list[Checked] = []
    for host, daemon in lab.daemons.items():
        snapshot, facts = seen.snapshots[host], seen.facts[host]
        found += _engine(daemon, snapshot, facts)
        found += _pools(lab, daemon, snapshot)
        names = [name for name, spec in lab.on_host(host).items() if spec.mode == DEFAULT and not spec.networks]
        inside = _look(hosts[host], snapshot, names)
        for name in names:
            own = bool(lab.containers[name].dns)
            found += _container(host, name, inside[name], [w for w in _wanted(daemon) if not (own and w.rule == "dns")])
    return tuple(found)


@dataclass(frozen=True)
class Wanted:
    """One promise to every container on docker0: by which key, in words, what of the container shows it, and a test."""

    rule: str
    expected: str
    shows: Callable[[Inside], Iterable[object]]
    holds: Callable[[Inside], bool]
    because: str


def _wanted(daemon: Daemon) -> Iterator[Wanted]:
    part = daemon.fixed_cidr or (daemon.bip.network if daemon.bip is not None else None)
    if part is not None:
        yield _range("fixed-cidr" if daemon.fixed_cidr is not None else "bip", part)
    if daemon.ipv6 and daemon.fixed_cidr_v6 is not None:
        yield _range("fixed-cidr-v6", daemon.fixed_cidr_v6)
    gateway = daemon.default_gateway or (daemon.bip.ip if daemon.bip is not None else None)
    if gateway is not None:
        why = "" if daemon.default_gateway is not None else ", docker0's own address as no default-gateway is given"
        yield _route("default-gateway" if daemon.default_gateway is not None else "bip", str(gateway), why)
    if daemon.ipv6 and daemon.default_gateway_v6 is not None:
        yield _route("default-gateway-v6", str(daemon.default_gateway_v6), "")
    if daemon.mtu is not None:
        mtu = daemon.mtu
        yield Wanted(
            "mtu", f"an MTU of {mtu} bytes", _mtus, lambda i: set(_mtus(i)) == {mtu},
            "the engine gives every cable of docker0 this MTU",
        )  # fmt: skip
    if daemon.dns is not None:
        servers = tuple(str(server) for server in daemon.dns)
        yield Wanted(
            "dns", f"the name servers {', '.join(servers)}",
            lambda i: i.nameservers, lambda i: i.nameservers == servers,
            "on docker0 the engine writes them into /etc/resolv.conf, where the container names none of its own",
        )  # fmt: skip


def _mtus(inside: Inside) -> list[int]:
    return [link.mtu for link in inside.links if link.up]


def _range(rule: str, part: IPv4Network | IPv6Network) -> Wanted:
    def of_version(inside: Inside) -> list[IpInterface]:
        held = (address for link in inside.links for address in link.addresses)
        return [a for a in held if a.version == part.version and not a.ip.is_link_local]

    def holds(inside: Inside) -> bool:
        return bool(of_version(inside)) and all(a.ip in part for a in of_version(inside))

    return Wanted(
        rule, f"an address in {part}", of_version, holds, "the engine gives docker0's addresses out from there"
    )


def _route(rule: str, gateway: str, why: str) -> Wanted:
    version, expected = ip_address(gateway).version, f"the default route via {gateway}"
    because = f"the engine makes {gateway} the default route of docker0's containers{why}"
    return Wanted(
        rule, expected, lambda i: i.gateways(version), lambda i: i.gateways(version) == (gateway,), because
    )  # fmt: skip


def _container(host: str, name: str, inside: Inside | str, wanted: Iterable[Wanted]) -> Iterator[Checked]:
    subject = f"container {name}"
    for each in wanted:
        if isinstance(inside, str):
            yield Checked(host, subject, each.rule, each.expected, inside, "unknown", each.because)
            continue
        shown = ", ".join(map(str, each.shows(inside))) or "none"
        yield Checked(host, subject, each.rule, each.expected, shown, _verdict(holds=each.holds(inside)), each.because)


def _verdict(*, holds: bool) -> Verdict:
    return "pass" if holds else "fail"


def _engine(daemon: Daemon, snapshot: Snapshot, facts: Facts) -> Iterator[Checked]:
    """Yield what the host and its engine say of themselves."""
    nic = facts.ground.link("docker0")
    if daemon.bip is not None:
        shown = ", ".join(map(str, nic.addresses)) if nic is not None else "no docker0"
        verdict = _verdict(holds=nic is not None and daemon.bip in nic.addresses)
        why = "docker0 is the bridge that the engine makes for itself, with this address"
        yield Checked(facts.host, "docker0", "bip", f"the address {daemon.bip}", shown, verdict, why)
    if daemon.icc is not None:
        network = snapshot.network(DEFAULT)
        said = network.options.get(ICC, "true") if network is not None else "no network bridge"
        word = str(daemon.icc).lower()
        why = "the engine's own word on docker0; the cells between its containers show what it does"
        verdict = _verdict(holds=said == word)
        yield Checked(facts.host, "docker0", "icc", f"enable_icc {word}", said, verdict, why)
    if daemon.live_restore is not None:
        word, said = (str(value).lower() for value in (daemon.live_restore, snapshot.live_restore))
        why = "the engine's own word on what becomes of containers while it restarts"
        verdict = _verdict(holds=said == word)
        yield Checked(facts.host, "engine", "live-restore", f"live-restore {word}", said, verdict, why)


def _pools(lab: Lab, daemon: Daemon, snapshot: Snapshot) -> Iterator[Checked]:
    """Yield whether the networks that name no subnet have one from the pools."""
    pools = daemon.default_address_pools
    if pools is None:
        return
    expected = "a subnet in " + " or ".join(f"{pool.base} (/{pool.size})" for pool in pools)
    for name, spec in lab.networks.items():
        if spec.pools or spec.driver not in ("bridge", "macvlan", "ipvlan") or snapshot.host not in lab.hosts_of(name):
            continue
        network = snapshot.network(name)
        subnets = network.subnets if network is not None else ()
        fits = [any(_from(subnet, pool.base, pool.size) for pool in pools) for subnet in subnets]
        shown = ", ".join(map(str, subnets)) or "the network is not there"
        why = "a network that names no subnet gets one from the engine's pools"
        verdict = _verdict(holds=bool(fits) and all(fits))
        yield Checked(snapshot.host, f"network {name}", "default-address-pools", expected, shown, verdict, why)


def _from(subnet: IPv4Network | IPv6Network, base: IPv4Network | IPv6Network, size: int) -> bool:
    inside = subnet.version == base.version and subnet.overlaps(base)
    return inside and subnet.prefixlen >= size >= base.prefixlen


def _look(host: Host, snapshot: Snapshot, names: Iterable[str]) -> dict[str, Inside | str]:
    """Return what each container has, or why that cannot be told."""
    told: dict[str, Inside | str] = {}
    pids: dict[str, int] = {}
    for name in names:
        state = snapshot.container(name)
        if state is None or not state.running:
            told[name] = (
                "the container is not there" if state is None else f"the container does not run ({state.status})"
            )
        else:
            pids[name] = state.pid
    if not pids:
        return told
    try:
        found = containers.look(host, pids.values())
    except HostError as error:
        return {**told, **dict.fromkeys(pids, f"could not be looked at: {error}")}
    return {**told, **{name: _seen(found[pid]) for name, pid in pids.items()}}


def _seen(found: Inside | str) -> Inside | str:
    """Return what there is, or that root is what it takes."""
    return f"could not be looked at, which takes root on the host: {found}" if isinstance(found, str) else found
