"""What the pages show of a class, as plain values. Pure."""

from __future__ import annotations

from typing import Any

from markdown_it import MarkdownIt

from dockerlab.classroom.room import Room

MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["image", "link", "autolink"])
"""Text, lists, code and tables. No HTML of the text's own, nothing that is loaded, and no way to another page."""


def of_student(room: Room, student: str) -> dict[str, Any]:
    """Return what a student's own page shows."""
    pupil = room.standing.pupils[student]
    steps = room.folder.exercise.steps
    done = pupil.step >= len(steps)
    shut = room.shut(student)
    last = pupil.last
    return {
        "version": room.version,
        "name": pupil.name,
        "step": pupil.step,
        "steps": len(steps),
        "title": "all steps are done" if done else room.folder.sections[pupil.step].title,
        "html": "" if done or shut else task(room, pupil.step),
        "questions": [] if done or shut else _questions(room, pupil.step),
        "hints": list(room.hints(student)),
        "shut": shut,
        "until": room.standing.until,
        "busy": student in room.busy,
        "looking": student in room.looking,
        "seen": room.seen[student].number if student in room.seen else -1,
        "last": None if last is None else {"at": last.at, "verdict": last.verdict, "text": last.text},
        "messages": [list(each) for each in pupil.messages],
        "handed_in": pupil.handed_in,
        "problem": pupil.problem,
        "unconfined": room.boundary.get(student, "it is not known yet whether a boundary is around your hosts"),
        "terminals": list(room.targets()),
    }


def of_lab(room: Room, student: str) -> dict[str, Any]:
    """Return what was seen of a student's lab last: nothing, where nobody has looked since the server began."""
    sight = room.seen.get(student)
    return {} if sight is None else {"at": sight.at, "problem": sight.problem, **sight.found}


def of_teacher(room: Room) -> dict[str, Any]:
    """Return what the teacher's page shows."""
    return {
        "version": room.version,
        "steps": len(room.folder.exercise.steps),
        "opened": room.standing.opened,
        "until": room.standing.until,
        "now": room.clock(),
        "terminals": list(room.targets()),
        "students": [_row(room, name) for name in room.standing.pupils],
    }


def task(room: Room, step: int) -> str:
    """Return a step's text as HTML; with the first one the exercise's aim."""
    folder = room.folder
    aim = f"{folder.aim}\n\n" if step == 0 else ""
    html: str = MARKDOWN.render(f"{aim}{folder.sections[step].prose}")
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
        "busy": student in room.busy,
        "watched": sorted(target for who, target in room.terminals if who == student),
    }
