"""What exists of a class: a line for each student."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from rich.cells import cell_len

from dockerlab import leases
from dockerlab.identity import CLASS
from dockerlab.snapshot import LABEL_INSTANCE, LABEL_LAB, LABEL_OWNER, Snapshot
from dockerlab.students.roster import Student

COLUMNS = ("id", "student", "hosts", "containers", "networks", "expires")


def rows(
    snapshots: Mapping[str, Snapshot], lab: str, students: Iterable[Student], now: datetime
) -> list[dict[str, Any]]:
    """Return a row for each student, and for each further instance that is there and of no student."""
    known = {each.id: each.name for each in students}
    there = {
        labels[LABEL_INSTANCE]: "(not in the roster)"
        for snapshot in snapshots.values()
        for labels in snapshot.labelled()
        if labels[LABEL_LAB] == lab and labels.get(LABEL_INSTANCE) not in (None, CLASS)
    }
    ends = {(name, each): until for (name, each, _), until in leases.ends(snapshots.values()).items()}
    found = []
    for identity, name in {**there, **known}.items():
        until = ends.get((lab, identity))
        found.append(_row(snapshots, lab, identity, name) | {"expires": leases.told(until, now) if until else ""})
    return sorted(found, key=lambda row: (row["id"] not in known, row["id"]))


def _row(snapshots: Mapping[str, Snapshot], lab: str, identity: str, name: str) -> dict[str, Any]:
    def own(labels: Mapping[str, str]) -> bool:
        return labels.get(LABEL_LAB) == lab and labels.get(LABEL_INSTANCE) == identity

    containers = [(host, c) for host, s in snapshots.items() for c in s.containers if own(c.labels)]
    networks = [(host, n) for host, s in snapshots.items() for n in s.networks if own(n.labels)]
    return {
        "id": identity,
        "student": name,
        "hosts": list(dict.fromkeys(host for host, _ in (*containers, *networks))),
        "containers": len(containers),
        "running": sum(container.running for _, container in containers),
        "networks": len({network.name for _, network in networks}),
    }


def instances(snapshots: Mapping[str, Snapshot], lab: str, owner: str | None = None) -> Iterator[str]:
    """Yield the instance of each object of a lab that is an instance's; with an owner, of theirs alone."""
    for snapshot in snapshots.values():
        for labels in snapshot.labelled():
            mine = labels.get(LABEL_LAB) == lab and owner in (None, labels.get(LABEL_OWNER))
            if mine and LABEL_INSTANCE in labels:
                yield labels[LABEL_INSTANCE]


def table(found: list[dict[str, Any]]) -> str:
    """Return rows as aligned columns with a heading."""
    lines = [tuple(column.upper() for column in COLUMNS), *map(_line, found)]
    widths = [max(cell_len(line[at]) for line in lines) for at in range(len(COLUMNS))]
    padded = (
        "  ".join(value + " " * (width - cell_len(value)) for value, width in zip(line, widths, strict=True))
        for line in lines
    )
    return "".join(f"{line.rstrip()}\n" for line in padded)


def _line(row: dict[str, Any]) -> tuple[str, ...]:
    running = f"{row['running']} of {row['containers']} run" if row["containers"] else "none"
    return (row["id"], row["student"], " ".join(row["hosts"]), running, str(row["networks"]), row["expires"])
