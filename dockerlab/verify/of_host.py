"""The hosts' own causes of failed cells: Docker's rules that are gone, other people's, and parents that are down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from dockerlab.drift import Difference, kernel
from dockerlab.hosts.base import Host
from dockerlab.modes.parent import ParentNetwork
from dockerlab.reach import World
from dockerlab.snapshot import Snapshot
from dockerlab.verify.attribution import Suspect
from dockerlab.verify.cause import Cause
from dockerlab.verify.firewall import Drop, drops, missing_rules
from dockerlab.verify.of_lab import boxes
from dockerlab.verify.verdicts import Judged

TOLD = ("refused", "no such name", "wrong answerer")
"""What is seen only where somebody answered: no packet was dropped without a word then."""


def host_suspects(
    failed: Sequence[Judged], world: World, snapshots: Mapping[str, Snapshot], hosts: Mapping[str, Host]
) -> tuple[list[Suspect], list[str]]:
    """Return a suspect for each thing of the hosts that failed cells may be due to, and what could not be seen."""
    found: list[Suspect] = []
    unseen: list[str] = []
    for name in dict.fromkeys(host for each in failed for host in _hosts_of(each, world)):
        if not world.facts[name].iptables or not snapshots[name].firewall.startswith("iptables"):
            continue  # the engine keeps no rules there, or not these
        result = hosts[name].run(["iptables-save"], timeout=20)
        if not result.ok:
            unseen.append(f"{name}: whether rules of the firewall are missing cannot be seen: {result.error}")
            continue
        found += _of_firewall(name, result.text, world, snapshots[name])
    found += [
        Suspect(_parent(each, world), partial(_on_lan, each.name, each.host, world))
        for each in kernel.parents(world.lab, world.facts)
    ]
    return found, unseen


def _of_firewall(host: str, text: str, world: World, snapshot: Snapshot) -> Iterator[Suspect]:
    gone = missing_rules(text, snapshot)
    if gone:
        where, told = gone[0].partition(":")[0], "; ".join(gone)
        what = f"rules that Docker keeps in the firewall are missing: {told}. Something has flushed them"
        cause = Cause(host, "host", "rule", where, what, "systemctl restart docker")
        yield Suspect(cause, lambda judged: host in _hosts_of(judged, world))
    for drop in drops(text):
        kind = "rule" if drop.number else "policy"
        told = f"{drop} drops packets, and is not Docker's"
        yield Suspect(Cause(host, "host", kind, drop.where, told, drop.undo), partial(_drops, drop, host, world))


def _hosts_of(judged: Judged, world: World) -> Iterator[str]:
    """Yield the hosts on which a cell begins and ends."""
    for end in (judged.cell.source, judged.cell.holder):
        if end in world.lab.hosts:
            yield str(end)
        elif end in world.lab.containers:
            yield world.lab.host_of(str(end))


def _drops(drop: Drop, host: str, world: World, judged: Judged) -> bool:
    """Tell whether a cell's packets may pass the chain of a drop, are of its protocol, and were lost as it loses."""
    cell, words = judged.cell, drop.words
    if judged.verdict != "fail" or host not in _hosts_of(judged, world):
        return False
    if judged.observed.symptom in TOLD and not drop.tells:
        return False
    protocol = words[words.index("-p") + 1] if "-p" in words[:-1] else ""
    if (protocol == "icmp" and cell.probe != "ping") or (protocol == "tcp" and cell.port is None):
        return False
    towards, both = boxes(judged, world, source=False), boxes(judged, world)
    if drop.chain in ("INPUT", "OUTPUT"):
        return host in both
    return not (host in towards and world.of[cell.source] == host)


def _parent(difference: Difference, world: World) -> Cause:
    """Return a parent interface that is down, which is the host's and of no object of the lab."""
    spec = world.lab.networks[difference.name]
    parent = spec.parent_interface if isinstance(spec, ParentNetwork) else None
    what = f"interface {parent}, the parent of network {difference.name}, is down"
    return Cause(difference.host, "host", "link", f"interface {parent}", what, "; ".join(difference.right))


def _on_lan(network: str, host: str, world: World, judged: Judged) -> bool:
    """Tell whether an end of a cell is on a network of a host."""
    ends = (judged.cell.source, judged.cell.to)
    inside = (end for end in ends if end in world.lab.containers and network in world.lab.containers[end].networks)
    return judged.verdict == "fail" and (
        any(world.lab.host_of(end) == host for end in inside)
        or judged.cell.to in (f"gateway:{network}", f"gateway:{network}@{host}")
    )
