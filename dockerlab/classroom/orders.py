"""What the pages ask for: each returns why it was not done, empty where it was."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from dockerlab.classroom import doing
from dockerlab.classroom.room import Room

MOST_ANSWERS = 50
LONGEST_MESSAGE = 2000


async def check(room: Room, request: Request, data: dict[str, Any]) -> str:
    """Check a student's step."""
    answers = data.get("answers", [])
    if not isinstance(answers, list) or len(answers) > MOST_ANSWERS:
        return "these are no answers"
    return await doing.check(room, request.path_params["student"], [str(each) for each in answers])


async def hint(room: Room, request: Request, _: dict[str, Any]) -> str:
    """Show a student one more hint."""
    return await doing.hint(room, request.path_params["student"])


async def see(room: Room, request: Request, _: dict[str, Any]) -> str:
    """Look at a student's lab once more."""
    return await doing.see(room, request.path_params["student"])


async def hand_in(room: Room, request: Request, _: dict[str, Any]) -> str:
    """Note that a student hands in."""
    room.note(request.path_params["student"], "handin")
    return ""


async def message(room: Room, _: Request, data: dict[str, Any]) -> str:
    """Send the teacher's message to one student or to all."""
    to, text = str(data.get("to", "")), str(data.get("text", "")).strip()[:LONGEST_MESSAGE]
    if not text or (to and to not in room.standing.pupils):
        return "say something, to one of the class or to all"
    room.note(to, "message", text=text)
    return ""


async def rules(room: Room, _: Request, data: dict[str, Any]) -> str:
    """Open so many steps (None: all), and set when the class ends (empty: never)."""
    if "opened" in data:
        room.note("", "open", steps=None if data["opened"] is None else int(data["opened"]))
    if "until" in data:
        room.note("", "until", at=str(data["until"])[:20])
    return ""
