"""One fault at one place: what is run to put it in, what takes it out again, and the checks that show its cause."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from dockerlab import render
from dockerlab.checks.model import Check, Look
from dockerlab.errors import UsageError
from dockerlab.faults import FAULTS
from dockerlab.faults.fault import Break, Fault, Sign
from dockerlab.faults.target import host_of, values
from dockerlab.hosts.base import Host
from dockerlab.identity import Identity
from dockerlab.lab.fields import Strict
from dockerlab.lab.model import Lab
from dockerlab.lab.problem import meant
from dockerlab.snapshot import Snapshot

VALUE = re.compile(r"\{\{ (\w+) \}\}")
"""A value in a template of a fault."""

LOOP = ("key", "value")
"""What a template's own loop gives names to."""

WORDS = {"published": "published port", "other": "neighbour of that name", "owner_address": "owner with an address"}
"""Values that a place may lack, in words."""


class Act(Strict):
    """One command on a host, or (`inside`, a container) in a network namespace there.

    `life` is when that container had started: it has another namespace later, in which nothing was changed.
    """

    host: str
    argv: tuple[str, ...]
    inside: str | None = None
    life: int = 0


class Injury(Strict):
    """A fault as it is put in: whatever is needed to take it out again, also by another process.

    `signs` hold once the cause is repaired. `wide` tells that more than the lab is touched.
    """

    broken: Break
    undo: tuple[Act, ...] = ()
    signs: tuple[Check, ...] = ()
    wide: bool = False
    inject: tuple[Act, ...] = Field(default=(), exclude=True)

    @property
    def fault(self) -> Fault:
        """Return the fault that it is."""
        return fault_of(self.broken)


def fault_of(broken: Break) -> Fault:
    """Return the fault that is meant; raises UsageError when there is none of that name."""
    if broken.fault not in FAULTS:
        raise UsageError(f"{broken.fault} is no fault: {meant(broken.fault, FAULTS)}")
    return FAULTS[broken.fault]


def prepare(
    broken: Break, lab: Lab, snapshots: Mapping[str, Snapshot], hosts: Mapping[str, Host], who: Identity
) -> Injury:
    """Return what puts a fault in and takes it out, for the lab as it is on the hosts now; nothing is changed.

    Raises UsageError when there is nothing of that kind to break.
    """
    fault = fault_of(broken)
    host = host_of(fault, broken, lab)
    if fault.needs and not broken.using:
        raise UsageError(f"{broken}: `using` is missing: {fault.needs}")
    wide = fault.wide or (fault.about == "network" and broken.on == "bridge")
    if fault.alter is not None:
        return Injury(broken=broken, signs=(Check(lab=_made_anew(broken, fault, lab)),), wide=wide)
    known = values(fault, broken, lab, snapshots, hosts, who)
    seen = snapshots[host].container(broken.on)
    inside, life = (broken.on, seen.started) if fault.inside and seen is not None else (None, 0)

    def acts(templates: Sequence[str]) -> tuple[Act, ...]:
        return tuple(Act(host=host, argv=_words(t, host, known, broken), inside=inside, life=life) for t in templates)

    about = broken.on if fault.about == "container" and not _of_host(fault) else host
    signs = tuple(Check(look=_sign(sign, about, known, broken)) for sign in fault.signs)
    if fault.inside:
        signs = (*signs, Check(inside=(broken.on,)))
    return Injury(broken=broken, inject=acts(fault.inject), undo=acts(fault.undo), signs=signs, wide=wide)


def _of_host(fault: Fault) -> bool:
    """Tell whether a container's fault shows on its host: what the engine has, and not what is inside."""
    return all(sign.at.startswith("containers") for sign in fault.signs)


def _made_anew(broken: Break, fault: Fault, lab: Lab) -> tuple[str, ...]:
    """Return the objects that a changed definition makes anew: a network's containers with it."""
    users = [name for name, spec in lab.containers.items() if broken.on in spec.networks]
    return (broken.on, *users) if fault.about == "network" else (broken.on,)


def touched(broken: Break, lab: Lab) -> frozenset[str]:
    """Return all that a fault may touch: its object, whose containers, and who shares a namespace with one of these."""
    fault = fault_of(broken)
    names = {*_made_anew(broken, fault, lab), *({broken.using} & lab.containers.keys())}
    owners = {lab.containers[name].owner for name in names if name in lab.containers} - {None}
    joiners = {name for name, spec in lab.containers.items() if spec.owner in names | owners}
    return frozenset(str(name) for name in names | owners | joiners)


def _words(template: str, host: str, known: Mapping[str, Any], broken: Break) -> tuple[str, ...]:
    for name in VALUE.findall(template):
        if name not in LOOP:
            _known(name, known, broken)
    return render.command(template, host, **known).resolve({})


def _sign(sign: Sign, about: str, known: Mapping[str, Any], broken: Break) -> Look:
    def filled(text: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda name: str(_known(name[1], known, broken)), text)

    has, lacks = (tuple(filled(word) for word in words) for words in (sign.has, sign.lacks))
    return Look(on=about, at=filled(sign.at), has=has, lacks=lacks)


def _known(name: str, known: Mapping[str, Any], broken: Break) -> Any:
    if name not in known:
        raise UsageError(f"{broken}: {broken.on} has no {WORDS.get(name, name)} that could be broken")
    return known[name]


@dataclass(frozen=True)
class Attempt:
    """What came of one act: nothing to say, or why it did not succeed."""

    act: Act
    failure: str = ""


def perform(acts: Sequence[Act], snapshots: Mapping[str, Snapshot], hosts: Mapping[str, Host]) -> list[Attempt]:
    """Run commands one after the other, whatever becomes of each; raises HostError where a host does not answer.

    What was to be done in a namespace that is no longer there counts as done.
    """
    attempts = []
    for act in acts:
        argv = act.argv
        if act.inside is not None:
            state = snapshots[act.host].container(act.inside)
            if state is None or not state.running or state.started != act.life:
                continue
            argv = ("nsenter", f"--target={state.pid}", "--net", "--", *argv)
        result = hosts[act.host].run(argv, timeout=60)
        attempts.append(Attempt(act, "" if result.ok else result.error or f"exit code {result.rc}"))
    return attempts


def shown(act: Act) -> tuple[str, ...]:
    """Return an act as the arguments that one types on its host.

    The process of a container has another number each time that it starts: the command finds it out.
    """
    if act.inside is None:
        return act.argv
    pid = f"$(docker inspect --format {{{{.State.Pid}}}} {shlex.quote(act.inside)})"
    return ("sh", "-c", f"nsenter --net --target {pid} {shlex.join(act.argv)}")
