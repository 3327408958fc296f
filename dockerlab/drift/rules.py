"""Netfilter rules that are missing, foreign or changed: chains as imagined beside chains as surveyed; pure.

Rules are compared as parsed. The order in which an engine writes what it needs for several networks is no difference,
nor are comments and counters, nor the port that its name server happens to have in a container.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace

from dockerlab.drift import undo
from dockerlab.drift.difference import Difference, How, Told, difference, key_of, rule_key
from dockerlab.drift.edits import ChainName, Resolve, Rewrite, name_of
from dockerlab.drift.sides import Pair
from dockerlab.kernel.rules import Action, Branch, Chain, Match, NamedSet, Rule, Ruleset

LOT = 4
"""From more rules than so many on that are gone from one table, somebody has flushed it: they are told at once."""

OWN_RESOLVER = "127.0.0.11"
ANY_PORT = frozenset({"--sport", "--dport"})
LISTS = frozenset({"--ctstate", "--state", "--ctstatus"})


def rules(pair: Pair) -> Iterator[Difference]:
    """Yield what is missing, foreign or changed of a namespace's rules and policies, as far as they could be read."""
    if "rules" in pair.there.unread:
        return
    read = pair.there.ruleset.read
    wanted = {name_of(chain): chain for chain in pair.wanted.ruleset.chains if _read(chain, read)}
    there = {name_of(chain): chain for chain in pair.there.ruleset.chains if _read(chain, read)}
    names = [*there, *(name for name in wanted if name not in there)]
    missing: list[_Missing] = []
    for name in names:
        chain = Beside(pair, name, wanted.get(name), there.get(name))
        yield from chain.policy()
        yield from chain.foreign()
        missing += chain.missing
    yield from _gone(pair, missing)


def _read(chain: Chain, read: frozenset[str]) -> bool:
    """Tell whether a chain's family could be read; families beside those of IP are of nftables, as a whole."""
    return chain.family in read if chain.family in ("ip", "ip6") else bool(read)


@dataclass(frozen=True)
class _Missing:
    """A rule that is not there, and behind how many of those that are it belongs."""

    rule: Rule
    chain: Chain
    like: Chain
    gap: int


