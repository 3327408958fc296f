"""Judgements on what an engine is: a release that is broken, one of another kind, and where the command leads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from dockerlab.doctor.case import Case
from dockerlab.doctor.look import Patient
from dockerlab.finding import Finding, Remedy
from dockerlab.imagined.broken import Fault, faults
from dockerlab.kernel.model import Machine
from dockerlab.snapshot import Snapshot
from dockerlab.versions import Engine, numbers

SOCKETS = ("unix:///var/run/docker.sock", "unix:///run/docker.sock")
"""Where an engine of the machine itself listens."""


class Kind(NamedTuple):
    """An engine of another kind: what it is, and what of dockerlab works there."""

    told: str
    works: str


KINDS = {
    "rootless": Kind(
        "a rootless engine: its bridges and its firewall rules are in a network namespace of its user's, which the "
        "host's own interfaces do not show",
        "`render` and `explain --offline` need no engine; `up` and `verify` are untested with a rootless one, and "
        "what is read of the host is not what its packets meet. Use an engine that root runs, or --sandbox",
    ),
    "desktop": Kind(
        "Docker Desktop: the engine runs in a virtual machine, and this machine's interfaces and rules are not its own",
        "`render` and `explain --offline` need no engine; `up` and `verify` are untested with Docker Desktop. On "
        "Linux, `docker context use default` leads to the machine's own engine, and --sandbox to hosts with all that "
        "a lab needs",
    ),
    "podman": Kind(
        "Podman's socket, which speaks Docker's API: its networks and rules are netavark's, and not what Docker makes",
        "everything is untested with Podman, and what is expected of a lab is said of Docker's engine. Use that, or "
        "--sandbox",
    ),
}
"""What `Snapshot.kind` tells."""


def findings(patient: Patient, case: Case | None) -> Iterator[Finding]:
    """Yield what there is to say of the engine's release and kind, and of the way to it."""
    yield from _way(patient)
    if patient.snapshot is None:
        return
    snapshot, host = patient.snapshot, patient.host
    if snapshot.kind in KINDS:
        kind = KINDS[snapshot.kind]
        yield Finding(host, "kind", "unknown", kind.told, Remedy(words=kind.works))
        if snapshot.kind == "podman":
            return  # its version is not one of Docker's
    engine = Engine(numbers(snapshot.engine_version))
    for fault in faults(engine.version):
        if _concerned(fault, patient, case):
            told = f"engine {snapshot.engine_version}: {fault.told} ({fault.source})"
            yield Finding(host, "release", "warning", told, Remedy(words=fault.remedy))
    yield from _command(patient, engine)


def _way(patient: Patient) -> Iterator[Finding]:
    """Yield where the docker command leads, where that is not the socket of the machine's own engine."""
    condition = patient.condition
    if condition is None or not condition.endpoint or condition.endpoint in SOCKETS:
        return
    by = "DOCKER_HOST" if condition.variable else f"the context {condition.context}"
    told = f"the docker command speaks to {condition.endpoint}, as {by} says"
    if condition.endpoint.startswith("unix://"):
        yield Finding(patient.host, "endpoint", "ok", told)
        return
    undo = "unset DOCKER_HOST" if condition.variable else "say `docker context use default`"
    words = f"{undo}, or name that machine as the host, such as `hosts: {{NAME: ssh://root@ADDRESS}}`"
    more = "what a lab makes is there, and it is this machine that is looked at"
    yield Finding(patient.host, "endpoint", "problem", f"{told}: {more}", Remedy(words=words))


def _command(patient: Patient, engine: Engine) -> Iterator[Finding]:
    """Yield that a docker command is too old for the engine, which answers it nothing."""
    said = patient.condition.docker.removeprefix("Docker version ").partition(",")[0] if patient.condition else ""
    client = numbers(said)
    if engine.known and any(client) and engine.refuses_command(client):
        told = f"command {said} speaks an API that is too old for engine {engine}: nothing can be made with it"
        words = "install the command that comes with the engine (docker-ce-cli, docker-cli)"
        yield Finding(patient.host, "docker", "problem", told, Remedy(words=words))


def _concerned(fault: Fault, patient: Patient, case: Case | None) -> bool:
    """Tell whether a fault concerns a host, or the lab that is to be made there."""
    snapshot, lab = patient.snapshot or Snapshot(patient.host), case.lab if case is not None else None
    networks = list(lab.networks.values()) if lab is not None else []
    wide = [network for network in networks if network.driver == "overlay"]
    made = [network.options for network in snapshot.networks if network.driver == "overlay"]
    member = snapshot.swarm.state == "active"
    proxy = patient.facts is None or patient.facts.settings.userland_proxy
    return {
        "every": True,
        "internal": lab is None or any(network.internal for network in networks),
        "member": member,
        "swarm": member or bool(wide),
        "encrypted": any("encrypted" in options for options in (*made, *(each.driver_opts for each in wide))),
        "proxyless overlay": not proxy and (member or bool(wide)),
        "firewalld": patient.kernel is not None and _has_firewalld(patient.kernel),
    }[fault.concern]


def _has_firewalld(kernel: Machine) -> bool:
    """Tell whether firewalld has its tables on a host."""
    return any(chain.table == "firewalld" for chain in kernel.ground.ruleset.chains)
