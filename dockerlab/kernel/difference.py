"""What is different between two states of a kernel, as data: what only one of them has, and what has changed; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from dockerlab.kernel.addresses import IpInterface
from dockerlab.kernel.model import Forward, Link, Machine, Namespace, Proxy
from dockerlab.kernel.routes import Neighbour, Route, Selector
from dockerlab.kernel.rules import Action, Chain, Match, NamedSet, Rule, Ruleset

Kind = Literal[
    "namespace", "link", "address", "route", "ip-rule", "neighbour", "forward", "sysctl", "chain", "policy", "rule",
    "set", "proxy",
]  # fmt: skip
Subject = (
    Namespace
    | Link
    | Route
    | Selector
    | Neighbour
    | Forward
    | Chain
    | Rule
    | NamedSet
    | Proxy
    | IpInterface
    | str
    | None
)
Meaning = tuple[tuple[Match, ...], tuple[Action, ...]]

UNUSED = frozenset({"--comment"})
"""What a rule says to people only."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not the same: what the first state has (`first`), what the second, None for one without it.

    `key` is how the thing is called in its namespace, whose number is `space` (0 for the host's processes): an
    interface's name, a setting's path; that of the interface for an address. `first` and `second` are both there for
    what is called the same and has changed.
    """

    kind: Kind
    space: int
    key: str
    first: Subject
    second: Subject

    @property
    def missing(self) -> bool:
        """Tell whether only the first state has it."""
        return self.second is None

    @property
    def foreign(self) -> bool:
        """Tell whether only the second state has it."""
        return self.first is None


def machines(first: Machine, second: Machine) -> Iterator[Difference]:
    """Yield what is different between two looks at one host: namespaces have their numbers, and links their indexes."""
    old, new = ({space.id: space for space in machine.namespaces} for machine in (first, second))
    for identity in dict.fromkeys((*old, *new)):
        was, now = old.get(identity), new.get(identity)
        if was is None or now is None:
            yield Difference("namespace", identity, str(identity), was, now)
        if now is not None:
            yield from spaces(was or Namespace(identity), now, same=lambda link: link.index)
    yield from _things("proxy", 0, *(((_proxy(p), p) for p in machine.proxies) for machine in (first, second)))


def spaces(
    first: Namespace, second: Namespace, same: Callable[[Link], Hashable] = lambda link: link.name
) -> Iterator[Difference]:
    """Yield what is different between two namespaces; `same` is by what a link is the same in both.

    What one of them could not read is not different, as far as anybody can tell.
    """
    unread, at = {*first.unread, *second.unread}, second.id
    if "links" not in unread:
        yield from _links(first, second, same)
    if "routes" not in unread:
        yield from _things("route", at, *(((_route(r), r) for r in space.routes) for space in (first, second)))
    if "selectors" not in unread:
        yield from _things("ip-rule", at, *(((s.text, s) for s in space.selectors) for space in (first, second)))
    if "neighbours" not in unread:
        yield from _things("neighbour", at, *(((_fixed(n), n) for n in space.neighbours) for space in (first, second)))
    yield from _things(
        "forward", at, *(((f"{f.mac} dst {f.to}", f) for f in space.forwards) for space in (first, second))
    )
    if "sysctls" not in unread:
        for path in first.sysctls.keys() & second.sysctls.keys():
            if first.sysctls[path] != second.sysctls[path]:
                yield Difference("sysctl", at, path, first.sysctls[path], second.sysctls[path])
    if "rules" not in unread:
        yield from rulesets(first.ruleset, second.ruleset, at)


def _links(first: Namespace, second: Namespace, same: Callable[[Link], Hashable]) -> Iterator[Difference]:
    old, new = ({same(link): link for link in space.links} for space in (first, second))
    for key in dict.fromkeys((*old, *new)):
        was, now = old.get(key), new.get(key)
        name = (now or was or Link(0, "")).name
        if was is None or now is None or replace(was, addresses=()) != replace(now, addresses=()):
            yield Difference("link", second.id, name, was, now)
        addresses = (((str(a), a) for a in link.addresses) if link is not None else () for link in (was, now))
        for each in _things("address", second.id, *addresses):
            yield replace(each, key=name)


def _route(route: Route) -> str:
    return f"{route.version} {route.table} {route.text}"


def _fixed(neighbour: Neighbour) -> str:
    return f"{neighbour.address} dev {neighbour.device} {'proxy' if neighbour.proxy else neighbour.mac}"


def _proxy(proxy: Proxy) -> str:
    return f"{proxy.protocol} {proxy.address}:{proxy.port} -> {proxy.to}:{proxy.to_port}"


def _things(
    kind: Kind, space: int, first: Iterable[tuple[str, Subject]], second: Iterable[tuple[str, Subject]]
) -> Iterator[Difference]:
    """Yield what only one side has, by what the things are called."""
    old, new = dict(first), dict(second)
    for key in dict.fromkeys((*old, *new)):
        if key not in old or key not in new:
            yield Difference(kind, space, key, old.get(key), new.get(key))


def rulesets(first: Ruleset, second: Ruleset, space: int = 0) -> Iterator[Difference]:
    """Yield chains, policies and sets that are not the same, and rules: as they are understood, wherever they stand.

    A family that one of them did not read is left out.
    """
    read = first.read & second.read
    old, new = (_by_name(ruleset, read) for ruleset in (first, second))
    for key in dict.fromkeys((*old, *new)):
        was, now = old.get(key), new.get(key)
        name = " ".join(key)
        if was is None or now is None:
            yield Difference("chain", space, name, was[0] if was else None, now[0] if now else None)
        elif was[0].policy != now[0].policy:
            yield Difference("policy", space, name, was[0], now[0])
        yield from _rules(was or (), now or (), name, space)
    yield from _sets(_set_names(first), _set_names(second), space)


def _set_names(ruleset: Ruleset) -> Mapping[str, NamedSet]:
    return {f"{each.family} {each.table} {each.name}": each for each in ruleset.sets}


def _sets(old: Mapping[str, NamedSet], new: Mapping[str, NamedSet], space: int) -> Iterator[Difference]:
    for key in dict.fromkeys((*old, *new)):
        if old.get(key) != new.get(key):
            yield Difference("set", space, key, old.get(key), new.get(key))


def _by_name(ruleset: Ruleset, read: frozenset[str]) -> dict[tuple[str, str, str], tuple[Chain, ...]]:
    """Return the chains of each name: legacy iptables and its follower may both have one."""
    found: dict[tuple[str, str, str], tuple[Chain, ...]] = {}
    for chain in ruleset.chains:
        if chain.backend == "nft" or chain.family in read:
            key = (chain.family, chain.table, chain.name)
            found[key] = (*found.get(key, ()), chain)
    return found


def _rules(old: tuple[Chain, ...], new: tuple[Chain, ...], name: str, space: int) -> Iterator[Difference]:
    """Yield the rules that came, in their order, and those that went, from the last one to the first."""
    was, now = ([rule for chain in chains for rule in chain.rules] for chains in (old, new))
    left = Counter(map(meaning, was))
    for rule in now:
        if left[meaning(rule)]:
            left[meaning(rule)] -= 1
        else:
            yield Difference("rule", space, name, None, rule)
    for rule in reversed(was):
        if left[meaning(rule)]:
            left[meaning(rule)] -= 1
            yield Difference("rule", space, name, rule, None)


def meaning(rule: Rule) -> Meaning:
    """Return what a rule asks for and does, whatever the order and the comments."""
    kept = (match for match in rule.matches if match.option not in UNUSED)
    return tuple(sorted(kept, key=repr)), rule.actions
