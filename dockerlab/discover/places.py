"""A container's networks: on which it is, by which addresses and names, and what of that somebody chose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, ip_address
from typing import Any

from dockerlab.discover.entry import Entry, Json
from dockerlab.discover.naming import legal
from dockerlab.discover.networks import Shared
from dockerlab.discover.secrets import revealing
from dockerlab.discover.subnets import by_swarm
from dockerlab.discover.wanted import owner_of
from dockerlab.lab.places import IFNAME
from dockerlab.snapshot import GATEWAY_BRIDGE, INGRESS, ContainerState, EndpointState, NetworkState, Snapshot
from dockerlab.versions import Engine, numbers

PREDEFINED = ("bridge", "host", "none")
FIXED = "chosen by the engine; fixed, for the engines of this LAN do not know of each other"


@dataclass(frozen=True)
class Surroundings:
    """What a container of a host stands among: the host's books, the networks of the definition, everybody's names."""

    snapshot: Snapshot
    networks: Sequence[Shared]
    names: Mapping[tuple[str, str], str]
    hosts: int = 1
    listening: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """The TCP ports on which somebody inside listens, by the ID of the container, as far as the kernel was seen."""

    @property
    def engine(self) -> Engine:
        """Return the host's engine."""
        return Engine(numbers(self.snapshot.engine_version))

    def network(self, name: str, identity: str = "") -> tuple[Shared, NetworkState] | None:
        """Return a network of the definition, and as this host has it, by its ID or else its name here."""
        host = self.snapshot.host
        own = [(shared, shared.members[host]) for shared in self.networks if host in shared.members]
        by_id = (each for each in own if identity and each[1].id == identity)
        by_name = (each for each in own if name in (each[1].name, each[1].id))
        return next(by_id, None) or next(by_name, None)


def stands(entry: Entry, container: ContainerState, around: Surroundings) -> None:
    """Note where a container's network is: its mode, or its networks with what is particular there."""
    mode = container.network_mode
    if mode.startswith("container:"):
        _joins(entry, container, around)
        return
    if mode in ("host", "none"):
        entry.data["network_mode"] = mode
        return
    places = dict(_places(entry, container, around))
    if not places:
        set_here = ((container.detail or {}).get("Config") or {}).get("MacAddress")
        if set_here and mode == "bridge" and not around.engine.keeps_made_mac:
            entry.put("mac_address", str(set_here))
        if mode not in ("", "bridge") or (container.endpoints.keys() - {"bridge"}):
            entry.data["network_mode"] = "none"
            entry.say("on no network that there still is", "network_mode")
        return
    if "bridge" in container.endpoints:
        entry.say("also on docker0, on which a definition's container is alone or not at all", "networks")
    notes = {path: texts for path, texts in entry.notes.items() if path[:1] == ("networks",) and len(path) > 1}
    entry.data["networks"] = list(places) if not any(places.values()) and not notes else places


def _joins(entry: Entry, container: ContainerState, around: Surroundings) -> None:
    owner = owner_of(around.snapshot, container)
    if owner is None:
        entry.data["network_mode"] = "none"
        entry.say(f"was in the network of container {container.network_mode[10:22]}, which is gone", "network_mode")
    else:
        entry.data["network_mode"] = f"container:{around.names[around.snapshot.host, owner.id]}"


