"""Grades for a spreadsheet: a line for each student. No value is a formula there."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

from dockerlab.students.grades import Grade
from dockerlab.students.roster import Roster

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for the beginning of a formula."""

COLUMNS = ("id", "number", "name")
RESULTS = ("hosts", "verdict", "cells", "pass", "fail", "unknown", "not charged", "own word", "percent", "problem")


MARK = "\ufeff"
"""By which spreadsheets know that a file is UTF-8."""


def render(grades: Sequence[Grade], separator: str) -> str:
    """Return the grades as CSV with a line of headings; the roster's further columns and its separator come along."""
    more = Roster(tuple(grade.student for grade in grades)).columns
    rows: list[Sequence[object]] = [[*COLUMNS, *more, *RESULTS]]
    for grade in grades:
        student, counts = grade.student, grade.counts
        cells = sum(counts.values())
        # Of the definition's cells, less those that a host is at fault for; 100 only where all of them pass.
        percent = 100 * counts["pass"] // cells if cells else ""
        numbers = [cells, counts["pass"], counts["fail"], counts["unknown"], grade.spared, grade.alone, percent]
        values = [student.id, student.number, student.name, *(student.more.get(key, "") for key in more)]
        rows.append([*values, " ".join(grade.hosts), grade.outcome, *numbers, grade.problem])
    return sheet(rows, separator)


def sheet(rows: Iterable[Sequence[object]], separator: str) -> str:
    """Return rows as CSV that a spreadsheet opens as it is meant: UTF-8 by its mark, and no value a formula."""
    file = StringIO(newline="")
    writer = csv.writer(file, delimiter=separator, lineterminator="\r\n")
    writer.writerows(map(plain, row) for row in rows)
    return MARK + file.getvalue()


def plain(value: object) -> object:
    """Return a value that a spreadsheet shows and does not calculate."""
    return f"'{value}" if isinstance(value, str) and value.lstrip(" ").startswith(FORMULA) else value
