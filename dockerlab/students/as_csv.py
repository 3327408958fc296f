"""Grades for a spreadsheet: a line for each student. No value is a formula there."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import StringIO

from dockerlab.students.grades import Grade

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for the beginning of a formula."""

COLUMNS = ("id", "number", "name")
RESULTS = ("hosts", "verdict", "cells", "pass", "fail", "unknown", "not charged", "own word", "percent", "problem")


def render(grades: Sequence[Grade]) -> str:
    """Return the grades as CSV with a line of headings; the roster's further columns come along."""
    more = list(dict.fromkeys(key for grade in grades for key in grade.student.more))
    file = StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(map(plain, [*COLUMNS, *more, *RESULTS]))
    for grade in grades:
        student, counts = grade.student, grade.counts
        cells = sum(counts.values())
        # Of the definition's cells, less those that a host is at fault for; 100 only where all of them pass.
        percent = 100 * counts["pass"] // cells if cells else ""
        numbers = [cells, counts["pass"], counts["fail"], counts["unknown"], grade.spared, grade.alone, percent]
        values = [student.id, student.number, student.name, *(student.more.get(key, "") for key in more)]
        writer.writerow(map(plain, [*values, " ".join(grade.hosts), grade.outcome, *numbers, grade.problem]))
    return file.getvalue()


def plain(value: object) -> object:
    """Return a value that a spreadsheet shows and does not calculate."""
    return f"'{value}" if isinstance(value, str) and value.lstrip(" ").startswith(FORMULA) else value
