"""An examination: all hosts looked at, then everything judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from dockerlab import engine
from dockerlab.daemon import DaemonFile
from dockerlab.daemon.refusals import Place, refusals
from dockerlab.doctor import docker, lab, machine, packets, releases
from dockerlab.doctor.advice import install
from dockerlab.doctor.case import Case
from dockerlab.doctor.look import Patient, look
from dockerlab.errors import ConflictError, HostError
from dockerlab.finding import CONNECTION, Finding, Remedy
from dockerlab.hosts.base import Host
from dockerlab.identity import Identity
from dockerlab.lab.model import Lab
from dockerlab.modes.base import Wants
from dockerlab.plan.bringing_up import Situation, up
from dockerlab.plan.daemons import changes
from dockerlab.provision import images
from dockerlab.provision.restarts import restarted
from dockerlab.snapshot import Snapshot
from dockerlab.survey import Answers, Seen, settings

ENGINE_ALONE = Wants(forwarding=True)
"""What is wanted of a host without a lab: that docker0 works."""


def examine(
    hosts: Mapping[str, Host],
    controller: Host,
    definition: Lab | None = None,
    who: Identity | None = None,
    read: Callable[..., Snapshot] = engine.snapshot,
) -> list[Finding]:
    """Return what there is to say of the hosts, and of a lab on them, host by host; nothing is changed."""
    patients = look(hosts, definition.containers if definition is not None else (), read)
    if definition is None or who is None:
        return [finding for patient in patients.values() for finding in judge(patient)]
    seen = Seen(
        {name: patient.snapshot for name, patient in patients.items() if patient.snapshot is not None},
        {name: patient.facts for name, patient in patients.items() if patient.facts is not None},
    )
    told = settings({host: hosts[host] for host in definition.daemons if host in seen.snapshots and host in seen.facts})
    foreseen = restarted(definition, seen, told.answers)
    kernels = {name: patient.kernel for name, patient in patients.items() if patient.kernel is not None}
    case = Case(definition, who, foreseen.facts, foreseen.snapshots, kernels)
    found = [finding for patient in patients.values() for finding in judge(patient, case)]
    found += [*_daemons(case, seen, told), *_images(case, hosts, controller, patients)]
    found += _conflict(case, Situation(seen.snapshots, {}, told.answers))
    return sorted(found, key=lambda finding: [*hosts, ""].index(finding.host))


def judge(patient: Patient, case: Case | None = None) -> Iterator[Finding]:
    """Yield what there is to say of one host, and of a lab there; pure."""
    host = patient.host
    if patient.unreachable is not None:
        told = str(patient.unreachable).removeprefix(f"{host}: ")
        yield Finding(host, CONNECTION, "problem", told)
        return
    yield Finding(host, CONNECTION, "ok", f"commands run on {patient.where}")
    yield from docker.findings(patient)
    yield from releases.findings(patient, case)
    if patient.untold is not None:
        told = str(patient.untold).removeprefix(f"{host}: ")
        yield Finding(host, "machine", "unknown", told)
    yield from machine.findings(patient, case.wants(host) if case is not None else ENGINE_ALONE)
    yield from packets.findings(patient, case)
    yield from lab.findings(case, patient) if case is not None else machine.kernel(patient)


def _daemons(case: Case, seen: Seen, told: Answers[DaemonFile]) -> Iterator[Finding]:
    """Yield whether the engines whose settings the definition speaks of can have them."""
    for host, error in told.failures.items():
        yield Finding(host, "daemon", "unknown", str(error).removeprefix(f"{host}: "))
    due = changes(case.lab, case.who, told.answers)
    for host, file in told.answers.items():
        wrong = refusals(
            Place(file, seen.snapshots[host], seen.facts[host].ground), case.lab.daemons.get(host), case.who
        )
        yield from (Finding(host, "daemon", "problem", why) for why in wrong)
        if not wrong and host in due:
            told_so = "`up --allow-daemon-changes` changes the engine's settings, and restarts it"
            yield Finding(host, "daemon", "ok", told_so)
        elif not wrong:
            yield Finding(host, "daemon", "ok", "the engine has the settings that the lab wants")


def _conflict(case: Case, situation: Situation) -> Iterator[Finding]:
    """Yield why `up` would refuse the lab for what stands there: foreign names, Swarms that do not fit together."""
    if set(case.lab.hosts) - set(case.snapshots):
        return  # the hosts that have not told are findings themselves
    try:
        up(case.lab, case.who, situation)
    except ConflictError as error:
        yield Finding("", "conflict", "problem", " ".join(str(error).split()))
    else:
        yield Finding("", "conflict", "ok", "no name is taken by something that is not the lab's")


def _images(
    case: Case, hosts: Mapping[str, Host], controller: Host, patients: Mapping[str, Patient]
) -> Iterator[Finding]:
    """Yield where each image is, or where `up` gets it from."""
    snapshots = {host: case.snapshots.get(host, Snapshot(host)) for host in case.lab.hosts}
    due = images.bring(case.lab, hosts, snapshots, controller, "missing")
    for host in case.snapshots:
        missing = {image: command.argv[1] for (where, image), command in due.items() if where == host}
        used = {spec.image for spec in case.lab.on_host(host).values()} | case.lab.images_needed(host) | {images.NODE}
        made = {image for image in used if case.lab.built(image) is not None}
        if made:
            yield Finding(host, "image", "ok", f"{', '.join(sorted(made))}: `up` builds it")
        there = used - made
        if there - set(missing):
            yield Finding(host, "image", "ok", f"there: {', '.join(sorted(there - set(missing)))}")
        for image, way in missing.items():
            if way == "load":
                yield Finding(host, "image", "ok", f"{image}: `up` sends it from this machine")
            elif image == images.NODE:
                yield _node(hosts[host], controller, patients[host])
            else:
                told = f"{image}: not there, and not on this machine; whether a registry gives it is not known"
                yield Finding(host, "image", "unknown", told, Remedy((("docker", "pull", image),)))


def _node(host: Host, controller: Host, patient: Patient) -> Finding:
    """Return where the node image's one program comes from."""
    try:
        program = images.busybox_at_hand(host, controller)
    except HostError as error:
        return Finding(host.name, "image", "unknown", f"{images.NODE}: {error}")
    if program is not None:
        return Finding(host.name, "image", "ok", f"{images.NODE}: `up` makes it from a static busybox")
    told = f"{images.NODE}: no static busybox here or there; whether a registry gives one is not known"
    condition = patient.condition
    remedy = install(patient.facts, condition, "busybox-static") if condition is not None else Remedy()
    return Finding(host.name, "image", "unknown", told, remedy)
