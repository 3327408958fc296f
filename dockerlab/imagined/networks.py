"""A network as an engine has it that made it by its definition, and in what another one differs from that."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from ipaddress import ip_address, ip_network
from types import MappingProxyType

from dockerlab import modes
from dockerlab.kernel.addresses import IpAddress, IpNetwork
from dockerlab.lab.daemon import Daemon
from dockerlab.lab.model import Network
from dockerlab.modes.bridge import DEFAULT
from dockerlab.modes.parent import ParentNetwork
from dockerlab.snapshot import BINDING, BRIDGE_NAME, GATEWAY_BRIDGE, ICC, MASQUERADE, MTU, VXLAN_IDS, NetworkState

NO_OPTIONS: Mapping[str, str] = MappingProxyType({})

BRIDGES = {DEFAULT: "docker0", GATEWAY_BRIDGE: GATEWAY_BRIDGE}
"""The networks that an engine makes by itself, with the name of their interface."""

DEFAULTS = {
    "macvlan_mode": "bridge",
    "ipvlan_mode": "l2",
    "ipvlan_flag": "bridge",
    ICC: "true",
    MASQUERADE: "true",
    BINDING: "0.0.0.0",  # noqa: S104 - the driver's, to be read and not bound
    MTU: "1500",
}
"""Options that some engines write down though nobody gave them."""


def network(
    name: str, spec: Network | None, real: NetworkState | None, others: Mapping[str, NetworkState], daemon: Daemon
) -> NetworkState:
    """Return a network of one host: the real one where that is as its definition says, else what should be there.

    Of a real one that is otherwise, the ID and the subnet that the engine chose are kept. `spec` is None for a network
    of the engine's own; `others` are those that the host has by name, which a new one must not overlap with.
    """
    given = given_by(daemon, spec)
    if real is not None and right(spec, real, given):
        return replace(real, gateways=_gateways(spec, real))
    same = real if real is not None and spec is not None and real.driver == spec.driver else None
    made = _made(name, spec, same, _free(daemon, others.values(), 17 if name == DEFAULT else 18), len(others))
    return replace(made, options={**given, **made.options})


def around(spec: Network, fixed: Collection[IpAddress]) -> Network:
    """Return a network of elsewhere that nobody has seen: its subnets hold the fixed addresses that containers have.

    How large they are is not known; a /24, or a /64, is taken where that holds all of them.
    """
    if not spec.external or spec.pools or not fixed:
        return spec
    subnets = []
    for version, length in ((4, 24), (6, 64)):
        addresses = [address for address in fixed if address.version == version]
        if addresses:
            subnet = ip_network(f"{addresses[0]}/{length}", strict=False)
            while not all(address in subnet for address in addresses):
                subnet = subnet.supernet()
            subnets.append(subnet)
    return spec.model_copy(update={"subnet": tuple(subnets)})


def wide(name: str, spec: Network, real: NetworkState | None, number: int) -> NetworkState:
    """Return a network of a whole Swarm, the number-th of the lab from 1 on: the real one where that is right."""
    if real is not None and right(spec, real):
        return replace(real, gateways=_gateways(spec, real))
    return replace(_made(name, spec, real, iter([ip_network(f"10.0.{number}.0/24")]), number), scope="swarm")


def docker0(real: NetworkState | None, others: Mapping[str, NetworkState], daemon: Daemon) -> NetworkState:
    """Return docker0 by what the definition says of the host's engine, and else as it is, or as an engine makes it."""
    state = network(DEFAULT, None, real, others, daemon)
    options = dict(state.options)
    if daemon.icc is not None:
        options[ICC] = str(daemon.icc).lower()
    pairs = list(zip(state.subnets, state.gateways, strict=False))
    if daemon.bip is not None:
        pairs = [(daemon.bip.network, str(daemon.bip.ip)), *(pair for pair in pairs if pair[0].version == 6)]
    if daemon.mtu is not None:
        options[MTU] = str(daemon.mtu)
    if daemon.ip is not None:
        options[BINDING] = str(daemon.ip)
    if daemon.ipv6 and (daemon.bip6 is not None or daemon.fixed_cidr_v6 is not None):
        pairs = [pair for pair in pairs if pair[0].version == 4]
        if daemon.bip6 is not None:
            pairs.append((daemon.bip6.network, str(daemon.bip6.ip)))
        elif daemon.fixed_cidr_v6 is not None:
            pairs.append((daemon.fixed_cidr_v6, str(daemon.fixed_cidr_v6[1])))
    if daemon.bip is None and not daemon.ipv6:
        return replace(state, options=options)
    return replace(state, options=options, subnets=tuple(s for s, _ in pairs), gateways=tuple(g for _, g in pairs))


def _made(
    name: str, spec: Network | None, real: NetworkState | None, free: Iterator[IpNetwork], index: int
) -> NetworkState:
    subnets: list[IpNetwork] = [pool.subnet for pool in spec.pools] if spec is not None else []
    chosen = [subnet for subnet in (real.subnets if real is not None else ()) if subnet.version == 4]
    if not any(subnet.version == 4 for subnet in subnets) and (spec is None or spec.enable_ipv4 is not False):
        subnets.insert(0, chosen[0] if chosen else next(free))
    options = wanted_options(spec) if spec is not None else {}
    if name in BRIDGES:
        options[BRIDGE_NAME] = BRIDGES[name]
    made = NetworkState(
        id=real.id if real is not None else f"{index:02}{name}".ljust(64, "0"),
        name=name,
        driver=spec.driver if spec is not None else "bridge",
        labels=real.labels if real is not None else {},
        internal=spec is not None and spec.internal,
        subnets=tuple(subnets),
        options=options,
    )
    return replace(made, gateways=_gateways(spec, made))


