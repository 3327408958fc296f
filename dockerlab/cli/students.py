"""What `up`, `down`, `status`, `grade`, `verify` and `explain` do for a class: with `--students`, or `--student`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timezone
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dockerlab.cli import options as o
from dockerlab.errors import DefinitionError, HostError, Interrupted, UsageError

if TYPE_CHECKING:
    from dockerlab.plan import Plan
    from dockerlab.provision.up import Wish
    from dockerlab.session import Session, Whereabouts
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
    lab: str, settings: list[str] | None, students: Collection[Student], where: Whereabouts, subnets: str | None
) -> Iterator[tuple[Course, Session]]:
    """Give the instances of a lab and the open hosts that they are on; raises what cannot be had, with its place."""
    from dockerlab.session import open_session
    from dockerlab.students import course

    source = course.source(subnets)
    definition = o.definition_of(lab, settings)
    names = {} if where.sandbox or where.inventory is not None else definition.lab.addresses
    with open_session(names, where, o.say) as session:
        arranged, problems = course.arranged(definition.lab, list(students), list(session.hosts), source)
        if problems:
            raise DefinitionError(definition.locate(problems))
        yield arranged, session


def up(
    lab: str,
    settings: list[str] | None,
    students: str,
    where: Whereabouts,
    subnets: str | None,
    wish: Wish,
    *,
    dry_run: bool,
    keep_failed: bool,
    no_verify: bool,
    prober: o.ProberChoice,
    form: o.Format,
    output: Path | None,
    verbose: bool,
) -> None:
    """Make an instance for each student, then grade them."""
    from dockerlab.cli.progress import Progress
    from dockerlab.cli.up import described
    from dockerlab.identity import CLASS, current
    from dockerlab.lock import lock_name, locked
    from dockerlab.provision.execute import WhileLocked
    from dockerlab.provision.up import Wish as Again
    from dockerlab.students import grades, provision, roster
    from dockerlab.students.grading import grade_new

    form_of_grades = _grade_format(form)
    everybody = roster.read(students)
    with opened(lab, settings, everybody, where, subnets) as (course, session):
        who = current(course.lab.name)
        if dry_run:
            planned = provision.plan_up(course, who, session.hosts, session.controller, wish)
            o.write(described(planned.whole), output)
            _say_failures(course, {identity: str(error) for identity, error in planned.failures.items()})
            raise typer.Exit(4 if planned.failures else 0)
        with locked(session.hosts, [lock_name(who.lab, CLASS)]) as locks:
            planned = provision.plan_up(course, who, session.hosts, session.controller, wish, locks)
            with closing(Progress(len(planned.whole.steps), verbose=verbose)) as shown:
                outcome = provision.carry_out(
                    planned,
                    lambda: provision.plan_up(course, who, session.hosts, session.controller, Again()),
                    session.hosts,
                    WhileLocked(shown, locks),
                    keep_failed=keep_failed,
                )
        _say_outcome(course, outcome)
        found: list[Grade] = []
        if outcome.up and not no_verify and not outcome.interrupted:
            there = tuple(each for each in course.instances if each.student.id in outcome.up)
            graded = grade_new(_part(course, there), session.hosts, prober.value)
            by_id = {grade.student.id: grade for grade in graded}
            absent = outcome.failures
            found = [
                by_id.get(each.student.id) or grades.Grade(each, None, absent.get(each.student.id, "is not there"))
                for each in course.instances
            ]
            o.write(rendered(course.lab.name, found, form_of_grades), output)
    if outcome.interrupted:
        raise Interrupted("stopped; the same command again goes on from here")
    if outcome.failures:
        raise typer.Exit(4)
    if found:
        raise typer.Exit(grades.worst(found))


def grade(
    lab: o.LabArgument,
    students: o.ClassOption,
    settings: o.SetOption = None,
    subnets: o.SubnetsOption = None,
    sandbox: o.SandboxOption = False,
    inventory: o.InventoryOption = None,
    accept_new_host_keys: o.AcceptOption = False,
    prober: o.ProberOption = o.ProberChoice.AUTO,
    form: Annotated[GradeFormat, typer.Option("--format", help="How the grades are printed.")] = GradeFormat.TABLE,
    output: o.OutputOption = None,
) -> None:
    """Verify the instance of every student, and print a line for each."""
    from dockerlab.students import grades, roster
    from dockerlab.students.grading import grade as graded

    where = o.whereabouts(sandbox, inventory, accept_new_host_keys)
    with opened(lab, settings, roster.read(students), where, subnets) as (course, session):
        found = graded(course, session.hosts, prober.value)
    o.write(rendered(course.lab.name, found, form), output)
    if output is not None:
        o.say(grades.total(found))
    raise typer.Exit(grades.worst(found))


def rendered(lab: str, found: list[Grade], form: GradeFormat) -> str:
    """Return grades in a format."""
    from dockerlab.students import as_csv, as_html, as_json, as_junit, as_table

    if form is GradeFormat.TABLE:
        return as_table.render(found, shutil.get_terminal_size((140, 24)).columns)
    if form is GradeFormat.CSV:
        return as_csv.render(found)
    formats = {GradeFormat.JSON: as_json.render, GradeFormat.HTML: as_html.render, GradeFormat.JUNIT: as_junit.render}
    return formats[form](lab, found)


def down(
    lab: str, students: str, hosts: Mapping[str, str | None], where: Whereabouts, *, everyone: bool, verbose: bool
) -> None:
    """Remove the instances of a class, look again, and say how much went."""
    from dockerlab.cli.progress import Progress
    from dockerlab.identity import CLASS
    from dockerlab.lock import lock_name, locked
    from dockerlab.provision import proof
    from dockerlab.provision.down import take_down
    from dockerlab.provision.execute import WhileLocked
    from dockerlab.session import open_session
    from dockerlab.students import removal, roster

    ids = [each.id for each in roster.read(students)]
    names = {} if where.sandbox or where.inventory is not None else hosts
    with (
        open_session(names, where, o.say) as session,
        locked(session.hosts, [lock_name(lab, CLASS)]) as locks,
    ):
        leaving = removal.plan_down(lab, ids, session.hosts, locks, everyone=everyone)
        wanted = leaving.removal.plan
        with closing(Progress(len(wanted.steps), verbose=verbose)) as progress:
            take_down(wanted, session.hosts, WhileLocked(progress, locks), may_restart=where.sandbox)
        answering = {name: host for name, host in session.hosts.items() if name not in leaving.removal.failures}
        left = proof.left(answering, leaving.removal.ours, leaving.removal.bridges)
    for note in wanted.notes:
        o.say(note)
    if leaving.others:
        o.say(f"not in the roster, and so they stay: {', '.join(leaving.others)}")
    say_removed(f"{lab}, {len(ids)} students", [wanted], left, list(answering))
    end_of_down(leaving.removal.failures)
    if wanted.notes or left:
        raise typer.Exit(1)


def say_removed(what: str, removed: Sequence[Plan], left: Sequence[str] | None, hosts: Sequence[str]) -> None:
    """Say how much went from the hosts that answered, and what a second look has found; None where there was none."""
    from dockerlab.provision import proof

    count = sum(len(plan.changes) for plan in removed)
    if left:
        o.say("looked again, and there is still:\n" + "\n".join(f"  {line}" for line in left))
    elif left is not None and count and hosts:
        o.say(f"removed {proof.counted(removed)}; looked again: nothing is left on {', '.join(hosts)}")
    if count or hosts:
        o.say(f"{what}: {count} removed" if count else f"{what}: nothing to remove on {', '.join(hosts)}")


def end_of_down(failures: Mapping[str, HostError], left: Collection[str] = ()) -> None:
    """Raise HostError where hosts did not answer a `down`; `left` says what they may still have."""
    if failures:
        lines = "\n".join(f"  {line}" for line in (*failures.values(), *left))
        raise HostError(", ".join(failures), f"not cleaned; run down again when it answers:\n{lines}")


def status(lab: str, students: str, hosts: Mapping[str, str | None], where: Whereabouts, form: o.ListFormat) -> None:
    """List the instances of a class: who has how much of it, and where."""
    from dockerlab.session import open_session
    from dockerlab.students import listing, roster
    from dockerlab.survey import survey

    everybody = roster.read(students)
    names = {} if where.sandbox or where.inventory is not None else hosts
    with open_session(names, where, o.say) as session:
        found = survey(session.hosts)
    rows = listing.rows(found.answers, lab, everybody, datetime.now(timezone.utc))
    o.write(
        json.dumps(rows, indent=2, ensure_ascii=False) + "\n" if form is o.ListFormat.JSON else listing.table(rows),
        None,
    )
    for error in found.failures.values():
        o.say(str(error))
    if found.failures:
        raise typer.Exit(4)


@contextmanager
def instance_of(
    lab: str, settings: list[str] | None, identity: str, where: Whereabouts, subnets: str | None
) -> Iterator[tuple[Instance, Session]]:
    """Give one student's instance, known by its ID alone, and the open hosts that it is on."""
    from dataclasses import replace

    from dockerlab.students import roster

    with opened(lab, settings, [roster.one(identity)], where, subnets) as (course, session):
        (found,) = course.instances
        yield found, replace(session, hosts={name: session.hosts[name] for name in found.lab.hosts})


def instance_by_names(lab: str, settings: list[str] | None, identity: str, subnets: str | None) -> Instance:
    """Return one student's instance on hosts that are called as in the definition; nothing is opened."""
    from dockerlab.students import course, roster

    definition = o.definition_of(lab, settings)
    names = list(definition.lab.hosts)
    arranged, problems = course.arranged(definition.lab, [roster.one(identity)], names, course.source(subnets))
    if problems:
        raise DefinitionError(definition.locate(problems))
    (found,) = arranged.instances
    return found


def _part(course: Course, instances: tuple[Instance, ...]) -> Course:
    from dataclasses import replace

    return replace(course, instances=instances)


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
        o.say(f"{', '.join(who)} failed:\n  {lines}")


def _say_outcome(course: Course, outcome: Outcome) -> None:
    """Say which instances failed and why, and how many are there."""
    _say_failures(course, outcome.failures)
    count = len(course.instances)
    changed = "" if outcome.changed else "no change: "
    o.say(f"{course.lab.name}: {changed}{len(outcome.up)} of {count} instances are up")
