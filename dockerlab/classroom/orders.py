"""What the pages ask for: each returns why it was not done, empty where it was."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from dockerlab.classroom import doing, upsetting
from dockerlab.classroom.room import Room
from dockerlab.classroom.upsetting import Wish

MOST_ANSWERS = 50
MOST_FAULTS = 9
LONGEST_SEED = 100
NOBODY = "there is nobody of that name in the class"
LONGEST_MESSAGE = 2000


async def check(room: Room, request: Request, data: dict[str, Any]) -> str:
    """Check a student's step."""
    answers = data.get("answers", [])
    if not isinstance(answers, list) or len(answers) > MOST_ANSWERS:
        return "these are no answers"
    texts = [str(each) for each in answers]
    return await doing.check(room, request.path_params["student"], texts, healthy=data.get("healthy") is True)


async def hint(room: Room, request: Request, _: dict[str, Any]) -> str:
    """Show a student one more hint."""
    return await doing.hint(room, request.path_params["student"])


async def see(room: Room, request: Request, _: dict[str, Any]) -> str:
    """Look at a student's lab once more."""
    return await doing.see(room, request.path_params["student"])


async def break_own(room: Room, request: Request, data: dict[str, Any]) -> str:
    """Break something in a student's own lab, where the teacher lets him."""
    student = request.path_params["student"]
    if not room.standing.may_break:
        return "your teacher has not allowed that"
    return room.over() or await upsetting.break_it(room, student, Wish(maybe=data.get("maybe") is True))


async def hand_in(room: Room, request: Request, _: dict[str, Any]) -> str:
    """Note that a student hands in."""
    await room.note(request.path_params["student"], "handin")
    return ""


async def message(room: Room, _: Request, data: dict[str, Any]) -> str:
    """Send the teacher's message to one student or to all."""
    to, text = str(data.get("to", "")), str(data.get("text", "")).strip()[:LONGEST_MESSAGE]
    if not text or (to and to not in room.standing.pupils):
        return "say something, to one of the class or to all"
    await room.note(to, "message", text=text)
    return ""


async def break_one(room: Room, _: Request, data: dict[str, Any]) -> str:
    """Break something in the lab of one student, or of all: then each is told of for itself, when it is his turn."""
    wish = Wish(int(data.get("number", 1)), data.get("maybe") is True, str(data.get("seed", ""))[:LONGEST_SEED])
    if not 1 <= wish.number <= MOST_FAULTS:
        return f"break 1 to {MOST_FAULTS} things at once"
    to = str(data.get("to", ""))
    if not to:
        for student in room.standing.pupils:
            room.later(upsetting.break_for(room, student, wish))
        return ""
    failed = await upsetting.break_it(room, to, wish) if to in room.standing.pupils else NOBODY
    return room.standing.pupils[to].refused if failed == upsetting.NOT_PUT_IN else failed


async def take_out(room: Room, _: Request, data: dict[str, Any]) -> str:
    """Take out what is broken in a student's lab."""
    to = str(data.get("to", ""))
    return await upsetting.take_out(room, to) if to in room.standing.pupils else NOBODY


async def reset(room: Room, _: Request, data: dict[str, Any]) -> str:
    """Set a student back, or on, to the beginning of a step (from 0)."""
    to = str(data.get("to", ""))
    return await upsetting.reset(room, to, int(data.get("step", -1))) if to in room.standing.pupils else NOBODY


async def rules(room: Room, _: Request, data: dict[str, Any]) -> str:
    """Open these steps (from 0) and close the others (None: all are open), set the end (empty: never), and the rest."""
    if "opened" in data:
        await room.note("", "open", steps=_steps(room, data["opened"]))
    if "until" in data:
        await room.note("", "until", at=str(data["until"])[:20])
    if "may_break" in data:
        await room.note("", "may-break", allowed=data["may_break"] is True)
    return ""


def _steps(room: Room, wanted: list[int] | None) -> list[int] | None:
    """Return the steps of the exercise that are wanted; raises TypeError, ValueError for what is no list of numbers."""
    if wanted is None:
        return None
    numbers = set(map(int, wanted))
    return [step for step in range(len(room.folder.exercise.steps)) if step in numbers]
