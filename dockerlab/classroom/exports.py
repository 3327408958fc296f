"""What a teacher takes home: a sheet of the class, and an archive of the hand-ins."""

from __future__ import annotations

import csv
import json
import zipfile
from dataclasses import asdict
from io import BytesIO, StringIO

from dockerlab.classroom import keeping
from dockerlab.classroom.room import Room

COLUMNS = ("id", "name", "steps done", "of", "attempts", "hints", "first", "latest", "last check", "handed in")
BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(room: Room) -> bytes:
    """Return a line for each student, in UTF-8 with the mark by which spreadsheets know it."""
    text = StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for pupil in room.standing.pupils.values():
        verdict = pupil.last.verdict if pupil.last is not None else ""
        row = (pupil.id, pupil.name, pupil.step, len(room.folder.exercise.steps), pupil.attempts, pupil.hints,
               pupil.first, pupil.latest, verdict, pupil.handed_in)  # fmt: skip
        writer.writerow([_plain(str(value)) for value in row])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def archive(room: Room) -> bytes:
    """Return a ZIP file: for each student what has happened, and what the terminals have shown last."""
    events = keeping.events(room.where)
    whole = BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("class.csv", as_csv(room))
        for name in room.standing.pupils:
            own = [asdict(event) for event in events if event.student in ("", name)]
            file.writestr(f"{name}/events.json", json.dumps(own, ensure_ascii=False, indent=1))
            for (who, target), terminal in room.terminals.items():
                if who == name:
                    file.writestr(f"{name}/{target}.typescript", bytes(terminal.shown))
    return whole.getvalue()


def _plain(value: str) -> str:
    """Return a value that a spreadsheet takes for text."""
    return f"'{value}" if value.startswith(BEGINS_A_FORMULA) else value
