"""Judgements on a machine: what its kernel, its firewall and its programs let containers do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from dockerlab.doctor.advice import as_root, install, setting
from dockerlab.doctor.condition import PROGRAMS, Condition, Disk
from dockerlab.doctor.look import Patient
from dockerlab.facts import Facts
from dockerlab.finding import Finding, Remedy, Status
from dockerlab.kernel.model import BRIDGE_NF, IP_FORWARD
from dockerlab.modes.base import Wants
from dockerlab.snapshot import Snapshot

PACKAGES = {"ip": "iproute2", "iptables": "iptables", "flock": "util-linux", "timeout": "coreutils"}

OPTIONS = {
    "macvlan": "CONFIG_MACVLAN",
    "ipvlan": "CONFIG_IPVLAN",
    "vlan": "CONFIG_VLAN_8021Q",
    "vxlan": "CONFIG_VXLAN",
    "dummy": "CONFIG_DUMMY",
}
"""Kinds of links, and the kernel's build option that gives each."""

MADE = ("works", "module")

DATA_ROOT = "/var/lib/docker"
MIB = 1 << 20
LITTLE, TOO_LITTLE = 1024 * MIB, 100 * MIB
"""Bytes on the engine's disk below which a warning, and a problem, is told."""

FEW_INODES = 1000
APART, FAR_APART = 5.0, 300.0
"""Seconds between two clocks from which on a warning, and a problem, is told."""


def findings(patient: Patient, wants: Wants) -> Iterator[Finding]:
    """Yield what there is to say of a machine on which these things are wanted."""
    facts, condition = patient.facts, patient.condition
    if facts is None or condition is None:
        return
    yield from _programs(facts, condition)
    yield _agent(facts, condition)
    yield _forwarding(patient, facts, condition, wants)
    if wants.bridge_netfilter:
        yield _bridge_netfilter(facts, condition)
    yield _clock(facts, condition)
    yield _disk(facts, condition, patient.snapshot)


def _programs(facts: Facts, condition: Condition) -> Iterator[Finding]:
    absent = [program for program in PROGRAMS if program not in condition.programs]
    for program in absent:
        uses = "a lab's lock is held by it" if program in ("flock", "timeout") else "what it tells is not known without"
        status: Status = "problem" if program in ("flock", "timeout") else "unknown"
        yield Finding(
            facts.host, program, status, f"not installed: {uses}", install(facts, condition, PACKAGES[program])
        )
    if not absent:
        yield Finding(facts.host, "programs", "ok", f"{', '.join(PROGRAMS)} are there")


def _agent(facts: Facts, condition: Condition) -> Finding:
    """Return whether the agent can probe there; where it cannot, the slower portable prober does."""
    slower = "so that the portable prober asks the cells, which takes longer and sees less"
    if not facts.root:
        user = condition.user or "this user"
        words = "connect as root, or call dockerlab with sudo"
        return Finding(facts.host, "agent", "warning", f"{user} is not root, {slower}", Remedy(words=words))
    if condition.agent == "complete":
        return Finding(facts.host, "agent", "ok", "root, and a complete python3: the agent can probe")
    said = f"python3 is not complete ({condition.agent})" if facts.python else "there is no python3"
    return Finding(facts.host, "agent", "warning", f"{said}, {slower}", install(facts, condition, "python3"))


def _forwarding(patient: Patient, facts: Facts, condition: Condition, wants: Wants) -> Finding:
    on = facts.ground.on(IP_FORWARD)
    if on is None:
        return Finding(facts.host, "ip_forward", "unknown", "net.ipv4.ip_forward could not be read")
    if on:
        return Finding(facts.host, "ip_forward", "ok", "on: the host forwards IPv4")
    if patient.snapshot is None:
        return Finding(facts.host, "ip_forward", "ok", "off: the engine turns it on when it starts")
    if not wants.forwarding:
        return Finding(facts.host, "ip_forward", "ok", "off, and nothing in the lab needs the host to forward")
    told = "off: the host forwards nothing, so that containers get no further than the host itself"
    remedy = setting(facts, condition, "net.ipv4.ip_forward", "1", "0")
    return Finding(facts.host, "ip_forward", "problem", told, remedy)


