"""All instances of a class verified, those on different hosts each for themselves, so that no host delays another's.

Instances that share a host are of one group: its hosts are looked at once, and one run of the probers asks all cells.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial

from dockerlab.errors import HostError
from dockerlab.hosts.attending import TIMES, Times, attended
from dockerlab.hosts.base import Host
from dockerlab.hosts.guests import Guest, invited
from dockerlab.hosts.together import begun
from dockerlab.probe.agent_session import AgentUnavailable
from dockerlab.probe.agents import Kernels
from dockerlab.students.course import Course
from dockerlab.students.grades import Grade
from dockerlab.students.instance import Instance
from dockerlab.students.provision import Outcome
from dockerlab.survey import look_where_told
from dockerlab.verify import Report
from dockerlab.verify.asking import Asking, Choice
from dockerlab.verify.judging import attempted, late
from dockerlab.verify.on_hosts import SETTLING
from dockerlab.verify.trial import trial


def ignore(_: object) -> None:
    """Do nothing."""


Told = dict[str, "Report | HostError"]
"""The report of each instance by its ID, or why it has none."""


def grade(
    course: Course,
    hosts: Mapping[str, Host],
    prober: Choice = "auto",
    early: Callable[[list[Grade]], None] = ignore,
    times: Times = TIMES,
) -> list[Grade]:
    """Return the grade of every instance, in the roster's order.

    One on a host that does not answer gets none, but the reason; the others are graded all the same. Where some are
    waited for, and how long is for `attended` to say by `times`, `early` is given the grades of the others. Raises
    AgentUnavailable where the agent is asked for and a host cannot run it.
    """
    guests = invited({host: hosts[host] for each in course.instances for host in each.lab.hosts})
    kernels, groups = Kernels(len(guests)), apart(course.instances)
    running = {begun(partial(_graded, group, guests, prober, kernels), "grade"): group for group in groups}

    at = {each: [guests[h] for one in group for h in one.lab.hosts] for each, group in running.items()}

    def grades(done: Iterable[Future[Told]]) -> list[Grade]:
        told: Told = {}
        for each in done:
            told |= _outcome(each, running[each], guests)
        return [_grade(each, told[each.student.id]) for each in course.instances if each.student.id in told]

    attended(at, times, lambda: early(grades([each for each in running if each.done()])))
    return grades(running)


def apart(instances: Sequence[Instance]) -> list[list[Instance]]:
    """Return the instances in groups of those that share hosts, as few in each as can be, in their order."""
    groups: list[list[Instance]] = []
    for each in instances:
        beside = [group for group in groups if any(other.lab.hosts.keys() & each.lab.hosts.keys() for other in group)]
        groups = [group for group in groups if group not in beside]
        groups.append([*(one for group in beside for one in group), each])
    return groups


def _outcome(done: Future[Told], group: Sequence[Instance], guests: Mapping[str, Guest]) -> Told:
    """Return the reports of a group, or why it has none; raises AgentUnavailable, and what is a fault of our own."""
    if not done.done():
        why = "what was read there takes too long to be judged, and the others long are"
        return {each.student.id: HostError(", ".join(each.lab.hosts), why) for each in group}
    error = done.exception()
    if not isinstance(error, HostError) or isinstance(error, AgentUnavailable):
        return done.result()
    # Each is told what its own hosts failed by, where they did.
    failed = {each.student.id: [guests[host].failed for host in each.lab.hosts] for each in group}
    return {name: next((why for why in of_hosts if why is not None), error) for name, of_hosts in failed.items()}


def _graded(group: Sequence[Instance], guests: Mapping[str, Guest], prober: Choice, kernels: Kernels) -> Told:
    """Return the reports of a group, or why single ones of them have none."""
    hosts = {host: guests[host] for each in group for host in each.lab.hosts}
    names = {name for each in group for name in (*each.lab.containers, *each.lab.networks)}
    seen, silent = look_where_told(hosts, names, kernels="all")
    told: Told = {
        each.student.id: error
        for each in group
        if (error := next((silent[host] for host in each.lab.hosts if host in silent), None)) is not None
    }
    trials = {
        each.student.id: trial(each.lab, seen.on(each.lab.hosts)) for each in group if each.student.id not in told
    }
    found = attempted(list(trials.values()), hosts, Asking(prober, kernels=kernels))
    return told | dict(zip(trials, found, strict=True))


def _grade(instance: Instance, told: Report | HostError) -> Grade:
    """Return the grade of an instance by its report, or without one by what kept it away."""
    if isinstance(told, HostError):
        return Grade(instance, None, str(told))
    return Grade(instance, replace(told, instance=instance.student.id))


def grade_made(course: Course, outcome: Outcome, hosts: Mapping[str, Host], prober: Choice = "auto") -> list[Grade]:
    """Return a grade for every instance after an `up`, in the roster's order: of one that is not there, why."""
    there = tuple(each for each in course.instances if each.student.id in outcome.up)
    graded = {each.student.id: each for each in grade_new(replace(course, instances=there), hosts, prober)}
    return [
        graded.get(each.student.id) or Grade(each, None, outcome.failures.get(each.student.id, "is not there"))
        for each in course.instances
    ]


def grade_new(course: Course, hosts: Mapping[str, Host], prober: Choice = "auto") -> list[Grade]:
    """Return the grades of instances that were just made: asked again for a while where something is not there yet."""
    deadline = time.monotonic() + SETTLING
    hosts = invited(hosts)
    grades = grade(course, hosts, prober)
    while time.monotonic() < deadline and any(_late(each) for each in grades):
        time.sleep(0.5)
        late_ones = tuple(each.instance for each in grades if _late(each))
        again = {each.student.id: each for each in grade(replace(course, instances=late_ones), hosts, prober)}
        grades = [again.get(each.student.id, each) for each in grades]
    return grades


def _late(grade: Grade) -> bool:
    """Tell whether something of a new instance may still come to be reachable."""
    return grade.report is not None and bool(late(grade.report) or grade.report.disturbed)
