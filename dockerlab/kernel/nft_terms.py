"""Pieces of nftables' JSON: values, members of sets, and what stands for a piece that nobody understands; pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dockerlab.kernel.iptables import UNKNOWN
from dockerlab.kernel.rules import Match

Json = Mapping[str, Any]

TYPES = {
    "ipv4_addr": "ip",
    "ipv6_addr": "ip",
    "inet_service": "port",
    "inet_proto": "proto",
    "ifname": "iface",
    "iface_index": "iface",
    "ether_addr": "mac",
    "mark": "mark",
}
"""What nft calls the types of sets, in the words of `NamedSet`."""

STATUS_AS_STATE = frozenset({"dnat", "snat"})
"""What nft counts to a connection's status, and iptables to its states."""


class UnknownTermError(ValueError):
    """A condition has no word in iptables."""


@dataclass(frozen=True, slots=True)
class Key:
    """What is compared: the option of iptables, how a value is spelled there, and what has to hold besides.

    `kind` and `side` are what a set's lookup calls it: the type of the part, and `src` or `dst`. `joined` tells that
    several values are one text with commas between. `also` are conditions that nft implies, or asks for first.
    """

    option: str
    module: str = ""
    spell: Callable[[Any], str] = str
    kind: str = ""
    side: str = "src"
    joined: bool = False
    also: tuple[Match, ...] = ()


def compact(value: object) -> str:
    """Return a piece of JSON in one line."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


def unknown(value: object) -> Match:
    """Return the condition that stands for a piece that nobody here understands."""
    return Match("", (compact(value),), module=UNKNOWN)


def values_of(right: object, key: Key) -> tuple[str, ...]:
    """Return the right side of a comparison as the values of an option, which are alternatives."""
    if isinstance(right, Mapping) and "set" in right:
        right = right["set"]
    parts = right if isinstance(right, list) else [right]
    texts = tuple(key.spell(plain(part)) for part in parts)
    return (",".join(texts),) if key.joined else texts


def plain(value: object) -> Any:
    """Return an element without its counter, comment and time."""
    if isinstance(value, Mapping) and isinstance(value.get("elem"), Mapping):
        return value["elem"]["val"]
    return value


def member(value: object) -> tuple[str, ...] | None:
    """Return a set's member as its parts, or None for one that is not understood."""
    value = plain(value)
    parts = value["concat"] if isinstance(value, Mapping) and "concat" in value else [value]
    try:
        return tuple(text_of(part) for part in parts)
    except UnknownTermError:
        return None


def text_of(value: object, between: str = "-") -> str:
    """Return a single value as a text: a prefix as `A/N`, a range as `A-B`; raises UnknownTermError for another."""
    if isinstance(value, Mapping):
        if "prefix" in value:
            return f"{value['prefix']['addr']}/{value['prefix']['len']}"
        if "range" in value:
            first, last = value["range"]
            return f"{text_of(first)}{between}{text_of(last)}"
        raise UnknownTermError(compact(value))
    if isinstance(value, (str, int)):
        return str(value)
    raise UnknownTermError(compact(value))


def mark(value: object) -> str:
    """Return a mark in iptables' form; raises UnknownTermError for what is no number."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise UnknownTermError(compact(value))
    return hex(value)


def reverse_path(left: object, right: object, *, negated: bool) -> tuple[Match, ...] | None:
    """Return what `fib saddr . iif oif missing` asks for as the module rpfilter says it, None for another question."""
    said = left.get("fib") if isinstance(left, Mapping) else None
    flags = set(said.get("flags", ())) if isinstance(said, Mapping) and said.get("result") == "oif" else set()
    right = False if right in ("0", 0) else right  # as it is printed where a mark is asked for, too
    if "saddr" not in flags or not flags <= {"saddr", "iif", "mark"} or not isinstance(right, bool):
        return None
    words = ["--loose"] * ("iif" not in flags) + ["--validmark"] * ("mark" in flags)
    words += ["--invert"] * (right is negated)
    found = tuple(Match(word, module="rpfilter") for word in words)
    return found or (Match("-m", ("rpfilter",), module="rpfilter"),)


def lookup(keys: Sequence[Key], name: str, *, negated: bool) -> Match:
    """Return the condition that packets are in a set of that name; raises UnknownTermError where a part has no type."""
    if any(not key.kind for key in keys):
        raise UnknownTermError(f"a set {name} of what iptables has no word for")
    return Match("--match-set", (name, ",".join(key.side for key in keys)), negated, "set")
