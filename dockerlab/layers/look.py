"""Ask a host for images and containers as layers; nothing here changes anything."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from dockerlab.engine.layers import Layered, layered
from dockerlab.errors import EngineError
from dockerlab.gate import admitted
from dockerlab.hosts.base import Host
from dockerlab.layers.describe import to_change, to_container, to_image, to_store
from dockerlab.layers.model import Change, Container, Found, Image
from dockerlab.layers.snapshots import SOCKETS, chains, mounts, parents, placed, roots, running

MOST_PATHS = 2_000
"""So many paths one call of `stat` is given."""


def look(host: Host, names: Collection[str]) -> Found:
    """Return what there is on a host of the images and containers of these names, each image once.

    From which layer a file was copied up is read in the layers' directories, which takes root. Raises HostError.
    """
    answers = layered(host, dict.fromkeys(names))
    found = admitted(host.name, "its engine", lambda: to_found(host.name, answers, names), Found, EngineError)
    if found.store.containerd:
        details = [detail for detail, _, _ in answers.containers.values()]
        pids = admitted(host.name, "its engine", lambda: running(details), dict[str, int], EngineError)
        found = _unpacked(host, found, pids)
    return replace(found, containers=tuple(_with_origins(host, container) for container in found.containers))


def _unpacked(host: Host, found: Found, pids: Mapping[str, int]) -> Found:
    """Return what was found with the directories in which containerd has the layers of what runs."""
    if not pids:
        return found
    mounted = host.run(mounts(pids.values())).text
    answers = (host.run(chains(found.store.driver, socket)) for socket in SOCKETS)
    below = next((answer.text for answer in answers if answer.ok), None)

    def understood() -> Found:
        at = roots(mounted)
        there = {name: at[pid] for name, pid in pids.items() if pid in at}
        return placed(found, there, parents(below) if below is not None else {})

    return admitted(host.name, "its shell", understood, Found)


def to_found(host: str, answers: Layered, names: Iterable[str]) -> Found:
    """Return what an engine's answers say."""
    images = {
        identifier: to_image(detail, answers.histories[identifier], answers.parents[identifier])
        for identifier, detail in answers.images.items()
    }
    containers = [
        to_container(detail, sizes, [to_change(*change) for change in changes], images[detail["Image"]])
        for detail, sizes, changes in answers.containers.values()
        if detail["Image"] in images
    ]
    wanted = dict.fromkeys(answers.named[name] for name in names if name in answers.named)
    return Found(
        host=host,
        engine=answers.version.get("Version", ""),
        store=to_store(answers.info),
        images=tuple(images[identifier] for identifier in wanted),
        containers=tuple(containers),
        missing=tuple(n for n in dict.fromkeys(names) if n not in answers.named and n not in answers.containers),
    )


def _with_origins(host: Host, container: Container) -> Container:
    """Return a container in which changed and deleted files say which layer of the image has them, and how large."""
    touched = [change for change in container.changes if _has_origin(change)]
    layers = [layer for layer in reversed(container.image.layers) if layer.directory is not None]
    paths = [f"{layer.directory}{change.path}" for change in touched for layer in layers][:MOST_PATHS]
    if not paths:
        return container
    sizes = dict(_sizes(host.run(["stat", "-c", "%s %n", "--", *paths], timeout=60).text))
    return replace(container, changes=tuple(_with_origin(c, container.image, sizes) for c in container.changes))


def _has_origin(change: Change) -> bool:
    return change.path.isprintable() and (change.what == "D" or (change.what == "C" and change.kind == "file"))


def _sizes(text: str) -> Iterable[tuple[str, int]]:
    """Yield the paths that `stat` has found, each with its size."""
    for line in text.splitlines():
        size, _, path = line.partition(" ")
        if size.isdecimal():
            yield path, int(size)


def _with_origin(change: Change, image: Image, sizes: dict[str, int]) -> Change:
    if not _has_origin(change):
        return change
    for layer in reversed(image.layers):
        was = sizes.get(f"{layer.directory}{change.path}")
        if was is not None:
            return replace(change, layer=layer.number, was=was)
    return change
