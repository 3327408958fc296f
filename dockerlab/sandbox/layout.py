"""Where everything of the sandbox is, and what it is called.

                            outside 203.0.113.10        answers names and HTTP, like an internet of one machine
                               │ 203.0.113.0/24
                            router  192.168.22.1
                               │
    this machine ───────────[ switch ]                  the hosts' LAN 192.168.22.0/24, and VLAN 50 beside it
    192.168.22.254          │        │
                           vm0      vm1                 192.168.22.61, 192.168.22.62, …

Each box is a network namespace; a host has mount, PID, UTS and IPC namespaces and a root file system as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

DIRECTORY = Path("/run/dockerlab/sandbox")
"""Keys, what the sandbox was built with, and the files that each host starts from. Mode 0700."""

STORAGE = Path("/var/lib/dockerlab/sandbox")
"""The engines' data roots and the hosts' logs: on a disk, for they grow and must not lie on an overlay."""

LOCK = Path("/run/dockerlab/sandbox.lock")
PLACE = Path("/run/dockerlab/place")
"""In a place, one of several beside each other: its name, and the first user ID that its hosts have on the machine."""

RECORD = DIRECTORY / "sandbox.json"
IDENTITY = DIRECTORY / "id_ed25519"
KNOWN_HOSTS = DIRECTORY / "known_hosts"

LAN = IPv4Network("192.168.22.0/24")
ROUTER = IPv4Address("192.168.22.1")
FIRST_HOST = IPv4Address("192.168.22.61")
CONTROLLER = IPv4Address("192.168.22.254")
BEYOND = IPv4Network("203.0.113.0/24")
BEYOND_ROUTER = IPv4Address("203.0.113.1")
OUTSIDE = IPv4Address("203.0.113.10")
VLAN = 50
MAX_HOSTS = 16

LINK = "dockerlab-ctl"
"""The machine's own end of the link into the hosts' LAN."""

CGROUP = "dockerlab-sandbox"
"""Under it lie the containers' control groups, so that none of them stays behind."""

PATH = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin"
"""The distribution's programs come first: an engine and a client of one version belong together."""

SWITCH_NS = "dockerlab-switch"
ROUTER_NS = "dockerlab-router"
OUTSIDE_NS = "dockerlab-outside"
NETNS = Path("/run/netns")
"""Where `ip netns` keeps its names."""

_OURS = re.compile(r"dockerlab-(switch|router|outside|vm\d+)")


@dataclass(frozen=True)
class SandboxHost:
    """One host: how it is reached, and what of it is alive.

    `namespace` is true while its first process and its links are there; `sshd` and `dockerd` while they answer.
    `engine` is the engine's version, None while it does not answer.
    """

    name: str
    address: str
    user: str = "root"
    port: int = 22
    namespace: bool = True
    sshd: bool = True
    dockerd: bool = True
    engine: str | None = None

    @property
    def alive(self) -> bool:
        """Tell whether everything of the host is alive."""
        return self.namespace and self.sshd and self.dockerd


@dataclass(frozen=True)
class SandboxState:
    """A running sandbox: its hosts, the files to reach them with, and the addresses around them."""

    directory: Path
    hosts: tuple[SandboxHost, ...]
    identity_file: Path
    known_hosts: Path
    router: str
    outside: str
    rootfs: Path | None

    def host(self, name: str) -> SandboxHost:
        """Return the host of that name; raises KeyError."""
        return {host.name: host for host in self.hosts}[name]


def mark() -> tuple[str, str]:
    """Return the environment variable, name and value, that every program of the sandbox is started with.

    It tells ours from anybody else's, such as those of a sandbox in a container, which can be seen from here: that
    one belongs to a machine with another network.
    """
    return "DOCKERLAB_SANDBOX", f"{DIRECTORY} {Path('/proc/self/ns/net').stat().st_ino}"


def place_users() -> int | None:
    """Return the first user ID that the hosts of this place have on the machine, None where this is no place."""
    try:
        return int(PLACE.read_text().split()[1])
    except FileNotFoundError:
        return None


def host_name(index: int) -> str:
    """Return the name of a host; they count from 0."""
    return f"vm{index}"


def host_address(name: str) -> str:
    """Return the address of a host on the LAN."""
    return str(FIRST_HOST + int(name.removeprefix("vm")))


def namespace_of(name: str) -> str:
    """Return the name of a host's network namespace."""
    return f"dockerlab-{name}"


def namespaces() -> list[str]:
    """Return the names of the sandbox's network namespaces that exist, sorted."""
    if not NETNS.is_dir():
        return []
    return sorted(entry.name for entry in NETNS.iterdir() if _OURS.fullmatch(entry.name))


def hosts_there() -> list[str]:
    """Return the names of the hosts whose namespaces are there, in order; whether they live is not looked at.

    Anybody may ask: it takes no root.
    """
    found = [name.removeprefix("dockerlab-") for name in namespaces() if name.startswith("dockerlab-vm")]
    return sorted(found, key=lambda name: int(name.removeprefix("vm")))


def inode(namespace: str) -> int | None:
    """Return what identifies a named network namespace, or None if the name stands for none."""
    try:
        found = (NETNS / namespace).stat()
    except FileNotFoundError:
        return None
    # An interrupted `ip netns add` leaves a plain file: a name without a namespace.
    return found.st_ino if found.st_dev == Path("/proc/self/ns/net").stat().st_dev else None
