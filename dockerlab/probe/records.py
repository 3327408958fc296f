"""The forms of what an agent says: it runs on a host that may belong to whoever is judged by it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypedDict

from dockerlab.probe.base import Probe


class Entered(TypedDict):
    """A place whose network namespace the agent is in."""

    namespace: int


class Shut(TypedDict):
    """A place that it could not enter."""

    error: str


def entered(place: Entered | Shut | None) -> int | str:
    """Return the namespace of a place, or why it is not known."""
    told: Mapping[str, object] = place or {}
    found = told.get("namespace", told.get("error"))
    return found if isinstance(found, int | str) else "it was not told whether it could be entered"


class Ready(TypedDict):
    """The agent listens everywhere."""

    event: Literal["ready"]
    kernel: str
    places: dict[str, Entered | Shut]


class Failed(TypedDict):
    """The agent cannot run there."""

    event: Literal["failed"]
    reason: str


class Working(TypedDict):
    """Cells of its own are still under way."""

    event: Literal["working"]


class Done(TypedDict):
    """Every cell of its own is settled."""

    event: Literal["done"]


class Numbered(TypedDict):
    """What every record has: whose it is."""

    number: int


class Marked(Numbered, total=False):
    """What the tries of a ping were known by, in hexadecimal digits."""

    marks: list[list[int | str]]


class Untested(Numbered):
    """It could not be asked."""

    outcome: Literal["untested"]
    error: str


class Served(Numbered, total=False):
    """Who was asked for a name."""

    server: str


class Errno(Served):
    """The kernel refused."""

    outcome: Literal["errno"]
    errno: str


class Silent(Marked):
    """It was sent, and nothing came; of a name, who was asked."""

    outcome: Literal["silent"]
    server: str


class Said(TypedDict):
    """What a router says of a packet."""

    kind: str
    code: int
    version: Literal[4, 6]
    by: str


class Icmp(Marked, Said):
    """A router refused."""

    outcome: Literal["icmp"]


class Doubted(Marked, total=False):
    """What a ping may have more: tries that were lost, and what became of a packet of full size."""

    lost: list[int]
    tries: int
    full: str | Said
    size: int


class Echoed(Doubted):
    """It was answered: after how many ms, and which try."""

    outcome: Literal["answered"]
    rtt: float
    attempt: int


class Opened(Numbered):
    """A connection was made; how it began, where the kernel tells that."""

    outcome: Literal["answered"]
    rtt: float
    began: int | None


class Accepted(Opened, total=False):
    """One that ended with us: whether nothing that we sent after its first packet was acknowledged."""

    unheard: bool


class Led(Opened):
    """One that was to be led on: whether the far end ended it."""

    closed: bool


class Timed(Numbered, total=False):
    """After how many ms; a name in a file has none."""

    rtt: float


class LookedUp(Timed):
    """A name server, or the hosts file, has told."""

    outcome: Literal["answered"]
    rcode: int
    addresses: list[str]
    server: str


class Report(TypedDict):
    """All that the agent saw."""

    event: Literal["report"]
    cells: list[Numbered]
    arrivals: list[list[int | str]]
    missed: list[list[int]]
    overflows: int
    numbers: list[int]
    knocks: list[list[int]]
    deaf: list[list[int | str]]
    delivered: list[list[int]]
    unseen: list[list[int | str]]
    proxies: list[int]


class Arrival(NamedTuple):
    """A try of a cell that came to a namespace, and the mark that it had."""

    cell: int
    attempt: int
    namespace: int
    mark: str


RECORDS: dict[Probe, object] = {
    "ping": Echoed | Icmp | Errno | Silent | Untested,
    "tcp": Accepted | Errno | Silent | Untested,
    "dns": LookedUp | Errno | Silent | Untested,
}
"""The form of a record, by what was asked."""

LED: object = Led | Errno | Silent | Untested
"""That of a connection which whoever accepts it may have to lead on."""
