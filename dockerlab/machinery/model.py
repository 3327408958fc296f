"""What a host shows of its networks, as plain data: made by `parse`, joined by `strands`, compared by `changes`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dockerlab.snapshot import ContainerState, NetworkState


@dataclass(frozen=True)
class Link:
    """A network interface. `kind` is the kernel's word (`veth`, `bridge`, `macvlan`, …), empty for plain hardware.

    `peer` is the index of what it is plugged into: the other end of a veth, the parent of a macvlan. `away` tells that
    this is in another namespace. `master` is the name of the bridge whose port it is. `info` holds what its kind adds.
    """

    index: int
    name: str
    kind: str = ""
    mac: str = ""
    mtu: int = 0
    state: str = ""
    peer: int = 0
    away: bool = False
    master: str = ""
    addresses: tuple[str, ...] = ()
    info: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Forward:
    """Where a VXLAN sends frames for a MAC address: the address of another host."""

    mac: str
    device: str
    to: str


@dataclass(frozen=True)
class Listener:
    """A socket that waits for connections or datagrams, and the processes that hold it, as far as they can be seen."""

    protocol: str
    address: str
    port: int
    holders: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class Namespace:
    """One network namespace (`id` is its inode), with what is in it; `containers` are the IDs of who lives there.

    `unread` says what could not be read there, and why; `deaf`, why it is not known who listens there.
    """

    id: int
    host: bool = False
    paths: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    routes: tuple[str, ...] = ()
    forwards: tuple[Forward, ...] = ()
    listeners: tuple[Listener, ...] = ()
    unread: tuple[str, ...] = ()
    deaf: str = ""

    def link(self, name: str) -> Link | None:
        """Return the interface of that name, or None."""
        return next((link for link in self.links if link.name == name), None)

    def ports(self, bridge: str) -> tuple[str, ...]:
        """Return the names of the interfaces that are ports of a bridge."""
        return tuple(link.name for link in self.links if link.master == bridge)


@dataclass(frozen=True)
class Match:
    """One condition of a rule: an option with its values, perhaps negated."""

    option: str
    values: tuple[str, ...] = ()
    negated: bool = False

    @property
    def value(self) -> str:
        """Return the first value, or an empty text for an option without one."""
        return self.values[0] if self.values else ""


@dataclass(frozen=True)
class Rule:
    """One rule of the firewall; `number` is its place in the chain, as `iptables -L --line-numbers` counts.

    `text` is the rule as `iptables-save` prints it. `target` is what happens to what all `matches` fit, with `options`
    that say more; it is empty for a rule that only counts.
    """

    family: int
    table: str
    chain: str
    number: int
    text: str
    matches: tuple[Match, ...] = ()
    target: str = ""
    options: tuple[Match, ...] = ()


@dataclass(frozen=True)
class Policy:
    """What becomes of packets that come to the end of a chain of the kernel's own; `-` for a chain that is Docker's."""

    family: int
    table: str
    chain: str
    verdict: str


@dataclass(frozen=True)
class Firewall:
    """The rules and chains of a host; `families` are those (4, 6) whose rules could be read, be they none."""

    rules: tuple[Rule, ...] = ()
    policies: tuple[Policy, ...] = ()
    families: tuple[int, ...] = ()


@dataclass(frozen=True)
class Proxy:
    """A docker-proxy: a process that takes connections to a published port and hands them on."""

    pid: int
    protocol: str
    address: str
    port: int
    to: str
    to_port: int


@dataclass(frozen=True)
class Machine:
    """Everything that one look at a host saw; `unread` says what it could not see, and why.

    `listed` tells whether the engine named its containers and networks: only then is what is not here not there.
    `resolvers` are the contents of resolv.conf by the ID of the container; `settings` are the kernel's, by their path.
    """

    host: str
    root: bool = False
    kernel: str = ""
    engine: str = ""
    backend: str = "iptables"
    listed: bool = False
    containers: tuple[ContainerState, ...] = ()
    networks: tuple[NetworkState, ...] = ()
    namespaces: tuple[Namespace, ...] = ()
    firewall: Firewall = Firewall()
    proxies: tuple[Proxy, ...] = ()
    resolvers: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    unread: tuple[str, ...] = ()

    @property
    def ground(self) -> Namespace:
        """Return the host's own namespace; an empty one where that is not known."""
        return next((space for space in self.namespaces if space.host), Namespace(0, host=True))

    def container(self, name: str) -> ContainerState | None:
        """Return the container of that name, or None."""
        return next((each for each in self.containers if each.name == name), None)

    def home(self, container: str) -> Namespace | None:
        """Return the namespace in which the container of that ID lives, or None where that is not known."""
        return next((space for space in self.namespaces if container in space.containers), None)
