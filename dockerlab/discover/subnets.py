"""A network's subnets: which of them somebody chose, and which addresses; the others are the engine's own choice."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address, ip_network
from typing import Any

from dockerlab.discover.entry import Entry, Json
from dockerlab.discover.secrets import revealing
from dockerlab.kernel.addresses import IpNetwork
from dockerlab.snapshot import NetworkState

ON_PARENT = ("macvlan", "ipvlan")
V4_POOLS = ((ip_network("172.16.0.0/12"), 16), (ip_network("192.168.0.0/16"), 20))
SWARM_POOL = ip_network("10.0.0.0/16")
"""Where engines take subnets from that nobody named, and how long these are (libnetwork, `ipamutils`: 172.17 to 172.31,
then 192.168); a Swarm takes 10.0.0.0/24 and so on, in turn."""
ULA = ip_network("fd00::/8")


def addresses(entry: Entry, state: NetworkState, detail: Json, *, addressed: bool) -> None:
    """Note the subnets that somebody chose, each with its gateway, its range, and what is reserved in it."""
    ipam = detail.get("IPAM") or {}
    pools, chosen = [], []
    for config in ipam.get("Config") or ():
        if not config.get("Subnet"):
            continue
        if not addressed and _by_engine(state, config):
            chosen.append(config["Subnet"])
        else:
            pools.append(config)
    if chosen:
        entry.say(f"{' and '.join(map(str, chosen))} here, which the engine chose")
    driver = str(ipam.get("Driver") or "default")
    options = {str(key): str(value) for key, value in sorted((ipam.get("Options") or {}).items())}
    for key in [key for key, value in options.items() if revealing(key, value)]:
        entry.say(f"left out, as it looks like a secret: the option {key} of the address driver")
        del options[key]
    if driver not in ("default", "null") or options or any(_reserved(config) for config in pools):
        long: dict[str, Any] = {"driver": driver} if driver != "default" else {}
        if pools:
            long["config"] = [_long(state, config) for config in pools]
        if options:
            long["options"] = options
        entry.data["ipam"] = long
        return
    entry.put("subnet", _one([str(config["Subnet"]) for config in pools]))
    entry.put("gateway", _one([g for config in pools if (g := _gateway(state, config))]))
    entry.put("ip_range", _one([str(config["IPRange"]) for config in pools if config.get("IPRange")]))


def _long(state: NetworkState, config: Json) -> dict[str, Any]:
    found: dict[str, Any] = {"subnet": str(config["Subnet"])}
    if gateway := _gateway(state, config):
        found["gateway"] = gateway
    if config.get("IPRange"):
        found["ip_range"] = str(config["IPRange"])
    if _reserved(config):
        found["aux_addresses"] = _reserved(config)
    return found


def _reserved(config: Json) -> dict[str, str]:
    told = config.get("AuxiliaryAddresses") or config.get("AuxAddress") or {}
    return {str(key): str(value) for key, value in sorted(told.items())}


def _one(items: list[str]) -> str | list[str] | None:
    return None if not items else items[0] if len(items) == 1 else items


def _gateway(state: NetworkState, config: Json) -> str | None:
    """Return the gateway that somebody named; a Swarm writes down the one that it takes by itself."""
    told = str(config.get("Gateway") or "").partition("/")[0]
    return None if not told or (state.scope == "swarm" and told == _first(config)) else told


def _first(config: Json) -> str:
    """Return the address that an engine takes for the gateway where nobody names one."""
    start = ip_network(str(config.get("IPRange") or config["Subnet"]), strict=False)
    whole = ip_network(str(config["Subnet"]), strict=False)
    lowest = start.network_address
    return str(lowest + 1 if lowest == whole.network_address else lowest)


def _by_engine(state: NetworkState, config: Json) -> bool:
    """Tell whether a subnet is one that the engine would choose, and names its gateway as only then it does."""
    gateway = str(config.get("Gateway") or "").partition("/")[0]
    if config.get("IPRange") or _reserved(config) or gateway != _first(config) or state.driver in ON_PARENT:
        return False
    subnet: IpNetwork = ip_network(str(config["Subnet"]), strict=False)
    if subnet.version == 6:
        return subnet.prefixlen == 64 and subnet[0] in ULA and _drawn(subnet)
    if state.scope == "swarm":
        return subnet.prefixlen == 24 and subnet[0] in SWARM_POOL
    return any(subnet.prefixlen == size and subnet[0] in pool for pool, size in V4_POOLS)


def by_swarm(address: str, members: Collection[NetworkState]) -> bool:
    """Tell whether an address on a network, as its hosts have it, is one that a Swarm gave by itself.

    A Swarm writes that down as if somebody had asked for it. It gives the lowest that are free in turn, and takes one
    or two for itself on each host.
    """
    networks = [state for state in members if state.scope == "swarm"]
    subnet = next((each for state in networks for each in state.subnets if ip_address(address) in each), None)
    if subnet is None:
        return False
    there = sum(len(state.containers) for state in networks)
    return int(ip_address(address)) - int(subnet.network_address) <= 2 + 2 * len(networks) + there


def _drawn(subnet: IpNetwork) -> bool:
    """Tell whether the 40 bits behind `fd` are drawn by a machine: nobody writes five bytes without a zero by hand."""
    return all(subnet.network_address.packed[1:6])
