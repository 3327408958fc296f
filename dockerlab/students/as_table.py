"""Grades for people: a line for each student, the counts of cells, and what is wrong first of all."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from dockerlab.students.grades import Grade, attested, not_charged, total

NARROWEST = 20
"""So much of what is wrong is shown at the least, however narrow the terminal is."""


def render(grades: Sequence[Grade], width: int = 100) -> str:
    """Return the grades as aligned columns, below what the hosts are at fault for.

    What is wrong is cut where the width ends.
    """
    lines = [("ID", "STUDENT", "HOSTS", "PASS", "FAIL", "UNKNOWN", "VERDICT"), *map(_row, grades)]
    widths = [max(cell_len(line[at]) for line in lines) for at in range(len(lines[0]))]
    told = ["FIRST OF ALL", *(grade.problem for grade in grades)]
    room = max(NARROWEST, width - sum(widths) - 2 * len(widths))
    text = (_line([*_padded(line, widths), _cut(what, room)]) for line, what in zip(lines, told, strict=True))
    above = "".join(f"{line}\n" for line in not_charged(grades))
    below = "".join(f"{line}\n" for line in (total(grades), attested(grades)) if line)
    return (f"{above}\n" if above else "") + "".join(text) + f"\n{below}"


def _row(grade: Grade) -> tuple[str, ...]:
    counts = grade.counts
    numbers = [str(counts[verdict]) for verdict in ("pass", "fail", "unknown")]
    return (grade.student.id, grade.student.name, " ".join(grade.hosts), *numbers, grade.outcome)


def _padded(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Return the values, filled up to their columns' widths: some letters take two places."""
    return [value + " " * (width - cell_len(value)) for value, width in zip(line, widths, strict=True)]


def _line(values: Sequence[str]) -> str:
    return "  ".join(values).rstrip() + "\n"


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 1] + "…"
