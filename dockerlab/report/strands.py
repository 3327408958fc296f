"""Judged cells as the picture wants them."""

from __future__ import annotations

from collections.abc import Iterable

from dockerlab.graph.verdicts import Asked
from dockerlab.verify import Judged


def asked(cells: Iterable[Judged]) -> list[Asked]:
    """Return what was observed of each cell, and whether that is a failure; what could not be judged is not known."""
    return [
        Asked(j.cell, None if j.verdict == "unknown" else j.observed.state == "reachable", j.verdict == "fail")
        for j in cells
    ]
