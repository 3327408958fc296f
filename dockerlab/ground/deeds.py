"""A host's section as single things, in the order in which they are made, each with the commands for it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from dockerlab import render
from dockerlab.command import Command
from dockerlab.ground import firewall
from dockerlab.lab.filter_lines import FilterLine

if TYPE_CHECKING:
    from dockerlab.lab.ground import Ground, GroundRoute, GroundRule, HostInterface

Kind = Literal[
    "interface", "mtu", "address", "setting", "route", "ip-rule", "basis", "chain", "rule", "policy", "table",
]  # fmt: skip

VALUES = ("mtu", "setting", "policy")
"""Kinds that are there in any case and have a value, which is put back."""

ADD_LINK = """
# Make interface {{ name }}{{ reason }}
ip link add {{ name }}
{% if spec.parent %}
  link {{ spec.parent }}  # it sends and receives by this one
{% endif %}
  type {{ spec.kind }}
{% if spec.id %}
  id {{ spec.id }}  # the number that its frames bear on the parent
{% endif %}
{% if mode %}
  mode {{ mode }}  # whom of the parent's other children it may speak with
{% endif %}
"""
LINK_UP = """
# Switch {{ name }} on
ip link set {{ name }} up
"""
DELETE_LINK = """
# Take interface {{ name }} away, with its addresses and routes
ip link delete {{ name }}
"""
MTU = """
# Give {{ name }} an MTU of {{ value }} bytes
ip link set {{ name }} mtu {{ value }}
"""
ADDRESS = """
# {{ why }}
ip address {{ verb }} {{ held }} dev {{ name }}
{% if nodad %}
  nodad  # at once, without asking whether somebody else has it
{% endif %}
"""
SETTING = """
# Set {{ name }} of the host's kernel
sysctl -w {{ name }}={{ value }}
"""
ROUTE = """
# {{ why }}
ip -{{ spec.version }} route {{ verb }}
{% if spec.kind != "unicast" %}
  {{ spec.kind }}  # what goes there is not sent
{% endif %}
  {{ spec.to }}
{% if spec.via %}
  via {{ spec.via }}  # the router
{% endif %}
{% if spec.dev %}
  dev {{ spec.dev }}  # by this interface
{% endif %}
{% if spec.table != "main" %}
  table {{ spec.table }}  # where only an ip rule leads
{% endif %}
{% if spec.source %}
  src {{ spec.source }}  # the address that the host then sends from
{% endif %}
{% if spec.metric is not none %}
  metric {{ spec.metric }}  # of several the smallest counts
{% endif %}
"""
RULE = """
# {{ why }}
ip -{{ spec.version }} rule {{ verb }}
  priority {{ spec.priority }}  # smaller ones are asked first
{% if spec.source %}
  from {{ spec.source }}
{% endif %}
{% if spec.to %}
  to {{ spec.to }}
{% endif %}
{% if spec.iif %}
  iif {{ spec.iif }}
{% endif %}
{% if spec.oif %}
  oif {{ spec.oif }}
{% endif %}
{% if spec.fwmark is not none %}
  fwmark {{ spec.fwmark }}
{% endif %}
{% if spec.kind %}
  {{ spec.kind }}
{% else %}
  lookup {{ spec.table or "main" }}  # the table of routes that decides
{% endif %}
"""
CHAIN = """
# {{ why }}
{{ program }} --wait
  --table {{ line.table }}
  {{ verb }} {{ line.chain }}
"""
FILTER = """
# {{ why }}
{{ program }} --wait
  --table {{ line.table }}
  {{ verb }} {{ line.chain }}
{% if place %}
  {{ place }}  # before the rules that stand there from this number on
{% endif %}
 {% for word in line.words %} {{ word }}{% endfor %}  # {{ reason }}
  -m comment --comment {{ comment }}  # by this it is known as the lab's, and is taken out again
"""
POLICY = """
# {{ why }}
{{ program }} --wait
  --table {{ line.table }}
  --policy {{ line.chain }} {{ value }}
"""
NFT = """
# Make the lab's own table of nftables, whole or not at all
nft {{ ruleset }}
"""
DELETE_BASIS = """
# Take away a table of iptables that nobody had before the lab, and nobody has rules in
nft delete table {{ family }} {{ line.table }}
"""
DELETE_TABLE = """
# Take the lab's table of nftables away
nft delete table inet {{ name }}
"""


@dataclass(frozen=True)
class Deed:
    """One thing of a host's section.

    `name` is what tells it from the others of its kind on a host. `value` is what a thing of `VALUES` is to be. `make`
    and `unmake` are templates with what `about` has for both; `unmake` of a value gets what it was.
    """

    kind: Kind
    name: str
    make: tuple[str, ...]
    unmake: str
    about: Mapping[str, Any] = field(default_factory=dict)
    value: str = ""
    late: bool = False
    """Whether it waits until the lab's networks and containers are there."""

    @property
    def key(self) -> str:
        """Return what it is called in a receipt."""
        return f"{self.kind} {self.name}"

    def commands(self, host: str) -> tuple[Command, ...]:
        """Return the commands that make it."""
        return tuple(render.command(each, host, **{**FORWARD, **self.about, "value": self.value}) for each in self.make)

    def undo(self, host: str, before: str) -> tuple[Command, ...]:
        """Return the command that takes it out, or puts back what was `before`."""
        back = {**BACK, "verb": BACK_VERBS.get(self.kind, "delete"), "value": before}
        return (render.command(self.unmake, host, **{**self.about, **back}),)

    def typed(self, host: str) -> str:
        """Return the commands that make it as one types them."""
        return " && ".join(each.shell() for each in self.commands(host))