class Beside:
    """One chain on both sides; `there` or `wanted` is None where it is on one side alone."""

    def __init__(self, pair: Pair, name: ChainName, wanted: Chain | None, there: Chain | None) -> None:
        self.pair, self.name, self.wanted = pair, name, wanted
        known = wanted or there
        if known is None:
            raise ValueError(f"chain {name} is on neither side")
        self.there = there or replace(known, rules=(), policy="ACCEPT" if known.hook else "")
        self.where = undo.place(pair.there)
        ours = [(likeness(rule, pair.wanted.ruleset), rule) for rule in (wanted.rules if wanted else ())]
        theirs = [(likeness(rule, pair.there.ruleset), rule) for rule in self.there.rules]
        free: dict[Hashable, list[int]] = {}
        for number, (like, _) in enumerate(theirs):
            free.setdefault(like, []).append(number)
        matched: list[int | None] = [free[like].pop(0) if free.get(like) else None for like, _ in ours]
        taken = {number for number in matched if number is not None}
        lacking = list(self._gaps(matched))
        extra = [number for number in range(len(theirs)) if number not in taken]
        self.changed: list[tuple[Rule, Rule]] = []
        self.missing: list[_Missing] = []
        for place, gap in lacking:
            other = self._instead(ours[place][0], [(number, theirs[number][0]) for number in extra], gap)
            if other is not None:
                extra.remove(other)
                self.changed.append((ours[place][1], theirs[other][1]))
            else:
                self.missing.append(_Missing(ours[place][1], self.there, wanted or self.there, gap))
        self.extra = [theirs[number][1] for number in extra if not _of_resolver(theirs[number][1], pair)]

    @staticmethod
    def _gaps(matched: Sequence[int | None]) -> Iterator[tuple[int, int]]:
        """Yield the place of each rule that is not there, and behind how many others it belongs."""
        gap = 0
        for place, number in enumerate(matched):
            if number is None:
                yield place, gap
            else:
                gap = number + 1

    @staticmethod
    def _instead(like: Likeness, extra: Sequence[tuple[int, Likeness]], gap: int) -> int | None:
        """Return which of the foreign rules was made of a missing one.

        It asks for the same and does something else, or it stands in its place and differs in one condition.
        """
        foreign = {number for number, _ in extra}
        almost = (number for number, other in extra if number >= gap and like.almost(other))
        here = next((number for number in almost if foreign.issuperset(range(gap, number + 1))), None)
        same = (number for number, other in extra if like.matches and like.matches == other.matches)
        return here if here is not None else next(same, None)

    def policy(self) -> Iterator[Difference]:
        """Yield that the policy is another one."""
        policy = (self.wanted.policy if self.wanted is not None else "") or "ACCEPT"
        if not self.there.hook or (self.there.policy or "ACCEPT") == policy:
            return
        base = self.name.backend == "nft" and self.wanted is None
        told = f"policy {self.there.policy.lower()}" if base else f"-P {self.there.name} {self.there.policy}"
        like = self.wanted if self.there not in self.pair.there.ruleset.chains else None
        place = f"{place_of(self.there)} policy"
        says = f"the policy of {place_of(self.there)} is {self.there.policy}, where it would be {policy}"
        back = undo.policy(self.where, self.there, policy)
        edit = Resolve(self.pair.at, self.name, policy, like)
        how: How = "foreign" if self.wanted is None else "changed"
        keys = [key_of(self.pair.at, self.there)]
        yield difference(self.pair, how, "policy", Told(place, told, says, back), [edit], keys)

    def foreign(self) -> Iterator[Difference]:
        """Yield the rules that nobody imagined, and those that were made something else."""
        at = self.pair.at
        for rule in self.extra:
            yield self._difference(
                "foreign",
                rule,
                f"the rule `{rule.text}` is not the engine's",
                undo.remove_rule(self.where, self.there, rule),
                Rewrite(at, self.name, out=rule),
            )
        for wanted, rule in self.changed:
            edit = Rewrite(at, self.name, out=rule, into=wanted, gap=rule.number - 1)
            says = f"the rule `{rule.text}` would be `{wanted.text}`"
            back = undo.RESTART if self.there.backend == "nft" else ""
            back = back or undo.replace_rule(self.where, self.there, rule.number, wanted)
            yield self._difference("changed", rule, says, back, edit, wanted)

    def _difference(self, how: How, rule: Rule, says: str, back: str, edit: Rewrite, *others: Rule) -> Difference:
        pair = self.pair
        keys = {rule_key(pair.at, rule)}
        keys |= {rule_key(pair.origin, other) for other in others}
        told = Told(f"{place_of(self.there)} {rule.number}", rule.text, says, back)
        return difference(pair, how, "rule", told, [edit], keys)


def _of_resolver(rule: Rule, pair: Pair) -> bool:
    """Tell whether a rule leads a container's questions to the engine's name server, where nobody imagined any such."""
    return (
        not pair.of_host and rule.table == "nat" and OWN_RESOLVER in rule.text and not any(pair.wanted.ruleset.rules())
    )


def _gone(pair: Pair, missing: Sequence[_Missing]) -> Iterator[Difference]:
    """Yield the rules that are not there: all of a table's at once where it was flushed, else each for itself."""
    tables: dict[tuple[str, str, str], list[_Missing]] = {}
    for each in missing:
        tables.setdefault((each.like.backend, each.like.family, each.like.table), []).append(each)
    for (backend, family, table), lot in tables.items():
        own = [c for c in pair.wanted.ruleset.chains if (c.backend, c.family, c.table) == (backend, family, table)]
        all_gone = len(lot) > 1 and len(lot) == sum(len(chain.rules) for chain in own)
        if len(lot) > LOT or all_gone or any(_emptied(chain, lot) for chain in own):
            yield _missing(pair, lot)
        else:
            yield from (_missing(pair, [each]) for each in lot)


def _emptied(chain: Chain, lot: Sequence[_Missing]) -> bool:
    """Tell whether nothing is left of a chain of several rules."""
    gone = sum(name_of(each.like) == name_of(chain) for each in lot)
    return gone > 1 and gone == len(chain.rules)


