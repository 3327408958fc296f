"""The two pages of a class, with what does not change of them: the rest comes by events."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from dockerlab.classroom.state import Pupil
from dockerlab.exercise.model import Folder

ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("page")),
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
