"""What is said in several namespaces of single addresses, ports, MACs and interfaces, and of networks.

Two addresses fare alike where both are in the same networks that anybody speaks of, and what is said of each alone is
the same but for the address itself.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from dockerlab.kernel.addresses import IpAddress
from dockerlab.kernel.rules import Rule
from dockerlab.walk.speech import Said, Speech, Token, Tokens

if TYPE_CHECKING:
    from dockerlab.walk.compiled import Fabric, Space
    from dockerlab.walk.outcome import SpaceId


class Mentions:
    """All that is said in some namespaces, by what it is said of."""

    def __init__(self, fabric: Fabric, spaces: Iterable[Space]) -> None:
        self._said: dict[Token, list[Said]] = {}
        bounds: dict[int, set[int]] = {4: set(), 6: set()}
        ports: set[int] = set()
        for space in spaces:
            speech = _speech(fabric, space)
            for token, said in speech.said.items():
                self._said.setdefault(token, []).extend(said)
            for version, found in speech.bounds.items():
                bounds[version] |= found
            ports |= speech.port_bounds
        self._sorted = {version: sorted(found) for version, found in bounds.items()}
        self._sorted_ports = sorted(ports)

    def of(self, token: Token) -> tuple[Said, ...]:
        """Return what is said of one thing alone."""
        return tuple(self._said.get(token, ()))

    def atom(self, address: IpAddress) -> int:
        """Return the number of the set of networks that an address is in."""
        return bisect_right(self._sorted[address.version], int(address))

    def port_atom(self, port: int) -> int:
        """Return the number of the set of ranges of ports that a port is in."""
        return bisect_right(self._sorted_ports, port)


def _speech(fabric: Fabric, space: Space) -> Speech:
    """Return what a namespace says, worked out once."""
    tokens: Tokens | None = fabric.memory.get("tokens")
    if tokens is None:
        tokens = fabric.memory["tokens"] = Tokens(fabric)
    known: dict[SpaceId, Speech] = fabric.memory.setdefault("speeches", {})
    if space.id not in known:
        known[space.id] = Speech(space, tokens)
    return known[space.id]


def aims(fabric: Fabric, port: int | None) -> Iterable[tuple[Space, Rule]]:
    """Yield the rules that may translate what comes for a port, or a ping."""
    known: dict[int | None, list[tuple[Space, Rule]]] | None = fabric.memory.get("aims")
    if known is None:
        known = {}
        for space in fabric.spaces.values():
            for chain in space.namespace.ruleset.chains:
                for rule in chain.rules if chain.table == "nat" or chain.kind == "nat" or not chain.hook else ():
                    for number in _aimed_ports(rule):
                        known.setdefault(number, []).append((space, rule))
        fabric.memory["aims"] = known
    wide = known.get(None, [])
    return wide if port is None else [*known.get(port, ()), *wide]


def _aimed_ports(rule: Rule) -> Sequence[int | None]:
    """Return the ports that a rule translates, None for one that is not bound to single ones."""
    if rule.target != "DNAT":
        return ()
    ports = [
        int(m.value)
        for m in rule.matches
        if m.option == "--dport" and m.value.isascii() and m.value.isdigit() and not m.negated
    ]
    return ports or [None]
