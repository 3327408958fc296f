"""All hosts asked at once for what a doctor wants to know, also where some do not answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from dockerlab import engine
from dockerlab.doctor.condition import SCRIPT, Condition, parse
from dockerlab.errors import HostError
from dockerlab.facts import Facts
from dockerlab.gate import admitted, short
from dockerlab.hosts.base import Host
from dockerlab.kernel.model import Machine
from dockerlab.snapshot import GATEWAY_BRIDGE, Snapshot
from dockerlab.survey import ask_all, bare, facts, send


@dataclass(frozen=True)
class Patient:
    """What one host has told; what it has not is None, and the errors say why.

    `unreachable` means that nothing could be asked, `untold` that the machine's answer could not be read, `silent`
    that its engine did not answer, `blind` that its kernel's state could not be looked at.
    """

    host: str
    where: str = ""
    facts: Facts | None = None
    condition: Condition | None = None
    snapshot: Snapshot | None = None
    kernel: Machine | None = None
    unreachable: HostError | None = None
    untold: HostError | None = None
    silent: HostError | None = None
    blind: HostError | None = None


@dataclass(frozen=True)
class Said:
    """What came back from the script, and when it was asked and answered by our clock, in seconds since 1970.

    `kernel` is the state of the host's own namespace, or why it could not be looked at; `ground` is that, or what a
    shell could tell of it instead.
    """

    text: str
    error: str
    asked: float
    answered: float
    kernel: Machine | HostError
    ground: Machine | HostError


def look(
    hosts: Mapping[str, Host], names: Iterable[str] = (), read: Callable[..., Snapshot] = engine.snapshot
) -> dict[str, Patient]:
    """Return what each host tells: of the machine in one round trip, of the engine as a snapshot with these names.

    Of the kernel's state it is the host's own namespace, in which a lab would be made.
    """
    wanted = frozenset(names) | {GATEWAY_BRIDGE}
    machines = ask_all(hosts, _ask)
    engines = ask_all({name: hosts[name] for name in machines.answers}, lambda host: read(host, wanted))
    patients = {name: Patient(name, host.address or "this machine") for name, host in hosts.items()}
    return {
        name: replace(
            _heard(patient, machines.answers[name]),
            snapshot=engines.answers.get(name),
            silent=engines.failures.get(name),
        )
        if name in machines.answers
        else replace(patient, unreachable=machines.failures[name])
        for name, patient in patients.items()
    }


def _ask(host: Host) -> Said:
    with ThreadPoolExecutor(1, thread_name_prefix="kernel") as beside:
        looking = beside.submit(_tried, host, lambda host: send.look(host, (), "host"))
        asked = time.time()
        # By a word of its own it runs on the host itself, also where others read from outside: it is about that.
        result = host.run(["sh", "-s", "doctor"], input=SCRIPT.encode(), timeout=60)
        answered, kernel = time.time(), looking.result()
    ground = kernel if isinstance(kernel, Machine) else _tried(host, bare.look)
    return Said(short(host.name, "its shell", result.stdout), result.error, asked, answered, kernel, ground)


def _tried(host: Host, look: Callable[[Host], Machine]) -> Machine | HostError:
    try:
        return look(host)
    except HostError as error:
        return error


def _heard(patient: Patient, said: Said) -> Patient:
    """Return a patient with what its machine said."""
    kernel = said.kernel if isinstance(said.kernel, Machine) else None
    patient = replace(patient, kernel=kernel, blind=None if isinstance(said.kernel, Machine) else said.kernel)
    if "== finished" not in said.text:
        why = (said.error or "no output")[-300:]
        return replace(patient, untold=HostError(patient.host, f"the machine's answer is not whole: {why}"))
    if isinstance(said.ground, HostError):
        return replace(patient, untold=said.ground)
    try:
        about = facts.parse(patient.host, said.text)
        condition = admitted(
            patient.host, "its shell", lambda: parse(said.text, said.asked, said.answered, kernel), Condition
        )
    except HostError as error:
        return replace(patient, untold=error)
    return replace(patient, facts=facts.of(about, said.ground), condition=condition)
