"""A packet at the hooks of netfilter: chain after chain by priority, until one of them has the last word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockerlab.kernel.rules import Action, Chain, Rule
from dockerlab.walk.conditions import conditions, holds
from dockerlab.walk.matching import Test
from dockerlab.walk.outcome import Element
from dockerlab.walk.packet import Packet
from dockerlab.walk.targets import EFFECTS, FINAL, Verdict, translate
from dockerlab.walk.tracking import aim, mask

if TYPE_CHECKING:
    from dockerlab.walk.compiled import Space
    from dockerlab.walk.way import Way

CONNTRACK = -200
TRANSLATE = {"prerouting": -100, "output": -100, "input": 100, "postrouting": 100}
"""The priorities at which the kernel looks for a packet's connection, and at which it translates."""
MANY = 12
"""From so many rules on a chain is worth an index."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A rule with its conditions, and the element that it is for people; made when it is first needed."""

    rule: Rule
    chain: Chain
    tests: tuple[Test, ...]

    @property
    def element(self) -> Element:
        """Return the rule as an object that decides."""
        rule = self.rule
        name = f"{rule.table} {rule.chain} {rule.number}"
        return Element("rule", f"nft {rule.family} {name}" if self.chain.backend == "nft" else name, rule.text, rule)


def policy_of(chain: Chain) -> Element:
    """Return a base chain's policy as an object that decides."""
    nft = chain.backend == "nft"
    name = f"{chain.table} {chain.name} policy"
    text = f"policy {chain.policy.lower()}" if nft else f"-P {chain.name} {chain.policy}"
    return Element("policy", f"nft {chain.family} {name}" if nft else name, text, chain)


class Rules:
    """The rules of a chain; of a long one only those are looked at that a packet may meet."""

    def __init__(self, chain: Chain, space: Space) -> None:
        self.chain = chain
        self.rules = [Compiled(r, chain, conditions(r, space, backend=chain.backend)) for r in chain.rules]
        self._index: dict[tuple[str, str], list[int]] | None = None
        if len(self.rules) >= MANY:
            self._index = {}
            for number, rule in enumerate(chain.rules):
                self._index.setdefault(_key(rule), []).append(number)

    def candidates(self, packet: Packet) -> Sequence[Compiled]:
        """Return the rules that a packet may meet, in order."""
        if self._index is None:
            return self.rules
        found = list(self._index.get(("", ""), ()))
        keys = (
            ("-d", str(packet.destination)),
            ("-s", str(packet.source)),
            ("-i", packet.incoming),
            ("-o", packet.outgoing),
        )
        for key in keys:
            found += self._index.get(key, ())
        found.sort()
        return [self.rules[number] for number in found]


def _key(rule: Rule) -> tuple[str, str]:
    """Return the one condition of a rule by which it is found: an exact address, or an interface."""
    wanted: dict[str, str] = {}
    for match in rule.matches:
        if match.negated or len(match.values) != 1 or match.module:
            continue
        value = match.value
        if match.option in ("-d", "-s"):
            host, _, length = value.partition("/")
            if length in ("", "128" if ":" in host else "32"):
                wanted[match.option] = host
        elif match.option in ("-i", "-o") and not value.endswith("+"):
            wanted[match.option] = value
    return next(((option, wanted[option]) for option in ("-d", "-s", "-i", "-o") if option in wanted), ("", ""))


class Firewall:
    """The netfilter rules of one namespace."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self._chains: dict[tuple[str, str, str, str], Rules] = {}
        self._hooks: dict[tuple[str, int], list[tuple[int, list[Chain]]]] = {}
        ruleset = space.namespace.ruleset
        unread = "rules" in space.namespace.unread
        self.read = {4: "ip" in ruleset.read and not unread, 6: "ip6" in ruleset.read and not unread}
        self._by_name: dict[tuple[str, str, str, str], Chain] = {}
        for chain in ruleset.chains:
            self._by_name.setdefault(_side(chain, chain.name), chain)

    def stages(self, hook: str, version: int) -> list[tuple[int, list[Chain]]]:
        """Return the base chains on a hook by priority; what translates is one stage, as it is one hook."""
        key = (hook, version)
        found = self._hooks.get(key)
        if found is None:
            mine = [
                chain
                for chain in self.space.namespace.ruleset.chains
                if chain.hook == hook and chain.sees(version) and not _idle(chain)
            ]
            stages = [(chain.priority, [chain]) for chain in mine if chain.kind != "nat"]
            nat = sorted((chain for chain in mine if chain.kind == "nat"), key=lambda chain: chain.priority)
            if hook in TRANSLATE:
                stages.append((TRANSLATE[hook], nat))
            if hook in ("prerouting", "output"):
                stages.append((CONNTRACK, []))
            found = self._hooks[key] = sorted(stages, key=lambda stage: stage[0])
        return found

    def rules_of(self, chain: Chain) -> Rules:
        """Return a chain's rules."""
        key = _side(chain, chain.name)
        found = self._chains.get(key)
        if found is None:
            found = self._chains[key] = Rules(chain, self.space)
        return found

    def named(self, beside: Chain, name: str) -> Chain | None:
        """Return the chain of a name that a rule of another chain leads to."""
        return self._by_name.get(_side(beside, name))


