"""What a place takes of the machine now, seen from outside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dockerlab.sandbox.place.entering import holder, unconfined
from dockerlab.sandbox.place.limits import groups

_HOST = "dockerlab-vm"


@dataclass(frozen=True)
class Usage:
    """A place's hosts that are there, its bytes of memory and its processes (None: nobody counts), and its boundary.

    `unconfined` says why there is none, and is None where there is one.
    """

    name: str
    hosts: int
    memory: int | None
    pids: int | None
    unconfined: str | None


def usage(name: str) -> Usage:
    """Return what a place takes now; raises UsageError for what cannot be a name."""
    reason = unconfined(name)
    pid = holder(name)
    namespaces = Path(f"/proc/{pid}/root/run/netns")
    hosts = sum(entry.name.startswith(_HOST) for entry in namespaces.iterdir()) if pid and namespaces.is_dir() else 0
    memory = _first(name, "memory.usage_in_bytes", "memory.current")
    return Usage(name, hosts, memory, _first(name, "pids.current"), reason)


def _first(name: str, *files: str) -> int | None:
    there = (group / file for group in groups(name) for file in files if (group / file).exists())
    found = next(there, None)
    return int(found.read_text()) if found else None
