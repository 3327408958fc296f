"""A host as it would be if something more were made on it now: what somebody changed on it stays as it is. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dockerlab.drift.edits import ChainName, Swap, name_of
from dockerlab.drift.routes import routes
from dockerlab.drift.rules import Beside, Likeness, likeness
from dockerlab.drift.sides import Pair
from dockerlab.kernel.model import Machine, Namespace
from dockerlab.kernel.routes import Route
from dockerlab.kernel.rules import Chain, Rule, Ruleset
from dockerlab.walk.outcome import SpaceId


def as_it_would_be(wanted: Machine, now: Machine, seen: Machine) -> Machine:
    """Return a host on which more is made, with everything that is otherwise on it now than an engine would have it.

    `wanted` is the host with what is to be made, on good ground; `now` the same host without that, `seen` the host as
    it is. Only its own namespace counts: what is to be made has its own namespaces.
    """
    own = _pair(now.ground, seen.ground, seen.host)
    ground = replace(
        wanted.ground,
        routes=_routes(wanted.ground, own),
        selectors=own.there.selectors or wanted.ground.selectors,
        neighbours=own.there.neighbours or wanted.ground.neighbours,
        sysctls={**wanted.ground.sysctls, **own.there.sysctls},
        ruleset=_ruleset(wanted.ground.ruleset, own),
        unread=own.there.unread,
    )
    return replace(wanted, namespaces=tuple(ground if space.host else space for space in wanted.namespaces))


def _pair(now: Namespace, seen: Namespace, host: str) -> Pair:
    names = {link.name: link.name for link in now.links}
    return Pair(host, SpaceId(host, seen.id), SpaceId(host, now.id), now, seen, names)


def _routes(wanted: Namespace, own: Pair) -> tuple[Route, ...]:
    swaps = [edit for found in routes(own) for edit in found.edits if isinstance(edit, Swap)]
    gone = [swap.into for swap in swaps if isinstance(swap.into, Route)]
    come = [swap.out for swap in swaps if isinstance(swap.out, Route)]
    return (*(route for route in wanted.routes if route not in gone), *come)


def _ruleset(wanted: Ruleset, own: Pair) -> Ruleset:
    """Return an engine's rules beside those that are not its own, and without those that it lacks."""
    there = own.there.ruleset
    before = {name_of(chain): chain for chain in own.wanted.ruleset.chains}
    after = {name_of(chain): chain for chain in wanted.chains}
    seen = {name_of(chain): chain for chain in there.chains}
    chains = [
        _chain(own, wanted, name, (after.get(name), before.get(name), seen.get(name))) for name in {**seen, **after}
    ]
    known = {(each.family, each.table, each.name) for each in wanted.sets}
    sets = (*wanted.sets, *(each for each in there.sets if (each.family, each.table, each.name) not in known))
    return Ruleset(tuple(chain for chain in chains if chain is not None), sets, there.read, there.unread)


Three = tuple[Chain | None, Chain | None, Chain | None]


def _chain(own: Pair, ruleset: Ruleset, name: ChainName, chains: Three) -> Chain | None:
    """Return one chain: `chains` are the one that is wanted, the one that there would be now, and the one that is."""
    after, before, seen = chains
    if after is None or (before is None and seen is None):
        return seen if before is None else after
    beside = Beside(own, name, before, seen)
    gone = {likeness(rule, own.wanted.ruleset) for rule in _gone(beside)}
    kept = [rule for rule in after.rules if likeness(rule, ruleset) not in gone]
    rules = _merged(own, kept, [likeness(rule, ruleset) for rule in kept], beside)
    policy = seen.policy if seen is not None else after.policy
    return replace(after, policy=policy, rules=tuple(replace(rule, number=n) for n, rule in enumerate(rules, 1)))


def _gone(beside: Beside) -> Iterator[Rule]:
    yield from (each.rule for each in beside.missing)
    yield from (rule for rule, _ in beside.changed)


def _merged(own: Pair, kept: Sequence[Rule], likes: Sequence[Likeness], beside: Beside) -> list[Rule]:
    """Return the engine's rules with the others among them, each behind the engine's last that it is behind now."""
    others = {*beside.extra, *(rule for _, rule in beside.changed)}
    behind: dict[int, list[Rule]] = {}
    at = 0
    for rule in beside.there.rules:
        if rule in others:
            behind.setdefault(at, []).append(rule)
            continue
        like = likeness(rule, own.there.ruleset)
        at = max(at, likes.index(like) + 1) if like in likes else at
    found = list(behind.get(0, ()))
    for number, rule in enumerate(kept, 1):
        found += [rule, *behind.get(number, ())]
    return found
