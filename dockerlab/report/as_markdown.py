"""A report as Markdown, for a pull request or a wiki: the summary, the matrix as tables, and what did not hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dockerlab.plain import one_line
from dockerlab.report.as_json import WORDS
from dockerlab.report.causes import by_side, told_once
from dockerlab.report.matrices import by_probe, column, columns, mark, total
from dockerlab.verify import Judged, Report, how_many

WIDEST = 40
"""So many columns a table may have: a larger matrix is told by its counts and by what does not hold."""

CHECK = ("verdict", "host", "object", "expected", "observed", "because")

SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&@$^]|:(?=\S))")


def render(report: Report) -> str:
    """Return the report as GitHub's Markdown; every value is text in it."""
    title = f"{report.lab}: {report.title}" if report.title else report.lab
    lines = [f"# {escaped(title)}", "", f"**{escaped(total(report))}**", ""]
    for head, told in by_side(report):
        lines += [f"## {escaped(head)}", ""]
        for cause, number in told:
            lines += [f"- {escaped(str(cause))} ({how_many(number)})"]
            lines += [f"  - right would be: {escaped(cause.undo)}"] if cause.undo else []
        lines += [""]
    lines += ["| host | engine | prober |", "|---|---|---|"]
    lines += [_row([host, engine, report.probers[host]]) for host, engine in report.engines.items()]
    for probe, cells in by_probe(report.cells):
        lines += ["", f"## {escaped(probe)}", "", *_table(probe, cells)]
    lines += [
        "",
        "yes reachable, no unreachable, as expected; yes! no! not as expected; ? could not be told; · not asked",
    ]
    amiss = [judged for judged in report.cells if judged.verdict != "pass" and judged.cause is None]
    once = told_once(report)
    if amiss or once:
        lines += ["", "## Not as expected, or not to be told", ""]
        lines += [line for judged in amiss for line in _amiss(judged)]
    if once:
        lines += [f"- {how_many(once)} by what is said above"]
    if report.checks:
        lines += ["", "## Beside the cells", "", _row(CHECK), "|---" * len(CHECK) + "|"]
        lines += [_row([c.verdict, c.host, c.subject, c.expected, c.observed, c.because]) for c in report.checks]
    for note in (*report.notes, *report.disturbed, *report.ended):
        lines += ["", f"Note: {escaped(note)}"]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Return a value on one line, as text whatever it holds."""
    return SPECIAL.sub(r"\\\1", one_line(text))


def _table(probe: str, cells: Sequence[Judged]) -> Iterator[str]:
    wide = columns(cells)
    if len(wide) > WIDEST:
        counts = {verdict: sum(j.verdict == verdict for j in cells) for verdict in ("pass", "fail", "unknown")}
        yield f"{len(cells)} cells, too many for a table: {', '.join(f'{n} {word}' for word, n in counts.items())}."
        return
    marks = {(judged.cell.source, column(judged)): _sign(judged) for judged in cells}
    yield _row([probe, *wide])
    yield "|---" * (len(wide) + 1) + "|"
    for source in dict.fromkeys(judged.cell.source for judged in cells):
        yield f"| **{escaped(source)}** | " + " | ".join(marks.get((source, name), "·") for name in wide) + " |"


def _row(values: Sequence[str]) -> str:
    return "| " + " | ".join(escaped(value) for value in values) + " |"


def _sign(judged: Judged) -> str:
    return mark(judged) if judged.verdict == "pass" else f"**{mark(judged)}**"


def _amiss(judged: Judged) -> Iterator[str]:
    cell, observed = judged.cell, judged.observed
    target = "" if cell.target == cell.to else f" {cell.target or '(no address)'}"
    seen = observed.state + (f" ({observed.symptom})" if observed.symptom else "")
    what = escaped(f"{cell.source} -> {cell.to}{target} {cell.probe}")
    yield f"- **{judged.verdict}**: {what}: expected {WORDS[judged.expected.reachable]}, observed {escaped(seen)}"
    yield f"  - because: {escaped(judged.because)} (`{judged.expected.rule}`)"
    if observed.detail:
        yield f"  - observed: {escaped(observed.detail)}"
