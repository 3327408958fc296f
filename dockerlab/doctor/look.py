"""All hosts asked at once for what a doctor wants to know, also where some do not answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from dockerlab import engine
from dockerlab.doctor.condition import SCRIPT, Condition, parse
from dockerlab.errors import HostError
from dockerlab.hosts.base import Host
from dockerlab.modes.overlay import GATEWAY_BRIDGE
from dockerlab.snapshot import Snapshot
from dockerlab.survey import facts, on_each
from dockerlab.topology import HostFacts


@dataclass(frozen=True)
class Patient:
    """What one host has told; what it has not is None, and the errors say why.

    `unreachable` means that nothing could be asked, `untold` that the machine's answer could not be read, `silent`
    that its engine did not answer.
    """

    host: str
    where: str = ""
    facts: HostFacts | None = None
    condition: Condition | None = None
    snapshot: Snapshot | None = None
    unreachable: HostError | None = None
    untold: HostError | None = None
    silent: HostError | None = None


def look(
    hosts: Mapping[str, Host], names: Iterable[str] = (), read: Callable[..., Snapshot] = engine.snapshot
) -> dict[str, Patient]:
    """Return what each host tells: of the machine in one round trip, of the engine as a snapshot with these names."""
    wanted = frozenset(names) | {GATEWAY_BRIDGE}

    def ask(host: Host) -> Patient:
        patient = _machine(host)
        if patient.unreachable is not None:
            return patient
        try:
            return replace(patient, snapshot=read(host, wanted))
        except HostError as error:
            return replace(patient, silent=error)

    return on_each(hosts, ask)


def _machine(host: Host) -> Patient:
    patient = Patient(host.name, host.address or "this machine")
    asked = time.time()
    try:
        result = host.run(["sh", "-s"], input=SCRIPT.encode(), timeout=60)
    except HostError as error:
        return replace(patient, unreachable=error)
    answered = time.time()
    if "== finished" not in result.text:
        said = result.error or "no output"
        return replace(patient, untold=HostError(host.name, f"the machine's answer is not whole: {said[-300:]}"))
    try:
        return replace(
            patient, facts=facts.parse(host.name, result.text), condition=parse(result.text, asked, answered)
        )
    except HostError as error:
        return replace(patient, untold=error)
