"""What hosts hold beside a lab, before an exercise and after it: so that "nothing is left" is a comparison."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from dockerlab import daemon
from dockerlab.daemon import DaemonFile
from dockerlab.daemon.state import PATH
from dockerlab.gate import parsed
from dockerlab.hosts.base import Host
from dockerlab.imagined.origin import origin
from dockerlab.kernel.model import IP_FORWARD, Namespace
from dockerlab.kernel.rules import Rule, Ruleset
from dockerlab.modes.bridge_rules import NETWORK
from dockerlab.snapshot import GATEWAY_BRIDGE, INGRESS, LABEL_LAB, Snapshot
from dockerlab.survey import Seen, on_each, send

DOCKER0 = "docker0"
DOCKERS_OWN = frozenset({GATEWAY_BRIDGE, INGRESS})
"""Networks, and a link, that the engine makes with a Swarm: the bridge stays, `ingress` goes with it."""

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


class Holdings(BaseModel):
    """What one host holds: names of containers and networks, links, routes, firewall rules, the engine's settings.

    Left out is what carries a lab's labels, and rules as an engine writes them, but for docker0: these come and go with
    networks, published ports and containers of whoever works there.
    `wide` are a Swarm's networks, as its manager knows them. `settings` is the text of the engine's own file at `file`,
    empty for none, and `bridge` the address of docker0.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    containers: frozenset[str] = frozenset()
    networks: frozenset[str] = frozenset()
    wide: frozenset[str] = frozenset()
    swarm: bool = False
    settings: str = ""
    file: str = PATH
    bridge: str = ""
    links: frozenset[str] = frozenset()
    routes: frozenset[str] | None = None
    rules: frozenset[str] | None = None
    policy: str | None = None
    ip_forward: bool | None = None


def held(seen: Seen, hosts: Mapping[str, Host]) -> dict[str, Holdings]:
    """Return what each host holds now."""
    kernels = on_each(hosts, lambda host: send.look(host, (), "host"))
    files = on_each(hosts, daemon.look)
    return {name: held_by(seen.snapshots[name], kernels[name].ground, files[name]) for name in hosts}


def held_by(snapshot: Snapshot, ground: Namespace, file: DaemonFile) -> Holdings:
    """Return what one host holds, whose own namespace that is; rules that cannot be read are None."""
    docker0, ruleset = ground.link(DOCKER0), ground.ruleset
    networks = [network for network in snapshot.networks if LABEL_LAB not in network.labels]
    return Holdings(
        containers=frozenset(c.name for c in snapshot.containers if LABEL_LAB not in c.labels),
        networks=frozenset(n.name for n in networks if n.scope != "swarm") - DOCKERS_OWN,
        wide=frozenset(n.name for n in networks if n.scope == "swarm" and snapshot.swarm.manager) - DOCKERS_OWN,
        swarm=snapshot.swarm.state != "inactive",
        settings=(file.text or b"").decode(errors="replace"),
        file=file.path,
        bridge=next((str(a) for a in docker0.addresses if a.version == 4), "") if docker0 is not None else "",
        links=frozenset(
            f"{link.name} {'up' if link.up else 'down'}" for link in ground.links if not _dockers(link.name)
        ),
        routes=frozenset(_routes(ground)),
        rules=frozenset(_rules(ruleset)) if "ip" in ruleset.read else None,
        policy=ground.forward_policy,
        ip_forward=ground.on(IP_FORWARD),
    )


def _dockers(link: str) -> bool:
    """Tell whether a link comes and goes with a network or a container."""
    return link in DOCKERS_OWN or link.startswith(("br-", "veth"))


def _routes(ground: Namespace) -> Iterator[str]:
    """Yield the routes of IPv4 as `ip route` takes them; those of IPv6 come and go with the links' own addresses."""
    for route in ground.ways:
        hop = route.hops[0]
        if route.version == 4 and not _dockers(hop.device) and hop.device != DOCKER0:
            via = f"via {hop.via} " if hop.via is not None else ""
            yield f"{route.destination if route.destination.prefixlen else 'default'} {via}dev {hop.device}"


def _rules(ruleset: Ruleset) -> Iterator[str]:
    for rule in ruleset.rules():
        if rule.family == "ip" and rule.text.startswith("-A ") and _stays(rule):
            yield f"{rule.table} {rule.text}"


def _stays(rule: Rule) -> bool:
    """Tell whether a rule is nobody's who comes and goes: not an engine's, or what it keeps for docker0."""
    line = origin(rule)
    on_docker0 = any(match.option in ("-i", "-o") and match.value == DOCKER0 for match in rule.matches)
    return line is None or (line in NETWORK and on_docker0)


