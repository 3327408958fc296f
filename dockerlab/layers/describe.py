"""From the engine's JSON to layers; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Literal

from dockerlab.layers.model import Change, Container, Directories, Image, Layer, Step, Store

Json = Mapping[str, Any]

METADATA = re.compile(
    r"^(/bin/sh -c #\(nop\) +)?"
    r"(ARG|CMD|ENTRYPOINT|ENV|EXPOSE|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|SHELL|STOPSIGNAL|USER|VOLUME)\b"
)
"""How the history writes an instruction that makes no layer (WORKDIR may make one)."""

WHAT: Mapping[int, Literal["A", "C", "D"]] = {0: "C", 1: "A", 2: "D"}
DIRECTORY, LINK, OTHERS = 1 << 31, 1 << 27, (1 << 26) | (1 << 25) | (1 << 24) | (1 << 21)
"""Bits of a mode as the engine tells it, which is as Go has it."""


def to_store(info: Json) -> Store:
    """Return how an engine keeps layers, from what it says of itself."""
    status = {str(row[0]): str(row[1]) for row in info.get("DriverStatus") or () if len(row) == 2}
    containerd = "containerd" in status.get("driver-type", "")
    return Store(info.get("Driver") or "", containerd, info.get("DockerRootDir") or "")


def to_image(detail: Json, history: Sequence[Json], parent_names: Sequence[str] = ()) -> Image:
    """Return an image, from its detail and its history, which begins with the latest step."""
    diffs = list((detail.get("RootFS") or {}).get("Layers") or ())
    steps = _steps(list(reversed(history)), len(diffs))
    sizes = {step.layer: step.size for step in steps}
    found = directories(detail.get("GraphDriver") or {})
    paths = [*reversed(found.lower), found.upper] if found is not None else []
    if len(paths) != len(diffs):
        paths = []
    layers = tuple(
        Layer(number, diff, chain, sizes.get(number), paths[number - 1] if paths else None)
        for number, (diff, chain) in enumerate(zip(diffs, chain_ids(diffs), strict=True), 1)
    )
    names = tuple(name for name in detail.get("RepoTags") or () if "<none>" not in name)
    parent = detail.get("Parent") or ""
    return Image(detail["Id"], names, parent, tuple(parent_names), detail["Size"], steps, layers, found)


def chain_ids(diff_ids: Sequence[str]) -> list[str]:
    """Return the chain ID of each layer: that of its own files and of everything below them."""
    found: list[str] = []
    for diff in diff_ids:
        found.append(f"sha256:{sha256(f'{found[-1]} {diff}'.encode()).hexdigest()}" if found else diff)
    return found


def _steps(history: Sequence[Json], layers: int) -> tuple[Step, ...]:
    """Return the history with the layers that its steps made.

    The engine does not say which step made one. A step with a size did, an instruction that only describes did not.
    What is neither, such as a step that only deletes, is told by the number of layers, if that leaves no choice.
    """
    sure = [bool(entry.get("Size")) for entry in history]
    perhaps = [
        not certain and not METADATA.match(str(entry.get("CreatedBy") or ""))
        for entry, certain in zip(history, sure, strict=True)
    ]
    if sum(sure) + sum(perhaps) == layers:
        made: list[bool | None] = [a or b for a, b in zip(sure, perhaps, strict=True)]
    elif sum(sure) == layers:
        made = list(sure)
    else:
        made = [None] * len(history)
    steps: list[Step] = []
    number = 0
    for entry, one in zip(history, made, strict=True):
        number += bool(one)
        identifier = str(entry.get("Id") or "")
        steps.append(
            Step(
                image=identifier if identifier.startswith("sha256:") else "",
                made_by=str(entry.get("CreatedBy") or ""),
                comment=str(entry.get("Comment") or ""),
                size=int(entry.get("Size") or 0),
                layer=None if one is None else number if one else 0,
            )
        )
    return tuple(steps)


def directories(driver: Json) -> Directories | None:
    """Return what an overlay driver merges, None where another one is at work or nothing is told."""
    data = driver.get("Data") or {}
    if not data.get("UpperDir"):
        return None
    lower = tuple(path for path in (data.get("LowerDir") or "").split(":") if path)
    init = tuple(path for path in lower if "-init/" in path)
    return Directories(lower, data["UpperDir"], data.get("MergedDir") or "", data.get("WorkDir") or "", init)


def to_container(detail: Json, sizes: Json, changes: Sequence[Change], image: Image) -> Container:
    """Return a container's layer, from its detail, its entry in a list with sizes, and what has changed in it."""
    return Container(
        id=detail["Id"],
        name=detail["Name"].removeprefix("/"),
        image=image,
        written=int(sizes.get("SizeRw") or 0),
        whole=int(sizes.get("SizeRootFs") or 0),
        changes=tuple(sorted(changes, key=lambda change: change.path)),
        directories=directories(detail.get("GraphDriver") or {}),
    )


def to_change(entry: Json, stat: Json | None) -> Change:
    """Return a change, from the engine's list and from what it says of the path, None where it is gone."""
    what = WHAT[entry["Kind"]]
    if stat is None:
        return Change(what, entry["Path"])
    mode = int(stat["mode"])
    kind: Literal["file", "directory", "link", "other"] = (
        "directory" if mode & DIRECTORY else "link" if mode & LINK else "other" if mode & OTHERS else "file"
    )
    return Change(what, entry["Path"], kind, int(stat["size"]) if kind == "file" else None)
