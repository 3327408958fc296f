"""The network namespaces of this host: its own, the containers', and those that Docker hides.

Part of the program that looks: standard library only, and Python 3.6 must run it.
"""

import os
from functools import partial

from dockerlab.machinery.asking import Json, run, together
from dockerlab.machinery.processes import sockets_of

NETNS = "/var/run/docker/netns"
INSIDE = {
    "addresses": ["ip", "-json", "-details", "address", "show"],
    "routes": ["ip", "-json", "-4", "route", "show"],
    "routes6": ["ip", "-json", "-6", "route", "show"],
}
HIDDEN = {"fdb": ["bridge", "-json", "fdb", "show"]}
"""What is also asked in the namespaces that no container has: there the overlay networks keep their VXLAN."""


class Space:
    """One network namespace, held open while it is asked."""

    def __init__(self, handle: "int", host: "bool" = False) -> None:
        self.handle = handle
        self.host = host
        self.process = "self" if host else ""
        self.paths = []  # type: list[str]
        self.containers = []  # type: list[str]
        self.said = {}  # type: Json

    def questions(self) -> "list[tuple[Space, str, list[str]]]":
        """Return what is asked here."""
        wanted = INSIDE if self.host or self.containers else dict(INSIDE, **HIDDEN)
        return [(self, what, argv) for what, argv in wanted.items()]

    def ask(self, argv: "list[str]") -> "Json":
        """Return what a program says here."""
        return run(argv, -1 if self.host else self.handle)


def namespaces_of(containers: "list[Json]") -> "tuple[list[Json], dict[str, str]]":
    """Return what is in each network namespace of the host, and what could not be entered."""
    unread = {}  # type: dict[str, str]
    spaces = opened(containers, unread)
    asked = [question for space in spaces.values() for question in space.questions()]
    answers = together([partial(space.ask, argv) for space, _, argv in asked])
    for (space, what, _), answer in zip(asked, answers):
        space.said[what] = answer
    found = []  # type: list[Json]
    for identity, space in spaces.items():
        os.close(space.handle)
        where = {"id": identity, "host": space.host, "paths": space.paths, "containers": space.containers}  # type: Json
        heard = sockets_of(space.process) if space.process else {"sockets": [], "deaf": "nobody lives there"}
        found.append(dict(where, said=space.said, **heard))
    return found, unread


def opened(containers: "list[Json]", unread: "dict[str, str]") -> "dict[int, Space]":
    """Return every namespace by its inode, and note which could not be opened."""
    own = os.open("/proc/self/ns/net", os.O_RDONLY)
    spaces = {os.fstat(own).st_ino: Space(own, host=True)}
    for path, container in places(containers, unread):
        try:
            handle = os.open(path, os.O_RDONLY)
        except OSError as error:
            unread[path] = str(error)
            continue
        space = spaces.setdefault(os.fstat(handle).st_ino, Space(handle))
        if space.handle != handle:
            os.close(handle)
        if container is None:
            space.paths.append(path)
        else:
            space.containers.append(container["Id"])
            space.process = space.process or str(container["State"]["Pid"])
    return spaces


def places(containers: "list[Json]", unread: "dict[str, str]") -> "list[tuple[str, Json | None]]":
    """Return the paths of network namespaces, each with the container that is in it, or None."""
    found = []  # type: list[tuple[str, Json | None]]
    found += [(f"/proc/{c['State']['Pid']}/ns/net", c) for c in containers if c["State"].get("Pid")]
    try:
        names = sorted(os.listdir(NETNS))
    except FileNotFoundError:
        names = []  # an engine that has never made one
    except OSError as error:
        unread[NETNS] = str(error)
        names = []
    # Where a namespace has gone, Docker may leave the plain file that it was mounted on.
    return found + [(f"{NETNS}/{name}", None) for name in names if is_namespace(f"{NETNS}/{name}")]


def is_namespace(path: "str") -> "bool":
    """Tell whether a file is a mounted namespace: its device is the kernel's own, as that of this process."""
    try:
        return os.stat(path).st_dev == os.stat("/proc/self/ns/net").st_dev
    except OSError:
        return True  # opening it will tell why
