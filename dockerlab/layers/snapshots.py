"""Where containerd keeps a container's layers: the directories that its root merges, and which snapshot each is.

The engine tells no directories then. The kernel does, of every root that is mounted, and `ctr`, which comes with
containerd, says which snapshot stands on which. Both lists go from the top down, so that one names the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from dockerlab.layers.model import Container, Directories, Found, Image

SOCKETS = ("/run/containerd/containerd.sock", "/run/docker/containerd/containerd.sock")
"""Where containerd answers: that of the system, and the one that an engine starts where there is none."""

NAMESPACE = "moby"
INIT = "-init"
"""How the engine names the snapshot that holds what it mounts over; an image made from a container stands on one."""


@dataclass(frozen=True)
class Root:
    """What a container's root merges, as `Directories`, and the file system's number, by which other mounts show it."""

    directories: Directories
    device: str


def mounts(pids: Iterable[int]) -> tuple[str, ...]:
    """Return the command that prints what these processes, and whoever runs it, have mounted of overlayfs."""
    files = [f"/proc/{pid}/mountinfo" for pid in pids]
    return ("grep", "-H", "-s", "--", " - overlay ", *files, "/proc/self/mountinfo")


def chains(driver: str, socket: str) -> tuple[str, ...]:
    """Return the command that prints each snapshot with the one that it stands on."""
    return ("ctr", "--address", socket, "--namespace", NAMESPACE, "snapshots", "--snapshotter", driver, "ls")


def roots(text: str) -> dict[int, Directories]:
    """Return what the root of each process merges, from what `mounts` printed (proc_pid_mountinfo(5))."""
    found: dict[int, Root] = {}
    places: dict[str, str] = {}
    for line in text.splitlines():
        match = re.match(r"/proc/(\d+|self)/mountinfo:\d+ \d+ (\S+) \S+ (\S+) .* - overlay \S+ (\S+)$", line)
        if match is None:
            continue
        pid, device, point, options = match.groups()
        if pid == "self":
            places[device] = _plain(point)
        elif point == "/" and (directories := _directories(options)) is not None:
            found[int(pid)] = Root(directories, device)
    return {pid: replace(root.directories, merged=places.get(root.device, "")) for pid, root in found.items()}


def _directories(options: str) -> Directories | None:
    """Return what overlayfs merges; the kernel shows the lower ones in one option, or one option for each."""
    lower: list[str] = []
    others: dict[str, str] = {}
    for option in re.split(r"(?<!\\),", options):
        key, _, value = option.partition("=")
        if key in ("lowerdir", "lowerdir+"):
            lower += [_plain(path) for path in re.split(r"(?<!\\):", value) if path]
        else:
            others[key] = _plain(value)
    upper = others.get("upperdir")
    if not upper or not lower:
        return None
    # Where the list would be too long, containerd names them from the directory that all snapshots are in.
    above = upper.rsplit("/", 2)[0]
    whole = tuple(path if path.startswith("/") else f"{above}/{path}" for path in lower)
    return Directories(whole, upper, "", others.get("workdir", ""))


def _plain(path: str) -> str:
    """Return a path without the kernel's octal numbers and overlayfs' backslashes."""
    octal = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), path)
    return re.sub(r"\\(.)", r"\1", octal)


def parents(text: str) -> dict[str, str]:
    """Return on which snapshot each stands, "" for none, from `ctr snapshots ls`: KEY PARENT KIND."""
    rows = (line.split() for line in text.splitlines()[1:])
    return {row[0]: row[1] if len(row) == 3 else "" for row in rows if len(row) in (2, 3)}


def placed(found: Found, roots_by_id: Mapping[str, Directories], below: Mapping[str, str]) -> Found:
    """Return what was found with the directories of all layers that are mounted; images share them by chain ID."""
    known: dict[str, str] = {}
    merged: dict[str, Directories] = {}
    for container in found.containers:
        root = roots_by_id.get(container.id)
        snapshots = list(_down(container.id, below))
        if root is None or len(snapshots) != len(root.lower):
            continue
        both = list(zip(snapshots, root.lower, strict=True))
        known.update(dict(both))
        merged[container.id] = replace(root, init=tuple(path for name, path in both if name.endswith(INIT)))
    images = tuple(_image(image, known) for image in found.images)
    containers = tuple(_container(container, merged, known) for container in found.containers)
    return replace(found, images=images, containers=containers)


def _down(key: str, below: Mapping[str, str]) -> Iterator[str]:
    """Yield the snapshots that one stands on, from the top down; what leads in a circle ends."""
    seen = {key}
    while (key := below.get(key, "")) and key not in seen:
        seen.add(key)
        yield key


def _image(image: Image, known: Mapping[str, str]) -> Image:
    layers = tuple(replace(layer, directory=known.get(layer.chain_id)) for layer in image.layers)
    return replace(image, layers=layers)


def _container(container: Container, merged: Mapping[str, Directories], known: Mapping[str, str]) -> Container:
    return replace(container, image=_image(container.image, known), directories=merged.get(container.id))


def running(details: Sequence[Mapping[str, object]]) -> dict[str, int]:
    """Return the process of each container that runs, by its ID, from the engine's details."""
    states = ((str(detail["Id"]), detail.get("State")) for detail in details)
    pids = ((name, state.get("Pid")) for name, state in states if isinstance(state, Mapping))
    return {name: pid for name, pid in pids if isinstance(pid, int) and pid > 0}
