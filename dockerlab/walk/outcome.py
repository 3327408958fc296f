"""What became of a packet and of its answer, step by step, each with the object of a host that decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from dockerlab.kernel.addresses import IpAddress
from dockerlab.kernel.model import Link, Listener, Proxy
from dockerlab.kernel.routes import Neighbour, Route, Selector
from dockerlab.kernel.rules import Chain, Rule
from dockerlab.words import Symptom

Kind = Literal[
    "rule", "policy", "route", "ip-rule", "link", "address", "neighbour", "sysctl", "socket", "proxy", "none"
]
Subject = Rule | Chain | Route | Selector | Link | Neighbour | Listener | Proxy | None

End = Literal[
    "delivered",
    "dropped",
    "rejected",
    "no route",
    "no neighbour",
    "lost on the wire",
    "refused",
    "left",
    "martian",
    "too big",
]
"""How a packet's way ends. `left`: handed to a router that is on none of the hosts; `refused`: nobody listens there, or
a docker-proxy accepts and finds nobody behind it.
"""


class SpaceId(NamedTuple):
    """A network namespace among all hosts: the host's name, and the number of the namespace there."""

    host: str
    space: int


@dataclass(frozen=True, slots=True)
class Element:
    """An object of a kernel that decides: its kind, where it stands in a person's words, and its text.

    `where` is `filter FORWARD 3`, `filter INPUT policy`, `nft inet fw forward 3`, `table 100`, `net.ipv4.ip_forward`,
    `eth0`. `subject` is the thing itself.
    """

    kind: Kind
    where: str
    text: str = ""
    subject: Subject = None


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to a packet, in a namespace, and the object that decided it.

    `what` is one of a few words (`route`, `neighbour`, `rule`, `policy`, `translated`, `delivered`, `sent`,
    `dropped`, …); `says` is the step in plain words for a person. Of a `neighbour`, `link` is the interface by which
    the packet leaves, `to` the namespace that takes it, and `came_by` the interface there. `beneath` tells that it
    happened to the datagram in which a tunnel carries the packet.
    """

    at: SpaceId
    what: str
    says: str
    element: Element | None = None
    link: str = ""
    to: SpaceId | None = None
    came_by: str = ""
    beneath: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request and of the answer to it.

    `reachable` is None where it depends on something that cannot be known: `doubt` says on what. `end` is how the
    request ended or, where it was delivered and `answered` is False, how its answer did. `at` is the namespace where
    that was, `by` the object that decided it. `seen_from` is the source address that the request bears at its end,
    `arrived` the namespace that took it, behind any translation. `router` is whom a packet that left was handed to,
    on which LAN (`lan`). `topic` is what kind of thing was walked both ways where `doubt` says so: `rule`, `target`,
    `branch`, `policy`, …; empty where the doubt is about the way's end.
    """

    reachable: bool | None
    end: End
    at: SpaceId
    by: Element | None = None
    steps: tuple[Step, ...] = ()
    back: tuple[Step, ...] = ()
    answered: bool = True
    arrived: SpaceId | None = None
    seen_from: IpAddress | None = None
    symptom: Symptom | None = None
    router: IpAddress | None = None
    lan: str = ""
    doubt: str = ""
    topic: str = ""
