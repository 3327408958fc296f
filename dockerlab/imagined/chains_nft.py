"""Docker's own tables of nftables: which chains each bridge has, what leads to them, and in which order rules stand.

Source: moby, daemon/libnetwork/drivers/bridge/internal/nftabler/nftabler.go; the maps from an interface to a chain are
written here as the verdict maps that they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from dockerlab.kernel import iptables
from dockerlab.kernel.rules import Action, Branch, Chain, Hook, Match, Rule, Ruleset
from dockerlab.modes.made import Line, Place, Written
from dockerlab.versions import Engine

TABLE = "docker-bridges"
FAMILIES = {"ip": 4, "ip6": 6}
NAT = "nat-prerouting-and-output"


class Slot(NamedTuple):
    """A chain, with `{bridge}` to be filled in, and the group of rules there: smaller ones stand before."""

    chain: str
    group: int = 0


SLOTS: Mapping[Place, Slot] = {
    "answers": Slot("filter-forward-in__{bridge}", 0),
    "shut": Slot("filter-forward-in__{bridge}", 0),
    "pings": Slot("filter-forward-in__{bridge}", 0),
    "apart": Slot("filter-forward-in__{bridge}", 3),
    "opened": Slot("filter-forward-in__{bridge}", 4),
    "rest": Slot("filter-forward-in__{bridge}", 5),
    "inside": Slot("filter-forward-out__{bridge}"),
    "outward": Slot("filter-forward-out__{bridge}"),
    "source": Slot("nat-postrouting-out__{bridge}"),
    "own source": Slot("nat-postrouting-in__{bridge}"),
    "published": Slot(NAT),
    "marked": Slot("raw-PREROUTING"),
}
OWN = ("filter-forward-in__", "filter-forward-out__", "nat-postrouting-in__", "nat-postrouting-out__")
"""What the chains of a bridge begin with."""


class Base(NamedTuple):
    """A base chain with its hook, priority and kind."""

    name: str
    hook: Hook
    priority: int
    kind: str


BASES = (
    Base("filter-FORWARD", "forward", 0, "filter"),
    Base("nat-OUTPUT", "output", -100, "nat"),
    Base("nat-POSTROUTING", "postrouting", 100, "nat"),
    Base("nat-PREROUTING", "prerouting", -100, "nat"),
    Base("raw-PREROUTING", "prerouting", -300, "filter"),
)
MAPS = {
    "filter-FORWARD": (("-o", "filter-forward-in"), ("-i", "filter-forward-out")),
    "nat-POSTROUTING": (("-i", "nat-postrouting-out"), ("-o", "nat-postrouting-in")),
}
"""The rules that lead to the chains of a bridge, by the interface."""


def ruleset(engine: Engine, rules: Iterable[Written]) -> Ruleset:
    """Return the tables of nftables that an engine writes."""
    kept = [rule for rule in rules if rule.line.place in SLOTS]
    found = [
        chain
        for family, version in FAMILIES.items()
        if version in engine.filters
        for chain in _table(engine, family, [rule for rule in kept if rule.family == family])
    ]
    return Ruleset(tuple(found), read=frozenset(FAMILIES))


def _table(engine: Engine, family: str, rules: list[Written]) -> Iterator[Chain]:
    bridges = list(dict.fromkeys(rule.at.bridge for rule in rules))
    bodies: dict[str, list[tuple[int, Written]]] = {NAT: []}
    for bridge in bridges:
        bodies |= {f"{start}{bridge}": [] for start in OWN}
    for rule in rules:
        slot = SLOTS[rule.line.place]
        inside = bodies.setdefault(slot.chain.format(bridge=rule.at.bridge), [])
        if all(rule.text != other.text for _, other in inside):
            inside.append((slot.group, rule))
    for base in BASES:
        fixed = [*_leading(family, base.name, bridges), *_jumps(engine, family, base.name)]
        own = [_rule(family, base.name, each) for _, each in _ordered(bodies.pop(base.name, []))]
        yield Chain(
            family, TABLE, base.name, "nft", base.hook, base.priority, "ACCEPT", base.kind,
            rules=_numbered([*fixed, *own]),
        )  # fmt: skip
    for name, body in bodies.items():
        yield Chain(
            family, TABLE, name, "nft", rules=_numbered([_rule(family, name, each) for _, each in _ordered(body)])
        )


def _ordered(body: list[tuple[int, Written]]) -> list[tuple[int, Written]]:
    return sorted(body, key=lambda pair: pair[0])


def _numbered(rules: list[Rule]) -> tuple[Rule, ...]:
    return tuple(replace(rule, number=number) for number, rule in enumerate(rules, 1))


def _rule(family: str, chain: str, rule: Written) -> Rule:
    """Return a rule: parsed from iptables' words, shown in nft's."""
    read = iptables.rule(family, TABLE, f"-A {chain} {rule.words}")
    return replace(read, text=rule.text, matches=tuple(_split(match) for match in read.matches))


def _split(match: Match) -> Match:
    """Return an interface condition with each of several names as a value of its own."""
    if match.option in ("-i", "-o") and "," in match.value:
        return replace(match, values=tuple(match.value.split(",")))
    return match


def _leading(family: str, chain: str, bridges: list[str]) -> Iterator[Rule]:
    """Yield the rules that lead from a base chain to the chains of the bridges."""
    for option, start in MAPS.get(chain, ()):
        lines = tuple(Branch((Match(option, (bridge,)),), f"{start}__{bridge}") for bridge in sorted(bridges))
        text = f"{'iifname' if option == '-i' else 'oifname'} vmap @{start}-jumps"
        yield Rule(family, TABLE, chain, 0, text, actions=(Action(branches=lines),))


LEADS = Line("inside", "", "each bridge has chains of its own; only what comes or leaves by it goes there")


def _jumps(engine: Engine, family: str, chain: str) -> Iterator[Rule]:
    """Yield the jumps to what is published; without docker-proxy the host's loopback addresses are not left out."""
    for where, line in fixed(family, proxy=engine.proxy):
        if where == chain:
            read = iptables.rule(family, TABLE, f"-A {chain} {line.means}")
            yield replace(read, text=line.text)


ARRIVES = "what comes to the host may be for a published port"
REACHES = "the host reaches published ports as others do, except by its loopback addresses, which docker-proxy serves"
REACHES_ALL = "the host reaches published ports as others do"


def fixed(*families: str, proxy: bool | None = None) -> Iterator[tuple[str, Line]]:
    """Yield the jumps that are there whatever networks there are, with their chains; of both kinds without `proxy`."""
    for family in families or FAMILIES:
        loopback = {"ip": "127.0.0.0/8", "ip6": "::1/128"}[family]
        shown = f"{family} daddr != {loopback.removesuffix('/128')} fib daddr type local jump {NAT}"
        plain, means = f"fib daddr type local jump {NAT}", f"-m addrtype --dst-type LOCAL -j {NAT}"
        yield "nat-PREROUTING", Line("published", plain, ARRIVES, means=means)
        if proxy is not False:
            yield "nat-OUTPUT", Line("published", shown, REACHES, means=f"! -d {loopback} {means}")
        if proxy is not True:
            yield "nat-OUTPUT", Line("published", plain, REACHES_ALL, means=means)