def _gateways(spec: Network | None, state: NetworkState) -> tuple[str, ...]:
    """Return the gateway of each subnet: the engine's word, the definition's, or the first address that there is.

    An engine does not tell all that it has chosen by itself: 28.5 names the gateway only where somebody else named it.
    """
    pools = {pool.subnet: pool for pool in spec.pools} if spec is not None else {}
    found = []
    for subnet in state.subnets:
        pool = pools.get(subnet)
        told = next((gateway for gateway in state.gateways if ip_address(gateway) in subnet), None)
        named = pool.gateway if pool is not None else None
        start = pool.ip_range if pool is not None and pool.ip_range is not None else subnet
        found.append(told or str(named or (start[0] if start[0] != subnet[0] else start[1])))
    return tuple(found)


def _free(daemon: Daemon, others: Iterable[NetworkState], first: int) -> Iterator[IpNetwork]:
    """Yield the engine's default pools that overlap with none of its networks; docker0 gets 172.17, others go on."""
    used: Collection[IpNetwork] = [subnet for state in others for subnet in state.subnets if subnet.version == 4]
    own = daemon.default_address_pools or ()
    cut = (part for pool in own if pool.base.version == 4 for part in pool.base.subnets(new_prefix=pool.size))
    pools = (ip_network(f"172.{number}.0.0/16") for number in range(first, 32))
    more = (ip_network(f"192.168.{number * 16}.0/20") for number in range(16))
    for pool in cut if own else (*pools, *more):
        if not any(pool.overlaps(subnet) for subnet in used):
            yield pool


def given_by(daemon: Daemon, spec: Network | None) -> Mapping[str, str]:
    """Return the options that an engine gives to a network by its own settings, where the network says nothing."""
    return (daemon.default_network_opts or {}).get(spec.driver, {}) if spec is not None else {}


def right(spec: Network | None, state: NetworkState, given: Mapping[str, str] = NO_OPTIONS) -> bool:
    """Tell whether a network is as its definition has it; one of the engine's own always is.

    `given` are the options that the engine gives to a network of which they are not said.
    """
    return spec is None or not any(unlike(spec, state, given))


def unlike(spec: Network, state: NetworkState, given: Mapping[str, str] = NO_OPTIONS) -> Iterator[str]:
    """Yield in what a network differs from its definition, each as what is said of it."""
    if state.driver != spec.driver:
        yield f"has driver {state.driver}, and the lab wants {spec.driver}"
        return
    wanted = tuple(pool.subnet for pool in spec.pools)
    if wanted and set(wanted) != set(state.subnets):
        yield f"has subnet {listed(state.subnets)}, and the lab wants {listed(wanted)}"
    gateways = tuple(str(pool.gateway) for pool in spec.pools if pool.gateway is not None)
    held = _gateways(None, state) if state.driver == "bridge" else state.gateways
    if not set(gateways) <= set(held):
        has = f"gateway {listed(held)}" if held else "no gateway"
        yield f"has {has}, and the lab wants {listed(gateways)}"
    told = not spec.external or "internal" in spec.model_fields_set
    if told and spec.internal != state.internal:
        words = {True: "internal", False: "not internal"}
        yield f"is {words[state.internal]}, and the lab wants it {words[spec.internal]}"
    if modes.for_driver(spec.driver).scope == "swarm" and state.attachable is False:
        yield "is not attachable: containers that no service started cannot join it"
    options = wanted_options(spec)
    for option, value in options.items():
        if state.options.get(option) != value:
            yield f"has {_option(option, state.options.get(option))}, and the lab wants {value}"
    # What the lab does not say is the driver's default: whoever has set it has changed what the network does.
    known = modes.for_driver(spec.driver).options
    for option in sorted(state.options.keys() - options.keys()) if not spec.external else ():
        telling = option in known and option not in (BRIDGE_NAME, VXLAN_IDS)
        if telling and state.options[option] not in (DEFAULTS.get(option), given.get(option)):
            yield f"has {_option(option, state.options[option])}, of which the lab says nothing"


def wanted_options(spec: Network) -> dict[str, str]:
    """Return the driver's options that a network is made with, also those that have a key of their own."""
    options = dict(spec.driver_opts)
    if isinstance(spec, ParentNetwork) and spec.parent is not None:
        options["parent"] = spec.parent
    for key in ("macvlan_mode", "ipvlan_mode"):
        value = getattr(spec, key, None)
        if value is not None:
            options[key] = str(value)
    return options


def _option(name: str, value: str | None) -> str:
    short = name.rpartition(".")[2]
    return f"no {short}" if value is None else f"{short} {value}"


def listed(items: Iterable[object]) -> str:
    """Return things in a line, with commas between them."""
    return ", ".join(map(str, items))
