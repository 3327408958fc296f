"""The commands by which one looks at images and containers as layers by hand; all of them only read."""

from __future__ import annotations

from collections.abc import Iterator

from dockerlab.layers.model import Found


def commands(found: Found) -> Iterator[tuple[str, ...]]:
    """Yield what a person would run on a host to see what was found there."""
    yield "docker", "images"
    images = {image.id: image for image in (*found.images, *(container.image for container in found.containers))}
    for image in images.values():
        name = next(iter(image.names), image.id)
        yield "docker", "image", "history", name
        yield "docker", "image", "inspect", name
    for container in found.containers:
        yield "docker", "container", "inspect", "--size", container.name
        yield "docker", "container", "diff", container.name
