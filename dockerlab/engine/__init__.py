"""What exists on a host's Docker engine; nothing here changes anything.

client    how the engine is reached: its local socket, or a channel of the host's own SSH connection
dial      HTTP over the streams of a program, which is what such a channel is
convert   from the engine's JSON to a `Snapshot`, as pure functions
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from docker import APIClient
from docker.errors import NotFound

from dockerlab.engine.client import connected, dials
from dockerlab.engine.convert import Answers, to_snapshot
from dockerlab.errors import HostError
from dockerlab.hosts.base import Host
from dockerlab.snapshot import LABEL_LAB, Snapshot

HELPERS = 3
"""Further channels on which many containers are inspected at once, where a round trip takes time."""

MANY = 16
"""Containers for which a further channel, and the program at its end, is worth its start."""


def snapshot(host: Host, inspect: Collection[str] | None = None) -> Snapshot:
    """Return what exists on the host's engine.

    Every container and network is there; in detail (process id, exit code, aliases, what is attached) are those that
    carry a lab's label, and those whose names are in `inspect`. Volumes are only the labelled ones. Raises EngineError.
    """
    return to_snapshot(host.name, read(host, set(inspect or ())))


def read(host: Host, names: Collection[str] = ()) -> Answers:
    """Return what the engine answers to the questions that a snapshot is made of; raises EngineError."""
    with connected(host) as client:
        version = client.version(api_version=False)
        info = client.info()
        containers = client.containers(all=True)
        networks = client.networks()
        volumes = client.volumes(filters={"label": LABEL_LAB})
        images = client.images()
        details = _inspect_all(host, client, [c["Id"] for c in containers if _wanted(c, names)])
        networks = [_or_none(client.inspect_network, n["Id"]) if _wanted(n, names) else n for n in networks]
    return Answers(
        version=version,
        info=info,
        containers=[details.get(c["Id"], c) for c in containers],
        networks=[network for network in networks if network is not None],
        volumes=volumes.get("Volumes") or [],
        images=images,
    )


def logs(host: Host, container_id: str, lines: int = 20) -> str:
    """Return the last lines that a container wrote to either stream; raises EngineError."""
    with connected(host) as client:
        text: bytes = client.logs(container_id, stdout=True, stderr=True, tail=lines)
    return text.decode(errors="replace")


def _wanted(entry: dict[str, Any], names: Collection[str]) -> bool:
    """Tell whether a listed container or network is to be inspected."""
    own = entry.get("Names") or [entry.get("Name", "")]
    return LABEL_LAB in (entry.get("Labels") or {}) or any(name.removeprefix("/") in names for name in own)


def _inspect_all(host: Host, client: APIClient, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the details of containers by id; one that has gone since it was listed has none.

    One channel does all of it if need be. Others help only where they are free at once: to wait for one while
    holding one could stop everybody.
    """
    todo: queue.SimpleQueue[str] = queue.SimpleQueue()
    for container in ids:
        todo.put(container)
    found: dict[str, dict[str, Any]] = {}

    def work(client: APIClient) -> None:
        while (container := _next(todo)) is not None:
            try:
                detail = _or_none(client.inspect_container, container)
            except BaseException:
                todo.put(container)
                raise
            if detail is not None:
                found[container] = detail

    def help_out() -> None:
        try:
            with connected(host, wait=0) as another:
                work(another)
        except HostError:
            return  # its share is back in the queue; if the first channel fails too, that one says so

    helpers = min(HELPERS, todo.qsize() // MANY) if dials(host) else 0
    with ThreadPoolExecutor(max_workers=HELPERS, thread_name_prefix="inspect") as pool:
        for _ in range(helpers):
            pool.submit(help_out)
        work(client)
    work(client)
    return found


def _next(todo: queue.SimpleQueue[str]) -> str | None:
    """Return the next entry, or None if there is none."""
    try:
        return todo.get_nowait()
    except queue.Empty:
        return None


def _or_none(inspect: Callable[[str], Any], what: str) -> dict[str, Any] | None:
    """Return the details of an object, or None if it has gone since it was listed."""
    try:
        detail: dict[str, Any] = inspect(what)
    except NotFound:
        return None
    return detail
