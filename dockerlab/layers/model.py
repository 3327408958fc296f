"""Layers as plain data; sizes are in bytes, None where the engine does not tell enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Store:
    """How an engine keeps layers: its storage driver, whether containerd keeps the images, and where."""

    driver: str
    containerd: bool = False
    root: str = ""


@dataclass(frozen=True)
class Directories:
    """What overlayfs merges: `lower` from the top down, `upper` is written to, `merged` is what a container sees.

    `init` are those of `lower` that no image has: what the engine mounts over.
    """

    lower: tuple[str, ...]
    upper: str
    merged: str
    work: str
    init: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """One line of an image's history; `layer` is the number of the layer that it made, 0 for none, None: not known.

    `image` is the ID of the image as it was after this step, empty where this engine does not have it.
    """

    image: str
    made_by: str
    comment: str
    size: int
    layer: int | None


@dataclass(frozen=True)
class Layer:
    """One layer: the digest of its files, and that of the layer with all those below it, by which it is kept once."""

    number: int
    diff_id: str
    chain_id: str
    size: int | None = None
    directory: str | None = None


@dataclass(frozen=True)
class Image:
    """An image; history and layers begin with the oldest, `parent` is empty where this engine did not make it."""

    id: str
    names: tuple[str, ...]
    parent: str
    parent_names: tuple[str, ...]
    size: int
    history: tuple[Step, ...]
    layers: tuple[Layer, ...]
    directories: Directories | None = None

    @property
    def name(self) -> str:
        """Return what to call it: its first name, or the beginning of its ID."""
        return self.names[0] if self.names else short(self.id)


@dataclass(frozen=True)
class Change:
    """A path in a container's own layer: A added, C changed, D deleted; `kind` is empty where it is not known.

    `layer` is the number of the image's layer from which a changed file was copied up, or in which a deleted one still
    is, and `was` the size that it has there.
    """

    what: Literal["A", "C", "D"]
    path: str
    kind: Literal["file", "directory", "link", "other", ""] = ""
    size: int | None = None
    layer: int | None = None
    was: int | None = None


@dataclass(frozen=True)
class Container:
    """A container's own layer on top of its image's; `written` is its size, `whole` that of all layers together."""

    id: str
    name: str
    image: Image
    written: int
    whole: int
    changes: tuple[Change, ...]
    directories: Directories | None = None


@dataclass(frozen=True)
class Found:
    """What there is of the wanted images and containers on a host; `missing` are the names that are neither."""

    host: str
    engine: str
    store: Store
    images: tuple[Image, ...]
    containers: tuple[Container, ...]
    missing: tuple[str, ...]


def short(digest: str) -> str:
    """Return a digest as `docker images` shows it: twelve digits."""
    return digest.removeprefix("sha256:")[:12]


def counted(layers: int) -> str:
    """Return a number of layers in words."""
    return f"{layers} layer{'' if layers == 1 else 's'}"
