"""What the teacher's page shows, as plain values: written after each round of verifying, read by whoever looks."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from dockerlab.report.matrices import by_probe, column, columns, mark
from dockerlab.students.as_json import document
from dockerlab.students.grades import Grade, not_charged, total
from dockerlab.verify import Judged

WIDEST = 40
"""So many columns a matrix may have on the page; of a wider one, only what is amiss is listed."""

MOST = 50
"""So many cells that are amiss are listed of one student."""


@dataclass
class Board:
    """The latest round. `version` grows with each change, so that whoever looks knows what is new."""

    lab: str
    title: str = ""
    version: int = 0
    _summary: dict[str, Any] = field(default_factory=dict)
    _details: dict[str, dict[str, Any]] = field(default_factory=dict)
    _failed: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What was amiss last of each student, and when; it stays after it has been repaired."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, students: Sequence[dict[str, Any]]) -> None:
        """Show the students before anything is known of them."""
        with self._lock:
            self._summary = {"round": 0, "made": "", "total": "", "error": "", "hosts": [], "students": list(students)}
            self.version += 1

    def publish(self, grades: Sequence[Grade], made: datetime, seconds: float) -> None:
        """Show the grades of a round."""
        when = made.strftime("%Y-%m-%dT%H:%M:%SZ")
        rows, details = self._written(grades, when)
        with self._lock:
            number = self._summary.get("round", 0) + 1
            self._summary = {
                "round": number,
                "made": when,
                "seconds": round(seconds, 1),
                "total": total(grades),
                "error": "",
                "hosts": not_charged(grades),
                "students": rows,
            }
            self._details = details
            self.version += 1

    def partly(self, grades: Sequence[Grade]) -> None:
        """Show the grades of some students, while the round waits for what the others' hosts say."""
        rows, details = self._written(grades, datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"))
        known = {each["id"]: each for each in rows}
        with self._lock:
            students = [known.get(each["id"], each) for each in self._summary.get("students", ())]
            self._summary = {**self._summary, "students": students}
            self._details = {**self._details, **details}
            self.version += 1

    def _written(self, grades: Sequence[Grade], when: str) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
        """Return the line of each student, and what is known of each."""
        for grade in grades:
            if grade.amiss:
                self._failed[grade.student.id] = {"at": when, **_cell(grade, grade.amiss[0])}
        details = {grade.student.id: detail(grade, self._failed.get(grade.student.id)) for grade in grades}
        return [row(grade) for grade in grades], details

    def fail(self, message: str) -> None:
        """Show that a round could not be done; what was known before stays."""
        with self._lock:
            self._summary = {**self._summary, "error": message}
            self.version += 1

    def summary(self) -> dict[str, Any]:
        """Return the lab and a row for each student."""
        with self._lock:
            return {"lab": self.lab, "title": self.title, "version": self.version, **self._summary}

    def student(self, identity: str) -> dict[str, Any] | None:
        """Return what is known of one student, None before the first round and for somebody unknown."""
        with self._lock:
            return self._details.get(identity)


def row(grade: Grade) -> dict[str, Any]:
    """Return the line of one student."""
    counts = grade.counts
    return {
        "id": grade.student.id,
        "name": grade.student.name,
        "more": " · ".join(f"{key}: {value}" for key, value in grade.student.more.items() if value),
        "hosts": " ".join(grade.hosts),
        "pass": counts["pass"],
        "fail": counts["fail"],
        "unknown": counts["unknown"],
        "verdict": grade.outcome,
        "problem": grade.problem,
    }


def detail(grade: Grade, failed: dict[str, Any] | None) -> dict[str, Any]:
    """Return all that is shown of one student: the matrices, what is amiss, and what was so last."""
    report = grade.report
    wrong = [f"{cause}; right would be: {cause.undo}" for cause, _ in grade.wrong]
    return {
        "id": grade.student.id,
        "name": grade.student.name,
        "verdict": grade.outcome,
        "error": grade.error,
        "notes": [grade.instance.short(note) for note in (*wrong, *report.notes, *report.ended)] if report else [],
        "matrices": [_matrix(grade, probe, cells) for probe, cells in by_probe(report.cells)] if report else [],
        "amiss": [_cell(grade, judged) for judged in grade.amiss[:MOST]],
        "amiss_total": len(grade.amiss),
        "failed": failed,
        "repaired": failed is not None and grade.outcome == "pass",
    }


def _cell(grade: Grade, judged: Judged) -> dict[str, Any]:
    values = document(grade, [judged])["amiss"][0]
    return {key: grade.instance.short(value) if isinstance(value, str) else value for key, value in values.items()}


def _matrix(grade: Grade, probe: str, cells: Sequence[Judged]) -> dict[str, Any]:
    """Return a matrix as its head, and a line for each source: a mark and a verdict for each column."""
    short, wide = grade.instance.short, columns(cells)
    if len(wide) > WIDEST:
        return {"probe": probe, "columns": [], "rows": [], "cells": len(cells)}
    found = {(judged.cell.source, column(judged)): judged for judged in cells}
    rows = []
    for source in dict.fromkeys(judged.cell.source for judged in cells):
        line = [found.get((source, name)) for name in wide]
        marks = [["-", "none"] if judged is None else [mark(judged), judged.verdict] for judged in line]
        rows.append({"source": short(source), "marks": marks})
    return {"probe": probe, "columns": [short(name) for name in wide], "rows": rows, "cells": len(cells)}
