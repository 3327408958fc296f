"""Networks of a project as a lab's: their names as Compose gives them, and which of them there are."""

from __future__ import annotations

from collections.abc import Collection

from dockerlab.compose.node import Node, mapping
from dockerlab.compose.project import Project
from dockerlab.lab.problem import meant, shown

DEFAULT = "default"
NONE_OF_OURS = ("bridge", "host", "none")
"""The engine's own networks: a container is in their mode, not on a network of the lab."""
PASSED = ("attachable", "driver_opts", "enable_ipv4", "enable_ipv6", "internal", "labels")
TRUE = ("yes", "on", "y")
"""What Compose takes for true where it looks for a boolean, besides `true`."""


def name_of(project: Project, key: str) -> str:
    """Return what the engine calls a network: its own name, or that of the project before its key."""
    spec = project.section("networks").get(key)
    named = spec.word("name") if spec is not None else ""
    if named:
        return named
    return key if spec is not None and _external(spec) else f"{project.name}_{key}"


def used_networks(project: Project, used: Collection[str]) -> dict[str, Node]:
    """Return the networks that a project's containers are on, by the engine's names; Compose makes no other."""
    found: dict[str, Node] = {}
    for key in sorted(used, key=[*project.section("networks"), *used].index):
        spec = project.section("networks").get(key)
        made = _network(project, key, spec) if spec is not None else project.root.of({})
        name = name_of(project, key)
        if name not in NONE_OF_OURS:
            found[name] = made
    return found


def _network(project: Project, key: str, spec: Node) -> Node:
    for word in spec.children():
        if word not in (*PASSED, "driver", "external", "ipam", "name") and not word.startswith("x-"):
            project.note(f"networks.{key}.{word}: not a key that is known here")
    if _external(spec):
        project.note("made by somebody else (`external`): what it is, only its host tells", key)
        return mapping(spec, [("external", spec.of(value=True)), ("driver", spec.get("driver"))])
    driver = spec.get("driver")
    entries: list[tuple[str, Node | None]] = [(word, _value(spec.get(word))) for word in PASSED]
    if driver is not None and driver.text() == "overlay":  # those of a stack are not: no container could be on them
        entries = [entry for entry in entries if entry[0] != "attachable"]
    entries += [("driver", driver if driver is None or driver.text() not in ("", "default") else None)]
    entries += [("ipam", _ipam(spec.get("ipam")))]
    return mapping(spec, entries)


def _external(spec: Node) -> bool:
    external = spec.get("external")
    return external is not None and external.text().lower() in ("true", *TRUE)


def _value(node: Node | None) -> Node | None:
    """Return a value as a lab has it: what Compose takes for true is true; what has no value, empty text."""
    if node is None:
        return None
    if isinstance(node.value, dict):
        return node.of({key: child if child.value is not None else child.of("") for key, child in node.value.items()})
    if isinstance(node.value, str) and node.value.lower() in TRUE:
        return node.of(value=True)
    return node.of(value=False) if node.value in ("no", "off", "n") else node


def _ipam(node: Node | None) -> Node | None:
    if node is None:
        return None
    pools = node.get("config")
    kept = None
    if pools is not None:
        kept = pools.of([pool.of(_pool(pool)) for pool in pools.items() if pool.get("subnet") is not None])
    driver = node.get("driver")
    return mapping(node, [("driver", driver), ("config", kept), ("options", node.get("options"))])


def _pool(pool: Node) -> dict[str, Node]:
    words = ("subnet", "gateway", "ip_range", "aux_addresses")
    return {word: found for word in words if (found := pool.get(word)) is not None}


def places(project: Project, spec: Node) -> dict[str, Node]:
    """Return the networks of a service by their keys, in the order in which Compose gives them to the engine.

    That is by their `priority`, and those of one priority by their keys (docker/compose, `NetworksByPriority` of
    compose-go). Without any it is the project's default network.
    """
    given = spec.get("networks")
    if given is None or not given.children():
        return {DEFAULT: spec.of(None)}
    known = project.section("networks")
    found: dict[str, Node] = {}
    for key, place in given.children().items():
        if key not in known and key != DEFAULT:
            message = f"no network {shown(key)} in `networks`: {meant(key, (*known, DEFAULT))}"
            project.wrong.append(place.located(message, of_key=place.key is not None))
        else:
            found[key] = place
    return dict(sorted(found.items(), key=lambda item: (-_priority(item[1]), item[0])))


def _priority(place: Node) -> int:
    found = place.get("priority")
    return found.value if found is not None and isinstance(found.value, int) else 0
