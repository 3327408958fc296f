"""Judgements on a lab and its hosts: whether it can be built there, and will work."""

from __future__ import annotations

from collections.abc import Iterator

from dockerlab import modes
from dockerlab.doctor import grounds
from dockerlab.doctor.adapters import filter_of
from dockerlab.doctor.advice import as_root
from dockerlab.doctor.case import Case
from dockerlab.doctor.condition import Condition
from dockerlab.doctor.look import Patient
from dockerlab.doctor.machine import MADE, OPTIONS, link_state
from dockerlab.doctor.room import neighbours, ports, routes, subnet_remedy
from dockerlab.facts import Facts
from dockerlab.finding import Finding, Remedy
from dockerlab.modes.parent import ParentNetwork
from dockerlab.provision import preflight
from dockerlab.provision.preflight import Obstacle


def findings(case: Case, patient: Patient) -> Iterator[Finding]:
    """Yield what there is to say of a lab on one of its hosts."""
    host, facts, condition = patient.host, patient.facts, patient.condition
    found = preflight.obstacles(case.lab, case.who, case.facts, case.snapshots)
    # Where the sockets can be read, `ports` below says whose the gossip's port is.
    seen = {"gossip"} if condition is not None and condition.sockets is not None else set()
    own = [obstacle for obstacle in found if obstacle.host == host and obstacle.rule not in seen]
    yield from (_obstacle(obstacle, case) for obstacle in own)
    blocked = {obstacle.rule for obstacle in own}
    if facts is None or condition is None:
        return
    if not blocked & {"parent", "kernel"}:
        yield from _links(case, facts, condition)
    yield from _parents(case, facts, condition)
    room = [*routes(case, facts, patient.snapshot), *ports(case, facts, condition, patient.snapshot, case.wants(host))]
    yield from (finding for finding in room if finding.status != "ok" or finding.subject not in blocked)
    yield from neighbours(case.lab, facts, condition)
    yield from grounds.findings(case, host)


def _obstacle(found: Obstacle, case: Case) -> Finding:
    """Return what `up` would refuse, with what can be done about it."""
    words = {
        "name": "rename it in the definition",
        "parent": "write one of these as `parent` in the definition",
        "kernel": "boot the distribution's stock kernel, or take another mode",
        "gossip": "restart the engine when no container of it is needed, or end the program that has the port",
    }
    if found.rule == "subnet":
        remedy = subnet_remedy(case, found)
    elif found.rule == "port":
        remedy = Remedy((("docker", "stop", found.culprit),), "or publish another port in the definition")
    else:
        remedy = Remedy(words=words[found.rule])
    return Finding(found.host, found.rule, "problem", found.told, remedy)


def _links(case: Case, facts: Facts, condition: Condition) -> Iterator[Finding]:
    """Yield whether the kernel can make the links of the lab's networks."""
    good: dict[str, str] = {}
    for name, network in case.networks(facts.host).items():
        for option in preflight.kernel_needs(network, facts):
            kind = next(kind for kind, needed in OPTIONS.items() if needed == option)
            state = link_state(facts, condition, kind)
            if state in MADE:
                good[kind] = "" if state == "works" else " (a module, loaded when it is needed)"
            elif state == "absent":
                told = f"network {name} needs links of kind {kind}, which kernel {facts.kernel} cannot make"
                words = (
                    f"install the rest of its modules (linux-modules-extra-{facts.kernel} on Ubuntu); where the kernel "
                    "was updated since the last start, reboot"
                )
                yield Finding(facts.host, "kernel", "problem", told, Remedy(words=words))
            else:
                told = f"whether kernel {facts.kernel} can make links of kind {kind} is not to be seen"
                yield Finding(facts.host, "kernel", "unknown", told, Remedy(words="" if facts.root else "ask as root"))
    if good:
        told = ", ".join(kind + how for kind, how in good.items())
        yield Finding(facts.host, "kernel", "ok", f"{facts.kernel} makes the links that are needed: {told}")


def _parents(case: Case, facts: Facts, condition: Condition) -> Iterator[Finding]:
    """Yield the state of each parent interface, and what its adapter does to foreign MAC addresses."""
    seen = set()
    for network in case.networks(facts.host).values():
        parent = network.parent_interface if isinstance(network, ParentNetwork) else None
        if parent is None or parent in seen:
            continue
        seen.add(parent)
        nic = facts.ground.link(parent) or facts.ground.link(parent.partition(".")[0])
        if nic is None:
            continue  # an obstacle has said so
        made = "" if nic.name == parent else f", on which Docker makes {parent} itself, and removes it again"
        if not nic.up:
            commands = (
                as_root(facts, "ip", "link", "set", nic.name, "up"),
                as_root(facts, "ip", "link", "set", nic.name, "down"),
            )
            remedy = Remedy(commands[:1], undo=commands[1:])
            told = f"{nic.name} is down: no frame of a container leaves through it{made}"
            yield Finding(facts.host, "parent", "problem", told, remedy)
        else:
            yield Finding(facts.host, "parent", "ok", f"{nic.name} is up{made}")
        if modes.for_driver(network.driver).wants(network).own_macs:
            filtered = filter_of(condition, parent)
            if filtered is not None:
                told = f"{parent} {filtered.told}"
                yield Finding(facts.host, "MAC filter", filtered.status, told, Remedy(words=filtered.words))
