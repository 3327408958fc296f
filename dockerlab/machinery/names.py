"""What the bridges, subnets and addresses of a host stand for: networks and containers by their names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dockerlab.kernel.model import Namespace
from dockerlab.machinery.model import Machinery


@dataclass(frozen=True)
class Names:
    """Words for what rules and routes name: interfaces by name, subnets and addresses (with `/32`) by place."""

    interfaces: Mapping[str, str]
    places: Mapping[str, str]

    def interface(self, name: str) -> str:
        """Return an interface with what it is, such as `br-9abf64f1af9b (network app)`."""
        meaning = self.interfaces.get(name)
        return _told(name, None if meaning == f"network {name}" else meaning)

    def place(self, place: str) -> str:
        """Return an address or subnet with whose it is, such as `172.30.0.2 (web)`."""
        return _told(place.removesuffix("/32").removesuffix("/128"), self.places.get(place))


def _told(what: str, meaning: str | None) -> str:
    return f"{what} ({meaning})" if meaning else what


def names_of(machine: Machinery) -> Names:
    """Return what the interfaces and addresses of a host stand for, as its engine has it."""
    interfaces: dict[str, str] = {}
    places: dict[str, str] = {}
    by_id = {container.id: container.name for container in machine.containers}
    for network in machine.networks:
        if network.bridge:
            interfaces[network.bridge] = f"network {network.name}"
        places |= {str(subnet): f"network {network.name}" for subnet in network.subnets}
        for identity, member in network.members.items():
            if identity in by_id:
                places[whole(str(member.ip))] = by_id[identity]
    for container in machine.containers:
        for endpoint in container.endpoints.values():
            places |= {whole(str(address.ip)): container.name for address in endpoint.addresses}
    for space in machine.kernel.namespaces:
        interfaces |= _cables(machine, space)
    return Names(interfaces, places)


def owner_of(machine: Machinery, space: Namespace) -> str | None:
    """Return the name of the container that a namespace was made for, and not of those that joined it."""
    there = machine.dwellers(space)
    own = [container.name for container in there if not container.network_mode.startswith("container:")]
    return next((name for name in (*own, *(container.name for container in there))), None)


def _cables(machine: Machinery, inside: Namespace) -> dict[str, str]:
    """Return for each of the host's veths that lead into a namespace of containers whose cable it is."""
    owner = owner_of(machine, inside)
    if inside.host or owner is None:
        return {}
    ends = {link.peer: link for link in inside.links if link.kind == "veth"}
    return {
        link.name: f"the cable to {ends[link.index].name} of {owner}"
        for link in machine.ground.links
        if link.kind == "veth" and link.index in ends and ends[link.index].index == link.peer
    }


def whole(address: str) -> str:
    """Return an address as a place of its own."""
    return f"{address}/128" if ":" in address else f"{address}/32"
