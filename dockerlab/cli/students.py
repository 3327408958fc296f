"""What `up`, `down`, `status`, `grade`, `verify` and `explain` do for a class: with `--students`, or `--student`."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dockerlab.cli import loading
from dockerlab.cli import options as o
from dockerlab.cli.definitions import Given
from dockerlab.cli.finishing import removed
from dockerlab.cli.output import say, tell, width, write
from dockerlab.cli.places import HERE, Places, expected, placed
from dockerlab.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from dockerlab.provision.up import Wish
    from dockerlab.session import Session
    from dockerlab.students.course import Course
    from dockerlab.students.grades import Grade
    from dockerlab.students.instance import Instance
    from dockerlab.students.provision import Outcome
    from dockerlab.students.roster import Student


class GradeFormat(str, Enum):
    """How grades are printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    HTML = "html"
    JUNIT = "junit"


@contextmanager
def opened(
    lab: str, settings: Given | None, students: Collection[Student], where: Places, subnets: str | None
) -> Iterator[tuple[Course, Session]]:
    """Give the instances of a lab and the open hosts that they are on; raises what cannot be had, with its place."""
    from dockerlab.students import course

    source = course.source(subnets)
    definition = loading.definition_of(lab, settings, where)
    with where.open({} if where.named else definition.lab.addresses) as session:
        yield course.of_definition(definition, list(students), list(session.hosts), source), session


def up(
    lab: str,
    settings: Given | None,
    students: str,
    where: Places,
    subnets: str | None,
    wish: Wish,
    *,
    dry_run: bool,
    no_verify: bool,
    prober: o.ProberChoice,
    form: o.Format,
    output: Path | None,
    verbose: bool,
    may_join: bool,
) -> None:
    """Make an instance for each student, then grade them."""
    from dockerlab.cli.progress import reporting
    from dockerlab.identity import current
    from dockerlab.report.plans import described
    from dockerlab.students import grades, provision, refusals, roster
    from dockerlab.students.grading import grade_made

    form_of_grades = _grade_format(form)
    everybody = roster.read(students)
    with opened(lab, settings, everybody.students, where, subnets) as (course, session):
        joined = refusals.shared_swarm(course.lab, session.hosts)
        if joined is not None and not may_join:
            raise UsageError(f"{joined}. Where that is meant, call it with --allow-shared-swarm")
        if joined is not None:
            say(f"note: {joined}")
        if dry_run:
            who = current(course.lab.name)
            planned = provision.plan_up(course, who, session.hosts, session.controller, wish)
            tell(described(planned.whole), output)
            _say_failures(course, {identity: str(error) for identity, error in planned.failures.items()})
            raise typer.Exit(4 if planned.failures else 0)
        outcome = provision.bring_up(course, session.hosts, session.controller, wish, reporting(verbose=verbose))
        _say_outcome(course, outcome)
        found: list[Grade] = []
        if outcome.up and not no_verify and not outcome.interrupted:
            found = grade_made(course, outcome, session.hosts, prober.value)
            write(rendered(course.lab.name, found, form_of_grades, everybody.separator), output)
    if outcome.interrupted:
        raise Interrupted("stopped; the same command again goes on from here")
    if outcome.failures:
        raise typer.Exit(4)
    if found:
        raise typer.Exit(grades.worst(found))


@placed
def grade(
    lab: o.LabArgument,
    students: o.ClassOption,
    settings: o.SetOption = None,
    subnets: o.SubnetsOption = None,
    where: Places = HERE,
    prober: o.ProberOption = o.ProberChoice.AUTO,
    form: Annotated[GradeFormat, typer.Option("--format", help="How the grades are printed.")] = GradeFormat.TABLE,
    output: o.OutputOption = None,
) -> None:
    """Verify the instance of every student, and print a line for each."""
    from dockerlab.students import grades, roster
    from dockerlab.students.grading import grade as graded

    everybody = roster.read(students)
    with opened(lab, settings, everybody.students, where, subnets) as (course, session):
        found = graded(course, session.hosts, prober.value)
    write(rendered(course.lab.name, found, form, everybody.separator), output)
    if output is not None:
        say(grades.total(found))
    raise typer.Exit(grades.worst(found))


def rendered(lab: str, found: list[Grade], form: GradeFormat, separator: str) -> str:
    """Return grades in a format; `separator` is that of the roster, and of a sheet."""
    from dockerlab.students import as_csv, as_html, as_json, as_junit, as_table

    if form is GradeFormat.TABLE:
        return as_table.render(found, width())
    if form is GradeFormat.CSV:
        return as_csv.render(found, separator)
    formats = {GradeFormat.JSON: as_json.render, GradeFormat.HTML: as_html.render, GradeFormat.JUNIT: as_junit.render}
    return formats[form](lab, found)


