"""Images and containers as layers, for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from dockerlab.layers.model import Change, Container, Directories, Found, Image, Layer, Store, counted, short
from dockerlab.layers.share import common, cost, size_of, uses
from dockerlab.plain import one_line

SCHEMA = 1
MOST_CHANGES = 100
"""So many changed paths of a container are shown; JSON has all."""

DRIVERS = {
    "overlay2": "a directory for each layer; the kernel's overlayfs merges them, and a layer is on the disk once",
    "fuse-overlayfs": "as overlay2, but a program merges the directories, as for an engine without root: slower",
    "vfs": "each layer is a full copy of all that is below it, so that sharing saves nothing on the disk",
    "btrfs": "each layer is a snapshot of a subvolume: no directories are merged",
    "zfs": "each layer is a clone of a dataset: no directories are merged",
}
CONTAINERD = (
    "containerd keeps the images, packed and unpacked: the size of an image is that of the packed one (after 29.7.2 of "
    "both), those of its layers are unpacked, and a layer's directory is seen while a container on it runs"
)


def render(found: Sequence[Found], width: int = 120) -> str:
    """Return what was found on hosts as text."""
    return "\n\n".join("\n".join(_host(each, width)) for each in found) + "\n"


def as_json(found: Sequence[Found]) -> str:
    """Return what was found on hosts as one JSON object; sizes in bytes, null where the engine does not tell."""
    return json.dumps({"schema": SCHEMA, "hosts": [_document(each) for each in found]}, indent=2) + "\n"


def _document(found: Found) -> dict[str, Any]:
    images = _all_images(found)
    return {
        **asdict(found),
        "store": {**asdict(found.store), "means": means(found.store)},
        "layers": [
            {"chain_id": use.layer.chain_id, "size": use.layer.size, "images": list(use.images)} for use in uses(images)
        ],
        "shared": [
            {"images": [a.name, b.name], "layers": len(common(a, b)), "size": size_of(common(a, b))}
            for a, b in _pairs(images)
        ],
        "cost": asdict(cost(images)),
    }


def means(store: Store) -> str:
    """Return what follows from how an engine keeps layers."""
    if store.containerd:
        return CONTAINERD
    return DRIVERS.get(store.driver, "how it keeps layers is not known here")


def _all_images(found: Found) -> list[Image]:
    """Return the images that were asked for and those of the containers, each once."""
    images = [*found.images, *(container.image for container in found.containers)]
    return list({image.id: image for image in images}.values())


def _pairs(images: Sequence[Image]) -> Iterator[tuple[Image, Image]]:
    yield from ((a, b) for number, a in enumerate(images) for b in images[number + 1 :])


def _host(found: Found, width: int) -> Iterator[str]:
    store = found.store
    kept = "containerd, snapshotter" if store.containerd else "storage driver"
    yield f"{found.host}: engine {found.engine}, {kept} {store.driver}: {means(store)}"
    for image in found.images:
        yield from ("", *_image(image, width))
    for container in found.containers:
        yield from ("", *_container(container))
    images = _all_images(found)
    if len(images) > 1:
        yield from ("", *_sharing(images))
    if found.missing:
        yield ""
    for name in found.missing:
        yield f"no image and no container {one_line(name)} here"


def _image(image: Image, width: int) -> Iterator[str]:
    yield f"image {', '.join(image.names) or '(no name)'}  {short(image.id)}  {amount(image.size)}"
    parent = ", ".join(image.parent_names)
    if image.parent:
        near = f"; the nearest with a name is {parent}" if parent else ""
        yield f"  parent {short(image.parent)}{near}"
    else:
        yield "  parent not known: it was not made on this engine, or is the first"
    yield "  history, the first step first"
    rows = [
        [
            "?" if step.layer is None else str(step.layer) if step.layer else "-",
            short(step.image) if step.image else "",
            amount(step.size),
            _cut(one_line(step.made_by or step.comment).strip(), max(30, width - 36)),
        ]
        for step in image.history
    ]
    yield from _table(["LAYER", "IMAGE", "SIZE", "MADE BY"], rows, right=(2,))
    yield "  layers, the lowest first"
    rows = [
        [str(x.number), short(x.diff_id), short(x.chain_id), amount(x.size), x.directory or "-"] for x in image.layers
    ]
    yield from _table(["LAYER", "DIFF ID", "CHAIN ID", "SIZE", "DIRECTORY"], rows, right=(3,))
    yield from _directories(image.directories, image.layers)


def _directories(found: Directories | None, layers: Sequence[Layer]) -> Iterator[str]:
    if found is None:
        return
    known = {layer.directory: f"layer {layer.number}" for layer in layers}
    for number, path in enumerate(found.lower):
        what = known.get(path, "what the engine mounts over: /etc/hosts, /dev, …" if path in found.init else "")
        yield f"  {'lower' if not number else '':<7} {path}{f'  ({what})' if what else ''}"
    for name in ("upper", "merged", "work"):
        path = getattr(found, name)
        yield f"  {name:<7} {path}{f'  ({known[path]})' if path in known else ''}"


def _container(container: Container) -> Iterator[str]:
    yield f"container {container.name}  {short(container.id)}  of image {container.image.name}"
    yield f"  own layer {amount(container.written)}, with those of its image {amount(container.whole)}"
    yield from _directories(container.directories, container.image.layers)
    if not container.changes:
        yield "  nothing was written"
        return
    yield "  what was written (A added, C changed, D deleted)"
    for change in container.changes[:MOST_CHANGES]:
        size = "" if change.size is None else f"  {amount(change.size)}"
        yield f"  {change.what} {one_line(change.path)}{size}{_origin(change)}"
    if len(container.changes) > MOST_CHANGES:
        yield f"  … and {len(container.changes) - MOST_CHANGES} more"


def _origin(change: Change) -> str:
    if change.layer is None:
        return ""
    was = f"{amount(change.was)} in layer {change.layer}"
    return f"  hides {was}" if change.what == "D" else f"  copied up from {was}"


def _sharing(images: Sequence[Image]) -> Iterator[str]:
    yield "what they share"
    rows = [
        [short(use.layer.chain_id), amount(use.layer.size), str(len(use.images)), ", ".join(use.images)]
        for use in uses(images)
    ]
    yield from _table(["CHAIN ID", "SIZE", "IMAGES", "WHICH"], rows, right=(1, 2))
    for one, other in _pairs(images):
        both = common(one, other)
        yield f"  {one.name} and {other.name}: {counted(len(both))}, {amount(size_of(both))}"
    total = cost(images)
    saved = "" if total.together is None else f", {amount(total.apart - total.together)} less"
    yield f"  apart {amount(total.apart)}, together {amount(total.together)}{saved}"


def amount(size: int | None) -> str:
    """Return a size as docker writes it, with a power of 1000 and three digits that count; `?` where not known."""
    if size is None:
        return "?"
    number, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if number < 1000:
            break
        number, unit = number / 1000, larger
    return f"{number:.3g}{unit}" if number < 999.5 or unit == "TB" else f"{number:.0f}{unit}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> Iterator[str]:
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    for row in [head, *rows]:
        cells = [f"{c:>{w}}" if n in right else f"{c:<{w}}" for n, (c, w) in enumerate(zip(row, widths, strict=True))]
        yield ("  " + "  ".join(cells)).rstrip()


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
