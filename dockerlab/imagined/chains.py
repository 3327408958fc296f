"""Which chain of iptables a rule of a mode stands in, engine by engine, and what is there without any network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from dockerlab.kernel import iptables
from dockerlab.kernel.rules import NamedSet, Ruleset
from dockerlab.modes.made import Line, Place, Written
from dockerlab.versions import Engine

FAMILIES = {"ip": 4, "ip6": 6}


class Slot(NamedTuple):
    """A place in a table: at the top of a chain, or at its end."""

    table: str
    chain: str
    top: bool = False


FLAT: Mapping[Place, Slot] = {
    "answers": Slot("filter", "FORWARD", top=True),
    "inward": Slot("filter", "FORWARD", top=True),
    "outward": Slot("filter", "FORWARD", top=True),
    "inside": Slot("filter", "FORWARD", top=True),
    "apart": Slot("filter", "FORWARD"),
    "spared": Slot("filter", "DOCKER-ISOLATION-STAGE-1", top=True),
    "between": Slot("filter", "DOCKER-ISOLATION-STAGE-1", top=True),
    "arriving": Slot("filter", "DOCKER-ISOLATION-STAGE-2", top=True),
    "shut": Slot("filter", "DOCKER-ISOLATION-STAGE-1", top=True),
    "opened": Slot("filter", "DOCKER"),
    "pings": Slot("filter", "DOCKER"),
    "rest": Slot("filter", "DOCKER"),
    "marked": Slot("raw", "PREROUTING"),
    "source": Slot("nat", "POSTROUTING", top=True),
    "own source": Slot("nat", "POSTROUTING"),
    "skipped": Slot("nat", "DOCKER", top=True),
    "published": Slot("nat", "DOCKER"),
    "sums": Slot("mangle", "POSTROUTING"),
    "marks": Slot("mangle", "OUTPUT"),
    "arrived": Slot("filter", "INPUT", top=True),
}
"""Up to 27: straight in FORWARD."""

SETS: Mapping[Place, Slot] = {
    **FLAT,
    "outward": Slot("filter", "FORWARD"),
    "inside": Slot("filter", "FORWARD"),
    "between": Slot("filter", "DOCKER-ISOLATION-STAGE-1"),
    "opened": Slot("filter", "DOCKER", top=True),
}
"""28.0.0: FORWARD asks a set what leaves by a bridge, and the rest stands at its end."""

OWN: Mapping[Place, Slot] = {
    **SETS,
    "answers": Slot("filter", "DOCKER-CT"),
    "inward": Slot("filter", "DOCKER-BRIDGE"),
    "outward": Slot("filter", "DOCKER-FORWARD"),
    "inside": Slot("filter", "DOCKER-FORWARD"),
    "apart": Slot("filter", "DOCKER-FORWARD"),
}
"""28.0.1 to 28.5: in a chain of its own."""

LATER: Mapping[Place, Slot] = {**OWN, "shut": Slot("filter", "DOCKER-INTERNAL", top=True)}
"""From 29 on: without the ISOLATION chains."""


def layout(engine: Engine) -> Mapping[Place, Slot]:
    """Return where an engine's rules stand."""
    if engine.internal_chain:
        return LATER
    if engine.own_chain:
        return OWN
    return SETS if engine.bridge_sets else FLAT


@dataclass(frozen=True, slots=True)
class Fixed:
    """A rule that stands there whatever networks there are, and the chain that it stands in."""

    table: str
    chain: str
    text: str
    why: str

    @property
    def line(self) -> Line:
        """Return it as a mode's rule would be."""
        return Line("inside", self.text, self.why)


