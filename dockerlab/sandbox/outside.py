"""Programs that ask and judge a host: run from outside of it, so that nothing that its root has replaced takes part."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib.resources import files

from dockerlab.errors import SandboxError
from dockerlab.sandbox.layout import NETNS, PATH, inode, namespace_of, place_users
from dockerlab.sandbox.processes import first_process, scan
from dockerlab.sandbox.record import read

Enter = Callable[[Sequence[str]], list[str]]


def entering(host: str) -> Enter:
    """Return what makes of a command the one by which it runs before a host's network and processes, from outside it.

    The programs are those of the root file system that the sandbox was made of; of the host's files, those that are
    run are never among them (`room.sh`). It raises SandboxError where the host does not run.
    """
    room = files(__package__).joinpath("room.sh").read_text()

    def enter(command: Sequence[str]) -> list[str]:
        pid = first_process(scan(), inode(namespace_of(host)))
        record = read()
        if pid is None or record is None:
            raise SandboxError(f"{host} is not running: `dockerlab sandbox up` starts it")
        namespaces = (f"--net={NETNS / namespace_of(host)}", f"--pid=/proc/{pid}/ns/pid")
        own = ("unshare", "--mount", "--propagation", "private", "--", "sh", "-euc", room, "room")
        return ["nsenter", *namespaces, "--", *own, record.rootfs or "/", PATH, *command]

    return enter


def ways(hosts: Iterable[str]) -> dict[str, Enter]:
    """Return what enters each of these hosts where this is a place, on whose hosts others are root; else nothing."""
    return {host: entering(host) for host in hosts} if place_users() is not None else {}
