"""A place taken away, whole or in pieces: from what is there, not from what was meant to be there."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from dockerlab.errors import SandboxError
from dockerlab.sandbox import preflight
from dockerlab.sandbox.cgroups import hierarchies, pids_of
from dockerlab.sandbox.lock import locked
from dockerlab.sandbox.place.entering import VARIABLE, holder
from dockerlab.sandbox.place.limits import groups, holding
from dockerlab.sandbox.place.naming import CGROUP, DIRECTORY, STORAGE, checked, lock_of, together
from dockerlab.sandbox.processes import end
from dockerlab.sandbox.trees import remove_what_goes

Report = Callable[[str], None]

SECONDS = 20.0


def remove(name: str, report: Report = lambda _: None) -> list[str]:
    """Remove a place with all that is in it, whatever state it is in, and return what was removed, one phrase each.

    Raises UsageError for what cannot be a name, SandboxError for what stays. It may be interrupted anywhere: the next
    call takes what is left.
    """
    preflight.require_linux_and_root()
    with locked(report, lock_of(checked(name))):
        return clear(name)


def clear(name: str) -> list[str]:
    """Remove what there is of a place, for whoever holds its lock, and return it, one phrase each."""
    found = remains(name)
    deadline = time.monotonic() + SECONDS
    # With the process that holds it ends every other that is in it: the kernel sees to that (pid_namespaces(7)).
    if (held := holder(name)) is not None:
        end([held], lambda pid: holder(name) == pid, deadline)
    while (pids := _processes(name)) and time.monotonic() < deadline:
        end(pids, lambda pid: _is_in(pid, name), deadline)
    there = [group for group in (*groups(name), *holding(name)) if group.exists()]
    remove_what_goes(there, (DIRECTORY / name, STORAGE / name))
    with together():
        shared = [DIRECTORY, STORAGE, STORAGE.parent, *(where / CGROUP for where, _ in hierarchies())]
        for directory in shared:
            with suppress(OSError):  # another place is in it, or it was never there
                directory.rmdir()
    if left := remains(name):
        raise SandboxError(f"this of the sandbox {name} could not be removed: {', '.join(left)}; run the command again")
    return found


def remains(name: str) -> list[str]:
    """Return what there is of a place, one phrase each."""
    running = len(_processes(name))
    found = [f"{running} process{'es' if running > 1 else ''}"] if running else []
    there = [group for group in (*groups(name), *holding(name)) if group.exists()]
    found += [f"{len(there)} control groups"] if there else []
    return found + [f"directory {path}" for path in (DIRECTORY / name, STORAGE / name) if path.exists()]


def _processes(name: str) -> list[int]:
    """Return the processes of a place: those in its groups, and those that its start was made with."""
    files = (file for group in (*groups(name), *holding(name)) for file in group.glob("**/cgroup.procs"))
    pids = set().union(*map(pids_of, files))
    if (held := holder(name)) is not None:
        pids.add(held)
    return sorted(pids | {pid for pid in _all() if _begins(pid, name)})


def _is_in(pid: int, name: str) -> bool:
    """Tell whether a process is in a group of the place, or begins it."""
    with suppress(OSError):
        paths = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
        below = tuple(f"/{CGROUP}/{each}{end}" for each in (name, f"{name}.holder") for end in ("", "/"))
        if any(f"{path}/".endswith(below) or any(each in path for each in below[1::2]) for path in paths):
            return True
    return _begins(pid, name)


def _begins(pid: int, name: str) -> bool:
    """Tell whether a process is one that a start was cut off from, before it was in a group."""
    return f"{VARIABLE}={name}".encode() in _environment(pid) and b"hold.sh" in _command(pid)


def _all() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _environment(pid: int) -> list[bytes]:
    with suppress(OSError):
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return []


def _command(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""
