"""What is different between two looks at a host; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from dockerlab.machinery.model import Link, Machine, Namespace, Proxy, Rule
from dockerlab.machinery.names import owner_of
from dockerlab.machinery.strands import name_of
from dockerlab.snapshot import ContainerState

Verb = Literal["added", "removed", "changed"]
UNNAMED = Namespace(0)


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


def diff(before: Machine, after: Machine) -> list[Change]:
    """Return what changed on a host, from the engine's objects down to the rules.

    What one of the looks could not read has not changed, as far as anybody can tell.
    """
    listed = before.listed and after.listed
    return [
        *(_containers(before, after) if listed else ()),
        *(_networks(before, after) if listed else ()),
        *_spaces(before, after),
        *_firewall(before, after),
        *_sets("proxy", "host", {_proxy(p): p for p in before.proxies}, {_proxy(p): p for p in after.proxies}),
        *_settings(before.settings, after.settings),
    ]


def _containers(before: Machine, after: Machine) -> Iterator[Change]:
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


def _state(container: ContainerState, machine: Machine) -> str:
    mode, _, owner = container.network_mode.partition(":")
    named = next((other.name for other in machine.containers if owner and other.id.startswith(owner)), owner)
    shared = f"in the network namespace of {named}" if mode == "container" else ""
    networks = ", ".join(sorted(container.endpoints)) or container.network_mode or "no network"
    return f"{container.status or 'unknown'}, {shared or f'on {networks}'}"


def _networks(before: Machine, after: Machine) -> Iterator[Change]:
    old, new = ({network.id: network for network in machine.networks} for machine in (before, after))
    for identity in dict.fromkeys((*old, *new)):
        if identity not in old:
            yield Change("added", "network", "engine", f"{new[identity].name} ({new[identity].driver})", new[identity])
        elif identity not in new:
            yield Change("removed", "network", "engine", old[identity].name, old[identity])


def _spaces(before: Machine, after: Machine) -> Iterator[Change]:
    old, new = ({space.id: space for space in machine.namespaces} for machine in (before, after))
    for identity in dict.fromkeys((*old, *new)):
        was, now = old.get(identity), new.get(identity)
        where = place(after, now) if now is not None else place(before, was or UNNAMED)
        if was is None and now is not None:
            yield Change("added", "namespace", where, f"net:[{identity}]", now)
        if now is None and was is not None:
            yield Change("removed", "namespace", where, f"net:[{identity}]", was)
            continue  # all that was in it went with it
        if not (was or UNNAMED).unread and not (now or UNNAMED).unread:
            yield from _inside(where, was or UNNAMED, now or UNNAMED)


def place(machine: Machine, space: Namespace) -> str:
    """Return whose namespace it is: `host`, a container's name, or what Docker calls a hidden one."""
    owner = owner_of(machine, space)
    return owner if owner is not None and not space.host else name_of(space)


def _inside(where: str, was: Namespace, now: Namespace) -> Iterator[Change]:
    """Yield what changed in a namespace: links, their ports and addresses, routes, and where a VXLAN sends."""
    old, new = ({link.index: link for link in space.links} for space in (was, now))
    for index in dict.fromkeys((*old, *new)):
        first, last = old.get(index), new.get(index)
        yield from _link(where, first, last)
        yield from _port(where, first, last)
        yield from _addresses(where, first, last)
    yield from _sets("route", where, dict.fromkeys(was.routes), dict.fromkeys(now.routes))
    old_forwards, new_forwards = ({f"{f.mac} dst {f.to}": f for f in space.forwards} for space in (was, now))
    yield from _sets("forward", where, old_forwards, new_forwards)


def _link(where: str, was: Link | None, now: Link | None) -> Iterator[Change]:
    if was is None and now is not None:
        yield Change("added", "link", where, _told(now), now)
    elif now is None and was is not None:
        yield Change("removed", "link", where, _told(was), was)
    elif was is not None and now is not None:
        for key in ("name", "state", "mtu", "mac"):
            old, new = getattr(was, key), getattr(now, key)
            if old != new:
                yield Change("changed", "link", where, f"{now.name} {key} {old or 'none'} -> {new or 'none'}", now, was)


def _told(link: Link) -> str:
    return f"{link.name} ({link.kind})" if link.kind else link.name


def _port(where: str, was: Link | None, now: Link | None) -> Iterator[Change]:
    """Yield a port of a bridge that came or went; one that is gone as a link is gone as a port, too."""
    old, new = (was.master if was is not None else ""), (now.master if now is not None else "")
    if old == new:
        return
    if old and was is not None:
        yield Change("removed", "port", where, f"{was.name} master {old}", was)
    if new and now is not None:
        yield Change("added", "port", where, f"{now.name} master {new}", now)


def _addresses(where: str, was: Link | None, now: Link | None) -> Iterator[Change]:
    old, new = (dict.fromkeys(link.addresses, link) if link is not None else {} for link in (was, now))
    for address in dict.fromkeys((*old, *new)):
        if address not in old:
            yield Change("added", "address", where, f"{address} dev {new[address].name}", new[address])
        elif address not in new:
            yield Change("removed", "address", where, f"{address} dev {old[address].name}", old[address])


def _sets(kind: str, where: str, old: Mapping[str, object], new: Mapping[str, object]) -> Iterator[Change]:
    for what in dict.fromkeys((*old, *new)):
        if what not in old:
            yield Change("added", kind, where, what, new[what])
        elif what not in new:
            yield Change("removed", kind, where, what, old[what])


def _proxy(proxy: Proxy) -> str:
    return f"docker-proxy {proxy.protocol} {proxy.address}:{proxy.port} -> {proxy.to}:{proxy.to_port}"


def _firewall(before: Machine, after: Machine) -> Iterator[Change]:
    """Yield rules that came and went (where one moved within its chain, nothing did), chains, and policies."""
    known = set(before.firewall.families) & set(after.firewall.families)
    old, new = (
        {(p.family, p.table, p.chain): p for p in machine.firewall.policies if p.family in known}
        for machine in (before, after)
    )
    for key in dict.fromkeys((*old, *new)):
        was, now = old.get(key), new.get(key)
        name = f"{'ip6tables ' if key[0] == 6 else ''}{key[1]} {key[2]}"
        if was is None or now is None:
            verb: Verb = "added" if was is None else "removed"
            # The kernel's own chains are there as soon as somebody asks for their table.
            yield Change(verb, "chain", "host", name, now or was)
        elif was.verdict != now.verdict:
            yield Change("changed", "policy", "host", f"{name} {was.verdict} -> {now.verdict}", now, was)
    yield from _rules(*([r for r in machine.firewall.rules if r.family in known] for machine in (before, after)))


def _rules(before: Sequence[Rule], after: Sequence[Rule]) -> Iterator[Change]:
    left = Counter(replace(rule, number=0) for rule in before)
    for rule in after:
        if left[replace(rule, number=0)]:
            left[replace(rule, number=0)] -= 1
        else:
            yield Change("added", "rule", "host", spelled(rule), rule)
    for rule in reversed(before):
        if left[replace(rule, number=0)]:
            left[replace(rule, number=0)] -= 1
            yield Change("removed", "rule", "host", spelled(rule), rule)


def spelled(rule: Rule) -> str:
    """Return a rule as the command that would append it."""
    return f"{'ip6tables' if rule.family == 6 else 'iptables'} -t {rule.table} {rule.text}"


def _settings(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for name in before.keys() & after.keys():
        if before[name] != after[name]:
            what = f"{name.replace('/', '.')} {before[name]} -> {after[name]}"
            yield Change("changed", "setting", "host", what, name, before[name])
