"""How much of the machine a place may take: control groups, in either version, and a file system of a size."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from dockerlab.errors import SandboxError, UsageError
from dockerlab.sandbox import cgroups
from dockerlab.sandbox.place.naming import CGROUP

SMALLEST = {"memory": 128 << 20, "pids": 64, "cpu": 1, "disk": 64 << 20}
"""With less, a host does not start."""

_WEIGHTS = 10_000


@dataclass(frozen=True)
class Limits:
    """What all hosts of a place may take together; None is as much as there is.

    `memory` and `disk` in bytes, `pids` processes and threads, `cpu` a share beside other places' shares
    (100 is the usual).
    """

    memory: int | None = 2 << 30
    pids: int | None = 8192
    cpu: int | None = 100
    disk: int | None = None

    def __post_init__(self) -> None:
        """Refuse what no place could start with; raises UsageError."""
        for name, least in SMALLEST.items():
            value = getattr(self, name)
            if value is not None and value < least:
                raise UsageError(f"a sandbox cannot start with {name} {value}: at least {least}")
        if self.cpu is not None and self.cpu > _WEIGHTS:
            raise UsageError(f"cpu is a share from 1 to {_WEIGHTS}, not {self.cpu}")


def write(limits: Limits, path: Path) -> None:
    """Write the limits of a place down, whole or not at all."""
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(asdict(limits)))
    draft.replace(path)


def read(path: Path) -> Limits | None:
    """Return the limits that were written down, None where there are none."""
    try:
        return Limits(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None


def groups(name: str) -> list[Path]:
    """Return the group of a place's hosts in each hierarchy, whether it is there or not."""
    return [where / CGROUP / name for where, _ in cgroups.hierarchies()]


def holding(name: str) -> list[Path]:
    """Return the group, in each hierarchy, of what holds a place: no limit is on it, lest hosts without room end it."""
    return [where / CGROUP / f"{name}.holder" for where, _ in cgroups.hierarchies()]


def confine(name: str, limits: Limits) -> list[str]:
    """Make the place's control groups with these limits, and return what this machine cannot limit, one phrase each.

    Raises SandboxError when a group cannot be made.
    """
    held: set[str] = set()
    try:
        cgroups.make(f"{CGROUP}/{name}.holder")
        for group, version in cgroups.make(f"{CGROUP}/{name}"):
            held |= {key for key in asdict(limits) if _limit(group, version, key, getattr(limits, key))}
    except OSError as error:
        raise SandboxError(f"no control group can be made for the sandbox {name}: {error}") from error
    wanted = {key for key, value in asdict(limits).items() if value is not None and key != "disk"}
    return [f"{key}: this machine has no controller of control groups for it" for key in sorted(wanted - held)]


_Value = Callable[[int], int]
FILES: dict[int, dict[str, tuple[tuple[str, _Value], ...]]] = {
    1: {
        "memory": (("memory.limit_in_bytes", int), ("memory.memsw.limit_in_bytes", int)),
        "pids": (("pids.max", int),),
        "cpu": (("cpu.shares", lambda share: max(2, share * 1024 // 100)),),
    },
    2: {
        "memory": (("memory.max", int), ("memory.swap.max", lambda _: 0)),
        "pids": (("pids.max", int),),
        "cpu": (("cpu.weight", int),),
    },
}
"""The files of each limit, by version and by the limit's name, and what is written there."""
_NONE = {"memory.limit_in_bytes": "-1", "memory.memsw.limit_in_bytes": "-1", "cpu.shares": "1024", "cpu.weight": "100"}


def _limit(group: Path, version: int, key: str, value: int | None) -> bool:
    """Write one limit where this hierarchy has it, and tell whether it has."""
    files = [(group / name, turned) for name, turned in FILES[version].get(key, ()) if (group / name).exists()]
    texts = [(file, _NONE.get(file.name, "max") if value is None else str(turned(value))) for file, turned in files]
    try:
        _write(texts)
    except OSError:
        # Memory with swap is never less than memory without it: which is first depends on what was there.
        _write(texts[::-1] + texts[:1])
    return bool(files)


def _write(texts: list[tuple[Path, str]]) -> None:
    for file, text in texts:
        file.write_text(text)
