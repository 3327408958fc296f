"""What an engine says of images and containers as layers; nothing here changes anything."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from dockerlab.engine.asking import Client, Missing, Refused
from dockerlab.engine.client import connected
from dockerlab.gate import parsed
from dockerlab.hosts.base import Host

MOST = 500
"""So many changed paths of a container are looked at one by one."""

Entry = dict[str, Any]


@dataclass
class Layered:
    """The engine's answers: details of images by ID, their histories, and the names that lead to them.

    A container has its detail, its entry in a list with sizes, and its changes, each with what is there now.
    """

    version: Entry
    info: Entry
    images: dict[str, Entry] = field(default_factory=dict)
    histories: dict[str, list[Entry]] = field(default_factory=dict)
    parents: dict[str, list[str]] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)
    containers: dict[str, tuple[Entry, Entry, list[tuple[Entry, Entry | None]]]] = field(default_factory=dict)


def layered(host: Host, names: Collection[str]) -> Layered:
    """Return what the engine says of those of the names that are images or containers; raises EngineError."""
    with connected(host) as (client, version):
        answers = Layered(version, client.get("info"))
        for name in names:
            image = _image(client, name)
            if image is not None:
                answers.named[name] = image["Id"]
                _add(client, answers, image)
            container = _container(client, name)
            if container is not None:
                answers.containers[name] = container
                below = _image(client, container[0]["Image"])
                if below is not None:
                    _add(client, answers, below)
    return answers


def _add(client: Client, answers: Layered, image: Entry) -> None:
    if image["Id"] in answers.images:
        return
    answers.images[image["Id"]] = image
    answers.histories[image["Id"]] = client.get("images", image["Id"], "history")
    named = (_image(client, step) for step in _steps_below(answers.histories[image["Id"]]))
    answers.parents[image["Id"]] = next((each["RepoTags"] for each in named if each and each.get("RepoTags")), [])


def _steps_below(history: Sequence[Entry]) -> list[str]:
    """Return the IDs of the images that an image was made from and that are still here, the nearest first."""
    return [step["Id"] for step in history[1:] if str(step.get("Id", "")).startswith("sha256:")]


def _image(client: Client, name: str) -> Entry | None:
    try:
        found: Entry = client.get("images", name, "json")
    except Missing:
        return None
    return found


def _container(client: Client, name: str) -> tuple[Entry, Entry, list[tuple[Entry, Entry | None]]] | None:
    try:
        detail: Entry = client.get("containers", name, "json")
    except Missing:
        return None
    only = json.dumps({"id": [detail["Id"]]})
    listed = client.get("containers", "json", all=1, size=1, filters=only)
    changes: list[Entry] = client.get("containers", detail["Id"], "changes") or []
    seen = [
        (change, _stat(client, detail["Id"], change["Path"]) if change["Kind"] != 2 and number < MOST else None)
        for number, change in enumerate(changes)
    ]
    return detail, listed[0] if listed else {}, seen


def _stat(client: Client, container: str, path: str) -> Entry | None:
    """Return what the engine says of a path in a container, None where it says nothing: it may be gone by now."""
    try:
        fields = client.fields("containers", container, "archive", path=path)
        found: Entry = parsed(b64decode(fields["x-docker-container-path-stat"]))
    except (Refused, KeyError, ValueError):
        return None
    return found
