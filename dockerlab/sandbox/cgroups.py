"""Control groups, in both versions: where their hierarchies are, how a group is made, and how one is entered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")

_ENTER = 'for group; do shift; [ "$group" = -- ] && break; echo $$ >"$group/cgroup.procs"; done; exec "$@"'


def hierarchies() -> list[tuple[Path, int]]:
    """Return where each hierarchy of control groups of this machine is, with its version."""
    found: dict[Path, int] = {}  # one may be mounted again on itself
    for line in Path("/proc/mounts").read_text().splitlines():
        _, where, kind, *_ = line.split()
        if kind in {"cgroup", "cgroup2"} and Path(where).is_relative_to(CGROUPS):
            found[Path(where)] = 2 if kind == "cgroup2" else 1
    return list(found.items())


def make(name: str) -> list[tuple[Path, int]]:
    """Make a group of that path in each hierarchy and return them, with the hierarchies' versions; raises OSError."""
    made = []
    for root, version in hierarchies():
        above = root
        for part in Path(name).parts:
            _settle(above / part, above, version)
            above = above / part
        made.append((above, version))
    return made


def pids_of(file: Path) -> set[int]:
    """Return the processes that a group's `cgroup.procs` names; none where the group has gone, or holds threads."""
    try:
        # In version 1, 0 stands for one that cannot be named from here.
        return {int(line) for line in file.read_text().split()} - {0}
    except OSError:
        return set()


def entering(groups: Iterable[Path], argv: Sequence[str]) -> list[str]:
    """Return the argument list that runs a program in these groups, one of each hierarchy."""
    return ["/bin/sh", "-euc", _ENTER, "enter", *map(str, groups), "--", *argv]


def _settle(group: Path, above: Path, version: int) -> None:
    group.mkdir(exist_ok=True)
    if version == 1:
        for share in ("cpuset.cpus", "cpuset.mems"):
            own = group / share
            # A new group may run nowhere until it is said where.
            if own.exists() and not own.read_text().strip():
                own.write_text((above / share).read_text())
        return
    for controller in (above / "cgroup.controllers").read_text().split():
        # One that is busy otherwise (cpu beside real-time processes) is one that cannot limit.
        with suppress(OSError):
            (above / "cgroup.subtree_control").write_text(f"+{controller}")
