"""What changes a student's lab from outside: something broken on purpose, taken out again, and a reset to a step.

What is broken is known to nobody but the exercise's own sealed file and the teacher: all that a student is told of it
is that there is something.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dockerlab.classroom.doing import BUSY, exercise
from dockerlab.classroom.room import Room
from dockerlab.errors import DockerlabError

PATIENCE = 300.0
"""Seconds in which a lab has to be another one."""

NOT_PUT_IN = "nothing was broken: perhaps your lab is not whole as it is. Your teacher is told why"


@dataclass(frozen=True)
class Wish:
    """What is to be broken: so many things, perhaps nothing, and by which seed (empty: by chance)."""

    number: int = 1
    maybe: bool = False
    seed: str = ""


async def break_it(room: Room, student: str, wish: Wish) -> str:
    """Break something in a student's lab, as `exercise fault`; return why nothing is, empty where it is.

    Why it could not be put in may name what it is: that is noted for the teacher.
    """
    if not room.folder.exercise.faults:
        return "this exercise has no faults"
    if room.standing.pupils[student].fault is not None:
        return "something is to be found already"
    if student in room.busy:
        return BUSY
    words = [f"--faults={wish.number}", *(["--maybe"] if wish.maybe else [])]
    words += [f"--seed={wish.seed}"] if wish.seed else []
    failed = await _run(room, student, ("fault", *words))
    if room.standing.pupils[student].fault is None:  # else the look at his progress has found it there
        room.note(student, "refused", text=failed or "the fault is not there any more")
        return NOT_PUT_IN
    return ""


async def break_for(room: Room, student: str, wish: Wish) -> None:
    """Break something in one of many labs; why it is not is noted for the teacher, who waits for none of them."""
    failed = await break_it(room, student, wish)
    if failed and failed != NOT_PUT_IN:  # that is noted already, with its reason
        room.note(student, "refused", text=failed)


async def take_out(room: Room, student: str) -> str:
    """Take out what is broken in a student's lab; return why it is not, empty where it is."""
    if room.standing.pupils[student].fault is None:
        return "nothing is broken"
    return await _told(room, student, ("fault", "--remove"))


async def reset(room: Room, student: str, step: int) -> str:
    """Take a student's lab away and make it as it is at the beginning of a step (from 0); return why it is not.

    Whatever he has made goes with it, and what is broken; what he has done so far stays counted.
    """
    if not room.folder.exercise.steps or not 0 <= step < len(room.folder.exercise.steps):
        return "there is no such step"
    on = await room.look(student) is not None
    failed = await _told(room, student, *([("stop",)] if on else []), ("start", "--sandbox", f"--step={step + 1}"))
    if not failed:
        room.note(student, "reset", step=step)
    return failed


async def _told(room: Room, student: str, *commands: Sequence[str]) -> str:
    """Run commands of the exercise; why they failed is noted for the teacher as well."""
    if student in room.busy:
        return BUSY
    failed = await _run(room, student, *commands)
    if failed:
        room.note(student, "refused", text=failed)
    return failed


async def _run(room: Room, student: str, *commands: Sequence[str]) -> str:
    """Run commands of the exercise, one after the other, when it is their turn; return why one failed, or nothing."""
    failed = ""
    async with room.turn(student, behind=True):
        for command, *words in commands:
            try:
                said = await exercise(room, student, command, *words, patience=PATIENCE, behind=True)
            except (DockerlabError, OSError) as error:
                failed = str(error)
                break
            if said.code != 0:
                failed = said.text.strip()[-1000:] if said.code is not None else "it did not end in time"
                break
        await room.look(student)
        room.forget_sight(student)
    return failed