def down(
    lab: str, students: str, hosts: Mapping[str, str | None], where: Places, *, everyone: bool, verbose: bool
) -> None:
    """Remove the instances of a class, look again, and say how much went."""
    from dockerlab.cli.progress import reporting
    from dockerlab.students import removal, roster

    ids = [each.id for each in roster.read(students).students]
    with where.open({} if where.named else hosts) as session:
        told = reporting(verbose=verbose)
        taken = removal.bring_down(lab, ids, session.hosts, told, everyone=everyone, may_restart=where.sandbox)
    removed(f"{lab}, {len(ids)} students", taken)


def status(lab: str, students: str, hosts: Mapping[str, str | None], where: Places, form: o.ListFormat) -> None:
    """List the instances of a class: who has how much of it, and where."""
    from dockerlab.hosts.attending import IN_A_CLASS
    from dockerlab.students import listing, roster
    from dockerlab.survey import survey

    everybody = roster.read(students).students
    with where.open({} if where.named else hosts) as session:
        found = survey(session.hosts, times=IN_A_CLASS)
    rows = listing.rows(found.answers, lab, everybody, datetime.now(timezone.utc))
    if form is o.ListFormat.JSON:
        write(json.dumps(rows, indent=2, ensure_ascii=False) + "\n", None)
    else:
        tell(listing.table(rows))
    where.say_failures(found.failures.values())
    if found.failures:
        raise typer.Exit(4)


def among(identity: str | None, students: str | None) -> Student | None:
    """Return the student whose ID is given, None where none is; raises UsageError where the class has no such one."""
    if identity is None and students is not None:
        raise UsageError("--students names the class of one --student here: add it, or see 'dockerlab grade --help'")
    if identity is None:
        return None
    from dockerlab.students import roster

    return roster.one(identity) if students is None else roster.read(students).one(identity)


@contextmanager
def instance_of(
    lab: str, settings: Given | None, student: Student, where: Places, subnets: str | None, *, known: bool
) -> Iterator[tuple[Instance, Session]]:
    """Give one student's instance, and the open hosts that it is on; raises UsageError for one who is in no class.

    Who is not `known` from a roster has to be on the hosts, where others of the class are.
    """
    from dataclasses import replace

    from dockerlab.students import refusals
    from dockerlab.survey import survey

    with opened(lab, settings, [student], where, subnets) as (course, session):
        (found,) = course.instances
        refused = None if known else refusals.of_nobody(found, survey(session.hosts, detail="none").answers)
        if refused is not None:
            raise UsageError(refused)
        yield found, replace(session, hosts={name: session.hosts[name] for name in found.lab.hosts})


def instance_by_names(lab: str, settings: Given | None, student: Student, subnets: str | None) -> Instance:
    """Return one student's instance on hosts that are called as in the definition; nothing is opened."""
    from dockerlab.students import course

    definition = loading.definition_of(lab, settings, expected())
    hosts = list(definition.lab.hosts)
    (found,) = course.of_definition(definition, [student], hosts, course.source(subnets)).instances
    return found


def _grade_format(form: o.Format) -> GradeFormat:
    """Return the format of grades that `up --format` means; raises UsageError where there is none."""
    try:
        return GradeFormat(form.value)
    except ValueError:
        known = ", ".join(each.value for each in o.Format if each.value in {grades.value for grades in GradeFormat})
        raise UsageError(
            f"--format {form.value} is for one lab; with --students write one of {known} ('dockerlab grade' has csv)"
        ) from None


def _say_failures(course: Course, failures: Mapping[str, str]) -> None:
    """Say why instances failed, once for all that failed alike."""
    names = {each.student.id: f"{each.student.id} ({each.student.name})" for each in course.instances}
    alike: dict[str, list[str]] = {}
    for identity, failure in failures.items():
        alike.setdefault(failure, []).append(names.get(identity, "what all students share"))
    for failure, who in alike.items():
        lines = failure.replace("\n", "\n  ")
        say(f"{', '.join(who)} failed:\n  {lines}")


def _say_outcome(course: Course, outcome: Outcome) -> None:
    """Say which instances failed and why, and how many are there."""
    _say_failures(course, outcome.failures)
    count = len(course.instances)
    changed = "" if outcome.changed else "no change: "
    say(f"{course.lab.name}: {changed}{len(outcome.up)} of {count} instances are up")
