"""From the output of `iptables-save` to a ruleset, and back; pure.

Whatever stands in a rule is kept: what is not understood becomes a condition of the module `unknown`, for a ruleset
with one strange line in it is not unread.
"""

from __future__ import annotations

import re
from dataclasses import replace

from dockerlab.kernel.iptables_words import UNKNOWN, place, quoted, rule, spelled
from dockerlab.kernel.rules import Backend, Chain, Hook, Rule, Ruleset

__all__ = ["UNKNOWN", "place", "quoted", "read", "rule", "spelled", "write"]

HOOKS: dict[str, Hook] = {
    "PREROUTING": "prerouting",
    "INPUT": "input",
    "FORWARD": "forward",
    "OUTPUT": "output",
    "POSTROUTING": "postrouting",
}
PRIORITIES = {"raw": -300, "mangle": -150, "nat": -100, "filter": 0, "security": 50}
"""Where the kernel puts the chains of a table (include/uapi/linux/netfilter_ipv4.h)."""
SOURCE_NAT = 100
"""Where it puts those of nat that a packet comes to at its end: INPUT and POSTROUTING."""

_COUNTERS = re.compile(r"^\[\d+:\d+\]\s*")
_INCOMPATIBLE = re.compile(r"# Table `(.+)' (is incompatible|contains incompatible base-chains)")


def read(text: str, family: str, backend: Backend = "iptables") -> Ruleset:
    """Return what `iptables-save` (family `ip`) or `ip6tables-save` (`ip6`) printed, with or without counters.

    Raises ValueError for what is no output of theirs at all. What is odd in one is told in `unread`.
    """
    listing = _Listing(family, backend)
    for line in text.split("\n"):
        listing.take(_COUNTERS.sub("", line.strip(), count=1))
    return listing.ruleset()


def write(ruleset: Ruleset) -> str:
    """Return the chains of iptables in a ruleset as `iptables-restore` takes them; those of nft are left out.

    The ruleset has one family: `ip6tables-restore` is another program.
    """
    tables: dict[str, list[Chain]] = {}
    for chain in ruleset.chains:
        if chain.backend != "nft":
            tables.setdefault(chain.table, []).append(chain)
    lines = list[str]()
    for table, chains in tables.items():
        lines += [f"*{table}", *(f":{chain.name} {chain.policy or '-'} [0:0]" for chain in chains)]
        lines += [each.text or spelled(each) for chain in chains for each in chain.rules]
        lines.append("COMMIT")
    return "".join(f"{line}\n" for line in lines)


class _Listing:
    """What was read so far."""

    def __init__(self, family: str, backend: Backend) -> None:
        self.family, self.backend = family, backend
        self.table = ""
        self.chains: dict[tuple[str, str], Chain] = {}
        self.rules: dict[tuple[str, str], list[Rule]] = {}
        self.unread: list[str] = []
        self.tables = 0
        self.strange = ""

    def take(self, line: str) -> None:
        """Take in one line."""
        told = _INCOMPATIBLE.match(line)
        if told:
            self.unread.append(f"{self.family} table {told[1]}: {told[2]} for iptables, only nft can read it")
        elif line.startswith("*"):
            self._end()
            self.table, self.tables = line[1:].strip(), self.tables + 1
        elif line == "COMMIT":
            self.table = ""
        elif re.match(r":\S", line) and self.table:
            name, policy, *_ = [*line[1:].split(), "-"]
            self._chain(name, policy)
        elif line.startswith("-A ") and self.table:
            self._rule(line)
        elif line and not line.startswith("#"):
            self.strange = self.strange or line

    def ruleset(self) -> Ruleset:
        """Return all that was read."""
        if self.strange and not self.tables:
            raise ValueError(f"no output of iptables-save: {self.strange[:200]}")
        self._end()
        if self.strange:
            self.unread.append(f"{self.family} tables: a line that is not understood: {self.strange[:200]}")
        # A table's chains stand together, also where its listing came in two parts.
        tables = list(dict.fromkeys(table for table, _ in self.chains))
        together = sorted(self.chains.items(), key=lambda each: tables.index(each[0][0]))
        chains = tuple(replace(chain, rules=tuple(self.rules[key])) for key, chain in together)
        return Ruleset(chains, read=frozenset({self.family}), unread=tuple(self.unread))

    def _end(self) -> None:
        if self.table:
            self.unread.append(f"{self.family} table {self.table}: its listing is cut off")

    def _chain(self, name: str, policy: str) -> None:
        known = self.table in PRIORITIES and name in HOOKS
        hook: Hook = HOOKS[name] if known and policy != "-" else ""
        if policy != "-" and not hook:
            self.unread.append(f"{self.family} table {self.table}: nobody knows where its chain {name} is on a way")
        late = self.table == "nat" and hook in ("input", "postrouting")
        kind = "nat" if self.table == "nat" else "route" if (self.table, name) == ("mangle", "OUTPUT") else "filter"
        self.chains[self.table, name] = Chain(
            self.family,
            self.table,
            name,
            self.backend,
            hook,
            (SOURCE_NAT if late else PRIORITIES[self.table]) if hook else 0,
            policy if hook else "",
            kind,
        )
        self.rules.setdefault((self.table, name), [])

    def _rule(self, line: str) -> None:
        made = rule(self.family, self.table, line)
        if not re.fullmatch(r"\S+", made.chain):  # no chain has such a name (iptables, `parse_chain`)
            self.strange = self.strange or line
            return
        key = (self.table, made.chain)
        if key not in self.chains:
            self._chain(made.chain, "-")
        self.rules[key].append(replace(made, number=len(self.rules[key]) + 1))
