"""Two worlds of a lab beside each other: what differs, since when, and what can be done about it.

As text for people, as one JSON object, and as Markdown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from dockerlab.folding import folded
from dockerlab.imagined.changes import TOLD
from dockerlab.reach import Cell, Expectation
from dockerlab.reach.against import Comparison, Difference
from dockerlab.reach.rules import RULES
from dockerlab.report.as_json import WORDS
from dockerlab.report.as_markdown import escaped
from dockerlab.versions import CHANGES

SCHEMA = 1
SAYS = {True: "reachable", False: "unreachable", None: "no claim"}
PAGES = {rule.id: rule for rule in RULES}


def since(found: Comparison, name: str) -> str:
    """Return what a change is, with its release, as the second side has it."""
    there = found.after.world.engines
    made = found.releases.get(name)
    if made is None:
        return TOLD[name].what
    older = any(engine.version > there[host].version for host, engine in found.before.world.engines.items())
    has = any(getattr(engine, name) for engine in there.values())
    when = {
        (False, True): "from {} on",
        (False, False): "from {} on no longer",
        (True, True): "before {}",
        (True, False): "before {} not yet",
    }[older, has]
    return f"{when.format('.'.join(map(str, made)))}: {TOLD[name].what}"


def heading(found: Comparison, changes: Sequence[str]) -> str:
    """Return what some cells have in common: the changes of the engine that make them what they are."""
    told = "; and ".join(since(found, name) for name in changes)
    return told[:1].upper() + told[1:] or "By what is otherwise on the other side"


def advice(each: Difference) -> str:
    """Return how a cell gets its other result: what the change asks for, else what the page of its rule says."""
    opened = each.after is not None and each.after.reachable is True
    for name in each.changes:
        told = TOLD[name].shut if opened else TOLD[name].open
        if told:
            return told
    page = PAGES.get(each.after.rule) if each.after is not None else None
    return page.change if page is not None else ""


def table(found: Comparison, width: int = 100) -> str:
    """Return the differences as text of at most `width` columns where names allow it, by what makes them."""
    lines = [f"{found.before.world.lab.name}: {found.before.told}, against {found.after.told}"]
    lines += [f"  would not be made: {told}" for told in found.refused]
    for title, rows in (("", found.differences), ("Lost as before, but shown otherwise", found.otherwise)):
        lines += ["", title] if title and rows else []
        for changes, group in groupby(sorted(rows, key=lambda each: each.changes), key=lambda each: each.changes):
            members = list(group)
            lines += ["", f"{heading(found, changes)} ({_how_many(len(members))})"]
            for because, alike in groupby(members, key=_because):
                lines += [f"  {_asked(each)}: {_said(each.before)} -> {_said(each.after)}" for each in alike]
                lines += [f"      {because}"] if because else []
            for told in dict.fromkeys(filter(None, map(advice, members if not title else ()))):
                lines += [f"  to have it as before: {told}"]
    lines += ["", *(f"note: {note}" for note in found.notes)] if found.notes else []
    return folded("\n".join([*lines, "", total(found)]), width) + "\n"


def _asked(each: Difference) -> str:
    cell = each.cell
    target = "" if cell.target == cell.to else f" {cell.target or '(no address)'}"
    return f"{cell.source} -> {cell.to}{target}, {cell.probe}"


def _because(each: Difference) -> str:
    return each.after.because(each.cell) if each.after is not None else ""


def _said(told: Expectation | None) -> str:
    if told is None:
        return "not asked"
    return f"{SAYS[told.reachable]}{f' ({told.symptom})' if told.symptom else ''} [{told.rule}]"


def total(found: Comparison) -> str:
    """Return the closing line: how many cells there are, and how many of them differ."""
    more = f", {len(found.otherwise)} lost as before but shown otherwise" if found.otherwise else ""
    untold = f", {found.untold} without a claim on both sides" if found.untold else ""
    refused = f"; {len(found.refused)} would not be made" if found.refused else ""
    return f"{_how_many(found.cells)}: {len(found.differences)} differ{more}{untold}{refused}"


def _how_many(number: int) -> str:
    return f"{number} cell{'' if number == 1 else 's'}"


def as_json(found: Comparison) -> str:
    """Return one object: both sides, every cell that differs with what both say of it, and the changes behind them."""
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "lab": found.before.world.lab.name,
        "before": _side(found.before.told, found.before.world.engines),
        "after": _side(found.after.told, found.after.world.engines),
        "differences": [_entry(each) for each in found.differences],
        "otherwise": [_entry(each) for each in found.otherwise],
        "changes": [_change(found, name) for name in _named(found)],
        "refused": found.refused,
        "notes": found.notes,
        "summary": {
            "cells": found.cells,
            "differ": len(found.differences),
            "otherwise": len(found.otherwise),
            "untold": found.untold,
        },
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _side(told: str, engines: Mapping[str, object]) -> dict[str, Any]:
    return {"told": told, "engines": {host: str(engine) for host, engine in engines.items()}}


def _entry(each: Difference) -> dict[str, Any]:
    cell = each.cell
    return {
        "from": cell.source,
        "to": cell.to,
        "target": cell.target,
        "probe": cell.probe,
        "before": _told(each.before, cell),
        "after": _told(each.after, cell),
        "changes": list(each.changes),
        "advice": advice(each) or None,
    }


def _told(told: Expectation | None, cell: Cell) -> dict[str, Any] | None:
    if told is None:
        return None
    return {
        "expected": WORDS[told.reachable],
        "symptom": told.symptom,
        "rule": told.rule,
        "because": told.because(cell),
    }


def _named(found: Comparison) -> list[str]:
    return list(dict.fromkeys(name for each in (*found.differences, *found.otherwise) for name in each.changes))


def _change(found: Comparison, name: str) -> dict[str, Any]:
    made = found.releases.get(name)
    return {
        "name": name,
        "release": ".".join(map(str, made)) if made is not None else None,
        "what": since(found, name),
        "source": (CHANGES[name].__doc__ or "").partition("\n")[0] if name in CHANGES else None,
        "cells": sum(name in each.changes for each in found.differences),
    }


def as_markdown(found: Comparison) -> str:
    """Return the differences as GitHub's Markdown; every value is text in it."""
    title = f"{found.before.world.lab.name}: {found.before.told}, against {found.after.told}"
    lines = [f"# {escaped(title)}", "", f"**{escaped(total(found))}**"]
    lines += ["", *(f"- would not be made: {escaped(told)}" for told in found.refused)] if found.refused else []
    for title, rows in (("What differs", found.differences), ("Lost as before, but shown otherwise", found.otherwise)):
        if not rows:
            continue
        lines += ["", f"## {title}"]
        for changes, group in groupby(sorted(rows, key=lambda each: each.changes), key=lambda each: each.changes):
            members = list(group)
            lines += ["", escaped(heading(found, changes)), "", "| from | to | target | probe | before | after |"]
            lines += ["|---|---|---|---|---|---|"]
            lines += [f"| {' | '.join(escaped(text) for text in _row(each))} |" for each in members]
            told = dict.fromkeys(filter(None, map(advice, members if rows is found.differences else ())))
            lines += ["", *(f"- to have it as before: {escaped(text)}" for text in told)] if told else []
    for note in found.notes:
        lines += ["", f"Note: {escaped(note)}"]
    return "\n".join(lines) + "\n"


def _row(each: Difference) -> tuple[str, ...]:
    cell = each.cell
    return (cell.source, cell.to, cell.target, cell.probe, _said(each.before), _said(each.after))
