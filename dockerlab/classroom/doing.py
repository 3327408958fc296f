"""What is done in a student's place by this machine's own programs, one at a time: checks, hints, looks at the lab."""

from __future__ import annotations

import json
from collections.abc import Sequence

from dockerlab.classroom.room import Room, Sight
from dockerlab.classroom.running import PATIENCE, Said
from dockerlab.errors import DockerlabError

VERDICTS = {0: "pass", 1: "fail", 3: "unknown"}
LONGEST_ANSWER = 200
LONGEST = 20_000
"""Characters of what a check says that are kept."""

BUSY = "something is running in your place: wait for its end"


async def check(room: Room, student: str, answers: Sequence[str], *, healthy: bool = False) -> str:
    """Check a student's step, or what is broken, from outside his hosts; return why it was not, empty where it was.

    `healthy` is his word that nothing is broken.
    """
    why_not = room.shut(student) or (BUSY if student in room.busy else "")
    if why_not:
        return why_not
    if room.plain:
        return await _grade(room, student)
    words = [f"--answer={answer[:LONGEST_ANSWER]}" for answer in answers]
    words += ["--healthy"] if healthy else []
    async with room.turn(student):
        try:
            said = await exercise(room, student, "check", *words)
            text = said.text if said.code is not None else "the check did not end in time: try again"
            await room.look(student, "found" if said.code == 0 else "fault-out")
            verdict = VERDICTS.get(-1 if said.code is None else said.code, "error")
            room.note(student, "check", verdict=verdict, text=text[:LONGEST], step=room.step(student))
        except (DockerlabError, OSError) as error:
            room.note(student, "check", verdict="error", text=str(error), step=room.step(student))
    room.later(see(room, student))
    return ""


async def see(room: Room, student: str) -> str:
    """Look at a student's lab, for his page; return why it was not looked at, empty where it was."""
    why_not = room.shut(student) or (BUSY if student in room.busy | room.looking else "")
    if why_not:
        return why_not
    async with room.turn(student, looking=True):
        room.show(student, await _seen(room, student))
    return ""


async def _grade(room: Room, student: str) -> str:
    """Grade a lab that is no exercise, which shows it as well."""
    async with room.turn(student):
        found = await _seen(room, student)
        room.show(student, found)
    grade = found.found.get("grade", {"outcome": "error", "percent": None, "text": found.problem})
    room.note(
        student, "check", verdict=grade["outcome"], text=grade["text"][:LONGEST], step=0, percent=grade["percent"]
    )
    return ""


async def _seen(room: Room, student: str) -> Sight:
    """Return what is seen of a student's lab now."""
    what = ["plain", "grade", str(room.folder.path)] if room.plain else ["looking", room.folder.id]
    try:
        words = [f"dockerlab.classroom.{what[0]}", *what[1:]]
        return sight(await room.program(student, words, behind=not room.plain))
    except (DockerlabError, OSError) as error:
        return Sight({}, str(error))


def sight(said: Said) -> Sight:
    """Return what a look has found, from what its program said: a line of JSON at the end, or why there is none."""
    if said.code is None:
        return Sight({}, "the look did not end in time: try again")
    try:
        found = json.loads(said.text.rstrip("\n").rpartition("\n")[2]) if said.code == 0 else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        return Sight({}, said.text.strip()[-300:] if said.code else "the lab is too large for this page")
    return Sight(found)


async def hint(room: Room, student: str) -> str:
    """Show a student one more hint; return why there is none, empty where there is."""
    why_not = room.shut(student) or (BUSY if student in room.busy else "")
    if why_not:
        return why_not
    here = room.progress.get(student) or await room.look(student)
    if room.plain:
        return "there are no hints on this lab"
    if here is None:
        return "the exercise is not on in your place: ask your teacher"
    if here.hints >= len(room.known_hints(here)):
        return "there is no further hint"
    async with room.turn(student):
        try:
            said = await exercise(room, student, "hint", patience=30)
            if said.code == 0:
                room.note(student, "hint")
            await room.look(student)
        except (DockerlabError, OSError) as error:
            return str(error)
    return "" if said.code == 0 else said.text


async def exercise(
    room: Room, student: str, command: str, *words: str, patience: float = PATIENCE, behind: bool = False
) -> Said:
    """Run one of the commands of `dockerlab exercise` in a student's place."""
    words = ("dockerlab", "exercise", command, room.folder.id, *words)
    return await room.program(student, words, patience, behind=behind)
