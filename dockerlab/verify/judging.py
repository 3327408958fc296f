"""Labs judged as they are now: one run of the probers for all cells of all of them, and a report for each.

One lab is judged by `verify`, all instances of a class by grading: what is said of a lab is the same in both.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone

from dockerlab import engine
from dockerlab.errors import HostError
from dockerlab.hosts.base import Host
from dockerlab.lab.model import Lab
from dockerlab.plain import one_line
from dockerlab.probe.agents import AgentProber
from dockerlab.probe.base import FLAKY
from dockerlab.snapshot import Snapshot
from dockerlab.survey import Seen
from dockerlab.verify import image_checks
from dockerlab.verify.asking import Again, Asking, Choice, ask
from dockerlab.verify.attribution import attributed
from dockerlab.verify.causes import of_hosts
from dockerlab.verify.disturbance import disturbed, withdraw
from dockerlab.verify.of_lab import lab_suspects
from dockerlab.verify.promises import promises
from dockerlab.verify.swarms import torn_swarms
from dockerlab.verify.trial import Trial, trial
from dockerlab.verify.verdicts import (
    Checked,
    Report,
    judge_all,
)

NOBODY = "nobody"
"""Who asks on a host that could not be looked at."""

WHICH_FAILED = ", which failed"
"""What is said of an agent that did not get to the end."""


def judged(
    labs: Sequence[Lab], seen: Seen, hosts: Mapping[str, Host], prober: Choice = "auto", *, as_is: bool = False
) -> list[Report]:
    """Return a report for each lab, in their order; `seen` is a look just now at the hosts that they are on.

    With `as_is`, cells are held against what is predicted of the hosts as they are, and nothing is amiss with these.
    The cells of all labs are asked in one run, and `seconds` is how long that took. Raises AgentUnavailable where the
    agent is asked for and a host cannot run it, HostError where a host cannot be asked.
    """
    return judge_trials([trial(lab, seen, as_is=as_is) for lab in labs], hosts, Asking(prober))


def judge_trials(trials: Sequence[Trial], hosts: Mapping[str, Host], asking: Asking) -> list[Report]:
    """Return a report for each trial, as `judged` does; all are of one look at the hosts."""
    reports = []
    for each in attempted(trials, hosts, asking):
        if isinstance(each, HostError):
            raise each
        reports.append(each)
    return reports


def attempted(trials: Sequence[Trial], hosts: Mapping[str, Host], asking: Asking) -> list[Report | HostError]:
    """Return a report for each trial, as `judge_trials` does, or why there is none: that is no other lab's affair.

    What hosts say was through the gate before a report is made of it. So only a HostError is a host's failure; anything
    else that is raised is a fault of this program, and is left to end the call as one. Raises AgentUnavailable where
    the agent is asked for and a host cannot run it.
    """
    started = time.monotonic()
    spoken = ask(trials, hosts, asking) if trials else []
    seconds = time.monotonic() - started
    again = _meanwhile(trials, hosts, asking.look)
    made = datetime.now(timezone.utc)
    found: list[Report | HostError] = []
    for each, spoke in zip(trials, spoken, strict=True):
        if isinstance(spoke, HostError):
            found.append(spoke)
            continue
        try:
            report = _report(each, {name: hosts[name] for name in each.world.lab.hosts}, again)
        except HostError as error:
            found.append(error)
        else:
            found.append(replace(report, probers=_probers(each, report.engines, spoke), seconds=seconds, made=made))
    return found


def _probers(own: Trial, hosts: Iterable[str], spoke: str) -> dict[str, str]:
    """Return who asked on each host, in the words of every form of the report."""
    failed = own.failed if spoke == AgentProber.name else ()
    return {
        host: NOBODY if host in own.seen.silent else f"{spoke}{WHICH_FAILED}" if host in failed else spoke
        for host in hosts
    }


def late(report: Report) -> int:
    """Return how many cells of a lab that was just made may still come to be reachable, as is expected of them.

    A cell that is reachable against the expectation, that could not be told, or of which an object is not as the
    definition has it, is none: waiting does not mend it.
    """
    return sum(
        one.expected.reachable is True
        and (one.verdict == "fail" or one.observed.symptom == FLAKY)
        and (one.cause is None or one.cause.side != "lab")
        for one in report.cells
    )


def _meanwhile(trials: Sequence[Trial], hosts: Mapping[str, Host], look: Again) -> Mapping[str, Snapshot | HostError]:
    """Return what is on the hosts now that the cells were asked.

    Where every cell was reached as expected, nothing can have happened that matters: nobody is asked again.
    """
    before = {host: snapshot for each in trials for host, snapshot in each.seen.snapshots.items()}
    if all(each.reached for each in trials):
        return before
    there = dict.fromkeys(host for each in trials for host in each.told)
    names = [name for each in trials for name in each.world.lab.containers]
    return {**before, **look({name: hosts[name] for name in there}, names)}


def _report(own: Trial, hosts: Mapping[str, Host], again: Mapping[str, Snapshot | HostError]) -> Report:
    """Return the report of one lab on its hosts; `again` is what the second look found on these and others."""
    lab, world, before = own.world.lab, own.world, {name: own.seen.snapshots[name] for name in hosts}
    found = {name: again[name] for name in hosts}
    silent = {host: error for host, error in own.seen.silent.items() if host in hosts}
    blind = {host: f"{host} could not be looked at" for host in silent}
    events = disturbed(world, before, found)
    now = {**before, **{name: answer for name, answer in found.items() if isinstance(answer, Snapshot)}}
    cells = judge_all(own.rows, withdraw(own.rows, own.observed, world, {**events, **blind}), own.wanted.predicted)
    told = () if own.as_is else lab_suspects(world, own.seen.snapshots, own.seen.machines)
    suspects = [suspect for suspect in told if suspect.cause.host not in silent]
    cells = attributed(cells, suspects)
    if own.wanted.now is not None:
        cells = of_hosts(cells, world, own.wanted.now, suspects)
    torn = () if silent else torn_swarms(cells, world, now, hosts)
    unpredicted = [f"{why}; nothing is predicted there" for host, why in own.seen.unseen.items() if host in hosts]
    checks = (*promises(lab, own.seen, hosts), *image_checks.checks(lab, hosts))
    return Report(
        lab=lab.name,
        title=lab.title,
        cells=cells,
        causes=tuple(suspect.cause for suspect in suspects),
        engines={name: snapshot.engine_version for name, snapshot in before.items()},
        probers={},
        seconds=0.0,
        world=world,
        facts={name: own.seen.facts[name] for name in hosts},
        checks=tuple(_unless_silent(check, silent) for check in checks),
        ended=last_words(lab, hosts, now),
        disturbed=tuple(dict.fromkeys(events.values())),
        notes=(*map(str, silent.values()), *unpredicted, *own.wanted.notes, *dict.fromkeys(events.values()), *torn),
        silent=silent,
    )


def _unless_silent(check: Checked, silent: Mapping[str, HostError]) -> Checked:
    """Return a check, unknown where its host did not answer."""
    return replace(check, verdict="unknown", observed="could not be looked at") if check.host in silent else check


def last_words(lab: Lab, hosts: Mapping[str, Host], snapshots: Mapping[str, Snapshot]) -> tuple[str, ...]:
    """Return a paragraph for each container of the lab that has ended: how, what it said last, and what to look at."""
    told = []
    for name in lab.containers:
        host = lab.host_of(name)
        state = snapshots[host].container(name)
        if state is None or state.status != "exited" or (name in lab.jobs and state.exit_code == 0):
            continue
        try:
            lines = engine.logs(hosts[host], state.id, 5).splitlines() or ["(nothing)"]
        except HostError as error:
            lines = [f"(not to be read: {error})"]
        told.append(
            f"{host}: container {name} has ended (exit code {state.exit_code}); check its `command`. It said last:\n"
            + "\n".join("  " + one_line(line) for line in lines)
        )
    return tuple(told)
