"""The two pages of a class, with what does not change of them: the rest comes by events. And a page to keep."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from dockerlab.classroom.rows import Case
from dockerlab.classroom.state import Pupil
from dockerlab.exercise.model import Folder
from dockerlab.report.as_html import policy

FOLDER = Path(__file__).with_name("page")
ENVIRONMENT = Environment(
    loader=FileSystemLoader(FOLDER),
    autoescape=select_autoescape(["html.j2"], default=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def student(folder: Folder, pupil: Pupil, nonce: str) -> str:
    """Return a student's page; style sheets with this nonce are taken."""
    page = ENVIRONMENT.get_template("student.html.j2")
    return page.render(exercise=folder.id, title=folder.lab.title, name=pupil.name, nonce=nonce)


def teacher(folder: Folder, nonce: str) -> str:
    """Return the teacher's page; style sheets with this nonce are taken."""
    return ENVIRONMENT.get_template("teacher.html.j2").render(exercise=folder.id, title=folder.lab.title, nonce=nonce)


def sheet(
    folder: Folder, columns: Sequence[str], lines: Sequence[tuple[Sequence[str | int], Sequence[Case]]], at: str
) -> str:
    """Return a page of the whole class at a time, which needs nothing else: its policy lets it run nothing."""
    style = (FOLDER / "class.css").read_text(encoding="utf-8")
    page = ENVIRONMENT.get_template("sheet.html.j2")
    text: str = page.render(
        exercise=folder.id,
        title=folder.lab.title,
        at=at,
        columns=columns,
        lines=lines,
        policy=policy([], [style]),
        style=Markup(style),  # noqa: S704 - a file of this package
    )
    return text
