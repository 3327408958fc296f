"""The network namespaces of this host: its own, the containers', and those that Docker hides.

Part of the program that looks: standard library only, and Python 3.6 must run it.
"""

import os
from functools import partial

from dockerlab.survey.program.asking import Json, run, together
from dockerlab.survey.program.entering import SETNS, inside
from dockerlab.survey.program.rules import policies_of, rules_of
from dockerlab.survey.program.sockets import KINDS, sockets_of
from dockerlab.survey.program.sysctls import sysctls
from dockerlab.survey.program.tables import tables, usual_rules6

NETNS = "/var/run/docker/netns"
BATCH = {
    "address": "address show",
    "route": "route show table all",
    "rule": "rule show",
    "neighbour": "neighbour show nud permanent",
    "proxy": "neighbour show proxy",
}
"""What one `ip` is asked: of routes and neighbours it lists both versions of IP, of rules that of IPv4."""
GROUND = {what: BATCH[what] for what in ("address", "route")}
RULES6 = ["ip", "-json", "-6", "rule", "show"]
USUAL6 = {
    "argv": RULES6,
    "rc": 0,
    "out": '[{"priority":0,"src":"all","table":"local"},{"priority":32766,"src":"all","table":"main"}]',
    "err": "",
}
"""What that would print in most namespaces: the kernel was asked whether it would, which is faster."""
FORWARDS = ["bridge", "-json", "fdb", "show"]
"""Also asked in the namespaces that no container has: there the overlay networks keep their VXLAN."""
NO_WAY_IN = "this Python has no way into other namespaces (no os.setns, no ctypes)"


class Space:
    """One network namespace, held open while it is asked."""

    def __init__(self, handle: "int", host: "bool" = False) -> None:
        self.handle = handle
        self.detail = "all"
        self.host = host
        self.entered = host
        self.process = "self" if host else ""
        self.paths = []  # type: list[str]
        self.pids = []  # type: list[int]

    def run(self, argv: "list[str]", text: "bytes" = b"") -> "Json":
        """Return what a program says here."""
        return run(argv, -1 if self.entered else self.handle, text)

    def look(self) -> "Json":
        """Return what is here; one that cannot be entered has its reason for all of it."""
        if self.host:
            return self.seen()
        try:
            if SETNS is None:
                return self.seen()
            with inside(self.handle):
                self.entered = True
                return self.seen()
        except OSError as error:
            return dict(self.named(), said={}, reason=f"it cannot be entered: {error}")

    def named(self) -> "Json":
        """Return which namespace this is."""
        number = os.fstat(self.handle).st_ino
        return {"id": number, "host": self.host, "paths": self.paths, "pids": self.pids}

    def seen(self) -> "Json":
        """Return what is here, by where it was read, as much of it as is wanted."""
        net = f"/proc/{'thread-self' if self.entered else self.process or 'self'}/net"
        if self.detail == "listeners":
            return dict(self.named(), said={}, **self.heard(net, ("tcp",)))
        if self.detail == "ground":
            found = dict(self.named(), said=batch(self, GROUND), **self.heard(net))
            return dict(found, sysctls=sysctls(("all",)), policies=policies_of(self.run))
        said = batch(self, BATCH)
        said["rule6"] = USUAL6 if self.entered and usual_rules6() else self.run(RULES6)
        if not self.host and not self.pids:
            said["fdb"] = self.run(FORWARDS)
        found = dict(self.named(), said=said, **self.heard(net))
        if self.entered:
            found["sysctls"] = sysctls()
            found["rules"] = rules_of(self.run, net, tables(), always=self.host)
        else:
            found["blind"] = NO_WAY_IN
        return found

    def heard(self, net: "str", protocols: "tuple[str, ...]" = KINDS) -> "Json":
        """Return who listens here, or why that is not known."""
        if not self.process:
            return {"sockets": [], "deaf": "nobody lives there"}
        return sockets_of(net, protocols, entered=self.entered)


def batch(space: "Space", wanted: "dict[str, str]") -> "dict[str, Json]":
    """Return what `ip` says of each of several things, asked at once; one by one where it does not answer to all."""
    text = "".join(f"{each}\n" for each in wanted.values()).encode()
    at_once = space.run(["ip", "-json", "-details", "-force", "-batch", "-"], text)
    parts = at_once["out"].split("\n") if at_once["out"] else []
    parts = [part for part in parts if part.strip()]
    if at_once["rc"] == 0 and len(parts) == len(wanted):
        return {what: dict(at_once, out=part) for what, part in zip(wanted, parts)}
    if at_once["rc"] == 127:
        return dict.fromkeys(wanted, at_once)
    return {what: space.run(["ip", "-json", "-details", *line.split()]) for what, line in wanted.items()}


def namespaces_of(pids: "list[int]", detail: "str") -> "tuple[list[Json], dict[str, str]]":
    """Return as much as is wanted of each network namespace of the host, and what could not be entered."""
    unread = {}  # type: dict[str, str]
    spaces = opened(pids, unread, hidden=detail == "all")
    for space in spaces.values():
        space.detail = detail
    found = together([partial(Space.look, space) for space in spaces.values()])
    for space in spaces.values():
        os.close(space.handle)
    return found, unread


def opened(pids: "list[int]", unread: "dict[str, str]", *, hidden: "bool") -> "dict[int, Space]":
    """Return every namespace by its inode, and note which could not be opened."""
    own = os.open("/proc/self/ns/net", os.O_RDONLY)
    spaces = {os.fstat(own).st_ino: Space(own, host=True)}
    for path, pid in places(pids, unread, hidden=hidden):
        try:
            handle = os.open(path, os.O_RDONLY)
        except FileNotFoundError as error:
            if pid is not None:
                unread[path] = str(error)
            continue  # a name that was listed has gone since: there is nothing any more that could be read
        except OSError as error:
            unread[path] = str(error)
            continue
        space = spaces.setdefault(os.fstat(handle).st_ino, Space(handle))
        if space.handle != handle:
            os.close(handle)
        if pid is None:
            space.paths.append(path)
        else:
            space.pids.append(pid)
            space.process = space.process or str(pid)
    return spaces


def places(pids: "list[int]", unread: "dict[str, str]", *, hidden: "bool") -> "list[tuple[str, int | None]]":
    """Return the paths of network namespaces, each with the process that is in it, or None."""
    found = []  # type: list[tuple[str, int | None]]
    found += [(f"/proc/{pid}/ns/net", pid) for pid in pids]
    names = []  # type: list[str]
    try:
        names = sorted(os.listdir(NETNS)) if hidden else []
    except FileNotFoundError:
        pass  # an engine that has never made one
    except OSError as error:
        unread[NETNS] = str(error)
    # Where a namespace has gone, Docker may leave the plain file that it was mounted on.
    return found + [(f"{NETNS}/{name}", None) for name in names if is_namespace(f"{NETNS}/{name}")]


def is_namespace(path: "str") -> "bool":
    """Tell whether a file is a mounted namespace: its device is the kernel's own, as that of this process."""
    try:
        return os.stat(path).st_dev == os.stat("/proc/self/ns/net").st_dev
    except OSError:
        return True  # opening it will tell why
