"""What exists on a host's Docker engine; nothing here changes anything.

client    how the engine is reached, and what it means when it is not
asking    questions in the words of its API
here      this machine's engine, through the Docker SDK
dial      another one's: HTTP over the streams of a program, on a channel of the host's own SSH connection
bounded   whole answers within limits
forms     what an engine's answers have to be like
convert   from the engine's JSON to a `Snapshot`, as pure functions
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Literal, TypeVar

from dockerlab.engine import forms
from dockerlab.engine.asking import Client, Refused
from dockerlab.engine.client import TELLS_MAC, connected
from dockerlab.engine.convert import Answers, to_snapshot
from dockerlab.gate import misfit
from dockerlab.hosts.base import Host
from dockerlab.snapshot import LABEL_LAB, Snapshot

T = TypeVar("T")

Detail = Literal["every", "all", "needed", "none"]
"""Of which containers details are asked for, each with a question of its own: of every one, whoever made it, and of
every network, and of the images that they are made from; of all of a lab's, and of who else is on its networks, whose
names Docker's DNS knows as well; of those of a lab's of which the list says too little for a plan, as they do not run
or share a network namespace; or of none."""


def snapshot(host: Host, inspect: Collection[str] | None = None, detail: Detail = "all") -> Snapshot:
    """Return what exists on the host's engine.

    Every container and network is there; in detail (process id, exit code, aliases, what is attached) are those that
    carry a lab's label, those whose names are in `inspect`, and who runs on such a network, but of containers only
    those that `detail` says; with `every`, everything is. Raises EngineError.
    """
    return to_snapshot(host.name, read(host, set(inspect or ()), detail))


def read(host: Host, names: Collection[str] = (), detail: Detail = "all") -> Answers:
    """Return what the engine answers to the questions that a snapshot is made of; raises EngineError.

    All on one connection, one question after the other: an answer takes the engine a few milliseconds, the start of
    another channel as long as a dozen of them.
    """
    with connected(host, TELLS_MAC if detail == "every" else None) as (client, told):
        version, info = formed(told, forms.Told), formed(client.get("info"), forms.Info)
        nodes = _nodes(client) if (info.get("Swarm") or {}).get("ControlAvailable") else []
        networks = formed(client.get("networks"), list[forms.Network])
        whole = detail == "every"
        shared = {n["Name"] for n in networks if _wanted(n, names)} if detail == "all" else set()
        inspected = {n["Id"] for n in networks if whole or _wanted(n, names)}
        networks = _with_details(client, networks, inspected, "networks")
        # Listed after the networks: who is on one of these and no container now was left behind there by the engine.
        containers = formed(client.get("containers", "json", all=1), list[forms.Container])
        wanted = _in_detail(containers, names, detail)
        wanted |= {c["Id"] for c in containers if not shared.isdisjoint(_networks(c))}
        containers = _with_details(client, containers, wanted, "containers", "json")
        networks = formed(networks, list[forms.Network | None])
        containers = formed(containers, list[forms.Container | None])
        volumes = formed(client.get("volumes"), forms.Volumes)
        images = formed(client.get("images", "json", all=1), list[forms.Image])
        if whole:
            images = _with_configs(client, images, {str(c.get("Image")) for c in containers if c is not None})
    return Answers(
        version=version,
        info=info,
        containers=[container for container in containers if container is not None],
        networks=[network for network in networks if network is not None],
        volumes=volumes.get("Volumes") or [],
        images=images,
        nodes=nodes,
    )


def logs(host: Host, container_id: str, lines: int = 20) -> str:
    """Return the last lines that a container wrote to either stream; raises EngineError."""
    with connected(host) as (client, _):
        terminal = client.get("containers", container_id, "json")["Config"]["Tty"]
        said = client.content("containers", container_id, "logs", stdout=1, stderr=1, tail=lines)
        text = said if terminal else b"".join(_pieces(said))
    return text.decode(errors="replace")


def _pieces(said: bytes) -> Iterator[bytes]:
    """Yield what both streams of a container without a terminal say: the engine puts 8 bytes ahead of each piece.

    Raises ValueError for what has none.
    """
    while said:
        size = int.from_bytes(said[4:8], "big")
        if said[:4] not in (bytes(4), b"\1\0\0\0", b"\2\0\0\0") or len(said) < 8 + size:
            raise ValueError("a log that is not in pieces")
        yield said[8 : 8 + size]
        said = said[8 + size :]


def nodes(host: Host) -> dict[str, str]:
    """Return what a Swarm's manager says of each node (`ready`, `down`), by its ID; raises EngineError."""
    with connected(host) as (client, _):
        return {node["ID"]: node["Status"]["State"] for node in formed(client.get("nodes"), list[forms.Node])}


def _nodes(client: Client) -> list[dict[str, Any]]:
    """Return the nodes of a manager's Swarm; none where that has lost its leader, and so cannot say."""
    try:
        return formed(client.get("nodes"), list[forms.Node])
    except Refused:
        return []


def formed(answer: T, form: object) -> T:
    """Return an answer of the engine that is of a form; raises ValueError, with what is wrong, for another."""
    wrong = misfit(answer, form)
    if wrong is not None:
        raise ValueError(f"its answer{wrong}")
    return answer


def _wanted(entry: dict[str, Any], names: Collection[str]) -> bool:
    """Tell whether a listed container or network is to be inspected."""
    own = entry.get("Names") or [entry.get("Name", "")]
    return LABEL_LAB in (entry.get("Labels") or {}) or any(name.removeprefix("/") in names for name in own)


def _networks(entry: dict[str, Any]) -> Collection[str]:
    """Return the networks of a listed container on which it has names; docker0 has none."""
    there = (entry.get("NetworkSettings") or {}).get("Networks") or {}
    return [name for name in there if name != "bridge"] if entry.get("State") == "running" else []


def _in_detail(containers: list[dict[str, Any]], names: Collection[str], detail: Detail) -> set[str]:
    """Return the IDs of the listed containers that are to be inspected."""
    if detail == "none":
        return set()
    if detail == "every":
        return {c["Id"] for c in containers}
    mode = {c["Id"]: str((c.get("HostConfig") or {}).get("NetworkMode")) for c in containers}
    owners = {text.partition(":")[2] for text in mode.values() if text.startswith("container:")}

    def told(entry: dict[str, Any]) -> bool:
        """Tell whether the list says enough of a container."""
        own = {entry["Id"], *(name.removeprefix("/") for name in entry.get("Names") or ())}
        shares = mode[entry["Id"]].startswith("container:") or not owners.isdisjoint(own)
        return entry.get("State") == "running" and not shares

    return {c["Id"] for c in containers if _wanted(c, names) and (detail == "all" or not told(c))}


def _with_configs(client: Client, images: list[dict[str, Any]], wanted: Collection[str]) -> list[dict[str, Any]]:
    """Return the entries of images, those that are `wanted` with what each gives to its containers."""
    used = [each["Id"] for each in images if each["Id"] in wanted]
    details = dict(zip(used, client.each([("images", each, "json") for each in used]), strict=True))
    formed(list(details.values()), list[forms.Image | None])
    return [{**each, "Config": (details.get(each["Id"]) or {}).get("Config")} for each in images]


def _with_details(
    client: Client, entries: Sequence[dict[str, Any]], wanted: Collection[str], kind: str, *more: str
) -> list[dict[str, Any] | None]:
    """Return the entries of a list, those that are `wanted` in detail: None for what has gone since it was listed."""
    details = client.each([(kind, each["Id"], *more) for each in entries if each["Id"] in wanted])
    return [next(details) if each["Id"] in wanted else each for each in entries]
