"""What kernels told of one packet, as hops: which rule of which chain it met in which network namespace, and how."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from dockerlab.kernel.rules import Rule, Ruleset
from dockerlab.walk.outcome import SpaceId

Way = Literal["request", "answer", "proxied"]
"""Which packet it was: what was sent, what answered it, or what a docker-proxy sent on."""

OURS = "dockerlab-trace-"


@dataclass(frozen=True, slots=True)
class Hop:
    """One thing that a kernel told of a packet.

    `kind` is `came` (it came by, before any rule), `rule`, `policy` or `return` (the end of a chain). `number` is the
    rule's place in its chain, from 1, 0 where that is not known; `text` the rule as its own program prints it, where
    somebody looked that up. `verdict` is the kernel's word: `accept`, `drop`, `continue`, `jump CHAIN`, … `place` is
    the namespace for people; `source` and `destination` are the packet's addresses when it came to the table.
    """

    at: SpaceId
    place: str
    way: Way
    kind: str
    family: str = ""
    table: str = ""
    chain: str = ""
    number: int = 0
    handle: int = 0
    verdict: str = ""
    text: str = ""
    incoming: str = ""
    outgoing: str = ""
    source: str = ""
    destination: str = ""

    @property
    def rule(self) -> tuple[str, str, str, int]:
        """Return what finds the rule among a namespace's: family, table, chain and number."""
        return (self.family, self.table, self.chain, self.number)


class Heard(NamedTuple):
    """What one namespace's kernel told: events as `netfilter.Event` has them, and what they are about.

    `handles` are those of each chain's rules in their order, by family, table and chain.
    """

    at: SpaceId
    place: str
    events: Sequence[Sequence[Any]]
    handles: Mapping[tuple[str, str, str], Sequence[int]]
    interfaces: Mapping[int, str]


def hops(heard: Heard) -> list[Hop]:
    """Return the hops of a namespace, in the order in which its kernel told them.

    A packet that was repeated is left out: what begins a connection is sent again after a second, and an answer that
    is not confirmed as well.
    """
    found: list[Hop] = []
    ways: dict[int, Way | None] = {}
    seen: set[str] = set()
    way: Way | None = None
    at: tuple[str, str] = ("", "")
    last = 0
    for packet, family, table, chain, kind, handle, verdict, incoming, outgoing, addresses in heard.events:
        if table.startswith(OURS):
            both = last == packet and _way(chain) == "proxied" and ways.get(packet) == "request"
            last = packet
            if kind != "rule" or not handle or both:
                continue  # what NAT led on looks like a proxy's as well
            way = None if chain in seen else _way(chain)
            seen.add(chain)
            ways[packet] = way
        else:
            last = packet
            # Behind a loopback interface the kernel gives a packet another number.
            way = ways.get(packet, way)
        if way is None or (kind == "rule" and not handle):
            continue
        at = (addresses[0], addresses[1]) if addresses else at
        names = [heard.interfaces.get(index, "") for index in (incoming, outgoing)]
        hop = Hop(heard.at, heard.place, way, "came", incoming=names[0], outgoing=names[1])
        hop = replace(hop, source=at[0], destination=at[1])
        if not table.startswith(OURS):
            order = heard.handles.get((family, table, chain), ())
            number = order.index(handle) + 1 if handle in order else 0
            hop = replace(
                hop, kind=kind, family=family, table=table, chain=chain, number=number, handle=handle, verdict=verdict
            )
        found.append(hop)
    return found


def _way(chain: str) -> Way:
    name = chain.partition("-")[0]
    return "request" if name == "request" else "answer" if name == "answer" else "proxied"


def along(heard: Iterable[Heard]) -> list[Hop]:
    """Return the hops of all namespaces, which are given from the packet's source to its target.

    No clock tells which of two namespaces a packet was in first; its way does. What a proxy sends on comes between a
    request and its answer.
    """
    each = [hops(one) for one in heard]
    there = [hop for some in each for hop in some if hop.way == "request"]
    on = [hop for some in each for hop in some if hop.way == "proxied"]
    back = [hop for some in reversed(each) for hop in some if hop.way == "answer"]
    return [*there, *on, *back]


def worded(found: Sequence[Hop], rulesets: Mapping[SpaceId, Ruleset]) -> list[Hop]:
    """Return the hops with the texts of their rules, from the rulesets of namespaces as they were read."""
    rules: dict[SpaceId, dict[tuple[str, str, str, int], Rule]] = {
        at: {(rule.family, rule.table, rule.chain, rule.number): rule for rule in ruleset.rules()}
        for at, ruleset in rulesets.items()
    }
    told = ((hop, rules.get(hop.at, {}).get(hop.rule)) for hop in found)
    return [hop if rule is None or hop.kind != "rule" else replace(hop, text=rule.text) for hop, rule in told]


def lines(found: Sequence[Hop]) -> list[str]:
    """Return the hops as a person reads them: a line for each namespace that the packet came through, and each rule."""
    told: list[str] = []
    before: tuple[Way, SpaceId] | None = None
    for hop in found:
        if (hop.way, hop.at) != before:
            before = (hop.way, hop.at)
            told.append(f"{hop.way} in {hop.place}: {hop.source} -> {hop.destination}")
        if hop.kind == "came":
            continue
        where = f"{hop.table} {hop.chain}" if hop.family in ("ip", "ip6") else f"{hop.family} {hop.table} {hop.chain}"
        if hop.kind == "rule":
            told.append(f"    {where} {hop.number or f'handle {hop.handle}'}: {hop.verdict}  {hop.text}".rstrip())
        elif hop.kind == "policy":
            told.append(f"    {where} policy: {hop.verdict}")
    return told
