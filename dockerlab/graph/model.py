"""What is drawn: hosts with what hangs from what, the networks that join them, and what lies beyond.

Every node has an identity of its own, such as `container:web` or `bridge:vm0/app`; links are between identities. The
three formats draw the same model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

GroupKind = Literal["bridge", "overlay", "parent", "dummy", "none", "host"]

Exit = Literal["nat", "routed", "shut", ""]
"""How packets leave a group: masqueraded, with their own address, not at all; empty: it has no bridge to leave by."""

LinkKind = Literal["veth", "macvlan", "ipvlan", "overlay", "exit", "wire"]


@dataclass(frozen=True)
class Box:
    """A container and its network namespace; `joined` are the containers that share it."""

    id: str
    name: str
    mode: str
    lines: tuple[str, ...] = ()
    joined: tuple[Box, ...] = ()


@dataclass(frozen=True)
class Bar:
    """Something that others are plugged into: a bridge, an interface of a host, an overlay, a LAN."""

    id: str
    name: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    """The containers of one host that hang side by side from the same thing.

    `id` is the identity of what they hang from. `bar` is the bridge that they are ports of, None where they hang from a
    parent interface or from nothing. `nic` is the identity of the interface below. `published` are the ports of the
    host that lead into the group.
    """

    id: str
    kind: GroupKind
    boxes: tuple[Box, ...] = ()
    bar: Bar | None = None
    nic: str = ""
    exit: Exit = ""
    published: tuple[str, ...] = ()


@dataclass(frozen=True)
class HostFrame:
    """One host: its groups from left to right, and its interfaces, the one of the default route first."""

    id: str
    name: str
    lines: tuple[str, ...]
    groups: tuple[Group, ...]
    nics: tuple[Bar, ...]


@dataclass(frozen=True)
class Beyond:
    """Something that is no part of the lab's hosts, such as a router; `behind` is the node that it is reached by."""

    id: str
    name: str
    lines: tuple[str, ...]
    behind: str


@dataclass(frozen=True)
class Link:
    """What is plugged into what: `source` into `target`."""

    source: str
    target: str
    kind: LinkKind
    label: str = ""


@dataclass(frozen=True)
class Picture:
    """A whole lab; `aliases` say which node answers for a target of the matrix, such as a bridge for its gateway."""

    lab: str
    title: str
    machines: tuple[HostFrame, ...]
    overlays: tuple[Bar, ...]
    lans: tuple[Bar, ...]
    beyond: tuple[Beyond, ...]
    links: tuple[Link, ...]
    notes: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)

    def boxes(self) -> Iterator[tuple[HostFrame, Group, Box]]:
        """Yield every container that has a namespace of its own, with where it is."""
        for machine in self.machines:
            for group in machine.groups:
                for box in group.boxes:
                    yield machine, group, box

    def edges(self) -> Iterator[tuple[str, str, LinkKind, str]]:
        """Yield all links for a format that draws nodes and edges: an overlay is joined to its hosts' interfaces."""
        nics = {machine.id: machine.nics[0].id for machine in self.machines}
        for link in self.links:
            yield link.source, nics.get(link.target, link.target), link.kind, link.label
        yield from ((beyond.behind, beyond.id, "wire", "") for beyond in self.beyond if beyond.behind)

    def attached(self, overlay: str) -> tuple[str, ...]:
        """Return the identities of the hosts that an overlay spans."""
        return tuple(link.target for link in self.links if link.source == overlay)


MODES: Mapping[GroupKind, str] = {
    "bridge": "bridge: a switch in the host's kernel",
    "overlay": "overlay: the containers' way out is docker_gwbridge",
    "parent": "on the parent interface, with no bridge and no NAT",
    "dummy": "on an interface that leads nowhere",
    "none": "none: isolated, the loopback interface alone",
    "host": "host mode: the host's own network",
}
"""The kinds of groups in words."""
