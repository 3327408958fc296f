"""Grades for people: a line for each student, the counts of cells, and what is wrong first of all."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from dockerlab.folding import fold, folded
from dockerlab.students.grades import Grade, attested, not_charged, total

NARROWEST = 40
"""With less room than that beside the columns, what is wrong goes below them."""


def render(grades: Sequence[Grade], width: int = 100) -> str:
    """Return the grades as aligned columns, below what the hosts are at fault for.

    What is wrong goes on below itself, or below the student where the columns leave it no room.
    """
    lines = [("ID", "STUDENT", "HOSTS", "PASS", "FAIL", "UNKNOWN", "VERDICT"), *map(_row, grades)]
    widths = [max(cell_len(line[at]) for line in lines) for at in range(len(lines[0]))]
    told = ["WHAT IS WRONG", *(grade.problem for grade in grades)]
    left = sum(widths) + 2 * len(widths)
    beside = width - left >= NARROWEST
    text: list[str] = []
    for line, what in zip(lines, told, strict=True):
        head = "  ".join(_padded(line, widths)).rstrip()
        if beside and what:
            text += fold(f"{head:<{left - cell_len(head) + len(head)}}{what}", width, hang=" " * left)
        else:
            text += [*fold(head, width), *(fold(f"    {what}", width) if what else ())]
    above = [folded(line, width) for line in not_charged(grades)]
    below = [folded(line, width) for line in (total(grades), attested(grades)) if line]
    return "\n".join([*above, *([""] if above else []), *text, "", *below]) + "\n"


def _row(grade: Grade) -> tuple[str, ...]:
    counts = grade.counts
    numbers = [str(counts[verdict]) for verdict in ("pass", "fail", "unknown")]
    return (grade.student.id, grade.student.name, " ".join(grade.hosts), *numbers, grade.outcome)


def _padded(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Return the values, filled up to their columns' widths: some letters take two places."""
    return [value + " " * (width - cell_len(value)) for value, width in zip(line, widths, strict=True)]
