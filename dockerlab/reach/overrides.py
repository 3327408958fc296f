"""The definition's own word on cells: `expect` overrides the model, and one that changes nothing is pointed out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from dockerlab.lab.model import Expect
from dockerlab.reach.cells import Cell
from dockerlab.reach.expectation import Expectation
from dockerlab.reach.matrix import Row


def override(matrix: Sequence[Row], exceptions: Sequence[Expect]) -> tuple[list[Row], list[str]]:
    """Return the matrix with the definition's exceptions in it, and notes on those that have no effect."""
    rows = list(matrix)
    notes: list[str] = []
    for number, exception in enumerate(exceptions):
        about = [index for index, (cell, _) in enumerate(rows) if _matches(exception, cell)]
        changed = [index for index in about if matrix[index][1].reachable != exception.reachable]
        if not about:
            notes.append(f"expect[{number}] is about no cell of this lab: {_described(exception)}")
        elif not changed:
            notes.append(f"expect[{number}] is stale: the model says the same: {_described(exception)}")
        for index in about:
            cell, model = rows[index]
            rows[index] = (cell, _expectation(exception, model))
    return rows, notes


def _matches(exception: Expect, cell: Cell) -> bool:
    pairs: Iterable[tuple[str, str]] = (
        (cell.source, exception.source),
        (cell.to, exception.to),
        (cell.probe, exception.probe),
    )
    return all(fnmatchcase(name, pattern) for name, pattern in pairs)


def _expectation(exception: Expect, model: Expectation) -> Expectation:
    why = f": {exception.why}" if exception.why else ""
    says = {True: "reachable, ", False: "unreachable, ", None: ""}[model.reachable]  # without a claim, the text says it
    text = f"the definition says so{_plain(why)} (the model: {says}{model.text})"
    return Expectation(exception.reachable, "expect", text)


def _plain(text: str) -> str:
    """Return a text of the definition in which nothing is a place for a name."""
    return text.replace("{", "(").replace("}", ")")


def _described(exception: Expect) -> str:
    reachable = "reachable" if exception.reachable else "unreachable"
    return f"{exception.source} -> {exception.to} {exception.probe} {reachable}"