USER = Fixed("filter", "FORWARD", "-j DOCKER-USER", "the chain for your own rules comes first; Docker leaves it alone")
USER_END = Fixed("filter", "DOCKER-USER", "-j RETURN", "there are no rules of yours yet")
ISOLATION = "here it is seen to that nothing passes from one Docker network to another"
STAGE = Fixed("filter", "FORWARD", "-j DOCKER-ISOLATION-STAGE-1", ISOLATION)
STAGE_ENDS = tuple(
    Fixed("filter", f"DOCKER-ISOLATION-STAGE-{stage}", "-j RETURN", "nothing to isolate here") for stage in (1, 2)
)
OWN_CHAIN = Fixed("filter", "FORWARD", "-j DOCKER-FORWARD", "all that Docker decides about forwarding begins here")
FIRST = Fixed("filter", "DOCKER-FORWARD", "-j DOCKER-CT", "first come the answers to connections that are open")
OWN_STAGE = Fixed("filter", "DOCKER-FORWARD", "-j DOCKER-ISOLATION-STAGE-1", ISOLATION)
INTERNAL = Fixed("filter", "DOCKER-FORWARD", "-j DOCKER-INTERNAL", "internal networks have their own chain")
THEN = Fixed("filter", "DOCKER-FORWARD", "-j DOCKER-BRIDGE", "then what goes to containers: only published ports")
INGRESS = tuple(
    Fixed("filter", chain, "-j DOCKER-INGRESS", "ports that the Swarm publishes")
    for chain in ("FORWARD", "DOCKER-FORWARD")
)
ARRIVES = Fixed(
    "nat", "PREROUTING", "-m addrtype --dst-type LOCAL -j DOCKER", "what comes to the host may be for a published port"
)
REACHES = {
    version: Fixed(
        "nat", "OUTPUT", f"! -d {loopback} -m addrtype --dst-type LOCAL -j DOCKER",
        "the host reaches published ports as others do, except by its loopback addresses, which docker-proxy serves",
    )
    for version, loopback in ((4, "127.0.0.0/8"), (6, "::1/128"))
}  # fmt: skip
REACHES_ALL = Fixed(
    "nat", "OUTPUT", "-m addrtype --dst-type LOCAL -j DOCKER", "the host reaches published ports as others do"
)
SET = {4: "docker-ext-bridges-v4", 6: "docker-ext-bridges-v6"}
SET_ANSWERS = {
    version: Fixed(
        "filter", "FORWARD",
        f"-m set --match-set {name} dst -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "answers to what the containers asked for come in",
    )
    for version, name in SET.items()
}  # fmt: skip
SET_INWARD = {
    version: Fixed(
        "filter", "FORWARD", f"-m set --match-set {name} dst -j DOCKER", "what goes to containers has to be published"
    )
    for version, name in SET.items()
}

FIXED = (
    *(USER, USER_END, STAGE, *STAGE_ENDS, OWN_CHAIN, FIRST, OWN_STAGE, INTERNAL, THEN, *INGRESS, ARRIVES),
    *(*REACHES.values(), REACHES_ALL, *SET_ANSWERS.values(), *SET_INWARD.values()),
)
"""All of them, of whatever engine."""

BASE = {
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
    "raw": ("PREROUTING", "OUTPUT"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
}
"""The kernel's own chains of each table."""


@dataclass
class _Chain:
    """A chain while it is written: what the engine keeps at its top, what comes and goes, and its end."""

    head: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)
    tail: list[str] = field(default_factory=list)

    def take(self, text: str, *, top: bool) -> None:
        """Take a rule in, unless it is there: engines look before they write."""
        if text not in self.body:
            self.body.insert(0 if top else len(self.body), text)

    def lines(self, name: str) -> Iterator[str]:
        """Yield the rules as `iptables-save` prints them."""
        yield from (f"-A {name} {text}" for text in (*self.head, *self.body, *self.tail))


