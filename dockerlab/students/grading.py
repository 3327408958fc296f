"""All instances of a class verified: the hosts looked at once, and one run of the probers for all cells of all."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from dockerlab.errors import HostError
from dockerlab.hosts.base import Host
from dockerlab.students.course import Course
from dockerlab.students.grades import Grade
from dockerlab.students.instance import Instance
from dockerlab.students.provision import Outcome
from dockerlab.survey import look_where_told
from dockerlab.verify import Report
from dockerlab.verify.judging import Asking, Choice, Trial, attempted, late, trial
from dockerlab.verify.on_hosts import SETTLING


def grade(course: Course, hosts: Mapping[str, Host], prober: Choice = "auto") -> list[Grade]:
    """Return the grade of every instance, in the roster's order.

    One on a host that does not answer gets none, but the reason; the others are graded all the same.
    """
    seen, silent = look_where_told({host: hosts[host] for host in course.hosts}, course.names, kernels="all")
    gone = {
        each.student.id: error
        for each in course.instances
        if (error := next((silent[host] for host in each.lab.hosts if host in silent), None)) is not None
    }
    trials: dict[str, Trial] = {}
    for each in course.instances:
        if each.student.id not in gone:
            try:
                trials[each.student.id] = trial(each.lab, seen.on(each.lab.hosts))
            except HostError as error:
                gone[each.student.id] = error
    told = dict(zip(trials, attempted(list(trials.values()), hosts, Asking(prober)), strict=True))
    return [_grade(each, gone.get(each.student.id) or told[each.student.id]) for each in course.instances]


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
