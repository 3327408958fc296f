"""What a definition says of a container: what its image does not say by itself, and what is not a default."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from dockerlab.discover import places, ports, secrets, words
from dockerlab.discover.entry import Entry, Json
from dockerlab.discover.networks import labels_of
from dockerlab.discover.places import Surroundings
from dockerlab.lab.check import DOCKERS
from dockerlab.lab.container import NODE
from dockerlab.snapshot import ContainerState, ImageState

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
SIMPLE = re.compile(r"[\w ./:=@,+-]+")
"""A command that reads well on one line."""


def described(container: ContainerState, around: Surroundings) -> Entry:
    """Return what a definition says of a container of a host, in the order in which one would write it."""
    entry, detail = Entry(), container.detail or {}
    config, host = detail.get("Config") or {}, detail.get("HostConfig") or {}
    own = next((each for each in around.snapshot.image_states if each.id == container.image_id), None)
    image: Json = (own.config if own is not None else None) or {}
    places.renamed(entry, container, around.names[around.snapshot.host, container.id], around.snapshot.host)
    _made_by(entry, container)
    _image(entry, container, own, around)
    if around.hosts > 1 and not container.network_mode.startswith("container:"):
        entry.data["host"] = around.snapshot.host
    _command(entry, config, image)
    places.hostname(entry, container)
    entry.put("user", config.get("User") if config.get("User") != image.get("User") else None)
    _environment(entry, config.get("Env") or (), image.get("Env") or ())
    places.stands(entry, container, around)
    ports.ports(entry, container)
    ports.expose(entry, container, around)
    _resolving(entry, container, host)
    entry.put("cap_add", _capabilities(host.get("CapAdd")))
    entry.put("cap_drop", _capabilities(host.get("CapDrop")))
    entry.put("sysctls", {str(k): str(v) for k, v in sorted((host.get("Sysctls") or {}).items())})
    entry.put("labels", labels_of(entry, container.labels, image.get("Labels") or {}))
    words.further(entry, words.Seen(container, detail, image, around))
    return entry


def _made_by(entry: Entry, container: ContainerState) -> None:
    service = container.labels.get("com.docker.swarm.service.name")
    if service:
        entry.say(f"made by the Swarm service {service}; its ports by the Swarm's routing are not told here")
    if container.status not in ("", "running"):
        code = f", exit code {container.exit_code}" if container.status in ("exited", "dead") else ""
        entry.say(f"{container.status} here{code}")


def _image(entry: Entry, container: ContainerState, own: ImageState | None, around: Surroundings) -> None:
    name = container.image
    if name.partition(":")[0] == NODE and name in (NODE, f"{NODE}:latest"):
        return
    entry.data["image"] = name
    if name.startswith("sha256:") or re.fullmatch(r"[0-9a-f]{12,64}", name):
        tag = next(iter(own.names), "") if own is not None else ""
        if tag:
            entry.data["image"] = tag
        else:
            entry.say("an image without a name, which no other host can get", "image")
        return
    full = name if ":" in name.rpartition("/")[2] or "@" in name else f"{name}:latest"
    now = around.snapshot.image(full)
    if now is not None and container.image_id and now.id != container.image_id:
        entry.say("that name leads to another image by now than the one that runs", "image")


def _command(entry: Entry, config: Json, image: Json) -> None:
    """Note what it runs; an entrypoint is what `docker run` takes it for: one word, and the others of the command."""
    entrypoint, command = tuple(config.get("Entrypoint") or ()), tuple(config.get("Cmd") or ())
    by_image = tuple(image.get("Entrypoint") or ())
    if entrypoint == by_image and command == tuple(image.get("Cmd") or ()):
        return
    if entrypoint != by_image:
        whole = (*entrypoint, *command)
        first = whole[: max(1, len(entrypoint))]
        entry.put("entrypoint", list(_said(entry, first, "entrypoint")))
        command = whole[len(first) :]
    elif not command:
        # Docker gives the image's own command where none is named, unless the entrypoint is named as well.
        entry.put("entrypoint", list(_said(entry, entrypoint, "entrypoint")))
    clean = _said(entry, command, "command")
    line = shlex.join(clean)
    entry.put("command", line if clean and SIMPLE.fullmatch(line) else list(clean))


def _said(entry: Entry, line: Sequence[str], key: str) -> tuple[str, ...]:
    """Return the words of a command, without what looks like a secret."""
    clean = secrets.words([str(word) for word in line])
    if clean != tuple(line):
        entry.say(f"{secrets.REPLACED} stands for what looks like a secret", key)
    return clean


def _environment(entry: Entry, given: Sequence[str], by_image: Sequence[str]) -> None:
    """Note the variables that the image does not set; the value of what may be a secret is asked for."""
    known = set(by_image)
    found: dict[str, Any] = {}
    asked: list[str] = []
    for line in given:
        name, equals, value = str(line).partition("=")
        if line in known or not name or not equals:
            continue
        if secrets.harmless(name, value):
            found[name] = value
        elif VARIABLE.fullmatch(name) and not DOCKERS.fullmatch(name):
            found[name] = None
            asked.append(name)
        else:
            entry.say(f"left out, as it may be a secret: the variable {name}")
    if asked:
        entry.say("without a value, as it may be a secret: export it before `up`", "environment")
    entry.put("environment", dict(sorted(found.items())))


def _resolving(entry: Entry, container: ContainerState, host: Json) -> None:
    if container.network_mode.startswith("container:"):
        return
    entry.put("dns", [str(each) for each in host.get("Dns") or ()])
    entry.put("dns_search", [str(each) for each in host.get("DnsSearch") or ()])
    entry.put("extra_hosts", dict(_lines(host.get("ExtraHosts") or ())))


def _lines(told: Sequence[str]) -> Iterator[tuple[str, str]]:
    for line in told:
        name, *address = re.split("[:=]", str(line), maxsplit=1)
        if address:
            yield name, address[0]


def _capabilities(told: Sequence[str] | None) -> list[str]:
    """Return capabilities as one writes them; engines from 28 on name them in full (`CAP_NET_ADMIN`)."""
    return [str(each).removeprefix("CAP_") for each in told or ()]
