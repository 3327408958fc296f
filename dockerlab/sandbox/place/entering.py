"""The process that holds a place, and the way into it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dockerlab.errors import SandboxError
from dockerlab.sandbox.cgroups import pids_of
from dockerlab.sandbox.layout import CGROUP as HOSTS
from dockerlab.sandbox.layout import PLACE
from dockerlab.sandbox.place.limits import groups
from dockerlab.sandbox.place.naming import DIRECTORY, checked

HOLDER = "holder"
"""The file that says which process holds the place: its number, and when it began, for numbers are used again."""

VARIABLE = "DOCKERLAB_PLACE"
"""The variable of the environment that a place's first process has: the place's name."""

STATE = "/var/lib/dockerlab/state"
"""Where progress in exercises is kept inside a place: it goes with the hosts that it is about."""


def started(pid: int) -> str | None:
    """Return when a process began, in clock ticks since the machine's start, or None where it is gone."""
    try:
        # The command's name, in parentheses, may itself hold blanks and parentheses.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else fields[19]


def holder(name: str) -> int | None:
    """Return the number of the process that holds the place, None where there is none any more."""
    try:
        pid, began = (DIRECTORY / name / HOLDER).read_text().split()
    except (FileNotFoundError, ValueError):
        return None
    return int(pid) if started(int(pid)) == began else None


def exists(name: str) -> bool:
    """Tell whether the place of that name is there and held; raises UsageError for what cannot be a name."""
    return holder(checked(name)) is not None


def inside() -> str | None:
    """Return the name of the place that this process runs in, None outside."""
    try:
        return PLACE.read_text().split()[0]
    except FileNotFoundError:
        return None


@dataclass(frozen=True)
class Way:
    """The way into a place: the files of its namespaces by their kinds, and what the environment has more in it."""

    namespaces: Mapping[str, str]
    environment: Mapping[str, str]


def way(name: str) -> Way:
    """Return the way into a place, for who goes it itself; raises as `argv` does."""
    pid = holder(checked(name))
    if pid is None:
        raise SandboxError(f"there is no sandbox {name}: 'dockerlab sandbox up --name {name}' starts it")
    namespaces = {kind: f"/proc/{pid}/ns/{file}" for kind, file in _NAMESPACES.items()}
    return Way(namespaces, {"DOCKERLAB_SANDBOX": "1", "XDG_STATE_HOME": STATE})


def argv(name: str, command: Sequence[str]) -> list[str]:
    """Return the argument list that runs a command inside the place, in the directory where we are.

    The command runs as who calls, on the machine's files, and with the machine's programs: only network, processes and
    the sandbox's own directories are the place's. Its limits are for the hosts, and do not hold for it. Raises
    SandboxError where there is no such place, and UsageError for what cannot be a name.
    """
    found = way(name)
    namespaces = [f"--{kind}={file}" for kind, file in found.namespaces.items()]
    more = [f"{key}={value}" for key, value in found.environment.items()]
    return ["nsenter", *namespaces, "--", "env", f"--chdir={Path.cwd()}", *more, *command]


_NAMESPACES = {"net": "net", "mount": "mnt", "pid": "pid", "ipc": "ipc", "uts": "uts"}
"""Not that of control groups: from within it, nothing outside can be moved into a group of the place (nsdelegate)."""


def unconfined(name: str) -> str | None:
    """Return why root in the hosts of a place has rights on this machine, None where no host's root has any.

    It goes by the processes that are there: each that counts as a host's is in another user namespace than ours, whose
    root is somebody else out here. Where no host runs, that is said: nothing is known then.
    """
    held = False
    ours = Path("/proc/self/ns/user").stat().st_ino
    for group in groups(checked(name)):
        for file in (group / HOSTS).glob("**/cgroup.procs"):
            for pid in pids_of(file):
                try:
                    own = Path(f"/proc/{pid}/ns/user").stat().st_ino
                    users = Path(f"/proc/{pid}/uid_map").read_text().split()
                except (FileNotFoundError, ProcessLookupError):
                    continue  # it has ended
                held = True
                if own == ours or users[1] == "0":
                    return f"process {pid} of a host of {name} is in the machine's own user namespace"
    return None if held else f"no host of {name} runs"
