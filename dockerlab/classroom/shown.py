"""A lab as its student sees it on the page: the matrix in tables, and the picture. Pure.

What is observed stands there, and whether that is as expected, and never why: neither causes nor what would put them
right. Those a student asks for, and that is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dockerlab.graph import svg
from dockerlab.graph.describe import describe
from dockerlab.graph.verdicts import strands
from dockerlab.lab.model import Lab
from dockerlab.reach import worlds
from dockerlab.report.matrices import by_probe, column, columns, mark
from dockerlab.report.strands import asked
from dockerlab.verify import Judged, Report

ASKED = "asked"
"""Instead of a verdict: the step asks for this cell, so that it is not told."""


def shown(
    report: Report, secret: Callable[[Judged], bool] = lambda _: False, broken: Lab | None = None
) -> dict[str, Any]:
    """Return a report as the page shows it; `secret` are cells that are not told.

    While something in a lab is `broken` on purpose, the picture is that of its definition: what is on the hosts would
    show what was done to it.
    """
    told = [judged for judged in report.cells if not secret(judged)]
    world = worlds.offline(broken) if broken is not None else report.world
    picture = describe(world, imagined=broken is not None) if world is not None else None
    counts = {verdict: sum(judged.verdict == verdict for judged in told) for verdict in ("pass", "fail", "unknown")}
    return {
        "counts": counts,
        "tables": [_table(probe, cells, secret) for probe, cells in by_probe(report.cells)],
        "svg": "" if picture is None else svg.render(picture, strands(picture, asked(told)), styled=False),
    }


def _table(probe: str, cells: Sequence[Judged], secret: Callable[[Judged], bool]) -> dict[str, Any]:
    heads = columns(cells)
    rows: dict[str, dict[str, list[str]]] = {}
    for judged in cells:
        row = rows.setdefault(judged.cell.source, {})
        row[column(judged)] = ["…", ASKED] if secret(judged) else [mark(judged), judged.verdict]
    return {
        "probe": probe,
        "columns": heads,
        "rows": [[source, [row.get(head) for head in heads]] for source, row in rows.items()],
    }
