"""The netfilter ruleset of a namespace: iptables' and nftables' rules in one form.

An iptables table is a base chain on each of its hooks, at a fixed priority; an nftables chain has its own. The words
of conditions are iptables' for both, as more readers know them: nft's `iifname "eth0"` is `-i eth0` here. `text` is
the rule as its own program prints it, and it is what people are shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Backend = Literal["iptables", "iptables-legacy", "nft"]
Hook = Literal["", "prerouting", "input", "forward", "output", "postrouting", "ingress", "egress"]


UNREAD = "unread"
"""What stands for the policy of a chain that could not be read."""


@dataclass(frozen=True, slots=True)
class Match:
    """One condition of a rule, or one option of its target: an option with its values, perhaps negated.

    Several values are alternatives, but for `--match-set` (the set, and which side of a packet each part of a member
    is) and `--tcp-flags` (which are looked at, and which of them are set). `module` is the extension that it belongs to
    (`tcp`, `conntrack`, `set`, …), empty for what every rule may say (`-s`, `-d`, `-i`, `-o`, `-p`; `-4` and `-6`,
    which nftables asks in tables of several families) and for options of targets. An extension that asks for something
    by its mere name is the option `-m` (`-m socket`). `module` `unknown` stands for a condition that nobody here
    understands: its value is what nft or iptables says.
    """

    option: str
    values: tuple[str, ...] = ()
    negated: bool = False
    module: str = ""

    @property
    def value(self) -> str:
        """Return the first value, or an empty text for an option without one."""
        return self.values[0] if self.values else ""


@dataclass(frozen=True, slots=True)
class Branch:
    """One line of a verdict map: what has to match, and the verdict or chain that it leads to."""

    matches: tuple[Match, ...]
    target: str
    goto: bool = False


@dataclass(frozen=True, slots=True)
class Action:
    """What a rule does: a verdict (`ACCEPT`, `DROP`, `REJECT`, `RETURN`), a chain, or a target such as `DNAT`.

    With `branches`, a verdict map: the first line that matches decides, and where none does the rule does nothing; a
    line without a target does nothing either. The target `unknown` is something that nobody here understands.
    """

    target: str = ""
    options: tuple[Match, ...] = ()
    goto: bool = False
    branches: tuple[Branch, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; `number` is its place in the chain, counted from 1. All `actions` happen to what all `matches` fit.

    An iptables rule has one action, or none where it only counts.
    """

    family: str
    table: str
    chain: str
    number: int
    text: str
    matches: tuple[Match, ...] = ()
    actions: tuple[Action, ...] = ()
    handle: int = 0

    @property
    def where(self) -> str:
        """Return where the rule stands in a person's words: `filter DOCKER-USER 2`, `nft inet fw forward 3`."""
        place = f"{self.table} {self.chain} {self.number}"
        return place if self.text.startswith("-A ") else f"nft {self.family} {place}"

    @property
    def target(self) -> str:
        """Return what happens in the end: the last action's target, empty for a rule that only counts."""
        return self.actions[-1].target if self.actions else ""

    @property
    def options(self) -> tuple[Match, ...]:
        """Return the options of the last action."""
        return self.actions[-1].options if self.actions else ()


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain with its rules. A base chain has a `hook`, a `priority` on it and a `policy`; any other has none.

    `family` is nft's word (`ip`, `ip6`, `inet`, `bridge`, …), `kind` is `filter`, `nat` or `route`. `policy` is
    `ACCEPT` or `DROP`. The built-in chains of iptables have the hook and the priority that the kernel gives them.
    """

    family: str
    table: str
    name: str
    backend: Backend = "iptables"
    hook: Hook = ""
    priority: int = 0
    policy: str = ""
    kind: str = "filter"
    device: str = ""
    rules: tuple[Rule, ...] = ()

    def sees(self, version: int) -> bool:
        """Tell whether packets of an IP version come by."""
        return self.family in ("inet", "ip" if version == 4 else "ip6")


@dataclass(frozen=True, slots=True)
class NamedSet:
    """A set of ipset (`table` is empty) or of nftables.

    `types` are the kinds of a member's parts: `ip` (an address, a network `A/N` or a range `A-B`), `port`, `proto`,
    `iface`, `mac`, `mark`, `set` (another set of ipset); each member has a text for each of them. A port is `80` or
    `80-90`, where ipset has the protocol with it `tcp:80`. A set that one rule of nftables has for itself is called
    as nft calls it inside, `__set0`.
    `whole` is False where members may come and go by themselves, or could not be read.
    """

    family: str
    table: str
    name: str
    types: tuple[str, ...]
    members: frozenset[tuple[str, ...]] = frozenset()
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Ruleset:
    """All chains and sets of a namespace. `read` are the families (`ip`, `ip6`) that could be read, be they empty.

    `unread` says what could not, and why; a packet of a family that was not read meets nobody knows what.
    """

    chains: tuple[Chain, ...] = ()
    sets: tuple[NamedSet, ...] = ()
    read: frozenset[str] = frozenset()
    unread: tuple[str, ...] = ()

    def rules(self) -> Iterator[Rule]:
        """Yield every rule, chain by chain."""
        for chain in self.chains:
            yield from chain.rules

    def chain(self, family: str, table: str, name: str) -> Chain | None:
        """Return the chain of that name, or None; where legacy and nft iptables both have it, the first."""
        found = (c for c in self.chains if (c.family, c.table, c.name) == (family, table, name))
        return next(found, None)

    def policy(self, family: str, table: str, name: str) -> str | None:
        """Return the policy of a base chain, or None where it could not be read.

        A table that nobody has used yet lets everything through.
        """
        chain = self.chain(family, table, name)
        if chain is not None:
            return None if chain.policy == UNREAD else chain.policy
        return "ACCEPT" if family in self.read else None
