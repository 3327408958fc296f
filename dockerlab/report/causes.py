"""Causes as every format tells them: once each, the lab's own apart from the hosts', with the number of their cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

from dockerlab.verify import Cause, Report

HEADS = {
    "lab": "Not as the definition has it",
    "host": "Of the hosts, and not of the lab",
}
"""What stands above the causes of each side."""


def by_side(report: Report) -> Iterator[tuple[str, list[tuple[Cause, int]]]]:
    """Yield the heading of each side that has causes, with them and the number of cells of each."""
    for side, group in groupby(report.told_causes, key=lambda told: told[0].side):
        yield HEADS[side], list(group)


def entries(told: Sequence[tuple[Cause, int]]) -> list[dict[str, Any]]:
    """Return causes as plain values, each with the number of its cells."""
    return [asdict(cause) | {"cells": cells} for cause, cells in told]


def told_once(report: Report) -> int:
    """Return how many cells did not pass and are told by their cause alone."""
    return sum(judged.verdict != "pass" and judged.cause is not None for judged in report.cells)