def kernel(patient: Patient) -> Iterator[Finding]:
    """Yield which kinds of links the kernel makes; which of them matter, only a lab tells."""
    facts, condition = patient.facts, patient.condition
    if facts is None or condition is None:
        return
    states = {kind: link_state(facts, condition, kind) for kind in OPTIONS}
    told = [f"{kind}{' (a module)' if state == 'module' else ''}" for kind, state in states.items() if state in MADE]
    lacking = [kind for kind, state in states.items() if state == "absent"]
    unseen = [kind for kind, state in states.items() if state == "untold"]
    text = f"{facts.kernel} makes links of kind {', '.join(told) or 'none'}"
    text += f"; not {', '.join(lacking)}, which only some labs need" if lacking else ""
    text += f"; of {', '.join(unseen)} that is not to be seen" if unseen else ""
    yield Finding(facts.host, "kernel", "ok", text)


def link_state(facts: Facts, condition: Condition, kind: str) -> str:
    """Return whether the kernel makes links of a kind, as `Condition.drivers` has it."""
    option = OPTIONS[kind]
    if facts.kernel_config and option not in facts.kernel_config:
        return "absent"
    return "works" if facts.kernel_config.get(option) == "y" else condition.drivers.get(kind, "untold")


def _bridge_netfilter(facts: Facts, condition: Condition) -> Finding:
    subject = "br_netfilter"
    why = "with inter-container communication off, the firewall has to see what the bridge switches"
    on = facts.ground.on(BRIDGE_NF)
    if on:
        return Finding(facts.host, subject, "ok", "bridge-nf-call-iptables is on")
    if on is False:
        remedy = setting(facts, condition, "net.bridge.bridge-nf-call-iptables", "1", "0")
        return Finding(facts.host, subject, "problem", f"bridge-nf-call-iptables is off: {why}", remedy)
    if condition.drivers.get(subject) == "module":
        commands = ((as_root(facts, "modprobe", subject),), (as_root(facts, "modprobe", "--remove", subject),))
        return Finding(facts.host, subject, "problem", f"not loaded: {why}", Remedy(commands[0], undo=commands[1]))
    return Finding(facts.host, subject, "unknown", f"bridge-nf-call-iptables could not be read: {why}")


def _clock(facts: Facts, condition: Condition) -> Finding:
    if condition.clock is None:
        return Finding(facts.host, "clock", "unknown", "its time could not be read")
    off = abs(condition.clock) - condition.within
    if off < APART:
        return Finding(facts.host, "clock", "ok", f"with ours, give or take {max(condition.within, 0.1):.1f} s")
    direction = "ahead of" if condition.clock > 0 else "behind"
    told = f"{abs(condition.clock):.0f} s {direction} ours: certificates of a Swarm and leases go by it"
    if condition.services == "systemd":
        remedy = Remedy((as_root(facts, "timedatectl", "set-ntp", "true"),))
    else:
        remedy = Remedy(words="set it (date -s), and let chrony or ntpd keep it")
    return Finding(facts.host, "clock", "problem" if off > FAR_APART else "warning", told, remedy)


def _disk(facts: Facts, condition: Condition, snapshot: Snapshot | None) -> Finding:
    root = (snapshot.data_root if snapshot is not None else "") or DATA_ROOT
    disk = _holding(condition.disks, root)
    if disk is None:
        return Finding(facts.host, "disk", "unknown", f"the space below {root} could not be read")
    inodes = disk.inodes if disk.inodes is not None else FEW_INODES
    told = f"{disk.free / MIB:,.0f} MiB are free for {root}" + (f" (on {disk.mount})" if disk.mount != root else "")
    if disk.free >= LITTLE and inodes >= FEW_INODES:
        return Finding(facts.host, "disk", "ok", told)
    told += f", and {inodes:,} inodes" if inodes < FEW_INODES else ""
    status: Status = "problem" if disk.free < TOO_LITTLE or inodes < FEW_INODES else "warning"
    words = "'docker system df' shows what the engine takes; prune asks, and removes what nothing uses"
    return Finding(facts.host, "disk", status, told, Remedy((("docker", "system", "prune"),), words))


def _holding(disks: tuple[Disk, ...], path: str) -> Disk | None:
    """Return the file system that a path is on: the one with the longest mount point above it."""
    above = {str(path), *(str(parent) for parent in PurePosixPath(path).parents)}
    return max((disk for disk in disks if disk.mount in above), key=lambda disk: len(disk.mount), default=None)
