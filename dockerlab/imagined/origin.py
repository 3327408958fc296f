"""From a rule of a kernel back to the line that an engine wrote it by: why it is there, and which page explains it.

A rule is compared as it was parsed. Names in a line may be any, but the same name is the same everywhere in a rule:
`-i A ! -o A` is not `-i A ! -o B`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product

from dockerlab.imagined import chains, chains_nft
from dockerlab.kernel import iptables
from dockerlab.kernel.rules import Action, Match, Rule
from dockerlab.modes import bridge_nft, bridge_rules, overlay
from dockerlab.modes.made import BYTECODE as BPF
from dockerlab.modes.made import U32, VXLAN, Line

CHOICES: Mapping[str, tuple[str, ...]] = {
    "elsewhere": ("", "! -i <bridge>"),
    "on": ("", "-d <on>"),
    "far": ("", "! -s fe80::/10"),
    "ping": ("icmp", "ipv6-icmp"),
    "past_trusted": ("! -i <bridges>",),
    "vxlan": (f"{VXLAN} {BPF}", f"{VXLAN} {U32}"),
}
"""What a name in a line may stand for, where that is not one word."""
NAMES = re.compile(r"\{(\w+)\}")
COMMENT = re.compile(r'comment "([^"]*)"')
NUMBERS = {"{vni}": "<vni>", "{high:#x}": "<high>"}
PROGRAMS = ("--bytecode", "--u32")
"""Conditions whose value is a program, of which only the option is compared."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A line, parsed, with `<names>` where any value may stand."""

    line: Line
    matches: tuple[Match, ...]
    actions: tuple[Action, ...]

    def fits(self, rule: Rule) -> bool:
        """Tell whether a rule is one that the line may have become."""
        own = _sorted(rule.matches)
        if len(own) != len(self.matches) or len(rule.actions) != len(self.actions):
            return False
        known: dict[str, str] = {}
        for mine, theirs in zip(self.matches, own, strict=True):
            if (mine.option, mine.negated) != (theirs.option, theirs.negated) or not _same(mine, theirs, known):
                return False
        for action, done in zip(self.actions, rule.actions, strict=True):
            if action.target != done.target or len(action.options) != len(done.options):
                return False
            pairs = zip(_sorted(action.options), _sorted(done.options), strict=True)
            if not all(a.option == b.option and _same(a, b, known) for a, b in pairs):
                return False
        return True


def _sorted(matches: Iterable[Match]) -> list[Match]:
    kept = (match for match in matches if match.option != "--comment")
    return sorted(kept, key=lambda match: (match.option, match.negated))


def _same(mine: Match, theirs: Match, known: dict[str, str]) -> bool:
    """Tell whether two conditions have the same values, where a name stands for what it stood for before."""
    if mine.option in PROGRAMS or mine.value == "<bridges>":
        return True
    if len(mine.values) != len(theirs.values):
        return False
    for wanted, value in zip(mine.values, theirs.values, strict=True):
        if wanted.startswith("<"):
            if known.setdefault(wanted, value) != value:
                return False
        elif wanted != value:
            return False
    return True


def origin(rule: Rule) -> Line | None:
    """Return the line that an engine wrote a rule by, or None for a rule that is not as any engine writes it."""
    if rule.table == chains_nft.TABLE and rule.chain in chains_nft.MAPS and not rule.target and not rule.matches:
        return chains_nft.LEADS
    key = (rule.table, rule.chain.partition("__")[0] if rule.table == chains_nft.TABLE else rule.chain, rule.target)
    fitting = [pattern.line for pattern in _patterns().get(key, ()) if pattern.fits(rule)]
    return next((line for line in fitting if _comment(line.text) == _comment(rule.text)), next(iter(fitting), None))


def _comment(text: str) -> str:
    """Return a rule's comment as nft prints it: two lines of one chain may do the same for different reasons."""
    found = COMMENT.search(text)
    return found[1] if found is not None else ""


@cache
def _patterns() -> Mapping[tuple[str, str, str], tuple[Pattern, ...]]:
    """Return all lines by table, chain and target; chains of a bridge without its name."""
    found: dict[tuple[str, str, str], list[Pattern]] = {}
    for table, chain, line in _everywhere():
        for pattern in _read(line):
            target = pattern.actions[-1].target if pattern.actions else ""
            found.setdefault((table, chain, target), []).append(pattern)
    return {key: tuple(patterns) for key, patterns in found.items()}


def _everywhere() -> Iterator[tuple[str, str, Line]]:
    """Yield every line with every chain that it may stand in."""
    layouts = (chains.FLAT, chains.SETS, chains.OWN, chains.LATER)
    for line in (*bridge_rules.NETWORK, *bridge_rules.ENDPOINT, *bridge_rules.PORT, *overlay.ENCRYPTED):
        for slot in dict.fromkeys(layout[line.place][:2] for layout in layouts):
            yield (*slot, line)
    for each in chains.FIXED:
        yield each.table, each.chain, each.line
    for line in (*bridge_nft.NETWORK, *bridge_nft.ENDPOINT, *bridge_nft.PORT):
        yield chains_nft.TABLE, chains_nft.SLOTS[line.place].chain.partition("__")[0], line
    for chain, line in chains_nft.fixed():
        yield chains_nft.TABLE, chain, line


def _read(line: Line) -> Iterator[Pattern]:
    """Yield a line parsed, once for each thing that its names may stand for."""
    text = line.means or line.text
    names = [name for name in dict.fromkeys(NAMES.findall(text)) if name in CHOICES]
    for chosen in product(*(CHOICES[name] for name in names)):
        words = text
        for name, value in zip(names, chosen, strict=True):
            words = words.replace(f"{{{name}}}", value)
        for name, value in NUMBERS.items():
            words = words.replace(name, value)
        words = NAMES.sub(r"<\1>", words)
        read = iptables.rule("ip", "filter", f"-A CHAIN {words}")
        yield Pattern(line, tuple(_sorted(read.matches)), read.actions)
