"""The processes of this host, and the sockets that they hold.

Part of the program that looks: standard library only, and Python 3.6 must run it.
"""

import os
import re

from dockerlab.survey.program.asking import Json, text_of


class Processes:
    """The processes of this host, or none of them; `unseen` is how many could not be looked into."""

    def __init__(self, some: "bool" = True) -> None:
        self.unseen = 0
        self._pids = [int(name) for name in os.listdir("/proc") if name.isdigit()] if some else []

    def seen(self) -> "list[int]":
        """Return the processes whose network namespaces may be looked into."""
        return [pid for pid in self._pids if inode_of(f"/proc/{pid}/ns/net")]

    def contained(self) -> "Processes":
        """Return those that have another file system than this one, as all do that a container has."""
        found = Processes(some=False)
        own = inode_of("/proc/self/ns/mnt")
        found._pids = [pid for pid in self._pids if inode_of(f"/proc/{pid}/ns/mnt") not in (0, own)]
        return found

    def proxies(self) -> "list[Json]":
        """Return every docker-proxy: its number and its arguments."""
        lines = ((pid, command_line(pid)) for pid in self._pids)
        return [{"pid": p, "argv": a[1:]} for p, a in lines if a and os.path.basename(a[0]) == "docker-proxy"]

    def owners(self, wanted: "set[int]") -> "list[Json]":
        """Return who holds which of the wanted sockets: the socket's number, the process, and its name."""
        found = []  # type: list[Json]
        for pid in self._pids if wanted else ():
            folder = f"/proc/{pid}/fd"
            try:
                held = {link_of(f"{folder}/{name}") for name in os.listdir(folder)}
            except FileNotFoundError:
                continue  # it has ended
            except OSError:
                self.unseen += 1
                continue
            name = text_of(f"/proc/{pid}/comm").get("text", "").strip()
            found += [{"inode": inode, "pid": pid, "name": name} for inode in sorted(held & wanted)]
        return found


def inode_of(path: "str") -> "int":
    """Return the number of a namespace, 0 where it may not be seen, or there is none any more."""
    try:
        return os.stat(path).st_ino
    except OSError:
        return 0


def link_of(path: "str") -> "int":
    """Return the number of the socket that an open file is, 0 for what is none."""
    try:
        match = re.match(r"socket:\[(\d+)\]$", os.readlink(path))
    except OSError:
        return 0  # closed meanwhile
    return int(match.group(1)) if match else 0


def command_line(pid: "int") -> "list[str]":
    """Return a process's arguments, none for one that has ended or has none."""
    return str(text_of(f"/proc/{pid}/cmdline").get("text", "")).split("\0")[:-1]
