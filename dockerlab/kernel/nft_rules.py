"""One rule of nftables in the words of iptables: its conditions, and what it does; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dockerlab.kernel import nft_actions
from dockerlab.kernel.iptables import UNKNOWN
from dockerlab.kernel.nft_keys import key_of
from dockerlab.kernel.nft_terms import (
    STATUS_AS_STATE,
    Key,
    UnknownTermError,
    compact,
    lookup,
    mark,
    member,
    plain,
    reverse_path,
    text_of,
    unknown,
    values_of,
)
from dockerlab.kernel.rules import Action, Branch, Match, NamedSet

Json = Mapping[str, Any]

IDLE = frozenset({"counter", "comment"})
"""Statements that change nothing."""
CONDITIONS = frozenset({"limit", "quota", "ct count", "last"})
"""Statements that end a rule now and then, nobody can say for which packet."""
NEGATED = {"==": False, "in": False, "!=": True}
TELLING = frozenset({"LOG", "NFLOG", "TRACE", "SET"})
"""Actions after which a packet is what it was."""
VERDICTS = {"accept": "ACCEPT", "drop": "DROP", "return": "RETURN", "queue": "NFQUEUE", "continue": ""}
TOP_PORT = 65535


@dataclass
class Table:
    """A table of nft as far as its rules need it: the sets and maps that they name, and those without a name."""

    family: str
    name: str
    sets: dict[str, NamedSet] = field(default_factory=dict)
    maps: dict[str, Json] = field(default_factory=dict)

    def nameless(self, keys: list[Key], members: frozenset[tuple[str, ...]]) -> str:
        """Keep a set that a rule has for itself, and return the name that it gets, in the way of nft's own."""
        name = f"__set{sum(each.startswith('__set') for each in self.sets)}"
        self.sets[name] = NamedSet(self.family, self.name, name, tuple(key.kind for key in keys), members)
        return name


def translated(terms: list[Json], table: Table) -> tuple[tuple[Match, ...], tuple[Action, ...]]:
    """Return a rule's conditions, each once, and its actions.

    Where something is done before the last condition is asked, it is done to more packets than fit: such a rule has a
    condition that nobody knows.
    """
    matches, actions = list[Match](), list[Action]()
    for term in terms:
        ((name, said), *_) = term.items()
        if name in ("match", *CONDITIONS) and any(each.target not in TELLING for each in actions):
            matches.append(unknown({"after an action": term}))
        if name == "match":
            matches += _conditions(said, table)
        elif name == "vmap":
            matches += _map(said, table, actions)
        elif name in CONDITIONS or (name == "xt" and said.get("type") == "match"):
            matches.append(unknown(term))
        elif name in VERDICTS:
            actions += [Action(VERDICTS[name])] if VERDICTS[name] else []
        elif name in ("jump", "goto"):
            actions.append(Action(said["target"], goto=name == "goto"))
        elif name not in IDLE:
            matches += _version_of(said)
            actions.append(nft_actions.action(name, said, table.family))
    own = {"ip": "-4", "ip6": "-6"}.get(table.family)
    return tuple(dict.fromkeys(each for each in matches if each.option != own)), tuple(actions)


def _version_of(said: object) -> list[Match]:
    """Return what a translation that names its IP version asks for: `dnat ip6 to` leaves packets of IPv4 alone."""
    option = {"ip": "-4", "ip6": "-6"}.get(str(said.get("family", ""))) if isinstance(said, Mapping) else None
    return [Match(option)] if option else []


def _conditions(said: Json, table: Table) -> list[Match]:
    """Return what a comparison asks for; what iptables has no word for is unknown."""
    try:
        return list(_comparison(said, table))
    except (AttributeError, LookupError, TypeError, ValueError):
        return [unknown(said)]


def _comparison(said: Json, table: Table) -> Iterator[Match]:
    left, right, operator = said["left"], said["right"], said["op"]
    if operator in ("<", ">", "<=", ">="):
        operator, right = "==", _below(operator, right, key_of(left))
    negated = NEGATED[operator]
    reverse = reverse_path(left, right, negated=negated)
    if reverse is not None:
        yield from reverse
    elif "&" in left:
        what, mask = left["&"]
        yield from _masked(what, mask, right, negated=negated)
    elif "concat" in left:
        yield from _joined([key_of(each) for each in left["concat"]], right, table, negated=negated)
    elif _is_flags(left) and operator != "==":
        yield Match("-p", ("tcp",))
        yield Match("--tcp-flags", (_flags(right), "NONE"), not negated, "tcp")
    elif left.get("meta", {}).get("key") in ("nfproto", "protocol"):
        yield from _version(right, negated=negated)
    else:
        yield from _plain(left, right, negated=negated)


