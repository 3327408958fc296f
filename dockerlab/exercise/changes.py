"""What is not on a host as it was when an exercise began, each with what mends it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from ipaddress import ip_interface

from dockerlab.exercise.remains import DOCKER0, Holdings
from dockerlab.gate import parsed

SETTLE_ENGINE = """
touch /run/dockerlab/dockerd.stopped
pid=$(cat /run/docker.pid) && kill "$pid" && while [ -e "/proc/$pid" ]; do sleep 0.2; done
printf %s "$3" >"$2"
ip link delete docker0
rm -f /run/dockerlab/dockerd.stopped
for _ in $(seq 150); do docker version >/dev/null 2>&1 && break; sleep 0.2; done
if [ "$1" ]; then printf %s "$1" >"$2"; else rm -f "$2"; fi
docker version >/dev/null
"""
"""Gives the engine of a host of the sandbox its settings back, and docker0 its address, which the engine would not do:
it keeps the last one unless it is told another. A constant."""


@dataclass(frozen=True)
class Change:
    """One thing that is not as it was at the beginning; `undo` is what one types on the host to mend it.

    `come` tells that it is a thing that was not there, so that it is mended by its removal.
    """

    host: str
    kind: str
    name: str
    what: str
    undo: tuple[str, ...] = ()
    come: bool = False

    def __str__(self) -> str:
        told = f"{self.host}: {self.what}"
        if self.kind == "settings":
            return f"{told}; write back what it was, and restart the engine"
        return f"{told}; '{' '.join(self.undo)}' mends it" if self.undo else told


def changes(host: str, before: Holdings, now: Holdings) -> list[Change]:
    """Return what has come, gone or changed on a host, each with what would mend it where that is known."""
    found = [*_objects(host, before, now), *_engine(host, before, now), *_gone(host, before, now)]
    found += _links(host, before.links, now.links)
    found += _come(host, "namespace", before.spaces, now.spaces, ("ip", "netns", "delete"))
    found += _ways(host, before, now)
    if before.policy != now.policy and before.policy is not None:
        what = f"the policy of chain FORWARD was {before.policy} and is {now.policy}"
        found.append(Change(host, "policy", "FORWARD", what, ("iptables", "-w", "-P", "FORWARD", before.policy)))
    found += _kernel(host, before, now)
    if before.rules is not None and now.rules is not None:
        found += [_rule(host, rule, come=True) for rule in sorted(now.rules - before.rules)]
        found += [_rule(host, rule, come=False) for rule in sorted(before.rules - now.rules)]
    return found


def _come(
    host: str, kind: str, before: Collection[str] | None, now: Collection[str] | None, undo: tuple[str, ...]
) -> Iterator[Change]:
    """Yield the objects of a kind that were not there; of what was not known, nothing is."""
    if before is not None and now is not None:
        for name in sorted({*now} - {*before}):
            yield _new(host, kind, name, f"{kind} {name}", (*undo, name))


def _new(host: str, kind: str, name: str, told: str, undo: tuple[str, ...]) -> Change:
    return Change(host, kind, name, f"{told} was not there at the beginning", undo, come=True)


def _objects(host: str, before: Holdings, now: Holdings) -> Iterator[Change]:
    yield from _come(host, "container", before.containers, now.containers, ("docker", "rm", "--force"))
    # A Swarm's networks go with it.
    come = now.networks - before.networks | (now.wide - before.wide if before.swarm else frozenset())
    yield from _come(host, "network", (), come, ("docker", "network", "rm"))
    yield from _come(host, "image", before.images, now.images, ("docker", "rmi"))


def _engine(host: str, before: Holdings, now: Holdings) -> Iterator[Change]:
    if now.swarm and not before.swarm:
        undo: tuple[str, ...] = ("docker", "swarm", "leave", "--force")
        yield Change(host, "swarm", "swarm", "it has become part of a Swarm", undo)
    if (now.settings, now.bridge) != (before.settings, before.bridge):
        what = f"{now.file}, or docker0's address with it, is not what it was"
        undo = ("sh", "-c", SETTLE_ENGINE, "sh", before.settings, now.file, _leaving(before))
        yield Change(host, "settings", now.file, what, undo)


def _leaving(before: Holdings) -> str:
    """Return settings with which the engine gives docker0 the address that it had; as they were, what is no mapping."""
    try:
        settings = parsed(before.settings or "{}")
    except ValueError:
        settings = None
    if not isinstance(settings, dict):
        return before.settings
    return json.dumps({"bip": before.bridge, **settings} if before.bridge else settings)


def _gone(host: str, before: Holdings, now: Holdings) -> Iterator[Change]:
    for kind, was, there in (
        ("container", before.containers, now.containers),
        ("network", before.networks, now.networks),
    ):
        for name in sorted(was - there):
            yield Change(host, kind, name, f"{kind} {name} is gone")


def _links(host: str, before: Collection[str], now: Collection[str]) -> Iterator[Change]:
    was, there = (dict(link.split() for link in links) for links in (before, now))
    for name in sorted(was.keys() | there.keys()):
        if name not in was:
            yield _new(host, "link", name, f"the interface {name}", ("ip", "link", "delete", name))
        elif name not in there:
            yield Change(host, "link", name, f"the interface {name} is gone")
        elif was[name] != there[name] and name != DOCKER0:
            what = f"the interface {name} was {was[name]}, is {there[name]}"
            yield Change(host, "link", name, what, ("ip", "link", "set", name, was[name]))


def _ways(host: str, before: Holdings, now: Holdings) -> Iterator[Change]:
    """Yield the routes and addresses of links that were there; those of a new one, or one that is gone, go with it.

    A route that goes with an address, or comes with it, is not told for itself. What leads by an address goes first,
    and comes back last.
    """
    kept = {link.split()[0] for link in before.links} & {link.split()[0] for link in now.links}
    come, gone = (
        [each for each in sorted(one - other) if each.split()[-1] in kept]
        for one, other in (_both(now.addresses, before.addresses), _both(before.addresses, now.addresses))
    )
    with_it = {_onto(each) for each in (*come, *gone)}
    new, lost = _both(now.routes, before.routes), _both(before.routes, now.routes)
    for route in sorted(new[0] - new[1] - with_it):
        if route.split()[-1] in kept:
            yield _way(host, "route", route, come=True)
    yield from (_way(host, "address", each, come=True) for each in come)
    yield from (_way(host, "address", each, come=False) for each in gone)
    yield from (_way(host, "route", route, come=False) for route in sorted(lost[0] - lost[1] - with_it))


def _both(one: frozenset[str] | None, other: frozenset[str] | None) -> tuple[frozenset[str], frozenset[str]]:
    """Return two sets to be held against each other; where one of them is not known, two that do not differ."""
    return (one, other) if one is not None and other is not None else (frozenset(), frozenset())


def _onto(address: str) -> str:
    """Return the route that an address of a link brings along."""
    held, _, rest = address.partition(" ")
    return f"{ip_interface(held).network} {rest}"


def _way(host: str, kind: str, what: str, *, come: bool) -> Change:
    told, undo = f"the {kind} `{what}`", ("ip", kind, "delete" if come else "add", *what.split())
    return _new(host, kind, what, told, undo) if come else Change(host, kind, what, f"{told} is gone", undo)


def _kernel(host: str, before: Holdings, now: Holdings) -> Iterator[Change]:
    forwarding = before.ip_forward != now.ip_forward and before.ip_forward is not None
    if forwarding:
        yield _sysctl(host, "net.ipv4.ip_forward", forwards(before.ip_forward), forwards(now.ip_forward))
    was, there = (dict(each.split("=", 1) for each in known or ()) for known in (before.kernel, now.kernel))
    for name in sorted(was.keys() & there.keys()):
        # With that one setting the kernel sets those of all interfaces.
        if was[name] != there[name] and not (forwarding and name.endswith("forwarding")):
            yield _sysctl(host, name, was[name], there[name])


def _sysctl(host: str, name: str, was: str, there: str) -> Change:
    return Change(host, "sysctl", name, f"{name} was {was} and is {there}", ("sysctl", "-w", f"{name}={was}"))


def forwards(flag: bool | None) -> str:
    """Return what is known of ip_forward, as the kernel writes it."""
    return "not to be read" if flag is None else str(int(flag))


def _rule(host: str, rule: str, *, come: bool) -> Change:
    table, _, words = rule.partition(" ")
    letter = "-D" if come else "-A"
    undo = ("iptables", "-w", "-t", table, letter, *words.split()[1:]) if '"' not in words else ()
    told = f"the rule `{rule}`"
    return _new(host, "rule", rule, told, undo) if come else Change(host, "rule", rule, f"{told} is gone", undo)
