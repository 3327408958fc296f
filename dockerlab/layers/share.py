"""What images have in common: a layer on the same layers is kept once, however many images have it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dockerlab.layers.model import Image, Layer


@dataclass(frozen=True)
class Use:
    """One layer as the engine keeps it, and the images that have it."""

    layer: Layer
    images: tuple[str, ...]


@dataclass(frozen=True)
class Cost:
    """What images cost in bytes: `apart` if each had its own layers, `together` as they are; None: not known."""

    apart: int
    together: int | None


def uses(images: Sequence[Image]) -> list[Use]:
    """Return every layer of the images once, the lowest first, with the names of the images that have it."""
    all_layers = [layer for image in images for layer in image.layers]
    # What the history of one image leaves open, that of another one may tell.
    layers = {layer.chain_id: layer for layer in sorted(all_layers, key=lambda layer: layer.size is not None)}
    return [
        Use(layer, tuple(i.name for i in images if any(own.chain_id == chain for own in i.layers)))
        for chain, layer in sorted(layers.items(), key=lambda item: item[1].number)
    ]


def common(one: Image, other: Image) -> list[Layer]:
    """Return the layers that two images share, the lowest first."""
    chains = {layer.chain_id for layer in other.layers}
    return [layer for layer in one.layers if layer.chain_id in chains]


def size_of(layers: Sequence[Layer]) -> int | None:
    """Return the size of layers, None where that of one is not known."""
    sizes = [layer.size for layer in layers]
    return None if None in sizes else sum(size for size in sizes if size is not None)


def cost(images: Sequence[Image]) -> Cost:
    """Return what images cost, each image counted once."""
    distinct = list({image.id: image for image in images}.values())
    apart = (image.size if (size := size_of(image.layers)) is None else size for image in distinct)
    return Cost(sum(apart), size_of([use.layer for use in uses(distinct)]))
