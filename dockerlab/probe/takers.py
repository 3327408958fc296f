"""Tell who took a connection, from what the kernels on both sides saw of it.

A pure function of the agents' records. Whoever a connection is led to may accept it. Its target took it when the
target's own kernel was given the packet with the number that only who began it knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dockerlab.probe.base import WRONG_ANSWERER, Cell, Observation, Place, reachable, unknown, unreachable
from dockerlab.probe.reported import HostRecords, NamespaceId


class Takers:
    """Which namespaces were given which connections; `namespace` names a place's, or says why that is not known."""

    def __init__(
        self,
        records: Mapping[str, HostRecords],
        namespace: Callable[[Place], NamespaceId | str],
        names: Callable[[set[NamespaceId]], str],
        strange: Callable[[Cell, set[NamespaceId]], bool],
    ) -> None:
        self._records = records
        self._namespace = namespace
        self._names = names
        self._strange = strange
        self._given: dict[int, set[NamespaceId]] = {}
        for host, record in records.items():
            for identity, number in record.delivered:
                self._given.setdefault(number, set()).add((host, identity))

    def judge(self, cell: Cell, record: Mapping[str, Any]) -> Observation | None:
        """Return what is to be said of an accepted connection, or None where the kernels did not tell."""
        number = record.get("began")
        given = self._given.get(number, set()) if number is not None else set()
        if cell.target is None and self._strange(cell, given):
            return unreachable(WRONG_ANSWERER, f"connected, but {self._names(given)} took the connection")
        if cell.target is None:
            return reachable(record["rtt"])
        target = self._namespace(cell.target)
        if isinstance(target, str):
            return unknown(f"connected, but the target cannot be recognised: {target}")
        if target in given:
            return reachable(record["rtt"], witness=target[0] if target[0] != cell.source.host else "")
        if number is None or target[1] in self._records[target[0]].unseen:
            return None
        who = f"{self._names(given)} took the connection" if given else f"it never came to {cell.target}"
        return unreachable(WRONG_ANSWERER, f"connected, but {who}")
