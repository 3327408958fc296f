"""The model in words: one pair hop by hop, or a whole lab rule by rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from dockerlab.reach import Cell, Expectation, outcome_of
from dockerlab.reach.asked import Expected
from dockerlab.reach.rules import RULES
from dockerlab.reach.story import in_words

SAYS = {True: "reachable", False: "unreachable", None: "no claim"}
PAGES = "docs/rules/"


def explained(found: Expected, live: Sequence[tuple[Cell, Sequence[str]]] = ()) -> str:
    """Return a whole lab rule by rule, or what was asked of it hop by hop, with what was seen of each cell `live`."""
    text = whole(found.rows) if found.whole else pair(found)
    lines = [
        line
        for cell, seen in live
        for line in (f"{cell.source} -> {cell.to} {cell.target} {cell.probe}, live", *(f"  {each}" for each in seen))
    ]
    return text + "".join(f"{line}\n" for line in lines)


def pair(found: Expected) -> str:
    """Return the explanation of some cells: what is expected, why, and the packet's way, hop by hop.

    Where there are hosts, the way is the one through their kernels as they are; what is predicted there is told where
    it is not what is expected.
    """
    predicted: Sequence[Expectation | None] = found.predicted or [None] * len(found.rows)
    told = zip(found.rows, predicted, strict=True)
    return "\n".join("\n".join(_cell(found, cell, expected, now)) for (cell, expected), now in told)


def _cell(found: Expected, cell: Cell, expected: Expectation, now: Expectation | None) -> Iterator[str]:
    target = "" if cell.target == cell.to else f" {cell.target or '(no address)'}"
    yield f"{cell.source} -> {cell.to}{target}, {cell.probe}: {_says(expected)}"
    yield f"  because {expected.because(cell)}"
    yield from about_rule(expected.rule)
    if now is not None and now.reachable is not expected.reachable:
        yield f"  as the hosts are now: {_says(now)}, because {now.because(cell)}"
        yield from about_rule(now.rule)
    world = found.now or found.world
    outcome = outcome_of(world, cell, detail=True)
    if outcome is not None:
        back = (f"reply: {step}" for step in in_words(world, outcome.back))
        for number, step in enumerate((*in_words(world, outcome.steps), *back), 1):
            yield f"  {number}. {step}"
    yield ""


def about_rule(identity: str) -> Iterator[str]:
    """Yield what a rule is: its title, its mechanism, and its page."""
    found = next((rule for rule in RULES if rule.id == identity), None)
    if found is None:
        yield f"  rule {identity}"
        return
    yield f"  rule {identity}: {found.title} ({PAGES}{identity}.md)"
    quoted = found.why.replace("`", "'")  # it is Markdown, for the rule's page
    yield f"    {quoted}"


def _says(expected: Expectation) -> str:
    return SAYS[expected.reachable] + (f" ({expected.symptom})" if expected.symptom else "")


def whole(rows: Sequence[tuple[Cell, Expectation]]) -> str:
    """Return a lab's matrix in words: for each rule what it says, and the cells that it decides."""
    lines: list[str] = []
    by_rule = sorted(rows, key=lambda row: (row[1].rule, row[1].reachable is not True))
    for (rule, reachable), group in groupby(by_rule, key=lambda row: (row[1].rule, row[1].reachable)):
        members = list(group)
        cell, expected = members[0]
        title = next((known.title for known in RULES if known.id == rule), "as the definition says")
        lines += [f"{rule} ({title}): {SAYS[reachable]}, {len(members)} of {len(rows)} cells"]
        lines += [f"  for example {cell.source} -> {cell.to}: {expected.because(cell)}"]
        lines += [f"  {line}" for line in _listed([member for member, _ in members])]
        lines += [""]
    return "\n".join(lines)


def _listed(cells: Sequence[Cell]) -> Iterator[str]:
    """Yield a line for each source: whom the rule is about, and by which probe."""
    for source, group in groupby(cells, key=lambda cell: cell.source):
        about: dict[str, list[str]] = {}
        for cell in group:
            about.setdefault(cell.to, []).append(cell.probe)
        told = (f"{to} ({', '.join(dict.fromkeys(probes))})" for to, probes in about.items())
        yield f"{source} -> {', '.join(told)}"