@dataclass(frozen=True)
class Change:
    """One thing that is not as it was at the beginning; `undo` is what one types on the host to mend it."""

    host: str
    kind: str
    name: str
    what: str
    undo: tuple[str, ...] = ()

    @property
    def come(self) -> bool:
        """Tell whether it is a thing that was not there, so that it is mended by its removal."""
        return self.what.endswith(" was made meanwhile")

    def __str__(self) -> str:
        told = f"{self.host}: {self.what}"
        if self.kind == "settings":
            return f"{told}; write back what it was, and restart the engine"
        return f"{told}; '{' '.join(self.undo)}' mends it" if self.undo else told


def changes(host: str, before: Holdings, now: Holdings) -> list[Change]:
    """Return what has come, gone or changed on a host, each with what would mend it where that is known."""
    found = [
        Change(host, "container", name, f"container {name} was made meanwhile", ("docker", "rm", "--force", name))
        for name in sorted(now.containers - before.containers)
    ]
    # A Swarm's networks go with it.
    come = now.networks - before.networks | (now.wide - before.wide if before.swarm else frozenset())
    found += [
        Change(host, "network", name, f"network {name} was made meanwhile", ("docker", "network", "rm", name))
        for name in sorted(come)
    ]
    if now.swarm and not before.swarm:
        undo: tuple[str, ...] = ("docker", "swarm", "leave", "--force")
        found.append(Change(host, "swarm", "swarm", "it has become part of a Swarm", undo))
    if (now.settings, now.bridge) != (before.settings, before.bridge):
        what = f"{now.file}, or docker0's address with it, is not what it was"
        undo = ("sh", "-c", SETTLE_ENGINE, "sh", before.settings, now.file, _leaving(before))
        found.append(Change(host, "settings", now.file, what, undo))
    for kind, was, there in (
        ("container", before.containers, now.containers),
        ("network", before.networks, now.networks),
    ):
        found += [Change(host, kind, name, f"{kind} {name} is gone") for name in sorted(was - there)]
    found += _links(host, before.links, now.links)
    if before.routes is not None and now.routes is not None:
        kept = {link.split()[0] for link in before.links}  # the routes of a new interface go with it
        new = (route for route in sorted(now.routes - before.routes) if route.split()[-1] in kept)
        found += [_way(host, route, come=True) for route in new]
        found += [_way(host, route, come=False) for route in sorted(before.routes - now.routes)]
    if before.policy != now.policy and before.policy is not None:
        what = f"the policy of chain FORWARD was {before.policy} and is {now.policy}"
        found.append(Change(host, "policy", "FORWARD", what, ("iptables", "-w", "-P", "FORWARD", before.policy)))
    if before.ip_forward != now.ip_forward and before.ip_forward is not None:
        what = f"net.ipv4.ip_forward was {int(before.ip_forward)} and is {forwards(now.ip_forward)}"
        undo = ("sysctl", "-w", f"net.ipv4.ip_forward={int(before.ip_forward)}")
        found.append(Change(host, "sysctl", "net.ipv4.ip_forward", what, undo))
    if before.rules is not None and now.rules is not None:
        found += [_rule(host, rule, come=True) for rule in sorted(now.rules - before.rules)]
        found += [_rule(host, rule, come=False) for rule in sorted(before.rules - now.rules)]
    return found


def _leaving(before: Holdings) -> str:
    """Return settings with which the engine gives docker0 the address that it had; as they were, what is no mapping."""
    try:
        settings = parsed(before.settings or "{}")
    except ValueError:
        settings = None
    if not isinstance(settings, dict):
        return before.settings
    return json.dumps({"bip": before.bridge, **settings} if before.bridge else settings)


def forwards(flag: bool | None) -> str:
    """Return what is known of ip_forward, as the kernel writes it."""
    return "not to be read" if flag is None else str(int(flag))


def _links(host: str, before: Collection[str], now: Collection[str]) -> list[Change]:
    was, there = (dict(link.split() for link in links) for links in (before, now))
    found = []
    for name in sorted(was.keys() | there.keys()):
        if name not in was:
            undo = ("ip", "link", "delete", name)
            found.append(Change(host, "link", name, f"the interface {name} was made meanwhile", undo))
        elif name not in there:
            found.append(Change(host, "link", name, f"the interface {name} is gone"))
        elif was[name] != there[name] and name != DOCKER0:
            what = f"the interface {name} was {was[name]}, is {there[name]}"
            found.append(Change(host, "link", name, what, ("ip", "link", "set", name, was[name])))
    return found


def _way(host: str, route: str, *, come: bool) -> Change:
    undo = ("ip", "route", "delete" if come else "add", *route.split())
    return Change(host, "route", route, f"the route `{route}` {'was added meanwhile' if come else 'is gone'}", undo)


def _rule(host: str, rule: str, *, come: bool) -> Change:
    table, _, words = rule.partition(" ")
    letter = "-D" if come else "-A"
    undo = ("iptables", "-w", "-t", table, letter, *words.split()[1:]) if '"' not in words else ()
    return Change(host, "rule", rule, f"the rule `{rule}` {'was added meanwhile' if come else 'is gone'}", undo)
