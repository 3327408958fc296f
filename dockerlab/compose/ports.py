"""Published ports of a Compose file: the short syntax with its ranges, and the long one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from dockerlab.compose.node import Node
from dockerlab.errors import Located
from dockerlab.lab.problem import shown

MAX_PORTS = 65_535

RANGE = r"\d+(?:-\d+)?"
FORM = "[ADDRESS:][PUBLISHED:]TARGET[/PROTOCOL]"


def long_ports(node: Node, wrong: list[Located], most: int) -> Node:
    """Return a service's ports in their long form, each range as its ports; what is none is added to `wrong`.

    So are more than `most`, which are all that are left of those that there may be of a whole project.
    """
    if not isinstance(node.value, list):
        return node
    made: list[Node] = []
    for item in node.value:
        try:
            made += [item] if isinstance(item.value, dict) else islice(_short(item), most - len(made) + 1)
        except ValueError as error:
            wrong.append(item.located(str(error)))
        if len(made) > most:
            wrong.append(node.located(f"more than {MAX_PORTS} ports in all"))
            return node.of([])
    return node.of(made)


def numbers(text: str) -> range:
    """Return the ports that `8000` or `8000-8010` stands for; raises ValueError where they are none."""
    if not re.fullmatch(RANGE, text):
        raise ValueError(f"{shown(text)} is not a port: write a number from 1 to 65535, or two with `-` between them")
    first, _, last = text.partition("-")
    found = range(int(first), int(last or first) + 1)
    if not found or found[-1] > MAX_PORTS:
        raise ValueError(f"{shown(text)} is not a port, or a range of ports that ends before it begins")
    return found


def _short(item: Node) -> Iterator[Node]:
    """Yield each port that a text stands for."""
    text = item.text()
    rest, _, protocol = text.partition("/")
    address, published, target = _parts(rest)
    targets = numbers(target)
    outside = numbers(published) if published else None
    if outside is not None and len(targets) not in (1, len(outside)):
        raise ValueError(f"{shown(text)} has {len(outside)} ports of the host for {len(targets)} of the container")
    spread = outside is not None and len(outside) > len(targets)
    same = {"protocol": item.of((protocol or "tcp").lower())}
    if address:
        same["host_ip"] = item.of(address)
    if spread:
        same["published"] = item.of(published)
    for index, number in enumerate(targets):
        own = {"target": item.of(number)}
        if outside is not None and not spread:
            own["published"] = item.of(str(outside[index]))
        yield item.of({**own, **same})


def _parts(text: str) -> tuple[str, str, str]:
    """Return the address, the port of the host and that of the container as they are written; empty where left out."""
    if text.startswith("["):
        address, _, rest = text[1:].partition("]:")
        published, colon, target = rest.rpartition(":")
        return address, published if colon else "", target
    *address_parts, target = text.rsplit(":", 2)
    published = address_parts.pop() if address_parts else ""
    return address_parts[0] if address_parts else "", published, target
