"""All instances of a class verified: the hosts looked at once, and one run of the probers for all cells of all."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from dockerlab.drift import differences
from dockerlab.errors import HostError
from dockerlab.hosts.base import Host
from dockerlab.probe.agents import AgentProber, AgentUnavailable
from dockerlab.probe.base import FLAKY, Observation, Prober
from dockerlab.probe.portable import PortableProber
from dockerlab.reach import Cell, Expectation, World, build_world, matrix
from dockerlab.reach.overrides import override
from dockerlab.snapshot import Snapshot
from dockerlab.students.course import Course, look
from dockerlab.students.grades import Grade
from dockerlab.students.instance import Instance
from dockerlab.survey import Seen, look_again
from dockerlab.verify import Report, held, image_checks, judge_all, observe, questions
from dockerlab.verify.disturbance import disturbed, withdraw
from dockerlab.verify.on_hosts import SETTLING, Choice, last_words, left_behind


@dataclass
class Paper:
    """One student's matrix on the way to its verdicts."""

    instance: Instance
    world: World
    rows: list[tuple[Cell, Expectation]]
    notes: list[str]
    seen: Seen
    observed: list[Observation] | None = None

    @property
    def cells(self) -> list[Cell]:
        """Return what is asked."""
        return [cell for cell, _ in self.rows]

    @property
    def expected(self) -> list[Expectation]:
        """Return what is expected of each cell."""
        return [expectation for _, expectation in self.rows]


def grade(course: Course, hosts: Mapping[str, Host], prober: Choice = "auto") -> list[Grade]:
    """Return the grade of every instance, in the roster's order.

    One on a host that does not answer gets none, but the reason; the others are graded all the same.
    """
    seen, silent = look({host: hosts[host] for host in course.hosts}, course.names)
    papers: dict[str, Paper] = {}
    errors: dict[str, HostError] = {}
    for each in course.instances:
        gone = [silent[host] for host in each.lab.hosts if host in silent]
        if gone:
            errors[each.student.id] = gone[0]
            continue
        papers[each.student.id] = paper(each, seen)
    started = time.monotonic()
    spoke = _probe(list(papers.values()), hosts, prober)
    seconds = time.monotonic() - started
    again = look_again({host: hosts[host] for host in seen.snapshots}, course.names)
    made = datetime.now(timezone.utc)
    grades = []
    for each in course.instances:
        own = papers.get(each.student.id)
        if own is None:
            grades.append(Grade(each, None, str(errors[each.student.id])))
            continue
        report = _report(own, hosts, spoke, again)
        grades.append(Grade(each, replace(report, seconds=seconds, made=made)))
    return grades


def grade_new(course: Course, hosts: Mapping[str, Host], prober: Choice = "auto") -> list[Grade]:
    """Return the grades of instances that were just made: asked again for a while where something is not there yet."""
    deadline = time.monotonic() + SETTLING
    grades = grade(course, hosts, prober)
    while time.monotonic() < deadline and any(_late(each) for each in grades):
        time.sleep(0.5)
        late = tuple(each.instance for each in grades if _late(each))
        again = {each.student.id: each for each in grade(replace(course, instances=late), hosts, prober)}
        grades = [again.get(each.student.id, each) for each in grades]
    return grades


def _late(grade: Grade) -> bool:
    """Tell whether something of a new instance may still come to be reachable."""
    cells = grade.report.cells if grade.report is not None else ()
    disturbed = grade.report is not None and bool(grade.report.disturbed)
    return disturbed or any(
        judged.expected.reachable is True and (judged.verdict == "fail" or judged.observed.symptom == FLAKY)
        for judged in cells
    )


def paper(instance: Instance, seen: Seen) -> Paper:
    """Return what is asked of an instance, and what is expected of it."""
    world = build_world(instance.lab, seen.facts, seen.snapshots)
    rows, notes = override(matrix(world), instance.lab.expect)
    return Paper(instance, world, rows, notes, seen)


def _probe(papers: Sequence[Paper], hosts: Mapping[str, Host], choice: Choice) -> str:
    """Have every cell observed, and return the name of the prober that spoke."""
    agent = AgentProber(hosts)
    if choice != "portable":
        try:
            all_at_once(papers, agent)
        except AgentUnavailable:
            if choice == "agent":
                raise
        else:
            return agent.name
    for each in papers:
        portable = PortableProber(hosts, each.world.lab.name, held=held(each.world, each.seen.snapshots))
        each.observed = observe(each.cells, each.world, each.seen.snapshots, portable)
    return PortableProber.name


def all_at_once(papers: Sequence[Paper], prober: Prober) -> None:
    """Have the cells of all instances observed in one run: it takes as long as that of one.

    The agents pace themselves below the limits of the machines' neighbour tables, whoever's cells they are.
    """
    asked, first = [], 0
    for paper in papers:
        untold, askable = questions(paper.cells, paper.world, paper.seen.snapshots, paper.expected)
        paper.observed = [untold.get(n, Observation("unknown")) for n in range(len(paper.rows))]
        asked += [(paper, each.number, replace(each, number=first + at)) for at, each in enumerate(askable)]
        first += len(askable)
    answers = prober.observe([cell for _, _, cell in asked])
    missing = Observation("unknown", detail="the prober gave no answer for this cell")
    for paper, number, cell in asked:
        if paper.observed is not None:
            paper.observed[number] = answers.get(cell.number, missing)


def _report(paper: Paper, hosts: Mapping[str, Host], spoke: str, again: Mapping[str, Snapshot | HostError]) -> Report:
    """Return the report of one instance, judged."""
    lab, world, before = paper.instance.lab, paper.world, paper.seen.snapshots
    own = {host: again[host] for host in lab.hosts}
    events = disturbed(world, before, own)
    now = {**before, **{host: answer for host, answer in own.items() if isinstance(answer, Snapshot)}}
    observed = withdraw(paper.rows, paper.observed or [], world, events)
    return Report(
        lab=lab.name,
        title=lab.title,
        cells=judge_all(paper.rows, observed),
        engines={host: before[host].engine_version for host in lab.hosts},
        probers=dict.fromkeys(lab.hosts, spoke),
        seconds=0.0,
        instance=paper.instance.student.id,
        world=world,
        ended=last_words(lab, hosts, now),
        disturbed=tuple(dict.fromkeys(events.values())),
        checks=tuple(image_checks.checks(lab, {host: hosts[host] for host in lab.hosts})) if lab.images else (),
        notes=(
            *paper.notes,
            *dict.fromkeys(events.values()),
            *(str(each) for each in differences(lab, now) if each.how == "other"),
            *left_behind(lab, now),
        ),
    )
