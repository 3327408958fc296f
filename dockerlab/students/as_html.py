"""Grades as one page that needs nothing else: a table of the students, and below it what is amiss with each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from dockerlab.plain import for_terminal
from dockerlab.report.as_html import FOLDER as REPORT
from dockerlab.report.as_html import policy
from dockerlab.students.as_json import document
from dockerlab.students.grades import Grade, attested, not_charged, total, worst

FOLDER = Path(__file__).with_name("html")

FEW = 50
"""So many cells of one student stand in the page."""


def render(lab: str, grades: Sequence[Grade]) -> str:
    """Return the grades as an HTML document; every value is text in it, and its policy lets it load and run nothing."""
    style = "\n".join(path.read_text(encoding="utf-8") for path in (REPORT / "page.css", FOLDER / "grades.css"))
    made = [grade.report.made for grade in grades if grade.report is not None and grade.report.made is not None]
    page: str = (
        Environment(
            loader=FileSystemLoader(FOLDER),
            autoescape=select_autoescape(["html.j2"], default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        .get_template("grades.html.j2")
        .render(
            lab=lab,
            title=next((grade.instance.lab.title for grade in grades), ""),
            policy=policy([], [style]),
            style=Markup(style),  # noqa: S704 - files of this package
            total=total(grades),
            attested=attested(grades),
            not_charged=not_charged(grades),
            outcome={0: "pass", 1: "fail"}.get(worst(grades), "unknown"),
            made=max(made, default=None),
            more=list(dict.fromkeys(key for grade in grades for key in grade.student.more)),
            grades=[_row(grade) for grade in grades],
            few=FEW,
        )
    )
    return for_terminal(page)


def _row(grade: Grade) -> dict[str, Any]:
    """Return what the template shows of a grade, with the lab's own names of containers."""
    rows = [
        {key: grade.instance.short(value) if isinstance(value, str) else value for key, value in cell.items()}
        for cell in document(grade)["amiss"]
    ]
    return {
        "student": {"id": grade.student.id, "name": grade.student.name, "more": grade.student.more},
        "hosts": grade.hosts,
        "counts": grade.counts,
        "outcome": grade.outcome,
        "problem": grade.problem,
        "amiss": grade.amiss,
        "wrong": [(grade.instance.short(str(cause)), grade.instance.short(cause.undo), n) for cause, n in grade.wrong],
        "report": grade.report,
        "rows": rows,
    }