def ruleset(engine: Engine, rules: Iterable[Written], policies: Mapping[str, str]) -> Ruleset:
    """Return the rules of iptables that an engine writes, in the order in which it writes them.

    `policies` are those of FORWARD by family (`ip`, `ip6`): they are the host's, or `ACCEPT`.
    """
    kept = list(rules)
    parts = [
        _family(engine, family, [rule for rule in kept if rule.family == family], policies.get(family, "ACCEPT"))
        for family in FAMILIES
    ]
    return Ruleset(
        tuple(chain for part in parts for chain in part.chains),
        tuple(_sets(kept)) if engine.bridge_sets else (),
        read=frozenset(FAMILIES),
    )


def _sets(rules: list[Written]) -> Iterator[NamedSet]:
    """Yield the sets of the subnets of all bridges that are not internal."""
    for version, name in SET.items():
        inside = {rule.at.subnet for rule in rules if rule.at.version == version and not rule.at.internal}
        yield NamedSet("", "", name, ("ip",), frozenset((str(each),) for each in inside if each.prefixlen))


def fixed(engine: Engine, version: int, rules: Iterable[Written] = ()) -> Iterator[Fixed]:
    """Yield what stands there besides the networks' rules, of an IP version; `rules` are those of that version."""
    engaged = [rule.at for rule in rules]
    user = version == 4 or engine.user_chain_ipv6
    if user:
        yield USER
    if user and engine.user_chain_ends:
        yield USER_END
    if engine.own_chain:
        yield from (OWN_CHAIN, FIRST, INTERNAL if engine.internal_chain else OWN_STAGE, THEN)
    elif engine.bridge_sets:
        yield from (SET_ANSWERS[version], STAGE, SET_INWARD[version])
    elif any(at.bridge and at.subnet.prefixlen for at in engaged):
        yield STAGE
    if engine.stages_end:
        yield from STAGE_ENDS
    if engine.jumps_at_start or any(at.subnet.prefixlen and not at.internal for at in engaged):
        yield ARRIVES
        yield REACHES[version] if engine.proxy else REACHES_ALL


def chains(engine: Engine, version: int) -> Iterator[tuple[str, str]]:
    """Yield the tables and names of the chains that are the engine's own."""
    yield from (("nat", "DOCKER"), ("filter", "DOCKER"))
    if engine.own_chain:
        yield from (("filter", f"DOCKER-{name}") for name in ("FORWARD", "BRIDGE", "CT"))
    yield from (
        [("filter", "DOCKER-INTERNAL")]
        if engine.internal_chain
        else [("filter", f"DOCKER-ISOLATION-STAGE-{stage}") for stage in (1, 2)]
    )
    if version == 4 or engine.user_chain_ipv6:
        yield ("filter", "DOCKER-USER")


def _family(engine: Engine, family: str, rules: list[Written], policy: str) -> Ruleset:
    """Return the chains of one family; only those of the kernel's where the engine keeps no rules of it."""
    tables: dict[str, dict[str, _Chain]] = {"filter": {name: _Chain() for name in BASE["filter"]}}

    def chain(table: str, name: str) -> _Chain:
        inside = tables.setdefault(table, {base: _Chain() for base in BASE[table]})
        return inside.setdefault(name, _Chain())

    if FAMILIES[family] in engine.filters:
        for table, name in chains(engine, FAMILIES[family]):
            chain(table, name)
        for each in fixed(engine, FAMILIES[family], rules):
            ends = each in STAGE_ENDS or each is USER_END
            getattr(chain(each.table, each.chain), "tail" if ends else "head").append(each.text)
        slots = layout(engine)
        for rule in rules:
            slot = slots[rule.line.place]
            chain(slot.table, slot.chain).take(rule.text, top=slot.top)
    lines: list[str] = []
    for table, inside in tables.items():
        lines.append(f"*{table}")
        for name in inside:
            own = policy if (table, name) == ("filter", "FORWARD") else "ACCEPT"
            lines.append(f":{name} {own if name in BASE[table] else '-'} [0:0]")
        lines += [line for name, each in inside.items() for line in each.lines(name)]
        lines.append("COMMIT")
    return iptables.read("\n".join(lines), family)
