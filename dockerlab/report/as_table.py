"""A report for people: the matrix by kind of probe, what did not hold, and why each cell is as it is.

It reads without colour: `yes` and `no` are as expected, `yes!` and `no!` are not, `?` could not be told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from string import ascii_uppercase
from textwrap import wrap

from dockerlab.report.causes import by_side, told_once
from dockerlab.report.matrices import by_probe, column, columns, mark, total
from dockerlab.verify import Checked, Judged, Report, how_many

GAP = 2
KEY = "yes reachable   no unreachable   as expected  |  yes! no! not as expected  |  ? could not tell  |  - not asked"


def render(report: Report, width: int = 100, *, why: bool = False) -> str:
    """Return the report as text of at most `width` columns where names allow it; `why` explains every cell."""
    lines = [f"{report.lab}: {report.title}" if report.title else report.lab]
    lines += [f"  {host}: engine {engine}, probed by {report.probers[host]}" for host, engine in report.engines.items()]
    lines += [piece for line in _causes(report) for piece in _folded(line, width)]
    for probe, cells in by_probe(report.cells):
        lines += ["", *_matrix(probe, cells, width)]
    prose = ["", KEY]
    amiss = [judged for judged in report.cells if judged.verdict != "pass" and judged.cause is None]
    once = told_once(report)
    if amiss or once:
        prose += ["", "Not as expected, or not to be told", *(line for each in amiss for line in _amiss(each))]
    if once:
        prose += [f"  {how_many(once)} by what is said above the matrix"]
    if report.checks:
        prose += ["", "Beside the cells", *(line for check in report.checks for line in _check(check))]
    prose += ["", *(_every_cell(report.cells) if why else _rules(report.cells))]
    prose += [f"note: {note}" for note in (*report.notes, *_unread(report))]
    lines += [piece for line in prose for piece in _folded(line, width)]
    return "\n".join([*lines, "", total(report)]) + "\n"


def _causes(report: Report) -> Iterator[str]:
    """Yield what is not as it should be, and what puts it right."""
    for head, told in by_side(report):
        yield ""
        yield head
        for cause, cells in told:
            yield f"  {cause} ({how_many(cells)})"
            if cause.undo:
                yield f"      right would be: {cause.undo}"


def _unread(report: Report) -> Iterator[str]:
    """Yield the facts that a host did not tell, where of some cell nothing is expected: they may be why."""
    if all(judged.expected.reachable is not None for judged in report.cells):
        return
    for host in report.engines:
        if report.missing(host):
            yield f"{host}: could not be read: {', '.join(report.missing(host))}; root on the host may be needed"


def _folded(line: str, width: int) -> list[str]:
    """Return a line of text in as many as the width wants, further ones indented as it is."""
    indent = line[: len(line) - len(line.lstrip())]
    return wrap(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False) or [line]


def _matrix(probe: str, cells: Sequence[Judged], width: int) -> Iterator[str]:
    """Yield the rows of one matrix, folded into as many blocks of columns as the width wants."""
    rows = list(dict.fromkeys(judged.cell.source for judged in cells))
    wide = columns(cells)
    marks = {(j.cell.source, column(j)): mark(j) for j in cells}
    left = max(len(name) for name in [*rows, probe]) + GAP
    letters = [_letters(number) for number in range(len(wide))]
    step = max(len(letters[-1]), 4) + GAP
    per_block = max(1, (width - left) // step)
    for start in range(0, len(wide), per_block):
        block = range(start, min(start + per_block, len(wide)))
        if start:
            yield ""
        yield f"{probe:<{left}}" + "".join(f"{letters[n]:<{step}}" for n in block).rstrip()
        for row in rows:
            words = (marks.get((row, wide[n]), "-") for n in block)
            yield f"{row:<{left}}" + "".join(f"{word:<{step}}" for word in words).rstrip()
    yield from (f"  {letter:<{len(letters[-1])}} = {name}" for letter, name in zip(letters, wide, strict=True))


def _letters(number: int) -> str:
    """Return A … Z, AA, AB, … as a spreadsheet does."""
    head, last = divmod(number, len(ascii_uppercase))
    return (_letters(head - 1) if head else "") + ascii_uppercase[last]


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


def _check(check: Checked) -> Iterator[str]:
    yield f"  {check.verdict}: {check.host}: {check.subject}: {check.expected} [{check.rule}]"
    yield f"      observed: {check.observed}"
    if check.because:
        yield f"      because: {check.because}"


def _every_cell(cells: Iterable[Judged]) -> Iterator[str]:
    yield "Why, cell by cell"
    for judged in cells:
        yield f"  {mark(judged):<5}{_what(judged)}"
        yield f"       {judged.because} [{judged.expected.rule}]"


def _rules(cells: Iterable[Judged]) -> Iterator[str]:
    yield "Why (one cell for each rule; --why explains every cell)"
    by_rule = sorted(cells, key=lambda judged: judged.expected.rule)
    for rule, group in groupby(by_rule, key=lambda judged: judged.expected.rule):
        members = list(group)
        first = members[0]
        count = f"{len(members)} cells" if len(members) > 1 else "1 cell"
        yield f"  {mark(first):<5}{rule}, {count}, as {_what(first)}"
        yield f"       {first.because}"
