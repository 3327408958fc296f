"""What the agent of a host reported in all, for those who hold it against the other hosts' word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dockerlab.probe.base import Place
from dockerlab.probe.records import Arrival

NamespaceId = tuple[str, int]
"""A host's name and the inode of a network namespace there."""


@dataclass(frozen=True)
class HostRecords:
    """What one agent reported.

    `namespaces` holds the namespace of each of its places, or why it could not be entered; `cells` the record of each
    of its own cells by number, and `marks` what each of their tries was known by; `arrivals` which try of which cell
    arrived in which namespace, and by which mark; `missed` how many packets each namespace's sockets had no room for;
    `overflows` how often a neighbour table of its kernel was full meanwhile.
    `numbers` are those that its own connections began with; `knocks` says of connections to the ports of a namespace
    that somebody's door leads to: namespace, port, number, and what became of it (`knocks.py`); `deaf` why they were
    not seen there. `delivered` are namespaces, and numbers of connections that kernels there were given, `unseen` why
    that is not known of one. `proxies` are the ports at which a docker-proxy stands, where that was asked.
    `failure` says why the agent itself gave nothing.
    """

    namespaces: Mapping[Place, int | str] = field(default_factory=dict)
    cells: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    marks: Mapping[tuple[int, int], str] = field(default_factory=dict)
    arrivals: frozenset[Arrival] = frozenset()
    missed: Mapping[int, int] = field(default_factory=dict)
    overflows: int = 0
    numbers: frozenset[int] = frozenset()
    knocks: tuple[tuple[int, int, int, int], ...] = ()
    deaf: Mapping[int, str] = field(default_factory=dict)
    delivered: frozenset[tuple[int, int]] = frozenset()
    unseen: Mapping[int, str] = field(default_factory=dict)
    proxies: frozenset[int] = frozenset()
    failure: str | None = None
