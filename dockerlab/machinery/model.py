"""What one look at a host saw of Docker's networks: the engine's objects beside the kernel's state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dockerlab.kernel.model import Machine, Namespace
from dockerlab.snapshot import ContainerState, NetworkState


@dataclass(frozen=True)
class Machinery:
    """The engine's word and the kernel's, of one moment; the processes of containers join the two.

    `listed` tells whether the engine named its containers and networks: only then is what is not here not there.
    `resolvers` are the contents of resolv.conf by the ID of the container. `unread` says what could not be seen of
    either, and why.
    """

    kernel: Machine
    engine: str = ""
    backend: str = "iptables"
    listed: bool = False
    containers: tuple[ContainerState, ...] = ()
    networks: tuple[NetworkState, ...] = ()
    resolvers: Mapping[str, str] = field(default_factory=dict)
    unread: tuple[str, ...] = ()

    @property
    def host(self) -> str:
        """Return the host's name."""
        return self.kernel.host

    @property
    def ground(self) -> Namespace:
        """Return the host's own namespace; an empty one where that is not known."""
        return self.kernel.ground

    def container(self, name: str) -> ContainerState | None:
        """Return the container of that name, or None."""
        return next((each for each in self.containers if each.name == name), None)

    def home(self, container: ContainerState) -> Namespace | None:
        """Return the namespace in which a container lives, or None where that is not known."""
        return self.kernel.home(container.pid) if container.pid else None

    def dwellers(self, space: Namespace) -> tuple[ContainerState, ...]:
        """Return the containers that live in a namespace."""
        return tuple(each for each in self.containers if each.pid and each.pid in space.pids)
