"""Which processes are the sandbox's: found in /proc, never in a pid file, which may name somebody else by now."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Collection
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from dockerlab.errors import SandboxError
from dockerlab.sandbox.layout import mark

_PROC = Path("/proc")
_LISTEN = {"tcp": "0A", "udp": "07"}


@dataclass(frozen=True)
class Process:
    """A process: the network namespace that it is in, by inode, and whether it bears the sandbox's mark."""

    pid: int
    namespace: int
    marked: bool


Mine = Callable[[Process], bool]


def look(pid: int) -> Process | None:
    """Return what /proc says about a process, or None when it is gone or going, or not for us to look at."""
    try:
        # A Path for each process of the machine would take most of the time.
        namespace = os.stat(f"{_PROC}/{pid}/ns/net").st_ino  # noqa: PTH116 - as above
        with open(f"{_PROC}/{pid}/environ", "rb") as file:  # noqa: PTH123 - as above
            environment = file.read()
    except (FileNotFoundError, ProcessLookupError):
        return None
    except PermissionError:
        return None  # what we start ourselves, we may look at
    return Process(pid, namespace, "=".join(mark()).encode() in environment.split(b"\0"))


def scan() -> list[Process]:
    """Return every process of the machine that is alive."""
    pids = (int(name) for name in os.listdir(_PROC) if name.isdigit())  # noqa: PTH208 - as in `look`
    return [process for pid in pids if (process := look(pid))]


def belongs(namespaces: Collection[int]) -> Mine:
    """Return the test for the sandbox's processes: those in these namespaces, and those that bear its mark elsewhere.

    The mark finds a program that an interrupted start never brought into its namespace, and one whose
    namespace has lost its name.
    """
    return lambda process: process.marked or process.namespace in namespaces


def strays() -> Mine:
    """Return the test for what the sandbox has started and what is still in our own network namespace."""
    here = Path("/proc/self/ns/net").stat().st_ino
    return lambda process: process.marked and process.namespace == here


def ours(mine: Mine) -> list[Process]:
    """Return the processes that the test holds for; this process and those above it are never counted."""
    spared = _ancestry()
    return [process for process in scan() if mine(process) and process.pid not in spared]


def kill(mine: Mine, seconds: float = 15.0) -> None:
    """Kill the processes that the test holds for and wait for their end.

    A host's first process is gone only when all that it contained is gone, containers too.
    Raises SandboxError when some are left after `seconds`.
    """
    deadline = time.monotonic() + seconds
    while found := ours(mine):
        if time.monotonic() > deadline:
            left = ",".join(str(process.pid) for process in found)
            raise SandboxError(f"processes of the sandbox do not end: `ps -o pid,stat,wchan,args -p {left}` shows them")
        end([process.pid for process in found], lambda pid: bool((again := look(pid)) and mine(again)), deadline)


def end(pids: Collection[int], still: Callable[[int], bool], deadline: float) -> None:
    """Kill those processes that the test still holds for, and wait for their end until `deadline` (monotonic)."""
    with ExitStack() as stack:
        poll = select.poll()
        waiting: set[int] = set()
        for pid in pids:
            with suppress(ProcessLookupError):  # it has ended meanwhile
                handle = os.pidfd_open(pid)
                stack.callback(os.close, handle)
                # The number may have passed to another process since the scan. The handle cannot any more.
                if still(pid):
                    signal.pidfd_send_signal(handle, signal.SIGKILL)
                    poll.register(handle, select.POLLIN)
                    waiting.add(handle)
        while waiting and (left := deadline - time.monotonic()) > 0:
            for handle, _ in poll.poll(left * 1000):
                poll.unregister(handle)
                waiting.discard(handle)


def first_process(processes: Collection[Process], namespace: int | None) -> int | None:
    """Return the pid, as seen from here, of the process that is number 1 of the host in that network namespace."""
    candidates = (process.pid for process in processes if process.namespace == namespace and process.marked)
    return next((pid for pid in candidates if _numbers(pid)[1:] == ["1"]), None)


def listens(pid: int, protocol: str, port: int) -> bool:
    """Tell whether somebody listens on an IPv4 port in the network namespace of a process.

    Reading the kernel's table, unlike connecting, is nothing that an SSH server would hold against us.
    """
    try:
        lines = (_PROC / str(pid) / "net" / protocol).read_text().splitlines()[1:]
    except (FileNotFoundError, ProcessLookupError, OSError):
        return False
    sockets = (line.split() for line in lines)
    return any(s[1].endswith(f":{port:04X}") and s[3] == _LISTEN[protocol] for s in sockets)


def interfaces(pid: int) -> set[str]:
    """Return the names of the interfaces in the network namespace of a process; none if it is gone."""
    try:
        lines = (_PROC / str(pid) / "net/dev").read_text().splitlines()[2:]
    except (FileNotFoundError, ProcessLookupError, OSError):
        return set()
    return {line.partition(":")[0].strip() for line in lines}


def _numbers(pid: int) -> list[str]:
    """Return the process's numbers in its PID namespaces, from ours to its own; empty when it is gone."""
    try:
        status = (_PROC / str(pid) / "status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return next((line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:")), [])


def _ancestry() -> set[int]:
    """Return this process and every one above it."""
    family: set[int] = set()
    pid = os.getpid()
    while pid:
        family.add(pid)
        # The command's name, in parentheses, may itself hold blanks and parentheses.
        pid = int((_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
    return family