FORWARD: Mapping[str, Any] = {"verb": "add", "nodad": False, "place": 0}
BACK: Mapping[str, Any] = {"nodad": False, "place": 0, "why": "Put back what was there before the lab"}
BACK_VERBS: Mapping[str, str] = {"rule": "--delete", "chain": "--delete-chain"}


def deeds(ground: Ground, lab: str, late: frozenset[int] = frozenset()) -> list[Deed]:
    """Return the things of a section without preset, each after those that it needs.

    `late` are the numbers of the routes that need what the lab itself makes.
    """
    found: list[Deed] = []
    for name, spec in ground.interfaces.items():
        found += _interface(name, spec)
    found += [_setting(name, value) for name, value in ground.sysctls.items()]
    found += [route(each, late=number in late) for number, each in enumerate(ground.routes)]
    found += [_rule(each) for each in ground.rules]
    if ground.firewall is not None:
        lines = list(firewall.lines_of(ground.firewall))
        found += {(program, line.table): _basis(program, line) for program, _, line in lines}.values()
        found += [_filter(lab, *line) for line in lines]
        if ground.firewall.nft:
            name = firewall.table(lab)
            ruleset = firewall.ruleset(ground.firewall, lab)
            rules = sum(len(spec.rules) for spec in ground.firewall.nft.values())
            about = {"name": name, "ruleset": ruleset, "rules": rules}
            found.append(Deed("table", name, (NFT,), DELETE_TABLE, about, late=True))
    return found


def _interface(name: str, spec: HostInterface) -> Iterator[Deed]:
    if spec.kind is not None:
        mode = spec.mode or {"macvlan": "bridge", "ipvlan": "l2"}.get(spec.kind, "")
        reasons = {
            "macvlan": ": a child of the host's own, which speaks with the containers' as they do among themselves",
            "ipvlan": ": a child of the host's own, which shares the MAC address of its parent",
            "vlan": ": what the parent carries of one VLAN",
            "dummy": ", which leads nowhere",
        }
        about = {"name": name, "spec": spec, "mode": mode, "reason": reasons[spec.kind]}
        yield Deed("interface", name, (ADD_LINK, LINK_UP), DELETE_LINK, about)
    if spec.mtu is not None:
        yield Deed("mtu", name, (MTU,), MTU, {"name": name}, str(spec.mtu))
    for held in spec.addresses:
        about = {"name": name, "held": held, "why": f"Give {name} an address"}
        yield Deed(
            "address", f"{held} on {name}", (ADDRESS,), ADDRESS, about | ({"nodad": True} if held.version == 6 else {})
        )


def _setting(name: str, value: str) -> Deed:
    return Deed("setting", name, (SETTING,), SETTING, {"name": name}, " ".join(value.split()))


def route(spec: GroundRoute, *, late: bool = False) -> Deed:
    """Return a route."""
    words: list[str] = [spec.kind] if spec.kind != "unicast" else []
    words += [str(spec.to), *(["via", str(spec.via)] if spec.via else []), *(["dev", spec.dev] if spec.dev else [])]
    words += ["table", spec.table] if spec.table != "main" else []
    words += ["metric", str(spec.metric)] if spec.metric is not None else []
    why = f"Say by which way {spec.to} is reached"
    return Deed("route", " ".join(words), (ROUTE,), ROUTE, {"spec": spec, "why": why}, late=late)


def _rule(spec: GroundRule) -> Deed:
    conditions = {"from": spec.source, "to": spec.to, "iif": spec.iif, "oif": spec.oif, "fwmark": spec.fwmark}
    said = " ".join(f"{word} {value}" for word, value in conditions.items() if value is not None) or "from all"
    ending = spec.kind or f"lookup {spec.table or 'main'}"
    name = f"{spec.priority}: {said} {ending}"
    return Deed("ip-rule", name, (RULE,), RULE, {"spec": spec, "why": "Say which packets look into another table"})


def _basis(program: str, line: FilterLine) -> Deed:
    """Return the table that a line stands in: iptables makes it with the first line, and never takes it away."""
    about = {"program": program, "line": line, "family": firewall.FAMILIES[program]}
    return Deed("basis", f"{program} {line.table}", (), DELETE_BASIS, about, late=True)


def _filter(lab: str, program: str, text: str, line: FilterLine) -> Deed:
    about: dict[str, Any] = {"program": program, "line": line}
    name = f"{program} {text}"
    if line.verb == "-P":
        about["why"] = f"Say what becomes of packets that no rule of {line.chain} decides on"
        return Deed(
            "policy", f"{program} {line.table} {line.chain}", (POLICY,), POLICY, about, line.words[0], late=True
        )
    if line.verb == "-N":
        why = f"Make chain {line.chain}"
        return Deed(
            "chain",
            f"{program} {line.table} {line.chain}",
            (CHAIN,),
            CHAIN,
            about | {"why": why, "verb": "--new-chain"},
            late=True,
        )
    about |= {
        "comment": firewall.comment(lab, program, text),
        "why": f"A rule of the lab's in {line.table} {line.chain}",
    }
    about |= {"verb": "--insert", "place": line.place} if line.verb == "-I" else {"verb": "--append"}
    about["reason"] = firewall.REASONS.get(text, "from the definition")
    return Deed("rule", name, (FILTER,), FILTER, about, late=True)