def _plain(left: Json, right: object, *, negated: bool) -> Iterator[Match]:
    key = key_of(left)
    yield from key.also
    if isinstance(right, str) and right.startswith("@"):
        yield lookup([key], right[1:], negated=negated)
        return
    values = values_of(right, key)
    parts = {part.lower() for value in values for part in value.split(",")}
    if key.option == "--ctstatus" and parts & STATUS_AS_STATE:
        if not parts <= STATUS_AS_STATE:
            raise UnknownTermError(compact(right))
        key = replace(key, option="--ctstate")
    yield Match(key.option, values, negated, key.module)


def _below(operator: str, right: object, key: Key) -> Json:
    """Return a comparison of a port with another as a range of ports."""
    if key.kind != "port" or not isinstance(right, int):
        raise UnknownTermError(compact(right))
    low, high = {"<": (0, right - 1), "<=": (0, right), ">": (right + 1, TOP_PORT), ">=": (right, TOP_PORT)}[operator]
    return {"range": [low, high]}


def _masked(what: Json, mask: object, right: object, *, negated: bool) -> Iterator[Match]:
    """Yield a comparison of some bits: of a mark, or of TCP's flags."""
    if _is_flags(what):
        yield Match("-p", ("tcp",))
        yield Match("--tcp-flags", (_flags(mask), _flags(right)), negated, "tcp")
        return
    key = key_of(what)
    if key.kind != "mark":
        raise UnknownTermError(compact(what))
    yield Match(key.option, (f"{mark(right)}/{mark(mask)}",), negated, key.module)


def _is_flags(left: Json) -> bool:
    return left.get("payload") == {"protocol": "tcp", "field": "flags"}


def _flags(said: object) -> str:
    """Return flags of TCP as iptables has them: comma-separated, or NONE."""
    parts = said["|"] if isinstance(said, Mapping) else said if isinstance(said, list) else [said]
    words = [word for part in parts for word in (_flags(part).split(",") if isinstance(part, Mapping) else [part])]
    if words in ([0], ["0x0"]):
        return "NONE"
    if any(not isinstance(word, str) for word in words):
        raise UnknownTermError(compact(said))
    return ",".join(str(word).upper() for word in words)


def _version(right: object, *, negated: bool) -> Iterator[Match]:
    option = {"ipv4": "-4", "ip": "-4", "ipv6": "-6", "ip6": "-6"}.get(text_of(right))
    if option is None:
        raise UnknownTermError(compact(right))
    yield Match(option, negated=negated)


def _joined(keys: list[Key], right: object, table: Table, *, negated: bool) -> Iterator[Match]:
    """Yield a comparison of several things at once with a set of such groups."""
    for key in keys:
        yield from key.also
    if isinstance(right, str) and right.startswith("@"):
        yield lookup(keys, right[1:], negated=negated)
        return
    groups = right["set"] if isinstance(right, Mapping) and "set" in right else [right]
    members = [member(group) for group in groups]
    found = lookup(keys, "", negated=negated)
    whole = frozenset(each for each in members if each is not None)
    if len(whole) != len(set(map(compact, groups))):
        raise UnknownTermError(compact(right))
    yield replace(found, values=(table.nameless(keys, whole), found.values[1]))


def _map(said: Json, table: Table, actions: list[Action]) -> list[Match]:
    """Add what a verdict map does to the actions; return the condition that nobody knows where it is not understood."""
    try:
        entries, known = _entries(said["data"], table)
        left = said["key"]
        keys = [key_of(each) for each in left.get("concat", [left])]
        branches = [_branch(keys, *entry) for entry in entries]
    except (AttributeError, LookupError, TypeError, ValueError):
        actions.append(Action(UNKNOWN, (unknown(said),)))
        return [unknown({"vmap": said})]
    # The line for everything else is the last, wherever nft lists it.
    branches.sort(key=lambda branch: not branch.matches)
    actions.append(Action(branches=tuple(branches)))
    return [] if known else [unknown({"vmap": said})]


def _entries(data: object, table: Table) -> tuple[list[tuple[Any, Json]], bool]:
    """Return a map's lines, and whether they stay as they are."""
    if isinstance(data, str):
        found = table.maps[data.removeprefix("@")]
        steady = not {"timeout", "dynamic"} & set(found.get("flags", ()))
        return [(key, verdict) for key, verdict in found.get("elem", ())], steady
    if not isinstance(data, Mapping):
        raise UnknownTermError(compact(data))
    return [(key, verdict) for key, verdict in data["set"]], True


def _branch(keys: list[Key], key: object, verdict: Json) -> Branch:
    ((name, said), *_) = verdict.items()
    target = said["target"] if name in ("jump", "goto") else VERDICTS[name]
    value = plain(key)
    if value == "*":
        return Branch((), target, name == "goto")
    parts = value["concat"] if isinstance(value, Mapping) and "concat" in value else [value]
    matches = list[Match]()
    for each, part in zip(keys, parts, strict=True):
        matches += [*each.also, Match(each.option, values_of(part, each), module=each.module)]
    return Branch(tuple(dict.fromkeys(matches)), target, name == "goto")
