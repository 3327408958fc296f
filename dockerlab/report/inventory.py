"""What exists of labs on hosts, as rows and as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dockerlab.snapshot import LABEL_INSTANCE, LABEL_LAB, LABEL_OWNER, LABEL_RECEIPT, Snapshot

COLUMNS = ("lab", "host", "kind", "name", "state", "addresses", "owner")


def rows(snapshots: Mapping[str, Snapshot], lab: str | None) -> list[dict[str, str]]:
    """Return one row for each object that dockerlab made, of one lab or of all, ordered by lab, host and kind."""
    found = (row for host, snapshot in snapshots.items() for row in _rows(host, snapshot))
    wanted = (row for row in found if row["lab"] and lab in (None, row["lab"]))
    return sorted(wanted, key=lambda row: (row["lab"], row["host"], row["kind"], row["name"]))


def _rows(host: str, snapshot: Snapshot) -> Iterator[dict[str, str]]:
    for container in snapshot.containers:
        addresses = " ".join(str(a.ip) for e in container.endpoints.values() for a in e.addresses)
        yield _row(host, "container", container.name, container.status, addresses, container.labels)
    for network in snapshot.networks:
        subnets = " ".join(str(subnet) for subnet in network.subnets)
        yield _row(host, "network", network.name, network.driver, subnets, network.labels)
    for volume in snapshot.volumes:
        state = f"{volume.labels.get(LABEL_RECEIPT, '')} to be undone"
        yield _row(host, "receipt", volume.name, state, "", volume.labels)


def _row(host: str, kind: str, name: str, state: str, addresses: str, labels: Mapping[str, str]) -> dict[str, str]:
    return {
        "lab": labels.get(LABEL_LAB, ""),
        "instance": labels.get(LABEL_INSTANCE, ""),
        "host": host,
        "kind": kind,
        "name": name,
        "state": state,
        "addresses": addresses,
        "owner": labels.get(LABEL_OWNER, ""),
    }


def table(found: list[dict[str, str]]) -> str:
    """Return rows as aligned columns with a heading, or a sentence when there are none."""
    if not found:
        return "nothing that dockerlab made\n"
    lines = [dict(zip(COLUMNS, (c.upper() for c in COLUMNS), strict=True)), *found]
    widths = {column: max(len(line[column]) for line in lines) for column in COLUMNS}
    return "".join("  ".join(f"{line[c]:<{widths[c]}}" for c in COLUMNS).rstrip() + "\n" for line in lines)
