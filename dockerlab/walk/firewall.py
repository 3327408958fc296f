"""The netfilter rules of one namespace, ready for packets: chains by hook and priority, rules by what they ask for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from ipaddress import ip_address
from typing import TYPE_CHECKING, Literal, NamedTuple

from dockerlab.kernel.rules import Action, Branch, Chain, Match, Rule
from dockerlab.walk.conditions import conditions
from dockerlab.walk.matching import Test
from dockerlab.walk.outcome import Element
from dockerlab.walk.packet import Packet

if TYPE_CHECKING:
    from dockerlab.walk.compiled import Space

CONNTRACK = -200
TRANSLATE = {"prerouting": -100, "output": -100, "input": 100, "postrouting": 100}
"""The priorities at which the kernel looks for a packet's connection, and at which it translates."""
MANY = 12
"""From so many rules on a chain is worth an index."""
Key = tuple[str, str | int]
Name = tuple[str, str, str, str]


class Stage(NamedTuple):
    """What happens at one priority of a hook: one base chain, or what looks for connections or translates."""

    kind: Literal["chain", "track", "translate"]
    chains: tuple[Chain, ...] = ()


class Compiled:
    """A rule with its conditions, and the element that it is for people."""

    def __init__(self, rule: Rule, chain: Chain, space: Space) -> None:
        self.rule = rule
        self.chain = chain
        self.space = space
        self.tests = conditions(rule.matches, rule, space, backend=chain.backend)

    @cached_property
    def element(self) -> Element:
        """Return the rule as an object that decides."""
        rule = self.rule
        name = f"{rule.table} {rule.chain} {rule.number}"
        return Element("rule", f"nft {rule.family} {name}" if self.chain.backend == "nft" else name, rule.text, rule)

    @cached_property
    def doubt(self) -> str:
        """Return what is in question where nobody can tell whether the rule is met."""
        return f"whether `{self.rule.text}` ({self.element.where} on {self.space.name}) is met"

    def branches(self, action: Action, packet: Packet) -> Sequence[tuple[Branch, tuple[Test, ...]]]:
        """Return the lines of a verdict map that a packet may meet, in order."""
        found = self._maps.get(id(action))
        if found is None:
            found = self._maps[id(action)] = Lines(self, action)
        return found.candidates(packet)

    @cached_property
    def _maps(self) -> dict[int, Lines]:
        return {}


class Lines:
    """The lines of a verdict map with their conditions."""

    def __init__(self, rule: Compiled, action: Action) -> None:
        self._lines = [
            (branch, conditions(branch.matches, rule.rule, rule.space, backend=rule.chain.backend))
            for branch in action.branches
        ]
        self._index = Index([branch.matches for branch in action.branches])

    def candidates(self, packet: Packet) -> Sequence[tuple[Branch, tuple[Test, ...]]]:
        """Return the lines that a packet may meet, in order."""
        numbers = self._index.numbers(packet)
        return self._lines if numbers is None else [self._lines[number] for number in numbers]


class Index:
    """Which of many lists of conditions a packet may meet, by an exact address or interface that they ask for."""

    def __init__(self, lists: Sequence[Sequence[Match]]) -> None:
        self._found: dict[Key, list[int]] | None = None
        if len(lists) >= MANY:
            self._found = {}
            for number, matches in enumerate(lists):
                self._found.setdefault(_key(matches), []).append(number)

    def numbers(self, packet: Packet) -> list[int] | None:
        """Return the numbers of those that a packet may meet, in order; None stands for all."""
        known = self._found
        if known is None:
            return None
        found = list(known.get(("", ""), ()))
        for option, value in (("-i", packet.incoming), ("-o", packet.outgoing)):
            found += known.get((option, value), ())
        found += known.get(("-d", int(packet.destination)), ())
        found += known.get(("-s", int(packet.source)), ())
        found.sort()
        return found


