"""What the formats share that show the matrix as tables: its parts by kind of probe, its columns, and its marks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from dockerlab.verify import Judged, Report


def by_probe(cells: Iterable[Judged]) -> Iterator[tuple[str, list[Judged]]]:
    """Yield the cells of each kind of probe: `ping`, `tcp`, `dns`."""

    def kind(judged: Judged) -> str:
        return judged.cell.probe.partition("/")[0]

    order = {"ping": 0, "tcp": 1, "dns": 2}
    for probe, group in groupby(sorted(cells, key=lambda j: order[kind(j)]), key=kind):
        yield probe, list(group)


def columns(cells: Sequence[Judged]) -> list[str]:
    """Return the columns of a matrix, in the order of its rows, then what asks for nothing itself."""
    order = {name: number for number, name in enumerate(dict.fromkeys(judged.cell.source for judged in cells))}
    by_target = sorted(cells, key=lambda judged: order.get(judged.cell.to, len(order)))
    return list(dict.fromkeys(column(judged) for judged in by_target))


def column(judged: Judged) -> str:
    """Return the column that a cell stands in."""
    cell = judged.cell
    if cell.probe == "dns":
        return f"name {cell.target}"
    port = f" port {cell.port}" if cell.port is not None else ""
    return f"{cell.to} {cell.target or '(no address)'}{port}"


def mark(judged: Judged) -> str:
    """Return a cell as a mark that needs no colour."""
    if judged.verdict == "unknown":
        return "?"
    word = "yes" if judged.observed.state == "reachable" else "no"
    return word if judged.verdict == "pass" else f"{word}!"


def total(report: Report) -> str:
    """Return the closing line: how many cells, and checks beside them, and the verdicts."""
    counts = report.summary()
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    checks = f", {len(report.checks)} checks" if report.checks else ""
    wrong = len({cause for cause, _ in report.told_causes if cause.side == "lab"})
    otherwise = f"; {wrong} not as the definition has it" if wrong else ""
    return f"{len(report.cells)} cells{checks}: {verdicts}{otherwise}  ({report.seconds:.1f} s)"
