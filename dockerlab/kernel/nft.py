"""From the output of `nft -j list ruleset` to a ruleset, and back; pure.

The form is that of libnftables-json(5). What has no word in iptables becomes a condition of the module `unknown`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dockerlab.kernel import nft_text, nft_write
from dockerlab.kernel.nft_keys import kind_of
from dockerlab.kernel.nft_rules import Table, translated
from dockerlab.kernel.nft_terms import TYPES, compact, member
from dockerlab.kernel.rules import Chain, Hook, Match, NamedSet, Rule, Ruleset

Json = Mapping[str, Any]
Place = tuple[str, str, str]
"""A chain's family, table and name."""

NAMES = {"raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "security": 50, "srcnat": 100}
BRIDGE_NAMES = {"dstnat": -300, "filter": -200, "out": 100, "srcnat": 300}
"""Priorities by name, and what the names mean in family `bridge` (nft(8), standard priority names)."""

HOOKS: dict[str, Hook] = {
    "prerouting": "prerouting",
    "input": "input",
    "forward": "forward",
    "output": "output",
    "postrouting": "postrouting",
    "ingress": "ingress",
    "egress": "egress",
}


def read(document: Json, without: Collection[Place] = ()) -> Ruleset:
    """Return the ruleset that `nft -j list ruleset` printed, but for chains that somebody else reads.

    `without` are those that `iptables-save` printed: nft does not show what the extensions of iptables mean. Raises
    ValueError for what is no such document; an object in it that is not understood is told in `unread`.
    """
    objects = document.get("nftables") if isinstance(document, Mapping) else None
    if not isinstance(objects, list):
        raise ValueError('no output of `nft -j list ruleset`: there is no list "nftables"')  # noqa: TRY004 - a value
    listing = _Listing(frozenset(without))
    for entry in objects:
        for kind, content in entry.items() if isinstance(entry, Mapping) else ():
            listing.note(kind, content)
    return listing.ruleset()


def write(ruleset: Ruleset) -> str:
    """Return the tables of nft in a ruleset as `nft -f` takes them, verdict maps written out where they are used.

    Sets that come and go by themselves are written with what was in them.
    """
    return nft_write.written(ruleset)


@dataclass
class _Listing:
    """What was read so far; the rules wait for the sets and maps that they name."""

    without: frozenset[Place]
    tables: dict[tuple[str, str], Table] = field(default_factory=dict)
    dormant: set[tuple[str, str]] = field(default_factory=set)
    chains: list[Json] = field(default_factory=list)
    rules: dict[Place, list[Json]] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)

    def note(self, kind: str, content: Json) -> None:
        """Take in one object, or tell that it is not understood."""
        try:
            self.take(kind, content)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            self.unread.append(f"nft: {kind} {compact(content)[:200]} ({type(error).__name__}: {error})")

    def take(self, kind: str, content: Json) -> None:
        """Take in one object."""
        if kind == "metainfo":
            return
        key = (str(content["family"]), str(content["name"] if kind == "table" else content["table"]))
        table = self.tables.setdefault(key, Table(*key))
        if kind == "table":
            if "dormant" in content.get("flags", ()):
                self.dormant.add(key)
        elif kind == "chain":
            self.chains.append(content)
        elif kind == "rule":
            self.rules.setdefault((*key, str(content["chain"])), []).append(content)
        elif kind == "set":
            table.sets[content["name"]] = _named(content)
        elif kind == "map":
            table.maps[content["name"]] = content

    def ruleset(self) -> Ruleset:
        """Return all that was read."""
        chains = tuple(self._chain(each) for each in self.chains if _place(each) not in self.without)
        sets = tuple(each for table in self.tables.values() for each in table.sets.values())
        return Ruleset(chains, sets, frozenset({"ip", "ip6"}), tuple(self.unread))

    def _chain(self, said: Json) -> Chain:
        place = _place(said)
        asleep = place[:2] in self.dormant
        hook = HOOKS.get(said.get("hook", ""), "") if not asleep else ""
        if said.get("hook") and not hook and not asleep:
            self.unread.append(f"nft: nobody knows the hook {said['hook']} of chain {' '.join(place)}")
        table = self.tables[place[:2]]
        return Chain(
            *place,
            backend="nft",
            hook=hook,
            priority=priority(said.get("prio", 0), place[0]),
            policy=str(said.get("policy", "accept")).upper() if hook else "",
            kind=str(said.get("type", "filter")),
            device=_devices(said.get("dev", "")),
            rules=tuple(self._rules(place, table)),
        )

    def _rules(self, place: Place, table: Table) -> Iterator[Rule]:
        for number, said in enumerate(self.rules.get(place, ()), 1):
            terms = said.get("expr") or []
            try:
                matches, actions = translated(terms, table)
            except (AttributeError, LookupError, TypeError, ValueError):
                # A form of a later nft: what it asks for is not known, and neither is what it does.
                matches, actions = (Match("", (compact(terms),), module="unknown"),), ()
            text = nft_text.rule(terms, said.get("comment"))
            yield Rule(*place, number, text, matches, actions, int(said.get("handle", 0)))


def priority(said: object, family: str) -> int:
    """Return a chain's priority as a number: nft may say `dstnat + 5`; raises ValueError for another text."""
    if isinstance(said, int):
        return said
    words = str(said).replace("+", " + ").replace("-", " - ").split()
    if words and words[0] in (names := BRIDGE_NAMES if family == "bridge" else NAMES):
        words[0] = str(names[words[0]])
    text = "".join(words)
    head, sign, tail = text.partition("+")
    if not sign and "-" in text[1:]:
        at = text.rindex("-")
        return int(text[:at]) - int(text[at + 1 :])
    return int(head) + int(tail or 0)


def _place(said: Json) -> Place:
    return str(said["family"]), str(said["table"]), str(said["name"])


def _devices(said: object) -> str:
    return ",".join(map(str, said)) if isinstance(said, list) else str(said)


def _named(said: Json) -> NamedSet:
    """Return a set; members that are not understood make it one of which not all is known."""
    kinds = said["type"]
    if isinstance(kinds, Mapping):  # `typeof ip saddr . tcp dport`
        inner = kinds.get("typeof", kinds)
        kinds = inner.get("concat", [inner]) if isinstance(inner, Mapping) else [inner]
    kinds = kinds if isinstance(kinds, list) else [kinds]
    types = tuple(TYPES.get(kind, kind) if isinstance(kind, str) else kind_of(kind) for kind in kinds)
    members = [member(each) for each in said.get("elem", ())]
    whole = all(each is not None for each in members) and not {"timeout", "dynamic"} & set(said.get("flags", ()))
    kept = frozenset(each for each in members if each is not None)
    return NamedSet(str(said["family"]), str(said["table"]), str(said["name"]), types, kept, whole)