def _key(matches: Sequence[Match]) -> Key:
    """Return the one condition by which a list of them is found: an exact address, or an interface."""
    wanted: dict[str, str | int] = {}
    for match in matches:
        if match.negated or len(match.values) != 1 or match.module:
            continue
        value = match.value
        if match.option in ("-d", "-s"):
            host, _, length = value.partition("/")
            if length in ("", "128" if ":" in host else "32"):
                wanted[match.option] = int(ip_address(host))
        elif match.option in ("-i", "-o") and not value.endswith("+"):
            wanted[match.option] = value
    return next(((option, wanted[option]) for option in ("-d", "-s", "-i", "-o") if option in wanted), ("", ""))


class Rules:
    """The rules of a chain; of a long one only those are looked at that a packet may meet."""

    def __init__(self, chain: Chain, space: Space) -> None:
        self._rules = [Compiled(rule, chain, space) for rule in chain.rules]
        self._index = Index([rule.matches for rule in chain.rules])

    def candidates(self, packet: Packet) -> Sequence[Compiled]:
        """Return the rules that a packet may meet, in order."""
        numbers = self._index.numbers(packet)
        return self._rules if numbers is None else [self._rules[number] for number in numbers]


class Firewall:
    """The netfilter rules of one namespace."""

    def __init__(self, space: Space) -> None:
        self.space = space
        ruleset = space.namespace.ruleset
        unread = "rules" in space.namespace.unread
        self.read = {4: "ip" in ruleset.read and not unread, 6: "ip6" in ruleset.read and not unread}
        self._rules: dict[Name, Rules] = {}
        self._stages: dict[tuple[str, int], list[Stage]] = {}
        self._by_name: dict[Name, Chain] = {}
        for chain in ruleset.chains:
            self._by_name.setdefault(_name(chain, chain.name), chain)

    def stages(self, hook: str, version: int) -> list[Stage]:
        """Return what happens at a hook, in order. All chains that translate are one stage, as for the kernel."""
        key = (hook, version)
        found = self._stages.get(key)
        if found is None:
            found = self._stages[key] = list(self._ordered(hook, version))
        return found

    def _ordered(self, hook: str, version: int) -> list[Stage]:
        # Of two at one priority the kernel asks the later one first (`nf_hook_entries_grow`).
        here = [
            chain
            for chain in reversed(self.space.namespace.ruleset.chains)
            if chain.hook == hook and chain.sees(version) and (chain.rules or chain.policy == "DROP")
        ]
        stages = [(chain.priority, Stage("chain", (chain,))) for chain in here if chain.kind != "nat"]
        if hook in TRANSLATE:
            nat = sorted((chain for chain in here if chain.kind == "nat"), key=lambda chain: chain.priority)
            stages.append((TRANSLATE[hook], Stage("translate", tuple(nat))))
        if hook in ("prerouting", "output"):
            stages.append((CONNTRACK, Stage("track")))
        return [stage for _, stage in sorted(stages, key=lambda pair: pair[0])]

    @cached_property
    def bridged(self) -> bool:
        """Tell whether there are rules of family bridge that do something."""
        chains = self.space.namespace.ruleset.chains
        return any(c.family == "bridge" and c.hook and (c.rules or c.policy == "DROP") for c in chains)

    def filters(self, version: int) -> bool:
        """Tell whether there are rules for an IP version at all, or may be."""
        hooked = ("prerouting", "input", "forward", "output", "postrouting")
        return not self.read[version] or any(stage.chains for hook in hooked for stage in self.stages(hook, version))

    def rules_of(self, chain: Chain) -> Rules:
        """Return a chain's rules."""
        name = _name(chain, chain.name)
        found = self._rules.get(name)
        if found is None:
            found = self._rules[name] = Rules(chain, self.space)
        return found

    def named(self, beside: Chain, name: str) -> Chain | None:
        """Return the chain of a name that a rule of another chain leads to."""
        return self._by_name.get(_name(beside, name))


def _name(chain: Chain, name: str) -> Name:
    return (chain.backend, chain.family, chain.table, name)


def policy_of(chain: Chain) -> Element:
    """Return a base chain's policy as an object that decides."""
    nft = chain.backend == "nft"
    name = f"{chain.table} {chain.name} policy"
    text = f"policy {chain.policy.lower()}" if nft else f"-P {chain.name} {chain.policy}"
    return Element("policy", f"nft {chain.family} {name}" if nft else name, text, chain)