def _places(entry: Entry, container: ContainerState, around: Surroundings) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a container's networks by the definition's names, the one that `docker run` was given first."""
    told = ((container.detail or {}).get("NetworkSettings") or {}).get("Networks") or {}
    mode = container.network_mode
    order = sorted(told, key=lambda name: (mode not in (name, (told[name] or {}).get("NetworkID")), name))
    for name in order:
        endpoint = told[name] or {}
        if name in (*PREDEFINED, INGRESS, GATEWAY_BRIDGE):
            continue
        found = around.network(name, str(endpoint.get("NetworkID") or ""))
        if found is None:
            there = around.snapshot.network(name)
            why = f"driver {there.driver}" if there is not None else "the network is gone"
            entry.say(f"also on network {name}, which is left out: {why}")
            continue
        shared, network = found
        yield shared.name, _place(entry, container, shared, network, endpoint, around)


def _place(
    entry: Entry, container: ContainerState, shared: Shared, network: NetworkState, told: Json, around: Surroundings
) -> dict[str, Any]:
    place: dict[str, Any] = {}
    asked = told.get("IPAMConfig") or {}
    held = container.endpoints.get(network.name) or EndpointState(network.name)
    for key, name in (("ip", "IPv4Address"), ("ip6", "IPv6Address")):
        if asked.get(name) and not by_swarm(str(asked[name]), shared.members.values()):
            place[key] = str(ip_address(str(asked[name])))
            if network.scope == "swarm":
                entry.say(f"the Swarm does not tell whether somebody asked for {place[key]}", "networks", shared.name)
    if shared.fixed and not place and held.addresses:
        for address in held.addresses:
            place["ip" if address.version == 4 else "ip6"] = str(address.ip)
        entry.say(FIXED, "networks", shared.name)
    aliases = list(_aliases(container, told, around))
    if aliases:
        place["aliases"] = aliases
    _further(entry, place, shared.name, told, _mac(container, network, held, told, around.engine))
    return place


def _further(entry: Entry, place: dict[str, Any], name: str, told: Json, mac: str | None) -> None:
    """Note the rarer words about a place on a network."""
    asked = told.get("IPAMConfig") or {}
    further = {
        "mac_address": mac,
        "gw_priority": told.get("GwPriority") or None,
        "link_local_ips": list(asked.get("LinkLocalIPs") or ()) or None,
        "interface_name": (told.get("DriverOpts") or {}).get(IFNAME),
        "driver_opts": _options(told) or None,
    }
    place |= {key: value for key, value in further.items() if value is not None}
    if told.get("Links"):
        entry.say(f"also on {name}: linked (--link) to {', '.join(map(str, told['Links']))}")


def _options(told: Json) -> dict[str, str]:
    options = sorted((told.get("DriverOpts") or {}).items())
    return {str(k): str(v) for k, v in options if k != IFNAME and not revealing(k, str(v))}


def _aliases(container: ContainerState, told: Json, around: Surroundings) -> Iterator[str]:
    """Yield the names that somebody gave: not the container's own, nor the ID that engines add by themselves.

    Who has another name in the definition keeps the one by which the others look for it.
    """
    name = around.names[around.snapshot.host, container.id]
    hostname = str(((container.detail or {}).get("Config") or {}).get("Hostname") or "")
    own = {container.id[:12], name, hostname}
    if name != container.name:
        yield container.name
    else:
        own.add(container.name)
    seen = set(own) | {container.name}
    for alias in told.get("Aliases") or ():
        if alias not in seen:
            seen.add(alias)
            yield str(alias)


def _mac(
    container: ContainerState, network: NetworkState, held: EndpointState, told: Json, engine: Engine
) -> str | None:
    """Return the MAC address that somebody set at a place, None for one that the engine made, or where nothing tells.

    An engine keeps what `docker run` was told (`Config.MacAddress`). What `docker network connect` was told shows where
    what an engine makes follows from the IPv4 address (libnetwork, `GenerateMACFromIP`), and not where it draws one. A
    child of ipvlan has its parent's.
    """
    config = (container.detail or {}).get("Config") or {}
    mac = str(told.get("MacAddress") or "")
    if config.get("MacAddress") and container.network_mode in (network.name, network.id) and not engine.keeps_made_mac:
        return str(config["MacAddress"])
    if not mac or network.driver == "ipvlan":
        return None
    if not held.addresses and not container.running:
        return mac  # what does not run has only what it was told
    first = next((address.ip for address in held.addresses if isinstance(address.ip, IPv4Address)), None)
    if first is None or not engine.mac_by_address:
        return None
    made = "02:42:" + ":".join(f"{byte:02x}" for byte in first.packed)
    return None if mac == made else mac


def hostname(entry: Entry, container: ContainerState) -> None:
    """Note a name that a container has for itself, where it is not the engine's choice or the namespace's owner's."""
    if container.network_mode == "host" or container.network_mode.startswith("container:"):
        return
    told = str(((container.detail or {}).get("Config") or {}).get("Hostname") or "")
    if told and told != container.id[:12]:
        entry.data["hostname"] = told


def renamed(entry: Entry, container: ContainerState, name: str, host: str) -> None:
    """Say by which other name a container goes on its host."""
    if name != container.name:
        why = "" if legal(container.name) == container.name else ", a name that a definition cannot have"
        entry.say(f"called {container.name} on {host}{why}")