def _missing(pair: Pair, lot: Sequence[_Missing]) -> Difference:
    first, chain = lot[0], lot[0].chain
    edits = tuple(Rewrite(pair.at, name_of(each.like), into=each.rule, gap=each.gap, like=each.like) for each in lot)
    where = f"{place_of(first.like)} {first.gap + 1}" if len(lot) == 1 else place_of(first.like)
    says = f"the rule `{first.rule.text}` is missing"
    if len(lot) > 1:
        chains = ", ".join(dict.fromkeys(each.like.name for each in lot))
        says = f"{len(lot)} rules are missing in table {first.like.table} (chains {chains}): `{first.rule.text}`, …"
    if not pair.of_host:
        back = undo.restart(pair.who)
    elif len(lot) > 1 or chain.backend == "nft" or chain not in pair.there.ruleset.chains:
        back = undo.RESTART
    else:
        back = undo.insert_rule((), chain, first.rule, first.gap)
    keys = frozenset(rule_key(pair.origin, each.rule) for each in lot)
    return difference(pair, "missing", "rule", Told(where, first.rule.text, says, back), edits, keys)


def place_of(chain: Chain) -> str:
    """Return a chain in a person's words: `filter FORWARD`, `nft inet fw forward`."""
    name = f"{chain.table} {chain.name}"
    return f"nft {chain.family} {name}" if chain.backend == "nft" else name


@dataclass(frozen=True)
class Likeness:
    """What a rule says, however it is written: two rules of one likeness do the same."""

    matches: frozenset[Hashable]
    actions: tuple[Hashable, ...]

    def almost(self, other: Likeness) -> bool:
        """Tell whether another rule differs in one condition alone, or in what it does alone."""
        if self.matches == other.matches:
            return True
        return (
            self.actions == other.actions
            and bool(self.matches & other.matches)
            and (max(len(self.matches - other.matches), len(other.matches - self.matches)) <= 1)
        )


def likeness(rule: Rule, ruleset: Ruleset) -> Likeness:
    """Return what a rule of a ruleset says."""
    own = any(OWN_RESOLVER in value for match in rule.matches for value in match.values)
    matches = frozenset(_match(m, rule, ruleset, own=own) for m in rule.matches if m.option != "--comment")
    return Likeness(matches, tuple(_action(action, rule, ruleset, own=own) for action in rule.actions))


def _match(match: Match, rule: Rule, ruleset: Ruleset, *, own: bool) -> Hashable:
    values = match.values
    if own and match.option in ANY_PORT and values != ("53",):
        values = ("*",)
    if match.option in LISTS:
        values = tuple(sorted(part for value in values for part in value.split(",")))
    nameless = [_nameless(value, rule, ruleset) for value in values]
    known: tuple[Hashable, ...] = tuple(n if n is not None else v for v, n in zip(values, nameless, strict=True))
    return (match.option, known if match.option == "--match-set" else frozenset(known), match.negated)


def _nameless(value: str, rule: Rule, ruleset: Ruleset) -> frozenset[tuple[str, ...]] | None:
    """Return what is in a set that a rule has for itself: its name is only a number."""
    name = value.removeprefix("@")
    if not name.startswith("__set"):
        return None
    found: NamedSet | None = next(
        (s for s in ruleset.sets if (s.family, s.table, s.name) == (rule.family, rule.table, name)), None
    )
    return found.members if found is not None else None


def _action(action: Action, rule: Rule, ruleset: Ruleset, *, own: bool) -> Hashable:
    options = frozenset(_option(option, rule, ruleset, own=own) for option in action.options)
    branches = frozenset(_branch(branch, rule, ruleset) for branch in action.branches)
    return (action.target, options, action.goto, branches)


def _option(option: Match, rule: Rule, ruleset: Ruleset, *, own: bool) -> Hashable:
    if own and option.option == "--to-destination":
        return (option.option, tuple(value.partition(":")[0] for value in option.values))
    return _match(option, rule, ruleset, own=False)


def _branch(branch: Branch, rule: Rule, ruleset: Ruleset) -> Hashable:
    return (frozenset(_match(m, rule, ruleset, own=False) for m in branch.matches), branch.target, branch.goto)
