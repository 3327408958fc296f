"""What a finished sandbox was built with. It is written last and removed first: without it, there are only remains."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from dockerlab.sandbox.layout import KNOWN_HOSTS, RECORD, hosts_there

LAYOUT = 1
"""Counts up when a sandbox of an earlier dockerlab can no longer be used as it is."""


@dataclass(frozen=True)
class Record:
    """The hosts' names, the root file system that they read (None: the machine's), and whether VLAN 50 is tagged.

    `users` is the first user ID of the hosts' boundary, None where there is none.
    """

    rootfs: str | None
    tagging: bool
    hosts: tuple[str, ...] = ()
    layout: int = LAYOUT
    users: int | None = None


def read(path: Path = RECORD) -> Record | None:
    """Return the record, or None where there is none that this version understands."""
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    if found.get("layout") != LAYOUT:
        return None
    return Record(
        rootfs=found["rootfs"], tagging=found["tagging"], hosts=tuple(found["hosts"]), users=found.get("users")
    )


def identities(path: Path = KNOWN_HOSTS) -> dict[str, str]:
    """Return the host key of each host by its address, empty where there is no sandbox.

    A host that is built again has another one: nothing of what was on it is there any more.
    """
    try:
        lines = path.read_text().splitlines() if hosts_there() else []
    except FileNotFoundError:
        return {}
    return {address: key for address, _, key in map(str.split, lines)}


def write(record: Record, path: Path = RECORD) -> None:
    """Write the record whole or not at all."""
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(asdict(record)))
    draft.replace(path)
