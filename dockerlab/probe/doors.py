"""Tell who took a connection that a host accepted for somebody behind it, from what was seen at both.

NAT leads a connection to a published port on to the container; a docker-proxy accepts it, and makes one of its own. It
is reachable when a container took one or the other. A pure function of the agents' records.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dockerlab.probe.base import REFUSED_BEHIND, TIMEOUT, Behind, Cell, Observation, Place, unknown, unreachable
from dockerlab.probe.knocks import ANSWERED, REFUSED, USED
from dockerlab.probe.reported import HostRecords, NamespaceId

UNPROVEN = unknown("accepted, but it was not seen who behind it took the connection")
"""What is to be asked again, more patiently."""

MIXED = unknown("accepted, but of several such connections at once only some were taken: not told which")
"""What is to be asked again, apart from the others."""


class Doors:
    """Which connections arrived where they lead to; `namespace` names a place's, or says why that is not known."""

    def __init__(
        self,
        cells: Sequence[Cell],
        records: Mapping[str, HostRecords],
        namespace: Callable[[Place], NamespaceId | str],
    ) -> None:
        self._namespace = namespace
        self._records = records
        self._numbers = frozenset(number for record in records.values() for number in record.numbers)
        self._knocks: dict[tuple[NamespaceId, int], dict[int, int]] = {}
        for host, record in records.items():
            for identity, port, number, what in record.knocks:
                self._knocks.setdefault(((host, identity), port), {})[number] = what
        accepted = ((cell, records.get(cell.source.host)) for cell in cells if cell.behind is not None)
        found = ((cell, record.cells.get(cell.number)) for cell, record in accepted if record is not None)
        self._by_proxy = Counter(
            frozenset(cell.behind or ())
            for cell, record in found
            if record is not None and record["outcome"] == "answered" and not self._led_on(cell, record)
        )

    def judge(self, cell: Cell, record: Mapping[str, Any], *, last: bool) -> Observation | None:
        """Return what is to be said of an accepted connection, or None where a container behind the door took it.

        Without `last`, what was not seen may be UNPROVEN: the connection was hardly waited for.
        """
        if self._led_on(cell, record):
            return None
        blind = self._blind(cell, record)
        if blind is not None:
            return unknown(f"accepted by {cell.target}; who behind it took the connection is not known: {blind}")
        fates = self._others(cell)
        taken = sum(1 for what in fates if what & ANSWERED and what & USED)
        waiting = sum(count for behind, count in self._by_proxy.items() if behind & frozenset(cell.behind or ()))
        if taken and taken >= waiting:
            return None
        if not last:
            return UNPROVEN
        return MIXED if taken else self._nobody(cell, fates, closed=record["closed"])

    def _led_on(self, cell: Cell, record: Mapping[str, Any]) -> bool:
        """Tell whether the connection itself was answered at a container behind the door."""
        began = record.get("began")
        return began is not None and any(self._seen(one).get(began, 0) & ANSWERED for one in cell.behind or ())

    def _seen(self, behind: Behind) -> Mapping[int, int]:
        """Return what was seen of connections to one container's port, by the number that each began with."""
        home = self._namespace(behind.place)
        return {} if isinstance(home, str) else self._knocks.get((home, behind.port), {})

    def _others(self, cell: Cell) -> list[int]:
        """Return what became of the connections behind the door that are none of ours: a proxy's own."""
        return [
            what for one in cell.behind or () for began, what in self._seen(one).items() if began not in self._numbers
        ]

    def _blind(self, cell: Cell, record: Mapping[str, Any]) -> str | None:
        """Return why it cannot be told whether a container took the connection, or None."""
        if record.get("began") is None:
            return f"the kernel of {cell.source} does not tell how a connection began"
        for place, _ in cell.behind or ():
            home = self._namespace(place)
            if isinstance(home, str):
                return home
            if home[1] in self._records[home[0]].deaf:
                return f"{place}: {self._records[home[0]].deaf[home[1]]}"
        return None

    def _nobody(self, cell: Cell, fates: Sequence[int], *, closed: bool) -> Observation:
        """Return how a connection ended that nobody behind the door took."""
        whose = " or ".join(f"{place} (port {port})" for place, port in cell.behind or ()) or "any container"
        host = cell.target.host if cell.target is not None else ""
        proxied = host in self._records and cell.port in self._records[host].proxies
        if any(what & REFUSED for what in fates):
            why = f"nothing listens at {whose}"
        elif any(what & ANSWERED for what in fates):
            why = f"the answer of {whose} does not come back to it"
        elif fates:
            why = f"its connection to {whose} is not answered"
        else:
            why = f"no connection of its own came to {whose}"
        if closed or proxied:
            return unreachable(REFUSED_BEHIND, f"{cell.target} accepts, but {why}")
        return unreachable(
            TIMEOUT, f"the kernel of {cell.target} accepts, but no program takes the connection: none came to {whose}"
        )
