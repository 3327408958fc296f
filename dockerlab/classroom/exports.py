"""What a teacher takes home: the class as a sheet, as a page, for a learning platform, and the hand-ins."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from dataclasses import asdict
from io import BytesIO
from xml.etree import ElementTree as ET

from xlsxwriter import Workbook

from dockerlab.classroom import as_html, keeping
from dockerlab.classroom.room import Room
from dockerlab.classroom.rows import WHO, Case, cases, columns, row
from dockerlab.classroom.state import Pupil
from dockerlab.plain import for_terminal, printable
from dockerlab.report.as_junit import written
from dockerlab.students.as_csv import sheet

AS_TEXT = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
"""A name that a spreadsheet would calculate, or follow, is a name."""


def as_csv(room: Room) -> bytes:
    """Return a line for each student, in UTF-8; the roster's further columns and its separator come along."""
    return sheet([_columns(room), *_rows(room)], room.enrolled.roster.separator).encode()


def _columns(room: Room) -> list[str]:
    return columns(room.enrolled.roster.columns)


def _rows(room: Room) -> list[list[str | int]]:
    return [row(room.folder, pupil, room.enrolled.roster.columns) for pupil in room.standing.pupils.values()]


def as_xlsx(room: Room) -> bytes:
    """Return the same lines as a workbook, in which every text is a text and every number a number."""
    whole = BytesIO()
    with Workbook(whole, AS_TEXT) as book:
        page = book.add_worksheet("class")
        page.freeze_panes(1, len(WHO))
        page.set_column(0, len(_columns(room)) - 1, 14)
        for at, head in enumerate(_columns(room)):
            page.write_string(0, at, printable(head), book.add_format({"bold": True}))
        for line, values in enumerate(_rows(room), 1):
            for at, value in enumerate(values):
                if isinstance(value, int):
                    page.write_number(line, at, value)
                elif value:
                    page.write_string(line, at, printable(value))
    return whole.getvalue()


def as_page(room: Room) -> bytes:
    """Return the same lines as one HTML page that needs nothing else, and loads and runs nothing."""
    found = [cases(room.folder, pupil) for pupil in room.standing.pupils.values()]
    lines = list(zip(_rows(room), found, strict=True))
    return for_terminal(as_html.sheet(room.folder, _columns(room), lines, room.clock())).encode()


def as_junit(room: Room) -> bytes:
    """Return a suite for each student and a test case for each step: one that is not done yet is skipped."""
    root = ET.Element("testsuites")
    for number, (pupil, values) in enumerate(zip(room.standing.pupils.values(), _rows(room), strict=True)):
        _suite(root, room, pupil, number, values)
    return written(root).encode()


def _suite(root: ET.Element, room: Room, pupil: Pupil, number: int, values: Sequence[str | int]) -> None:
    found = cases(room.folder, pupil)
    counts = {name: sum(case.verdict in of for case in found) for name, of in KINDS.items()}
    suite = ET.SubElement(root, "testsuite")
    suite.attrib |= {
        "name": printable(f"{pupil.id} {pupil.name}"),
        "package": printable(room.folder.id),
        "id": str(number),
        "hostname": "localhost",
        "timestamp": (pupil.latest or room.clock()).rstrip("Z"),
        "tests": str(len(found)),
        **{name: str(count) for name, count in counts.items()},
        "time": "0",
    }
    properties = ET.SubElement(suite, "properties")
    for head, value in zip(_columns(room), values, strict=True):
        if value != "":
            ET.SubElement(properties, "property", {"name": printable(head), "value": printable(str(value))})
    for case in found:
        _case(suite, room.folder.id, case)
    ET.SubElement(suite, "system-out")
    ET.SubElement(suite, "system-err").text = printable(pupil.problem)


KINDS = {"failures": ("fail",), "errors": ("unknown", "error"), "skipped": ("open",)}
"""What of JUnit's a verdict is."""


def _case(suite: ET.Element, exercise: str, case: Case) -> None:
    element = ET.SubElement(
        suite, "testcase", {"classname": printable(exercise), "name": printable(case.name), "time": "0"}
    )
    if case.verdict == "open":
        ET.SubElement(element, "skipped", {"message": "not done yet"})
    elif case.verdict != "pass":
        kind = "failure" if case.verdict == "fail" else "error"
        ET.SubElement(element, kind, {"message": case.verdict, "type": "check"}).text = printable(case.told)


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
