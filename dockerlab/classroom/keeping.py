"""What has happened in a class, on disk: lines of JSON, appended, so that a server killed at any time goes on."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dockerlab.classroom.state import Event
from dockerlab.errors import UsageError
from dockerlab.exercise import progress
from dockerlab.students.as_csv import sheet
from dockerlab.students.roster import Roster, Student

EVENTS = "events.jsonl"
CLASS = "class.json"
LINKS = "links.csv"


@dataclass(frozen=True)
class Enrolled:
    """What a class was begun with: its exercise, its students, and everybody's token.

    The teacher's token is the one of the empty ID.
    """

    exercise: str
    roster: Roster
    tokens: Mapping[str, str]


def directory() -> Path:
    """Return where a class is kept: beside the exercises' progress of whoever serves it."""
    return progress.directory().parent / "class"


def enrol(where: Path, exercise: str, roster: Roster) -> Enrolled:
    """Return the class in a directory, or begin it there with new tokens; mode 0700.

    Who was there before keeps the token, so that a link stays good. Raises UsageError for a class of another exercise.
    """
    _private(where)
    here = enrolled(where)
    if here is not None and here.exercise != exercise:
        raise UsageError(f"a class is on with {here.exercise}: `dockerlab class down` ends it, with all its sandboxes")
    old = here.tokens if here is not None else {}
    names = ("", *(each.id for each in roster.students))
    tokens = {name: old.get(name) or secrets.token_urlsafe(24) for name in names}
    begun = Enrolled(exercise, roster, tokens)
    _write(where / CLASS, json.dumps(asdict(begun), ensure_ascii=False))
    return begun


def enrolled(where: Path) -> Enrolled | None:
    """Return the class in a directory, None where there is none; raises UsageError for what is not one."""
    try:
        found = json.loads((where / CLASS).read_text(encoding="utf-8"))
        kept = found["roster"]
        roster = Roster(tuple(Student(**each) for each in kept["students"]), kept["separator"])
        return Enrolled(found["exercise"], roster, found["tokens"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"{where / CLASS}: not what a class is kept in; remove the directory") from None


def append(where: Path, event: Event) -> None:
    """Note what has happened: once this returns, it stays."""
    with os.fdopen(os.open(where / EVENTS, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600), "r+b") as file:
        end = file.seek(0, os.SEEK_END)
        cut = end > 0 and os.pread(file.fileno(), 1, end - 1) != b"\n"
        file.write((b"\n" if cut else b"") + json.dumps(asdict(event), ensure_ascii=False).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def events(where: Path) -> list[Event]:
    """Return all that has happened, in order, without a line that a killed server has left unfinished."""
    try:
        lines = (where / EVENTS).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    return [Event(**found) for line in lines if (found := _parsed(line)) is not None]


def write_links(where: Path, links: Sequence[tuple[str, str, str]], separator: str) -> Path:
    """Write the students' links (ID, name, address) for nobody but whoever serves; return the file."""
    _write(where / LINKS, sheet([("id", "name", "link"), *links], separator))
    return where / LINKS


def forget(where: Path) -> None:
    """Remove a class with all that was kept of it."""
    if where.exists():
        shutil.rmtree(where)


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _private(where: Path) -> None:
    where.mkdir(parents=True, exist_ok=True, mode=0o700)
    where.chmod(0o700)


def _write(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
