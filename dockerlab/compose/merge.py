"""One Compose file laid over another, by the specification's rules: https://docs.docker.com/reference/compose-file/merge/.

Mappings are merged, lists added up, and everything else is replaced. `!reset` takes away, `!override` replaces.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockerlab.compose.node import Node

REPLACED = ("command", "entrypoint", "test")
"""Lists that are one value: a command line."""
TARGETED = ("volumes", "secrets", "configs", "devices")
"""Lists in which the path inside the container comes once."""


def merged(base: Node, over: Node) -> Node | None:
    """Return one value laid over another; None where it takes it away."""
    if over.tag == "!reset":
        return None
    if over.tag == "!override" or base.value is None:
        return over
    key = str(over.path[-1]) if over.path else ""
    if over.value is None:
        return over if len(over.path) > 1 and over.path[-2] in ("environment", "labels") else base
    if isinstance(base.value, dict) and isinstance(over.value, dict):
        return over.of(_mapping(base.value, over.value))
    if isinstance(base.value, list) and isinstance(over.value, list) and key not in REPLACED:
        return over.of(list(_list(key, [*base.value, *over.value])))
    return over


def settled(node: Node) -> Node | None:
    """Return a value that nothing is laid over any more: without what it takes away itself."""
    if node.tag == "!reset":
        return None
    if isinstance(node.value, dict):
        kept = {key: settled(child) for key, child in node.value.items()}
        return node.of({key: child for key, child in kept.items() if child is not None})
    if isinstance(node.value, list):
        return node.of([child for item in node.value if (child := settled(item)) is not None])
    return node


def _mapping(base: dict[str, Node], over: dict[str, Node]) -> dict[str, Node]:
    result = dict(base)
    for key, child in over.items():
        found = merged(base[key], child) if key in base else child
        if found is None:
            result.pop(key, None)
        else:
            result[key] = found
    return result


def _list(key: str, items: list[Node]) -> Iterator[Node]:
    """Yield the entries of two lists, each once: of what has the same place, the later one."""
    places = {_place(key, item): item for item in items}
    yield from places.values()


def _place(key: str, item: Node) -> str:
    if key == "ports" and isinstance(item.value, dict):
        fields = ("host_ip", "target", "published", "protocol")
        return repr([child.text() if (child := item.get(field)) is not None else "" for field in fields])
    if key == "config" and (subnet := item.get("subnet")) is not None:
        return subnet.text()
    if key in TARGETED and isinstance(item.value, dict):
        target = item.get("target") or item.get("source")
        return target.text() if target is not None else repr(item.plain())
    if key == "devices":
        return item.text().split(":")[-1 if item.text().count(":") < 2 else 1]
    return repr(item.plain())
