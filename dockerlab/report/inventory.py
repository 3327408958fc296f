"""What exists of labs on hosts, as rows and as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from dockerlab import leases
from dockerlab.snapshot import LABEL_EXPIRES, LABEL_INSTANCE, LABEL_LAB, LABEL_OWNER, LABEL_RECEIPT, Snapshot

COLUMNS = ("lab", "host", "kind", "name", "state", "addresses", "owner")


def rows(snapshots: Mapping[str, Snapshot], lab: str | None, now: datetime) -> list[dict[str, str]]:
    """Return one row for each object that dockerlab made, of one lab or of all, ordered by lab, host and kind."""
    found = (row for host, snapshot in snapshots.items() for row in _rows(host, snapshot, now))
    wanted = (row for row in found if row["lab"] and lab in (None, row["lab"]))
    return sorted(wanted, key=lambda row: (row["lab"], row["host"], row["kind"], row["name"]))


def expiring(snapshots: Mapping[str, Snapshot], lab: str | None, now: datetime) -> list[str]:
    """Return a sentence for each lab whose time is over or nearly so, with what can be done."""
    told = []
    for (name, instance, _), until in leases.ends(snapshots.values()).items():
        if lab not in (None, name) or until - now > leases.SOON:
            continue
        what = f"{name} ({instance})" if instance is not None else name
        ways = "'dockerlab down --expired' removes it" if until <= now else "'dockerlab up --ttl TIME' gives it longer"
        told.append(f"{what}: {leases.told(until, now)}; {ways}")
    return told


def _rows(host: str, snapshot: Snapshot, now: datetime) -> Iterator[dict[str, str]]:
    for container in snapshot.containers:
        addresses = " ".join(str(a.ip) for e in container.endpoints.values() for a in e.addresses)
        yield _row(host, "container", container.name, container.status, addresses, container.labels)
    for network in snapshot.networks:
        subnets = " ".join(str(subnet) for subnet in network.subnets)
        yield _row(host, "network", network.name, network.driver, subnets, network.labels)
    for image in snapshot.image_states:
        if image.names:  # what has none is the way to one that has, or what a crash has left
            yield _row(host, "image", ", ".join(image.names), "built", "", image.labels)
    for volume in snapshot.volumes:
        until = leases.expiry(volume.labels)
        if until is not None:
            yield _row(host, "lease", volume.name, leases.told(until, now), "", volume.labels)
        elif LABEL_RECEIPT not in volume.labels:
            yield _row(host, "volume", volume.name, "", "", volume.labels)
        else:
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
        "expires": labels.get(LABEL_EXPIRES, ""),
    }


def table(found: list[dict[str, str]]) -> str:
    """Return rows as aligned columns with a heading, or a sentence when there are none."""
    if not found:
        return "nothing that dockerlab made\n"
    lines = [dict(zip(COLUMNS, (c.upper() for c in COLUMNS), strict=True)), *found]
    widths = {column: max(len(line[column]) for line in lines) for column in COLUMNS}
    return "".join("  ".join(f"{line[c]:<{widths[c]}}" for c in COLUMNS).rstrip() + "\n" for line in lines)
