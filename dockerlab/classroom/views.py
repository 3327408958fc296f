"""What the pages show of a class, as plain values. Pure."""

from __future__ import annotations

from functools import lru_cache
from html import escape
from typing import Any

from markdown_it import MarkdownIt

from dockerlab.classroom.room import Room
from dockerlab.classroom.state import Pupil

MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["image", "link", "autolink"])
"""Text, lists, code and tables. No HTML of the text's own, nothing that is loaded, and no way to another page."""


LONGEST = 30_000
"""Characters of a definition that are shown."""

FIND = "Something in your lab is broken. Find the cause and mend it, then check."
FIND_SEVERAL = "{} things in your lab are broken. Find the causes and mend them, then check."
FIND_WHETHER = (
    "Something in your lab may be broken, or nothing. Find out which; find the cause and mend it, then check."
)


def of_student(room: Room, student: str) -> dict[str, Any]:
    """Return what a student's own page shows: of what is broken in his lab, no more than that there is something."""
    pupil = room.standing.pupils[student]
    shut, last = room.shut(student), pupil.last
    return {
        "version": room.version,
        "name": pupil.name,
        "step": pupil.step,
        "steps": len(room.folder.exercise.steps),
        **_work(room, pupil, shut),
        "hints": [] if shut else list(room.hints(student)),
        "shut": shut,
        "until": room.standing.until,
        "busy": student in room.busy,
        "looking": student in room.looking,
        "seen": room.seen[student].number if student in room.seen else -1,
        "last": None if last is None else {"at": last.at, "verdict": last.verdict, "text": last.text},
        "messages": [list(each) for each in pupil.messages],
        "handed_in": pupil.handed_in,
        "problem": pupil.problem,
        "fault": pupil.fault is not None,
        "maybe": pupil.fault is not None and pupil.fault.maybe,
        "found": pupil.found,
        "percent": pupil.percent,
        "may_break": room.standing.may_break and bool(room.folder.exercise.faults),
        "unconfined": room.boundary.get(student, "it is not known yet whether a boundary is around your hosts"),
        "terminals": list(room.targets()),
    }


def _work(room: Room, pupil: Pupil, shut: str) -> dict[str, Any]:
    """Return what is to be done: its title, its text, and its questions."""
    if pupil.fault is not None:
        number = pupil.fault.number
        text = FIND_WHETHER if pupil.fault.maybe else FIND if number == 1 else FIND_SEVERAL.format(number)
        return {"title": "Find what is broken", "html": "" if shut else f"<p>{text}</p>", "questions": []}
    if room.plain:
        return {"title": "The lab, as it is defined", "html": "" if shut else definition(room), "questions": []}
    if pupil.step >= len(room.folder.exercise.steps):
        return {"title": "All steps are done", "html": "", "questions": []}
    title = f"Step {pupil.step + 1}: {room.folder.sections[pupil.step].title}"
    if shut:
        return {"title": title, "html": "", "questions": []}
    return {"title": title, "html": task(room, pupil.step), "questions": _questions(room, pupil.step)}


def of_lab(room: Room, student: str) -> dict[str, Any]:
    """Return what was seen of a student's lab last: nothing, where nobody has looked since the server began."""
    sight = room.seen.get(student)
    return {} if sight is None else {"at": sight.at, "problem": sight.problem, **sight.found}


def of_teacher(room: Room) -> dict[str, Any]:
    """Return what the teacher's page shows."""
    return {
        "version": room.version,
        "steps": len(room.folder.exercise.steps),
        "titles": [section.title for section in room.folder.sections],
        "opened": None if room.standing.opened is None else sorted(room.standing.opened),
        "faults": len(room.folder.exercise.faults),
        "may_break": room.standing.may_break,
        "until": room.standing.until,
        "now": room.clock(),
        "terminals": list(room.targets()),
        "students": [_row(room, name) for name in room.standing.pupils],
    }


def definition(room: Room) -> str:
    """Return the text that defines a lab which is no exercise, as HTML; of several files the one that is named."""
    text = room.folder.path.read_text(encoding="utf-8", errors="replace")[:LONGEST]
    return f'<pre tabindex="0">{escape(text)}</pre>'


def task(room: Room, step: int) -> str:
    """Return a step's text as HTML; with the first one the exercise's aim."""
    folder = room.folder
    aim = f"{folder.aim}\n\n" if step == 0 else ""
    return _rendered(f"{aim}{folder.sections[step].prose}")


@lru_cache(maxsize=256)
def _rendered(text: str) -> str:
    """Return a text as HTML, worked out once: every page is looked at anew whenever something changes for anybody."""
    html: str = MARKDOWN.render(text)
    return html


def _questions(room: Room, step: int) -> list[str]:
    return [check.ask.question for check in room.folder.exercise.steps[step].checks if check.ask is not None]


def _row(room: Room, student: str) -> dict[str, Any]:
    pupil = room.standing.pupils[student]
    last = pupil.last
    return {
        "id": pupil.id,
        "name": pupil.name,
        "step": pupil.step,
        "attempts": pupil.attempts,
        "hints": pupil.hints,
        "first": pupil.first,
        "latest": pupil.latest,
        "verdict": "" if last is None else last.verdict,
        "checked": "" if last is None else last.at,
        "text": "" if last is None else last.text,
        "handed_in": pupil.handed_in,
        "problem": pupil.problem or room.boundary.get(student) or "",
        "refused": pupil.refused,
        "fault": "" if pupil.fault is None else _broken(room, student),
        "found": pupil.found,
        "percent": pupil.percent,
        "busy": student in room.busy,
        "watched": sorted(target for who, target in room.terminals if who == student),
    }


def _broken(room: Room, student: str) -> str:
    """Return what is broken in a student's lab, for the teacher."""
    here = room.progress.get(student)
    if here is None or here.trial is None:
        return "something is broken"
    whats = [f"{injury.broken}: {injury.fault.title}" for injury in here.trial.injuries]
    return "; ".join(whats) or "nothing is broken, which is to be found out"
