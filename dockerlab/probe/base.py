"""What is probed, and what came of it: the contract between the matrix and every prober."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, Protocol

from dockerlab.words import Symptom

Probe = Literal["ping", "tcp", "dns"]
State = Literal["reachable", "unreachable", "unknown"]

TIMEOUT: Final = "timeout"
NO_ROUTE: Final = "no route"
HOST_UNREACHABLE: Final = "host unreachable"
REFUSED: Final = "refused"
NO_SUCH_NAME: Final = "no such name"
WRONG_ANSWERER: Final = "wrong answerer"
REPLY_LOST: Final = "reply lost"
BLOCKED: Final = "blocked"
MTU: Final = "mtu"
FLAKY: Final = "flaky"
REFUSED_BEHIND: Final = "refused behind docker-proxy"


class Place(NamedTuple):
    """A network namespace to probe from or to.

    `container` is None for the host itself; its `pid` is then 1, the host's init, or 0 for the namespace that the
    host's commands run in. A container that borrows its namespace names the owner in `shares`: the owner's container
    id, or `host`.
    """

    host: str
    container: str | None
    pid: int
    container_id: str = ""
    shares: str = ""

    @property
    def namespace(self) -> tuple[str, str]:
        """Return what is equal for two places exactly if they are one namespace, as far as the engine tells."""
        return (self.host, self.shares or ("host" if self.container is None else self.container_id))

    def __str__(self) -> str:
        return f"host {self.host}" if self.container is None else f"{self.container} on {self.host}"


class Behind(NamedTuple):
    """A container's port that a host's published one leads to."""

    place: Place
    port: int


@dataclass(frozen=True)
class Cell:
    """Ask one question: does `source` reach `address` with this probe, and is it `target` that answers.

    `target` is None where nobody of the lab is meant (a router, an outside target). `bearers` are then those of the lab
    that hold the address all the same, None where that is not known: nobody else of the lab may answer. A `dns` cell
    looks `name` up with the source's own resolver; `expected` holds the addresses that the name may have, and `address`
    is not used.

    `silent` tells that no answer is predicted: silence is then believed sooner. `full` asks for a ping that is answered
    to be repeated with a full-size packet. `behind` is given for a published port of a host: who accepts there does so
    for these, and it is reachable only when one of them took the connection.
    """

    number: int
    source: Place
    target: Place | None
    address: str
    probe: Probe
    port: int | None = None
    name: str | None = None
    expected: tuple[str, ...] = ()
    silent: bool = False
    full: bool = False
    behind: tuple[Behind, ...] | None = None
    bearers: tuple[Place, ...] | None = None


@dataclass(frozen=True)
class Observation:
    """What was seen for one cell; `unknown` means that it could not be tested, and `detail` says why.

    `witness` is a host other than the source's that saw the cell's packets come, by what only their sender knew; empty
    where the source's host alone says what was seen.
    """

    state: State
    symptom: Symptom | None = None
    rtt_ms: float | None = None
    detail: str = ""
    witness: str = ""


def reachable(rtt_ms: float | None = None, detail: str = "", witness: str = "") -> Observation:
    """Return the observation of a cell that was answered by the right one."""
    return Observation("reachable", None, rtt_ms, detail, witness)


def unreachable(symptom: Symptom, detail: str = "") -> Observation:
    """Return the observation of a cell that was really tested and failed."""
    return Observation("unreachable", symptom, None, detail)


def unknown(detail: str) -> Observation:
    """Return the observation of a cell that could not be tested."""
    return Observation("unknown", None, None, detail)


class Prober(Protocol):
    """Anything that can observe cells."""

    @property
    def name(self) -> str:
        """Return the prober's name in reports."""
        ...

    def observe(self, cells: Sequence[Cell]) -> dict[int, Observation]:
        """Probe every cell and return one observation for each cell's number."""
        ...
