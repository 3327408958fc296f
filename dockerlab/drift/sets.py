"""Members that an engine's own sets lack, or have too many; pure."""

from __future__ import annotations

from collections.abc import Iterator

from dockerlab.drift import undo
from dockerlab.drift.difference import Difference, Told, difference, how_of, rule_key
from dockerlab.drift.edits import Refill
from dockerlab.drift.sides import Pair
from dockerlab.kernel.rules import NamedSet, Rule, Ruleset

NAMELESS = "__set"
"""How the sets are called that a rule of nftables has for itself: they are compared with the rule."""


def sets(pair: Pair) -> Iterator[Difference]:
    """Yield the sets of the engine that are gone or hold something else; sets that nobody imagined decide nothing."""
    if "rules" in pair.there.unread:
        return
    there = {_place(each): each for each in pair.there.ruleset.sets}
    for wanted in pair.wanted.ruleset.sets:
        now = there.get(_place(wanted))
        if wanted.name.startswith(NAMELESS) or not wanted.whole:
            continue
        if now is None:
            yield _difference(pair, wanted, None, f"{place(wanted)} is not there", undo.RESTART)
            continue
        come, gone = now.members - wanted.members, wanted.members - now.members
        if now.whole and (come or gone):
            where = undo.place(pair.there)
            back = [undo.member(where, now, each, add=False) for each in sorted(come)]
            back += [undo.member(where, now, each, add=True) for each in sorted(gone)]
            told = [f"lacks {_listed(gone)}"] if gone else []
            told += [f"holds {_listed(come)} as well"] if come else []
            yield _difference(pair, wanted, now, f"{place(wanted)} {' and '.join(told)}", undo.both(back))


def _place(each: NamedSet) -> tuple[str, str, str]:
    return (each.family if each.table else "", each.table, each.name)


def place(each: NamedSet) -> str:
    """Return a set in a person's words."""
    return f"nft set {each.family} {each.table} {each.name}" if each.table else f"ipset {each.name}"


def _listed(members: frozenset[tuple[str, ...]]) -> str:
    return ", ".join(",".join(member) for member in sorted(members))


def _difference(pair: Pair, wanted: NamedSet, now: NamedSet | None, says: str, back: str) -> Difference:
    keys = {rule_key(pair.origin, rule) for rule in _asking(pair.wanted.ruleset, wanted)}
    keys |= {rule_key(pair.at, rule) for rule in _asking(pair.there.ruleset, wanted)}
    told = Told(place(wanted), place(wanted), says, back)
    return difference(pair, how_of(now, wanted), "rule", told, [Refill(pair.at, now, wanted)], keys)


def _asking(ruleset: Ruleset, wanted: NamedSet) -> Iterator[Rule]:
    """Yield the rules that ask for a set."""
    named = {wanted.name, f"@{wanted.name}"}
    return (rule for rule in ruleset.rules() if any(named & set(match.values) for match in rule.matches))
