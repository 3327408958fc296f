"""The short forms of a Compose file in their long ones, so that what is laid over each other has one form.

What has neither form stays as it is; that it is wrong is said where it is read.
"""

from __future__ import annotations

from collections.abc import Callable

from dockerlab.compose.node import Node
from dockerlab.compose.ports import long_ports
from dockerlab.errors import Located

Form = Callable[[Node], Node]


def pairs(node: Node) -> Node:
    """Return a list of `KEY=VALUE` as the mapping that it stands for; `KEY` alone has no value."""
    if not isinstance(node.value, list):
        return node
    found: dict[str, Node] = {}
    for item in node.value:
        key, equals, value = item.text().partition("=")
        found[key] = item.of(value if equals else None)
    return node.of(found)


def hosts(node: Node) -> Node:
    """Return lines of /etc/hosts (`NAME=ADDRESS`, `NAME:ADDRESS`) as a mapping from each name to its addresses."""
    found: dict[str, list[Node]] = {}
    for item in node.items():
        text = item.text()
        cut = text.find("=") if "=" in text else text.find(":")
        name, address = (text[:cut], text[cut + 1 :]) if cut >= 0 else (text, "")
        found.setdefault(name.strip(), []).append(item.of(address.strip().removeprefix("[").removesuffix("]")))
    for name, child in node.children().items():
        found[name] = child.items() or [child.of(child.text().removeprefix("[").removesuffix("]"))]
    return node.of({name: items[0].of(items) for name, items in found.items()}) if found else node


def names(node: Node) -> Node:
    """Return `[a, b]` as `{a: , b: }`."""
    if not isinstance(node.value, list) or any(isinstance(item.value, (dict, list)) for item in node.value):
        return node
    return node.of({item.text(): item.of(None) for item in node.value})


def dependencies(node: Node) -> Node:
    """Return `[a, b]` as what each is waited for: that it was started."""
    if not isinstance(node.value, list):
        return node
    return node.of({item.text(): item.of({"condition": item.of("service_started")}) for item in node.value})


def several(node: Node) -> Node:
    """Return a text as the list of it."""
    return node.of([node]) if isinstance(node.value, str) else node


def volumes(node: Node) -> Node:
    """Return volumes in their long form; see the specification's `VOLUME:CONTAINER_PATH:ACCESS_MODE`."""
    if not isinstance(node.value, list):
        return node
    return node.of([_volume(item) if isinstance(item.value, str) else item for item in node.value])


def _volume(item: Node) -> Node:
    parts = str(item.value).split(":")
    if len(parts) > 1 and len(parts[0]) == 1 and parts[0].isalpha() and parts[1][:1] in ("\\", "/"):
        parts = [f"{parts[0]}:{parts[1]}", *parts[2:]]  # a drive of Windows
    if len(parts) == 1:
        return item.of({"type": item.of("volume"), "target": item.of(parts[0])})
    source, target = parts[:2]
    bind = source.startswith((".", "/", "~", "\\")) or source[1:2] == ":"
    made = {"type": item.of("bind" if bind else "volume"), "source": item.of(source), "target": item.of(target)}
    options = parts[2].split(",") if len(parts) > 2 else []
    if "ro" in options:
        made["read_only"] = item.of(value=True)
    return item.of(made)


def files(node: Node) -> Node:
    """Return secrets or configs of a service in their long form."""
    if not isinstance(node.value, list):
        return node
    return node.of([item.of({"source": item}) if isinstance(item.value, str) else item for item in node.value])


def extended(node: Node) -> Node:
    """Return `extends: NAME` in its long form."""
    return node.of({"service": node}) if isinstance(node.value, str) else node


FORMS: dict[str, Form] = {
    "annotations": pairs,
    "configs": files,
    "depends_on": dependencies,
    "dns": several,
    "dns_opt": several,
    "dns_search": several,
    "env_file": several,
    "environment": pairs,
    "expose": several,
    "extends": extended,
    "extra_hosts": hosts,
    "label_file": several,
    "labels": pairs,
    "networks": names,
    "secrets": files,
    "sysctls": pairs,
    "tmpfs": several,
    "volumes": volumes,
}
"""The keys of a service that have a short form."""


MAPPINGS = ("depends_on", "deploy", "environment", "extends", "extra_hosts", "labels", "networks", "sysctls")
LISTS = ("configs", "dns", "env_file", "expose", "ports", "profiles", "secrets", "volumes")
"""What the long form of a service's key is."""


def service(node: Node, wrong: list[Located], ports: int) -> Node:
    """Return a service with everything of it in its long form, `ports` at the most; what cannot be goes to `wrong`."""
    made: dict[str, Node] = {}
    for key, child in node.children().items():
        if key == "ports":
            form = long_ports(child, wrong, ports)
        else:
            form = FORMS[key](child) if key in FORMS and child.value is not None else child
        wanted = dict if key in MAPPINGS else list if key in LISTS else object
        if form.value is not None and not isinstance(form.value, wanted):
            wrong.append(
                child.located("a mapping (`key: value`) is wanted here" if wanted is dict else "a list is wanted here")
            )
            continue
        made[key] = Node(form.value, child.source, child.mark, child.key, child.path, child.tag)
    return Node(made, node.source, node.mark, node.key, node.path, node.tag) if node.children() else node


def network(node: Node) -> Node:
    """Return a network with its labels in their long form, and `external: {name: …}` as it is written today."""
    made = dict(node.children())
    if "labels" in made:
        made["labels"] = pairs(made["labels"])
    external = made.get("external")
    if external is not None and isinstance(external.value, dict):
        made["external"] = external.of(value=True)
        if "name" in external.value:
            made["name"] = external.value["name"]
    return Node(made, node.source, node.mark, node.key, node.path, node.tag) if made else node
