"""What is in containers' network namespaces now, and which name servers they ask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dockerlab.hosts.base import Host
from dockerlab.kernel.model import Link, Machine, Namespace
from dockerlab.lab.model import Lab
from dockerlab.snapshot import Snapshot
from dockerlab.survey import parse, send
from dockerlab.survey.asking import ask_all


@dataclass(frozen=True)
class Inside:
    """A container's namespace, and the name servers of its resolv.conf."""

    space: Namespace
    nameservers: tuple[str, ...] = ()

    @property
    def links(self) -> tuple[Link, ...]:
        """Return its interfaces without the loopback."""
        return tuple(link for link in self.space.links if link.name != "lo")

    def gateways(self, version: int) -> tuple[str, ...]:
        """Return the routers of its default routes."""
        ways = (way for way in self.space.ways if (way.version, way.destination.prefixlen) == (version, 0))
        return tuple(str(hop.via) for way in ways for hop in way.hops if hop.via is not None)


def look_inside(
    lab: Lab, snapshots: Mapping[str, Snapshot], hosts: Mapping[str, Host]
) -> tuple[dict[str, Inside], dict[str, str]]:
    """Return what is in the namespaces of the lab's running containers, and why it is not known of the others.

    Left out is who has no namespace of its own.
    """
    own = [name for name, spec in lab.containers.items() if spec.mode != "host" and spec.owner is None]
    states = {name: snapshots[lab.host_of(name)].container(name) for name in own}
    running = {name: state.pid for name, state in states.items() if state is not None and state.running}
    pids = {host: [pid for name, pid in running.items() if lab.host_of(name) == host] for host in hosts}
    told = ask_all({name: host for name, host in hosts.items() if pids[name]}, lambda host: look(host, pids[host.name]))
    found: dict[str, Inside] = {}
    unseen: dict[str, str] = {}
    for name, pid in running.items():
        host = lab.host_of(name)
        inside = told.answers[host][pid] if host in told.answers else str(told.failures[host])
        if isinstance(inside, Inside):
            found[name] = inside
        else:
            why = inside.removeprefix(f"{host}: ")
            unseen[name] = f"{host}: the network namespace of {name} cannot be read: {why}"
    return found, unseen


def look(host: Host, pids: Iterable[int]) -> dict[int, Inside | str]:
    """Return what is in the namespace of each process, or why that cannot be told; raises HostError for a lost host."""
    wanted = tuple(pids)

    def understand(name: str, seen: Any) -> dict[int, Inside | str]:
        machine = parse.machine(name, seen)
        return {pid: _inside(machine, pid, seen["resolvers"].get(str(pid), {})) for pid in wanted}

    return send.read(host.name, send.sent(host, wanted), understand, dict[int, Inside | str])


def _inside(machine: Machine, pid: int, resolver: Mapping[str, str]) -> Inside | str:
    space = machine.home(pid)
    if space is None:
        return machine.unread[0] if machine.unread else "its process has ended"
    missing = [space.unread[kind] for kind in ("links", "routes", "neighbours") if kind in space.unread]
    if missing:
        return missing[0]
    lines = (line.split() for line in resolver.get("text", "").splitlines())
    return Inside(space, tuple(words[1] for words in lines if len(words) > 1 and words[0] == "nameserver"))
