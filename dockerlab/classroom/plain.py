"""`python -m dockerlab.classroom.plain made|empty|grade LAB`, run in a place: a lab that is no exercise.

It is begun once: made, or for the student to type, with nothing there but its images. A check is its grade: all of its
cells, and what is not as the definition has it, by cause, and never with what would put it right.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from dockerlab import modes
from dockerlab.classroom.shown import shown
from dockerlab.errors import DockerlabError
from dockerlab.exercise import course, progress
from dockerlab.exercise.model import Exercise, Folder
from dockerlab.lab.model import Lab
from dockerlab.lab.naming import with_local_called
from dockerlab.provision.reporting import silently
from dockerlab.sandbox.layout import host_name
from dockerlab.session import Whereabouts, open_session
from dockerlab.students.grades import Grade, of_hosts
from dockerlab.students.instance import Instance
from dockerlab.students.roster import Student
from dockerlab.verify import Report, how_many, on_hosts

BEGUN = "class-lab"
"""The file in a place by which it is known that the lab was begun there: what a student made is not made again."""


def folder_of(path: Path) -> Folder:
    """Return a lab as an exercise without steps, whose folder is the definition itself; raises DefinitionError."""
    lab = modes.definition(path).lab
    lab = with_local_called(lab, next(name for name in map(host_name, count()) if name not in lab.hosts))
    return Folder(lab.name, path.resolve(), lab, Exercise(steps=()), "", ())


def begin(folder: Folder, *, empty: bool) -> str:
    """Make a lab in this place, or bring its images alone, unless that was done; return what was done."""
    mark = progress.directory().parent / BEGUN
    if mark.exists():
        return "it goes on"
    make = course.bring_images if empty else course.make
    with open_session(folder.lab.addresses, Whereabouts(sandbox=True), lambda _: None) as session:
        make(folder, session, silently, f"dockerlab down {folder.lab.name} --sandbox")
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.write_text(f"{folder.path}\n")
    return "nothing is made yet" if empty else "it is made"


def graded(lab: Lab, report: Report) -> dict[str, Any]:
    """Return the grade of a lab as the page shows it: outcome, percent (None: of no cells), and what there is to say.

    The percentage is of the cells that are charged; 100 only where all of them pass.
    """
    grade = Grade(Instance(Student(1, "", ""), lab), report)
    cells = sum(grade.counts.values())
    percent = 100 * grade.counts["pass"] // cells if cells else None
    return {"outcome": grade.outcome, "percent": percent, "text": "\n".join(_told(grade, percent))}


def _told(grade: Grade, percent: int | None) -> Iterator[str]:
    counts = grade.counts
    yield f"{'no cell can be told' if percent is None else f'{percent} %'}: " + ", ".join(
        f"{count} {verdict}" for verdict, count in counts.items()
    )
    for cause, cells in grade.wrong:
        yield f"FAIL    {cause}: {how_many(cells)}"
    if not grade.wrong and grade.outcome != "pass":
        yield f"        {grade.problem}"
    yield from (f"not charged: {cause}: {how_many(cells)}" for cause, cells in of_hosts([grade]))


def main(what: str, path: str) -> str:
    """Return what there is to say, of a grade as a line of JSON; raises DockerlabError."""
    folder = folder_of(Path(path))
    if what != "grade":
        return begin(folder, empty=what == "empty")
    with open_session(folder.lab.addresses, Whereabouts(sandbox=True), lambda _: None) as session:
        report = on_hosts.verify(folder.lab, session.hosts)
    return json.dumps({**shown(report), "grade": graded(folder.lab, report)}, ensure_ascii=False)


if __name__ == "__main__":
    try:
        sys.stdout.write(main(*sys.argv[1:]) + "\n")
    except DockerlabError as error:
        sys.exit(f"dockerlab: {error}")
