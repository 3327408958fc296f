"""Grades as one JSON object, for machines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from dockerlab.report.as_json import WORDS
from dockerlab.report.causes import entries
from dockerlab.students.grades import Grade, of_hosts
from dockerlab.verify import Judged

SCHEMA = 1


def render(lab: str, grades: Sequence[Grade]) -> str:
    """Return the grades as indented JSON with a newline at its end; of the cells, those that did not pass.

    `causes` is what the hosts are at fault for, with the number of cells of all students, which none is charged with.
    `own_word` is how many of the cells that passed the graded host alone attests.
    """
    students = [document(grade) for grade in grades]
    found = {"schema": SCHEMA, "lab": lab, "causes": entries(of_hosts(grades)), "students": students}
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def document(grade: Grade, cells: Sequence[Judged] | None = None) -> dict[str, Any]:
    """Return one student's grade as plain values, with these cells, or those that did not pass."""
    return {
        "id": grade.student.id,
        "number": grade.student.number,
        "name": grade.student.name,
        "more": dict(grade.student.more),
        "hosts": list(grade.hosts),
        "verdict": grade.outcome,
        "summary": grade.counts,
        "not_charged": grade.spared,
        "own_word": grade.alone,
        "probers": dict(grade.report.probers) if grade.report is not None else {},
        "causes": entries(grade.wrong),
        "error": grade.error,
        "amiss": [
            {
                "from": judged.cell.source,
                "to": judged.cell.to,
                "target": judged.cell.target,
                "probe": judged.cell.probe,
                "expected": WORDS[judged.expected.reachable],
                "observed": judged.observed.state,
                "verdict": judged.verdict,
                "symptom": judged.observed.symptom,
                "rule": judged.expected.rule,
                "because": judged.because,
                "detail": judged.observed.detail,
            }
            for judged in (grade.amiss if cells is None else cells)
        ],
    }
