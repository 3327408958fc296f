"""Which cause explains which cell: each that did not pass gets at most one, and each cause is told once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from dockerlab.verify.cause import Cause
from dockerlab.verify.verdicts import Judged


@dataclass(frozen=True)
class Suspect:
    """A cause, and a test of whether it explains a cell that did not pass."""

    cause: Cause
    explains: Callable[[Judged], bool]


def attributed(cells: Sequence[Judged], suspects: Sequence[Suspect]) -> tuple[Judged, ...]:
    """Return the cells, each that did not pass with the first of the causes that explains it.

    A cell of which nothing is expected has none: it would not be told either if all were as it should be.
    """
    if not suspects:
        return tuple(cells)
    return tuple(
        cell
        if cell.verdict == "pass" or cell.cause is not None or cell.expected.reachable is None
        else _attributed(cell, suspects)
        for cell in cells
    )


def _attributed(cell: Judged, suspects: Sequence[Suspect]) -> Judged:
    found = next((suspect.cause for suspect in suspects if suspect.explains(cell)), None)
    return cell if found is None else replace(cell, cause=found)
