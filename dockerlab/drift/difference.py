"""One object of a kernel that is not as it was imagined, and by what it is known in a packet's steps."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from dockerlab.drift.edits import Edit
from dockerlab.drift.sides import Pair
from dockerlab.kernel.model import Link, Listener, Proxy
from dockerlab.kernel.routes import Neighbour, Route, Selector
from dockerlab.kernel.rules import Chain, Rule
from dockerlab.walk.outcome import Element, SpaceId, Step

How = Literal["missing", "foreign", "changed"]
Key = tuple[Hashable, ...]
"""An object among all of all hosts: its namespace, its kind, and what tells it from others of its kind there."""

Subject = Rule | Chain | Route | Selector | Link | Neighbour | Listener | Proxy

Kind = Literal["rule", "policy", "route", "ip-rule", "link", "address", "neighbour", "sysctl", "socket", "proxy"]


@dataclass(frozen=True)
class Difference:
    """One object of a host that is not as imagined.

    `who` is the host, or the container in whose namespace (`at`) it is. `where` names the object as a person would look
    for it, `text` is its own text, `says` a sentence about it, `undo` what one types on the host. `edits` are what
    mends a state of it; `keys` are the objects that a packet's steps may name, of either side.
    """

    host: str
    who: str
    how: How
    kind: Kind
    where: str
    text: str
    says: str
    undo: str
    at: SpaceId
    edits: tuple[Edit, ...] = ()
    keys: frozenset[Key] = frozenset()

    def __str__(self) -> str:
        return f"{self.host}: {self.says}" if self.who == self.host else f"{self.host}: in {self.who}, {self.says}"


class Told(NamedTuple):
    """A difference in words."""

    where: str
    text: str
    says: str
    undo: str


def difference(pair: Pair, how: How, kind: Kind, told: Told, edits: Iterable[Edit], keys: Iterable[Key]) -> Difference:
    """Return a difference in a namespace."""
    return Difference(pair.at.host, pair.who, how, kind, *told, pair.at, tuple(edits), frozenset(keys))


def how_of(now: object, right: object) -> How:
    """Return how a thing differs of which one side may have none."""
    return "missing" if now is None else "foreign" if right is None else "changed"


def sides_of(pair: Pair, now: Subject | None, right: Subject | None) -> Iterator[Key]:
    """Yield what a thing is known by: where it is now, and where it was imagined."""
    if now is not None:
        yield key_of(pair.at, now)
    if right is not None:
        yield key_of(pair.origin, right)


def rule_key(at: SpaceId, rule: Rule) -> Key:
    """Return what tells a rule from all others."""
    return (at, "rule", rule.family, rule.table, rule.chain, rule.number, rule.text)


def keys_of(step: Step) -> Iterator[Key]:
    """Yield what a step of a packet names."""
    if step.element is not None:
        yield from element_keys(step.at, step.element)


def element_keys(at: SpaceId, element: Element) -> Iterator[Key]:
    """Yield what tells an object that decided, in a namespace, from all others."""
    subject = element.subject
    if element.kind == "sysctl":
        yield setting_key(at, element.where)
    if subject is not None:
        yield key_of(at, subject)


def key_of(at: SpaceId, subject: Subject) -> Key:  # noqa: PLR0911 - one for each kind of thing
    """Return what tells a thing in a namespace from all others, in words that both sides use."""
    match subject:
        case Rule():
            return rule_key(at, subject)
        case Chain():
            return (at, "policy", subject.backend, subject.family, subject.table, subject.name)
        case Route():
            return (at, "route", subject.table, subject.destination, subject.metric)
        case Selector():
            return (at, "ip-rule", subject.version, subject.priority, subject.text)
        case Link():
            return (at, "link", subject.name)
        case Neighbour():
            return (at, "neighbour", subject.address, subject.device)
        case Listener():
            return (at, "socket", subject.protocol, subject.address, subject.port)
        case Proxy():
            return (at.host, "proxy", subject.protocol, subject.address, subject.port)


def setting_key(at: SpaceId, path: str) -> Key:
    """Return what tells a setting from all others."""
    return (at, "sysctl", path.replace("/", "."))
