"""The lab laid over kernels: in which namespace everybody lives, and which addresses and names they go by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from dockerlab.kernel.addresses import IpAddress
from dockerlab.kernel.model import Namespace
from dockerlab.lab.model import Lab
from dockerlab.snapshot import Snapshot
from dockerlab.versions import Engine
from dockerlab.walk.compiled import Fabric
from dockerlab.walk.outcome import SpaceId

Place = tuple[str, str]
"""A network, and its host; that is empty for a network of the whole Swarm."""


@dataclass(frozen=True)
class Resolver:
    """Whom a namespace asks for names: Docker's DNS for those on `networks`, and `servers` for all others.

    `through_host` tells that Docker's DNS puts these questions from the host's namespace, not from the container's.
    """

    networks: frozenset[str] = frozenset()
    servers: tuple[IpAddress, ...] = ()
    through_host: bool = False


@dataclass(frozen=True)
class People:
    """Who there is, by the engines' books: `of` is the owner of everybody's namespace, which may be a host.

    `addresses` are those of each container and host, with the network of each. `gateways` are the addresses that the
    containers of a network on a host have as their way out, or the host's own there. `named` are the addresses of all
    who have a name on a network, `known_on` the networks on which Docker's DNS knows a container and answers it, in the
    order in which it asks them.
    """

    of: Mapping[str, str]
    addresses: Mapping[str, tuple[tuple[str, IpAddress], ...]]
    gateways: Mapping[Place, IpAddress]
    resolvers: Mapping[str, Resolver]
    named: Mapping[tuple[Place, str], tuple[str, ...]]
    known_on: Mapping[str, tuple[Place, ...]]

    def heard_by(self, name: str) -> frozenset[str]:
        """Return the names that are known on any of the networks on which Docker's DNS answers somebody."""
        return frozenset[str]().union(*(self._heard_on.get(place, ()) for place in self.known_on.get(name, ())))

    @cached_property
    def _heard_on(self) -> Mapping[Place, set[str]]:
        found: dict[Place, set[str]] = {}
        for place, name in self.named:
            found.setdefault(place, set()).add(name)
        return found

    @cached_property
    def texts(self) -> Mapping[str, frozenset[str]]:
        """Return the addresses of each container and host as names give them."""
        return {name: frozenset(str(address) for _, address in held) for name, held in self.addresses.items()}


@dataclass(frozen=True)
class World:
    """A lab, the engines' books on it, and the kernels below; `homes` are the namespaces of containers and hosts.

    Who has none, because it does not run or could not be read, is in `homeless`, with the reason.
    """

    lab: Lab
    books: Mapping[str, Snapshot]
    fabric: Fabric
    homes: Mapping[str, SpaceId]
    people: People
    homeless: Mapping[str, str] = field(default_factory=dict)
    unsettled: frozenset[str] = frozenset()
    """The hosts whose engines' settings could not be read: what these decide is not known."""
    engines: Mapping[str, Engine] = field(default_factory=dict)
    """What would make the lab, by host; empty for kernels as they are, whoever made them so."""

    @cached_property
    def names(self) -> Mapping[SpaceId, str]:
        """Return who lives in each namespace: a host, or the container that it was made for."""
        owners = {self.people.of.get(name, name) for name in self.homes}
        return {home: name for name, home in self.homes.items() if name in owners}

    def space(self, name: str) -> Namespace | None:
        """Return the namespace of a container or host, or None for one that has none."""
        home = self.homes.get(name)
        return None if home is None else self.fabric.net.machines[home.host].space(home.space)
