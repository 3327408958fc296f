"""A report for people: the matrix by kind of probe, what did not hold, and why each cell is as it is.

It reads without colour: `yes` and `no` are as predicted, `yes!` and `no!` are not, `?` could not be told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from string import ascii_uppercase
from textwrap import wrap

from dockerlab.verify import Judged, Report

GAP = 2
KEY = "yes reachable   no unreachable   as predicted  |  yes! no! not as predicted  |  ? could not tell  |  - not asked"


def render(report: Report, width: int = 100, *, why: bool = False) -> str:
    """Return the report as text of at most `width` columns where names allow it; `why` explains every cell."""
    lines = [f"{report.lab}: {report.title}" if report.title else report.lab]
    lines += [f"  {host}: engine {engine}, probed by {report.probers[host]}" for host, engine in report.engines.items()]
    for probe, cells in _by_probe(report.cells):
        lines += ["", *_matrix(probe, cells, width)]
    prose = ["", KEY]
    amiss = [judged for judged in report.cells if judged.verdict != "pass"]
    if amiss:
        prose += ["", "Not as predicted, or not to be told", *(line for each in amiss for line in _amiss(each))]
    prose += ["", *(_every_cell(report.cells) if why else _rules(report.cells))]
    prose += [f"note: {note}" for note in report.notes]
    lines += [piece for line in prose for piece in _folded(line, width)]
    return "\n".join([*lines, "", total(report)]) + "\n"


def _folded(line: str, width: int) -> list[str]:
    """Return a line of text in as many as the width wants, further ones indented as it is."""
    indent = line[: len(line) - len(line.lstrip())]
    return wrap(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False) or [line]


def total(report: Report) -> str:
    """Return the closing line: how many cells, and the verdicts."""
    counts = report.summary()
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    return f"{len(report.cells)} cells: {verdicts}  ({report.seconds:.1f} s)"


def _by_probe(cells: Iterable[Judged]) -> Iterator[tuple[str, list[Judged]]]:
    def kind(judged: Judged) -> str:
        return judged.cell.probe.partition("/")[0]

    order = {"ping": 0, "tcp": 1, "dns": 2}
    for probe, group in groupby(sorted(cells, key=lambda j: order[kind(j)]), key=kind):
        yield probe, list(group)


def _matrix(probe: str, cells: Sequence[Judged], width: int) -> Iterator[str]:
    """Yield the rows of one matrix, folded into as many blocks of columns as the width wants."""
    rows = list(dict.fromkeys(judged.cell.source for judged in cells))
    order = {name: number for number, name in enumerate(rows)}
    by_target = sorted(cells, key=lambda judged: order.get(judged.cell.to, len(rows)))
    columns = list(dict.fromkeys(_column(judged) for judged in by_target))
    marks = {(j.cell.source, _column(j)): _mark(j) for j in cells}
    left = max(len(name) for name in [*rows, probe]) + GAP
    letters = [_letters(number) for number in range(len(columns))]
    step = max(len(letters[-1]), 4) + GAP
    per_block = max(1, (width - left) // step)
    for start in range(0, len(columns), per_block):
        block = range(start, min(start + per_block, len(columns)))
        if start:
            yield ""
        yield f"{probe:<{left}}" + "".join(f"{letters[n]:<{step}}" for n in block).rstrip()
        for row in rows:
            words = (marks.get((row, columns[n]), "-") for n in block)
            yield f"{row:<{left}}" + "".join(f"{word:<{step}}" for word in words).rstrip()
    yield from (f"  {letter:<{len(letters[-1])}} = {column}" for letter, column in zip(letters, columns, strict=True))


def _column(judged: Judged) -> str:
    cell = judged.cell
    if cell.probe == "dns":
        return f"name {cell.target}"
    port = f" port {cell.port}" if cell.port is not None else ""
    return f"{cell.to} {cell.target or '(no address)'}{port}"


def _letters(number: int) -> str:
    """Return A … Z, AA, AB, … as a spreadsheet does."""
    head, last = divmod(number, len(ascii_uppercase))
    return (_letters(head - 1) if head else "") + ascii_uppercase[last]


def _mark(judged: Judged) -> str:
    if judged.verdict == "unknown":
        return "?"
    word = "yes" if judged.observed.state == "reachable" else "no"
    return word if judged.verdict == "pass" else f"{word}!"


def _what(judged: Judged) -> str:
    cell = judged.cell
    target = "" if cell.target == cell.to else f" {cell.target or '(no address)'}"
    return f"{cell.source} -> {cell.to}{target} {cell.probe}"


def _amiss(judged: Judged) -> Iterator[str]:
    expected, observed = judged.expected, judged.observed
    wished = {True: "reachable", False: "unreachable", None: "unknown"}[expected.reachable]
    seen = observed.state + (f" ({observed.symptom})" if observed.symptom else "")
    yield f"  {judged.verdict}: {_what(judged)}: expected {wished}, observed {seen}"
    yield f"      expected because: {judged.because}"
    if observed.detail:
        yield f"      observed: {observed.detail}"


def _every_cell(cells: Iterable[Judged]) -> Iterator[str]:
    yield "Why, cell by cell"
    for judged in cells:
        yield f"  {_mark(judged):<5}{_what(judged)}"
        yield f"       {judged.because} [{judged.expected.rule}]"


def _rules(cells: Iterable[Judged]) -> Iterator[str]:
    yield "Why (one cell for each rule; --why explains every cell)"
    by_rule = sorted(cells, key=lambda judged: judged.expected.rule)
    for rule, group in groupby(by_rule, key=lambda judged: judged.expected.rule):
        members = list(group)
        first = members[0]
        count = f"{len(members)} cells" if len(members) > 1 else "1 cell"
        yield f"  {_mark(first):<5}{rule}, {count}, as {_what(first)}"
        yield f"       {first.because}"
