"""Judgements on a host's Docker: the command, the rights, the engine."""

from __future__ import annotations

from collections.abc import Iterator

from dockerlab.doctor.advice import as_root, install, start_engine
from dockerlab.doctor.condition import Condition
from dockerlab.doctor.look import Patient
from dockerlab.errors import HostError
from dockerlab.finding import Finding, Remedy
from dockerlab.versions import OLDEST


def findings(patient: Patient) -> Iterator[Finding]:
    """Yield what there is to say of the docker command and the engine."""
    host, condition = patient.host, patient.condition
    if condition is not None and not condition.docker:
        remedy = install(patient.facts, condition, "docker")
        yield Finding(host, "docker", "problem", "the docker command was not found", remedy)
        if patient.silent is not None and not condition.socket:
            return  # there is no engine either, and the command comes with one
    if patient.silent is not None:
        yield _silent(patient, condition, patient.silent)
    if patient.snapshot is None:
        return
    client = condition.docker.removeprefix("Docker version ").partition(",")[0] if condition is not None else ""
    told = f"engine {patient.snapshot.engine_version}" + (f", command {client}" if client else "")
    if patient.snapshot.engine < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        words = f"dockerlab is tested with engines from {oldest} on: install a newer one"
        yield Finding(host, "engine", "warning", told, Remedy(words=words))
    else:
        yield Finding(host, "engine", "ok", told)


def _silent(patient: Patient, condition: Condition | None, why: HostError) -> Finding:
    """Return why an engine does not answer."""
    host, facts = patient.host, patient.facts
    told = str(why).removeprefix(f"{host}: ")
    if condition is None:
        return Finding(host, "engine", "problem", told)
    if condition.socket == "forbidden":
        user = condition.user or "USER"
        remedy = Remedy((as_root(facts, "usermod", "-aG", "docker", user),), f"and let {user} log in anew")
        return Finding(host, "engine", "problem", f"{user} may not use its socket /var/run/docker.sock", remedy)
    if not condition.engine or not condition.socket:
        words = "if it stops again, 'journalctl -u docker' says why" if condition.services == "systemd" else ""
        remedy = Remedy((start_engine(facts, condition),), words)
        return Finding(host, "engine", "problem", "it is not running", remedy)
    return Finding(host, "engine", "problem", told)