def _side(chain: Chain, name: str) -> tuple[str, str, str, str]:
    return (chain.backend, chain.family, chain.table, name)


def _idle(chain: Chain) -> bool:
    """Tell whether a chain does nothing to any packet."""
    return not chain.rules and chain.policy != "DROP" and chain.kind != "nat"


def pass_hook(way: Way, space: Space, packet: Packet, hook: str) -> Verdict | None:
    """Lead a packet through a hook; return what stopped it, or None where it goes on."""
    firewall = space.firewall
    if not firewall.read[packet.version]:
        doubt = f"the firewall's rules of {space.name} for IPv{packet.version} could not be read"
        if way.ask(("unread", space.id, packet.version), doubt):
            return Verdict("DROP", Element("none", "unread rules", doubt))
    for priority, chains in firewall.stages(hook, packet.version):
        if not chains and priority == CONNTRACK:
            way.tracker(space).look(packet)
        elif priority == TRANSLATE[hook] if hook in TRANSLATE and (not chains or chains[0].kind == "nat") else False:
            stopped = _translate(way, space, packet, hook, chains)
            if stopped is not None:
                return stopped
        else:
            before = (packet.mark, packet.dscp)
            for chain in chains:
                verdict = pass_chain(way, space, packet, chain)
                if verdict.target != "ACCEPT":
                    return verdict
                if chain.kind == "route" and (packet.mark, packet.dscp) != before:
                    packet.turned = True
    if hook in ("input", "postrouting"):
        way.tracker(space).confirm(packet)
    return None


def _translate(way: Way, space: Space, packet: Packet, hook: str, chains: Sequence[Chain]) -> Verdict | None:
    """Ask the chains of nat about the first packet of a connection, and translate every packet of it."""
    connection = packet.connection
    if connection is None:
        return None
    aiming = hook in ("prerouting", "output")
    asked = connection.aimed_once if aiming else connection.masked_once
    if packet.state == "NEW" and not asked:
        for chain in chains:
            verdict = pass_chain(way, space, packet, chain)
            if verdict.target not in ("ACCEPT", "DROP", "REJECT"):
                verdict = translate(way, space, packet, hook, verdict)
            if verdict.target in ("DROP", "REJECT"):
                return verdict
            if connection.aimed if aiming else connection.masked:
                break
        if aiming:
            connection.aimed_once = True
        else:
            connection.masked_once = True
    before = packet.destination
    (aim if aiming else mask)(packet)
    if hook == "output" and packet.destination != before:
        packet.turned = True
    return None


def pass_chain(way: Way, space: Space, packet: Packet, chain: Chain) -> Verdict:
    """Lead a packet through a base chain; return its verdict."""
    verdict = _walk(way, space, packet, chain, 0)
    if verdict is None:
        verdict = Verdict("ACCEPT" if chain.policy != "DROP" else "DROP", policy_of(chain))
    return verdict


def _walk(way: Way, space: Space, packet: Packet, chain: Chain, depth: int) -> Verdict | None:
    """Lead a packet through a chain; return a verdict, or None where it comes back to whoever led it there."""
    if depth > 64:
        return None
    for each in space.firewall.rules_of(chain).candidates(packet):
        met = holds(each.tests, packet)
        if met is None:
            doubt = f"whether rule {each.rule.number} of {chain.table} {chain.name} on {space.name} is met: {each.rule.text}"
            met = way.ask(("rule", space.id, each.rule, packet.reply, packet.kind, packet.flags), doubt)
        if not met:
            continue
        if way.detail:
            way.note(space, "met", f"meets {each.element.where}", each.element)
        for action in each.rule.actions:
            target, goto = _target(way, space, packet, each, action)
            if target == "RETURN":
                return None
            if target in FINAL:
                return Verdict(target, each.element, action)
            effect = EFFECTS.get(target)
            if effect is not None:
                effect(way, space, packet, action, each)
                continue
            if not target:
                continue
            onward = space.firewall.named(chain, target)
            if onward is None:
                doubt = f"what target {target} of rule {each.rule.number} of {chain.table} {chain.name} does"
                if way.ask(("target", space.id, each.rule), doubt):
                    return Verdict("DROP", each.element, action)
                continue
            verdict = _walk(way, space, packet, onward, depth + 1)
            if verdict is not None or goto:
                return verdict
    return None


def _target(way: Way, space: Space, packet: Packet, each: Compiled, action: Action) -> tuple[str, bool]:
    """Return what a rule leads to; of a verdict map, what the first line says that is met."""
    if not action.branches:
        return action.target, action.goto
    for branch in action.branches:
        tests = branch_tests(space, each, branch)
        met = holds(tests, packet)
        if met is None:
            met = way.ask(("branch", space.id, each.rule, branch), f"which verdict {each.rule.text} leads to")
        if met:
            return branch.target, branch.goto
    return "", False


def branch_tests(space: Space, each: Compiled, branch: object) -> tuple[Test, ...]:
    """Return the conditions of one line of a verdict map."""
    key = ("branch", each.rule.chain, each.rule.number, id(branch))
    found: tuple[Test, ...] | None = space.memory.get(key)
    if found is None:
        rule = Rule(each.rule.family, each.rule.table, each.rule.chain, 0, "", branch.matches)  # type: ignore[attr-defined]
        found = space.memory[key] = conditions(rule, space, backend=each.chain.backend)
    return found
