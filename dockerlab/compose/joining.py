"""How a service's containers are plugged in: on which networks, in which mode, or in whose namespace."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dockerlab.compose.networks import DEFAULT, NONE_OF_OURS, name_of, places
from dockerlab.compose.node import Node, mapping
from dockerlab.compose.project import Project

SAME = ("driver_opts", "gw_priority", "interface_name", "link_local_ips", "mac_address")
"""What a place on a network says in the same words as a lab's."""


@dataclass(frozen=True)
class Joining:
    """A container's entries about networks, and the networks that they speak of, by the project's keys.

    `elsewhere` are networks of the engine that the project does not name.
    """

    entries: list[tuple[str, Node | None]]
    networks: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()


def joined(project: Project, service: str, spec: Node) -> Joining | None:
    """Return how a service is plugged in; None, with a note, where that cannot be told from its file."""
    mode = spec.get("network_mode")
    if mode is None or not mode.text():
        return _on_networks(project, service, spec)
    if spec.get("networks") is not None:
        project.wrong.append(mode.located("`networks` is given as well: a service has either of them"))
    kind, colon, name = mode.text().partition(":")
    if colon and kind in ("service", "container"):
        return _in_another(project, service, mode, kind, name)
    if mode.text() in ("default", *NONE_OF_OURS):
        return Joining([("network_mode", mode.of("bridge" if mode.text() == "default" else mode.text()))])
    own = next((key for key in (*project.section("networks"), DEFAULT) if name_of(project, key) == mode.text()), None)
    place = mode.of({mode.text(): mode.of(None)})
    return Joining([("networks", place)], () if own is None else (own,), (mode.text(),) if own is None else ())


def _in_another(project: Project, service: str, mode: Node, kind: str, name: str) -> Joining | None:
    """Return how a service joins the network namespace of another container of the project."""
    if kind == "service":
        owner = project.container(mode, name)
        if owner is not None:
            return Joining([("network_mode", mode.of(f"container:{owner}"))])
        project.note(f"left out: it is in the network namespace of {name}, and that is not there", service)
        return None
    if name in {each for other in project.services for each in project.containers(other)}:
        return Joining([("network_mode", mode)])
    project.note(f"left out: it is in the network namespace of {name}, which is not of this project", service)
    return None


def _on_networks(project: Project, service: str, spec: Node) -> Joining:
    """Return a service's place on each of its networks; the engine's own networks are modes of a container."""
    found = places(project, spec)
    named = {key: name_of(project, key) for key in found}
    engines = [key for key, name in named.items() if name in NONE_OF_OURS]
    ours = [key for key in found if key not in engines]
    if engines and not ours:
        return Joining([("network_mode", found[engines[0]].of(named[engines[0]]))])
    for key in engines:
        project.note(f"networks: the engine's own network {named[key]} beside others is left out", service)
    made = {named[key]: mapping(found[key], _place(service, found[key])) for key in ours}
    return Joining([("networks", (spec.get("networks") or spec).of(made))], tuple(ours))


def _place(service: str, place: Node) -> Iterator[tuple[str, Node | None]]:
    """Yield what a place on a network says: every container goes by its service's name there."""
    aliases = place.get("aliases")
    names = [place.of(service), *(aliases.items() if aliases is not None else [])]
    yield "aliases", place.of([node for node in names if node.text()])
    for theirs, own in (("ipv4_address", "ip"), ("ipv6_address", "ip6")):
        address = place.get(theirs)
        yield own, address if address is not None and address.text() else None
    for key in SAME:
        yield key, place.get(key)
