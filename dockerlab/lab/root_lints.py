"""What makes root in a container root on its host: pointed out, for a definition may come from anybody.

What each right allows is from capabilities(7); that the engine's socket is root's is from Docker's own documentation
("Docker daemon attack surface").
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

from dockerlab.lab.container import Container
from dockerlab.lab.model import Lab
from dockerlab.lab.problem import KeyPath, Problem

RIGHTS = {
    "ALL": "every right there is",
    "SYS_ADMIN": "it mounts what the host mounts, control groups as well",
    "SYS_MODULE": "it loads code into the host's kernel",
    "SYS_RAWIO": "it reaches the host's memory and disks",
    "DAC_READ_SEARCH": "it opens the host's files by their handles",
    "BPF": "it loads programs into the host's kernel",
    "SYS_BOOT": "it starts another kernel in place of the host's",
}
"""Rights that are enough by themselves, and what they are enough for."""

TOGETHER = {
    ("SYS_PTRACE", "pid"): "it takes over any process of the host",
    ("NET_ADMIN", "network_mode"): "it changes the host's own interfaces, routes and firewall",
}
"""Rights that are so with a namespace of the host's."""

SOCKETS = ("/run/docker.sock", "/var/run/docker.sock", "/run/containerd/containerd.sock")
PLACES = (
    *(
        "/",
        "/bin",
        "/boot",
        "/dev",
        "/etc",
        "/home",
        "/lib",
        "/lib64",
        "/proc",
        "/root",
        "/run",
        "/sbin",
        "/sys",
        "/usr",
    ),
    *("/var", "/var/lib", "/var/lib/docker", "/var/run", "/var/spool/cron"),
)
DEVICES = (
    "/dev/mem",
    "/dev/kmem",
    "/dev/port",
    "/dev/sd",
    "/dev/vd",
    "/dev/xvd",
    "/dev/nvme",
    "/dev/dm-",
    "/dev/mapper",
    "/dev/loop",
)


def root_on_the_host(lab: Lab) -> Iterable[Problem]:
    """Yield what of a container makes whoever is root in it root on its host."""
    for name, spec in lab.containers.items():
        for key, why in _reasons(spec):
            yield Problem(("containers", name, *key), f"that is root on host {lab.host_of(name)}: {why}")


def _reasons(spec: Container) -> Iterator[tuple[KeyPath, str]]:
    if spec.privileged:
        yield ("privileged",), "every right there is, and every device"
    for index, right in enumerate(spec.cap_add):
        bare = right.upper().removeprefix("CAP_")
        shared = [key for key in ("pid", "network_mode") if getattr(spec, key) == "host"]
        together = next((TOGETHER[bare, key] for key in shared if (bare, key) in TOGETHER), "")
        why = RIGHTS.get(bare) or together
        if why:
            yield ("cap_add", index), why
    for index, mount in enumerate(spec.volumes):
        if mount.type != "bind" or mount.source is None:
            continue
        source = posixpath.normpath(mount.source)
        if source in SOCKETS:
            yield ("volumes", index), "who reaches the engine has it start anything"
        elif source in PLACES and not mount.read_only:
            yield ("volumes", index), f"it writes what the host keeps in {source}"
    for index, device in enumerate(spec.devices):
        if device.startswith(DEVICES):
            yield ("devices", index), f"it reads and writes {device.partition(':')[0]}"
