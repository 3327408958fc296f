"""Kernels' states with single objects taken out or put back; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, TypeVar

from dockerlab.kernel.addresses import IpInterface
from dockerlab.kernel.model import Listener, Machine, Namespace, Proxy
from dockerlab.kernel.rules import Backend, Chain, NamedSet, Rule, Ruleset
from dockerlab.walk.outcome import SpaceId

Part = Literal["links", "routes", "selectors", "neighbours", "forwards", "listeners"]
T = TypeVar("T")


class ChainName(NamedTuple):
    """A chain among all of a namespace: legacy and nft iptables may both have one of the same name."""

    backend: Backend
    family: str
    table: str
    name: str


def name_of(chain: Chain) -> ChainName:
    """Return which chain it is."""
    return ChainName(chain.backend, chain.family, chain.table, chain.name)


@dataclass(frozen=True, slots=True)
class Swap:
    """One object of a namespace taken out (`out`), put in (`into`), or both."""

    at: SpaceId
    part: Part
    out: object = None
    into: object = None


@dataclass(frozen=True, slots=True)
class Turn:
    """One attribute of a link (or, after `info.`, what its kind adds) given another value."""

    at: SpaceId
    link: str
    attribute: str
    value: Any


@dataclass(frozen=True, slots=True)
class Readdress:
    """One address of a link taken off it (`out`), put on it (`into`), or both."""

    at: SpaceId
    link: str
    out: IpInterface | None = None
    into: IpInterface | None = None


@dataclass(frozen=True, slots=True)
class Tune:
    """One setting given another value."""

    at: SpaceId
    path: str
    value: str


@dataclass(frozen=True, slots=True)
class Rewrite:
    """One rule of a chain taken out, put in behind the first `gap` rules, or both. `like` is a chain that is gone."""

    at: SpaceId
    chain: ChainName
    out: Rule | None = None
    into: Rule | None = None
    gap: int = 0
    like: Chain | None = None


@dataclass(frozen=True, slots=True)
class Resolve:
    """A base chain given another policy. `like` is the chain if it is gone."""

    at: SpaceId
    chain: ChainName
    policy: str
    like: Chain | None = None


@dataclass(frozen=True, slots=True)
class Refill:
    """A set with other members, or one put in."""

    at: SpaceId
    out: NamedSet | None = None
    into: NamedSet | None = None


@dataclass(frozen=True, slots=True)
class Hand:
    """A docker-proxy taken away, or put back with the socket that it holds."""

    at: SpaceId
    out: Proxy | None = None
    into: Proxy | None = None
    socket: Listener | None = None


Edit = Swap | Turn | Readdress | Tune | Rewrite | Resolve | Refill | Hand


def edited(machines: Mapping[str, Machine], edits: Iterable[Edit]) -> dict[str, Machine]:
    """Return the kernels with all edits made at once: each speaks of what was there before; other hosts are kept."""
    by_space: dict[SpaceId, list[Edit]] = {}
    for edit in edits:
        by_space.setdefault(edit.at, []).append(edit)
    found = dict(machines)
    for at, own in by_space.items():
        machine = found[at.host]
        proxies = [each for each in own if isinstance(each, Hand)]
        spaces = tuple(_space(s, own) if s.id == at.space else s for s in machine.namespaces)
        found[at.host] = replace(machine, namespaces=spaces, proxies=_swapped(machine.proxies, proxies))
    return found


def _space(space: Namespace, edits: Sequence[Edit]) -> Namespace:
    swaps = [each for each in edits if isinstance(each, Swap)]
    swaps += [Swap(each.at, "listeners", None, each.socket) for each in edits if isinstance(each, Hand) and each.into]
    swaps += [Swap(each.at, "listeners", each.socket, None) for each in edits if isinstance(each, Hand) and each.out]
    by_part = {part: [each for each in swaps if each.part == part] for part in {each.part for each in swaps}}
    parts: dict[str, Any] = {part: _swapped(getattr(space, part), own) for part, own in by_part.items()}
    space = replace(space, **parts)
    for edit in edits:
        if isinstance(edit, (Turn, Readdress)):
            space = _link(space, edit)
    settings = {edit.path: edit.value for edit in edits if isinstance(edit, Tune)}
    return replace(
        space,
        sysctls={**space.sysctls, **settings} if settings else space.sysctls,
        ruleset=_ruleset(space.ruleset, edits),
    )


def _swapped(things: tuple[T, ...], swaps: Sequence[Any]) -> tuple[T, ...]:
    """Return things in their order, without those that are taken out, and then those that are put in, each once."""
    gone = [each.out for each in swaps if each.out is not None]
    kept = [thing for thing in things if thing not in gone]
    for each in swaps:
        if each.into is not None and each.into not in kept:
            kept.append(each.into)
    return tuple(kept)


def _link(space: Namespace, edit: Turn | Readdress) -> Namespace:
    def changed(link: Any) -> Any:
        if isinstance(edit, Readdress):
            kept = tuple(address for address in link.addresses if address != edit.out)
            added = (edit.into,) if edit.into is not None and edit.into not in kept else ()
            return replace(link, addresses=(*kept, *added))
        _, dot, key = edit.attribute.partition("info.")
        if dot:
            info = {name: value for name, value in link.info.items() if name != key}
            return replace(link, info=info | ({key: edit.value} if edit.value is not None else {}))
        return replace(link, **{edit.attribute: edit.value})

    links = tuple(changed(link) if link.name == edit.link else link for link in space.links)
    routes = space.routes
    if isinstance(edit, Turn) and edit.attribute == "carrier":
        routes = tuple(
            replace(r, hops=tuple(replace(h, alive=edit.value) if h.device == edit.link else h for h in r.hops))
            for r in routes
        )
    return replace(space, links=links, routes=routes)


def _ruleset(ruleset: Ruleset, edits: Sequence[Edit]) -> Ruleset:
    by_chain: dict[ChainName, list[Rewrite | Resolve]] = {}
    for edit in edits:
        if isinstance(edit, (Rewrite, Resolve)):
            by_chain.setdefault(edit.chain, []).append(edit)
    refills = [edit for edit in edits if isinstance(edit, Refill)]
    if not by_chain and not refills:
        return ruleset
    there = {name_of(chain) for chain in ruleset.chains}
    chains = [_chain(c, by_chain[name_of(c)]) if name_of(c) in by_chain else c for c in ruleset.chains]
    for name, own in by_chain.items():
        like = next((each.like for each in own if each.like is not None), None)
        if name not in there and like is not None:
            chains.append(_chain(replace(like, rules=()), own))
    return replace(ruleset, chains=tuple(chains), sets=_swapped(ruleset.sets, refills))


def _chain(chain: Chain, edits: Sequence[Rewrite | Resolve]) -> Chain:
    """Return a chain with its rules and its policy changed, and its rules counted anew."""
    policy = next((each.policy for each in edits if isinstance(each, Resolve)), chain.policy)
    rewrites = [each for each in edits if isinstance(each, Rewrite)]
    gone = {each.out for each in rewrites}
    rules: list[Rule] = []
    for gap, rule in enumerate((*chain.rules, None)):
        rules += [each.into for each in rewrites if each.into is not None and each.gap == gap]
        if rule is not None and rule not in gone:
            rules.append(rule)
    numbered = tuple(rule if rule.number == n else replace(rule, number=n) for n, rule in enumerate(rules, 1))
    return replace(chain, policy=policy, rules=numbered)
