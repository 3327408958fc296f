"""Routes of every table, the rules that choose a table, and neighbours."""

from __future__ import annotations

from dataclasses import dataclass

from dockerlab.kernel.addresses import IpAddress, IpNetwork

MAIN, LOCAL, DEFAULT = "main", "local", "default"


@dataclass(frozen=True, slots=True)
class Hop:
    """One next hop of a route: by which interface, and to which router (None: what is sent there is on-link).

    `alive` is False where the kernel leaves it out, because its interface is down (`dead`; a carrier it need not have).
    """

    device: str
    via: IpAddress | None = None
    alive: bool = True


@dataclass(frozen=True, slots=True)
class Route:
    """One route; `kind` is the kernel's word: `unicast`, `local`, `broadcast`, `blackhole`, `unreachable`, `prohibit`.

    `destination` of a default route is the whole of its IP version. `source` is the address that the kernel sends from
    when it takes the route, None where it is left to choose. `text` is the route as `ip route show` prints it.
    """

    destination: IpNetwork
    kind: str = "unicast"
    table: str = MAIN
    hops: tuple[Hop, ...] = ()
    source: IpAddress | None = None
    metric: int = 0
    scope: str = ""
    protocol: str = ""
    text: str = ""

    @property
    def version(self) -> int:
        """Return the IP version."""
        return self.destination.version


@dataclass(frozen=True, slots=True)
class Selector:
    """A rule of `ip rule`: which packets look into which table, in the order of `priority`.

    `action` is `table` (with `table`), `goto`, `blackhole`, `unreachable`, `prohibit` or `nop`. `mark` is the value and
    the mask of the firewall's mark. `strict` are the conditions that nobody here can evaluate, as `ip` words them.
    `suppress` is the prefix length up to which what the table says is ignored, None where nothing is.
    """

    version: int
    priority: int
    action: str = "table"
    table: str = MAIN
    source: IpNetwork | None = None
    destination: IpNetwork | None = None
    incoming: str = ""
    outgoing: str = ""
    mark: tuple[int, int] | None = None
    protocol: str = ""
    ports: tuple[int, int] | None = None
    source_ports: tuple[int, int] | None = None
    negated: bool = False
    suppress: int | None = None
    goto: int = 0
    strict: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An entry of the neighbour table that somebody fixed (`permanent`, or a proxy): `mac` is empty for a proxy."""

    address: IpAddress
    device: str
    mac: str = ""
    proxy: bool = False
