"""What is different between two looks at a host: the engine's objects, and the kernel's differences in words; pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from dockerlab.kernel import difference
from dockerlab.kernel.addresses import IpInterface
from dockerlab.kernel.difference import Difference
from dockerlab.kernel.model import Forward, Link, Namespace, Proxy
from dockerlab.kernel.routes import LOCAL, Route, Selector
from dockerlab.kernel.rules import Chain, Rule
from dockerlab.machinery.model import Machinery
from dockerlab.machinery.names import owner_of
from dockerlab.machinery.strands import name_of
from dockerlab.snapshot import ContainerState

Verb = Literal["added", "removed", "changed"]

SETTINGS = ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding", "net/bridge/bridge-nf-call-iptables")
"""The kernel's settings that an engine changes; others follow from them."""
TOLD = {
    "namespace": 0,
    "link": 0,
    "address": 0,
    "route": 0,
    "ip-rule": 0,
    "forward": 0,
    "chain": 1,
    "policy": 1,
    "rule": 2,
    "proxy": 3,
    "sysctl": 4,
}
"""What is told of the kernel's differences, in this order."""


@dataclass(frozen=True)
class Change:
    """One thing that is different: what kind it is, in which namespace (`host`, or a container's), and what it says.

    `subject` is the thing itself as the model has it: where it was added or changed what it is now, else what it was.
    `before` is what a changed one was.
    """

    verb: Verb
    kind: str
    where: str
    what: str
    subject: object = None
    before: object = None


def diff(before: Machinery, after: Machinery) -> list[Change]:
    """Return what changed on a host, from the engine's objects down to the rules.

    What one of the looks could not read has not changed, as far as anybody can tell.
    """
    listed = before.listed and after.listed
    found = [each for each in difference.machines(before.kernel, after.kernel) if each.kind in TOLD]
    ordered = sorted(found, key=lambda each: TOLD[each.kind])
    came = [each for each in ordered if each.kind != "rule" or each.foreign]
    went = [each for each in ordered if each.kind == "rule" and each.missing]
    last = next((n for n, each in enumerate(came) if TOLD[each.kind] > TOLD["rule"]), len(came))
    return [
        *(_containers(before, after) if listed else ()),
        *(_networks(before, after) if listed else ()),
        *(change for each in [*came[:last], *_backwards(went), *came[last:]] for change in _told(each, before, after)),
    ]


def _backwards(rules: list[Difference]) -> list[Difference]:
    """Return rules that went from the last chain to the first, as they are within each chain."""
    order = {key: number for number, key in enumerate(dict.fromkeys(each.key for each in rules))}
    return sorted(rules, key=lambda each: -order[each.key])


def _containers(before: Machinery, after: Machinery) -> Iterator[Change]:
    old, new = ({container.id: container for container in machine.containers} for machine in (before, after))
    for identity in dict.fromkeys((*old, *new)):
        was, now = old.get(identity), new.get(identity)
        if was is None and now is not None:
            yield Change("added", "container", "engine", f"{now.name} ({_state(now, after)})", now)
        elif now is None and was is not None:
            yield Change("removed", "container", "engine", was.name, was)
        elif was is not None and now is not None:
            first, last = _state(was, before), _state(now, after)
            if first != last:
                yield Change("changed", "container", "engine", f"{now.name}: {first} -> {last}", now, was)


def _state(container: ContainerState, machine: Machinery) -> str:
    mode, _, owner = container.network_mode.partition(":")
    named = next((other.name for other in machine.containers if owner and other.id.startswith(owner)), owner)
    shared = f"in the network namespace of {named}" if mode == "container" else ""
    networks = ", ".join(sorted(container.endpoints)) or container.network_mode or "no network"
    return f"{container.status or 'unknown'}, {shared or f'on {networks}'}"


def _networks(before: Machinery, after: Machinery) -> Iterator[Change]:
    old, new = ({network.id: network for network in machine.networks} for machine in (before, after))
    for identity in dict.fromkeys((*old, *new)):
        if identity not in old:
            yield Change("added", "network", "engine", f"{new[identity].name} ({new[identity].driver})", new[identity])
        elif identity not in new:
            yield Change("removed", "network", "engine", old[identity].name, old[identity])


def place(machine: Machinery, space: Namespace) -> str:
    """Return whose namespace it is: `host`, a container's name, or what Docker calls a hidden one."""
    owner = owner_of(machine, space)
    return owner if owner is not None and not space.host else name_of(space)


def _where(each: Difference, before: Machinery, after: Machinery) -> str:
    for machine in (after, before):
        space = machine.kernel.space(each.space)
        if space is not None:
            return place(machine, space)
    return "host"


