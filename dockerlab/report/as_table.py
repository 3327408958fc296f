"""A report for people: the matrix by kind of probe, what did not hold, and why each cell is as it is.

It reads without colour: `yes` and `no` are as expected, `yes!` and `no!` are not, `?` could not be told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from string import ascii_uppercase

from dockerlab.folding import REMEDY, fold
from dockerlab.report.causes import by_side
from dockerlab.report.matrices import by_probe, column, columns, mark, total
from dockerlab.verify import Checked, Judged, Report, how_many

GAP = 2
KEY = "yes reachable, no unreachable, as expected | yes! no! not as expected | ? could not tell | - not asked"
WHY = "--why tells why"


def render(report: Report, width: int = 100, *, why: bool = False) -> str:
    """Return the report as text of at most `width` columns where names allow it; `why` explains every cell.

    What is not as expected comes first, then the matrix, and in the end the count of cells; where all is as expected
    there is no more than the matrix and that line.
    """
    amiss = [*_causes(report), *_cells_amiss(report), *_checks(report)]
    lines = [f"{report.lab}: {report.title}" if report.title else report.lab, *(_hosts(report) if why or amiss else ())]
    lines = [piece for line in (*lines, *amiss) for piece in fold(line, width)]
    for probe, cells in by_probe(report.cells):
        lines += ["", *_matrix(probe, cells, width)]
    prose = ["", KEY] if why or amiss else []
    prose += ["", *_every_cell(report.cells)] if why and report.cells else []
    passed = [line for check in report.checks if check.verdict == "pass" for line in _check(check)] if why else []
    prose += ["", "As wanted, beside the cells", *passed] if passed else []
    notes = [f"note: {note}" for note in (*report.notes, *_unread(report))]
    prose += ["", *notes] if notes else []
    closing = total(report) if why or not report.cells else f"{total(report)}; {WHY}"
    lines += [piece for line in (*prose, "", closing) for piece in fold(line, width)]
    return "\n".join(lines) + "\n"


def _hosts(report: Report) -> Iterator[str]:
    """Yield what each host runs, and who asked there."""
    for host, engine in report.engines.items():
        yield f"  {host}: engine {engine}, probed by {report.probers[host]}"


def _causes(report: Report) -> Iterator[str]:
    """Yield what is not as it should be, and what puts it right."""
    for head, told in by_side(report):
        yield ""
        yield head
        for cause, cells in told:
            yield f"  {cause} ({how_many(cells)})"
            if cause.undo:
                yield f"      {REMEDY}{cause.undo}"


def _unread(report: Report) -> Iterator[str]:
    """Yield the facts that a host did not tell, where of some cell nothing is expected: they may be why."""
    if all(judged.expected.reachable is not None for judged in report.cells):
        return
    for host in report.engines:
        if report.missing(host):
            yield f"{host}: could not be read: {', '.join(report.missing(host))}; root on the host may be needed"


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
    for letter, name in zip(letters, wide, strict=True):
        yield from fold(f"  {letter:<{len(letters[-1])}} = {name}", width, hang=" " * (len(letters[-1]) + 5))


def _letters(number: int) -> str:
    """Return A … Z, AA, AB, … as a spreadsheet does."""
    head, last = divmod(number, len(ascii_uppercase))
    return (_letters(head - 1) if head else "") + ascii_uppercase[last]


def _what(judged: Judged) -> str:
    cell = judged.cell
    target = "" if cell.target == cell.to else f" {cell.target or '(no address)'}"
    return f"{cell.source} -> {cell.to}{target} {cell.probe}"


def _cells_amiss(report: Report) -> Iterator[str]:
    """Yield the cells that no cause above explains: what was expected and seen, and once for all alike why."""
    amiss = [judged for judged in report.cells if judged.verdict != "pass" and judged.cause is None]
    alike: dict[tuple[str, ...], list[Judged]] = {}
    for judged in amiss:
        alike.setdefault(_reasons(judged), []).append(judged)
    if amiss:
        yield ""
        yield "Not as expected, or not to be told"
    for (because, detail), members in alike.items():
        yield from (f"  {judged.verdict}: {_what(judged)}: {_seen(judged)}" for judged in members)
        if because:
            yield f"      expected because: {because}"
        if detail:
            yield f"      observed: {detail}"


def _reasons(judged: Judged) -> tuple[str, str]:
    """Return why a cell was expected as it was, and why it was seen so; of what could not be seen the latter alone."""
    detail = judged.observed.detail
    return "" if judged.observed.state == "unknown" and detail else judged.because, detail


def _seen(judged: Judged) -> str:
    expected, observed = judged.expected, judged.observed
    wished = {True: "reachable", False: "unreachable", None: "unknown"}[expected.reachable]
    return f"expected {wished}, observed {observed.state}" + (f" ({observed.symptom})" if observed.symptom else "")


def _checks(report: Report) -> Iterator[str]:
    """Yield what of the checks beside the cells did not pass."""
    amiss = [check for check in report.checks if check.verdict != "pass"]
    if amiss:
        yield ""
        yield "Beside the cells"
    for check in amiss:
        yield from _check(check)


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
