"""What is shown of the results: a table, JSON, a section of a page, a picture."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from html import escape
from pathlib import Path

from bench.bars import judged
from bench.common import ROUNDS, Conditions, Group, Row

BEGIN, END = "<!-- measured: scripts/bench -->", "<!-- end measured -->"
COUNTS = ("cells", "unanswered", "MiB")
"""Stages that are no seconds, and so have no ratio."""


def cells(group: Group) -> Iterator[list[str]]:
    """Yield the table of a group: its head, then a line a row, with each stage's median and its ratio to the first."""
    yield [group.title, *group.stages, "note"]
    for row in group.rows:
        yield [row.name, *(_shown(group, row, stage) for stage in group.stages), row.note]


def _shown(group: Group, row: Row, stage: str) -> str:
    value = row.median(stage)
    if value is None:
        return "-"
    if stage in COUNTS:
        return f"{value:,.0f}"
    first = group.rows[0].median(stage)
    ratio = f" ({value / first:.2f})" if group.ratios and first and row is not group.rows[0] else ""
    return f"{value:.3f}{ratio}" if value < 1 else f"{value:.2f}{ratio}"


def in_order(groups: Sequence[Group]) -> list[Group]:
    """Return the groups by kind, and by the numbers in their titles."""
    words = re.compile(r"(\d+)")
    return sorted(groups, key=lambda g: [int(w) if w.isdigit() else w for w in words.split(g.title)])


def latest(groups: Sequence[Group]) -> list[Group]:
    """Return the groups of the latest run of each."""
    return in_order(list({group.title: group for group in groups}.values()))


def text(groups: Sequence[Group]) -> str:
    """Return all tables for a terminal."""
    parts = []
    for group in groups:
        table = list(cells(group))
        widths = [max(len(line[at]) for line in table) for at in range(len(table[0]))]
        lines = [
            "  ".join(f"{word:<{width}}" for word, width in zip(line, widths, strict=True)).rstrip() for line in table
        ]
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def as_json(groups: Sequence[Group]) -> str:
    """Return every number of every round."""
    machine = {"kernel": platform.release(), "python": platform.python_version()}
    found = {"machine": machine, "groups": [asdict(group) for group in groups]}
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def from_json(text: str) -> list[Group]:
    """Return the groups of which `as_json` wrote."""
    return [
        Group(**{
            **group,
            "rows": [Row(**row) for row in group["rows"]],
            "conditions": Conditions(**group["conditions"]),
        })
        for group in json.loads(text)["groups"]
    ]  # fmt: skip


def into_page(page: Path, groups: Sequence[Group]) -> None:
    """Write the latest tablesand the bars of all runs into a page; raises ValueError where it has no place for them."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"{page}: there is no section between {BEGIN} and {END}")
    load = f"{max(group.conditions.load for group in groups):.1f}"
    paces = [group.conditions.pace for group in groups]
    counted = (
        f"Medians of {ROUNDS} rounds or more on {os.cpu_count()} cores, where no note says otherwise, in seconds; in "
        "brackets the ratio to the first row. Of work measured in several runs the tables have the latest, and what "
        "is wanted is held against each."
    )
    told = (
        f"The load of the machine, the benchmark's own included, was up to {load} meanwhile. A loop of a million "
        f"additions took Python {min(paces):.0f} to {max(paces):.0f} ms: how fast the machine was, and how quiet. "
        "Seconds are to be read with that in mind, ratios are not."
    )
    parts = [
        counted,
        told,
        "![The same as bars](performance.svg)",
        "### What is wanted, and what came of it",
        _table(["work", "wanted", "measured", "met"], list(judged(groups))),
    ]
    for group in latest(groups):
        head, *lines = cells(group)
        parts.append(f"### {group.title[0].upper()}{group.title[1:]}")
        parts += [group.text] if group.text else []
        parts.append(_table(["", *head[1:]], lines))
    page.write_text(f"{before}{BEGIN}\n\n" + "\n\n".join(parts) + f"\n\n{END}{after}", encoding="utf-8")


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, ["---"] * len(head), *lines])


LINE, LEFT, WIDTH, SPACE = 18, 290, 860, 470


def picture(groups: Sequence[Group]) -> str:
    """Return an SVG: a bar for each stage of each row, of a length within its group."""
    body: list[str] = []
    y = 10
    for group in [group for group in latest(groups) if group.ratios]:
        y += 2 * LINE
        body.append(f'<text x="8" y="{y}" class="title">{escape(group.title)}</text>')
        bars = list(_bars(group))
        longest = max((value for _, _, value in bars), default=1.0)
        for name, ours, value in bars:
            y += LINE
            length = max(1.0, value / longest * SPACE)
            kind = "ours" if ours else "other"
            body += [
                f'<text x="{LEFT - 8}" y="{y}" class="name">{escape(name)}</text>',
                f'<rect x="{LEFT}" y="{y - 11}" width="{length:.1f}" height="13" class="{kind}"/>',
                f'<text x="{LEFT + length + 6:.1f}" y="{y}">{value:.2f} s</text>',
            ]
    style = (
        "text{font:12px sans-serif;fill:#1b1f24}.title{font-weight:bold}.name{text-anchor:end}"
        ".ours{fill:#0b6bcb}.other{fill:#9aa4af}"
    )
    frame = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + LINE}" role="img">'
    head = [frame, "<title>Seconds, by contender</title>", f"<style>{style}</style>"]
    return "\n".join([*head, '<rect width="100%" height="100%" fill="#fff"/>', *body, "</svg>\n"])


def _bars(group: Group) -> Iterator[tuple[str, bool, float]]:
    """Yield the name, whether it is ours, and the seconds of each bar."""
    stages = [stage for stage in group.stages if stage not in COUNTS]
    for row in group.rows:
        for stage in stages:
            value = row.median(stage)
            if value is not None:
                name = row.name if len(stages) == 1 else f"{row.name}: {stage}"
                yield name, row.name.startswith("dockerlab"), value