def _told(each: Difference, before: Machinery, after: Machinery) -> Iterator[Change]:
    """Yield a difference of kernels in words: none for what is no news, several for an interface."""
    was, now, where = each.first, each.second, _where(each, before, after)
    subject = was if now is None else now
    verb: Verb = "changed" if was is not None and now is not None else "removed" if now is None else "added"
    if each.kind == "link":
        yield from _link(where, was, now)
    elif isinstance(subject, Rule | Chain):
        # The rules inside a container are Docker's own DNS server's.
        yield from _firewall(each, verb, subject) if where == "host" else ()
    elif each.kind == "sysctl":
        if where == "host" and each.key in SETTINGS:
            what = f"{each.key.replace('/', '.')} {was} -> {now}"
            yield Change("changed", "setting", where, what, each.key, was)
    elif not _follows(each, subject, before, after):
        # An address is told with the interface that has it.
        thing = _owner(each, after if now is not None else before) if isinstance(subject, IpInterface) else subject
        yield Change(verb, each.kind, where, _spelled(each, subject), thing)


def _follows(each: Difference, subject: object, before: Machinery, after: Machinery) -> bool:
    """Tell whether a route or a rule is the kernel's own: that of an address, or of every namespace from its start."""
    if isinstance(subject, Selector):
        both = all(machine.kernel.space(each.space) is not None for machine in (before, after))
        return not both and subject.text.partition(":")[0] in ("0", "32766", "32767")
    return isinstance(subject, Route) and subject.table == LOCAL


def _owner(each: Difference, machine: Machinery) -> Link | None:
    space = machine.kernel.space(each.space)
    return space.link(each.key) if space is not None else None


def _spelled(each: Difference, subject: object) -> str:
    if isinstance(subject, Namespace):
        return f"net:[{subject.id}]"
    if isinstance(subject, Route | Selector):
        return subject.text
    if isinstance(subject, Forward):
        return f"{subject.mac} dst {subject.to}"
    if isinstance(subject, Proxy):
        ends = f"{subject.address}:{subject.port} -> {subject.to}:{subject.to_port}"
        return f"docker-proxy {subject.protocol} {ends}"
    return f"{subject} dev {each.key}"


def _link(where: str, was: object, now: object) -> Iterator[Change]:
    """Yield what changed of an interface, and of its place among a bridge's ports; one that is gone is no port."""
    if isinstance(now, Link) and not isinstance(was, Link):
        yield Change("added", "link", where, _named(now), now)
    elif isinstance(was, Link) and not isinstance(now, Link):
        yield Change("removed", "link", where, _named(was), was)
    elif isinstance(was, Link) and isinstance(now, Link):
        for key in ("name", "state", "mtu", "mac"):
            old, new = getattr(was, key), getattr(now, key)
            if old != new:
                yield Change("changed", "link", where, f"{now.name} {key} {old or 'none'} -> {new or 'none'}", now, was)
    old, new = (link.master if isinstance(link, Link) else "" for link in (was, now))
    if old != new and old and isinstance(was, Link):
        yield Change("removed", "port", where, f"{was.name} master {old}", was)
    if old != new and new and isinstance(now, Link):
        yield Change("added", "port", where, f"{now.name} master {new}", now)


def _named(link: Link) -> str:
    return f"{link.name} ({link.kind})" if link.kind else link.name


def _firewall(each: Difference, verb: Verb, subject: Rule | Chain) -> Iterator[Change]:
    """Yield a rule that came or went, a chain, or a policy that is another one now."""
    if isinstance(subject, Rule):
        yield Change(verb, "rule", "host", spelled(subject), subject)
        return
    family = {"ip": "", "ip6": "ip6tables "}.get(subject.family, f"nft {subject.family} ")
    name = f"{family}{subject.table} {subject.name}"
    if each.kind == "policy" and isinstance(each.first, Chain):
        policies = f"{each.first.policy or '-'} -> {subject.policy or '-'}"
        yield Change("changed", "policy", "host", f"{name} {policies}", subject, each.first)
    else:
        # The kernel's own chains are there as soon as somebody asks for their table.
        yield Change(verb, "chain", "host", name, subject)


def spelled(rule: Rule) -> str:
    """Return a rule as the command that would append it."""
    if rule.text.startswith("-A "):
        return f"{'ip6tables' if rule.family == 'ip6' else 'iptables'} -t {rule.table} {rule.text}"
    return f"nft add rule {rule.family} {rule.table} {rule.chain} {rule.text}"
