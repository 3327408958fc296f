"""What a doctor found, as a list for people and as JSON."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from itertools import groupby
from textwrap import wrap
from typing import Any

from dockerlab.finding import CONNECTION, Finding, counts
from dockerlab.plain import one_line

WHOLE = 1 << 20
"""A width that breaks no line."""

WORDS = {"ok": "ok", "warning": "warning", "problem": "problem", "unknown": "could not tell"}


def table(findings: Sequence[Finding], width: int) -> str:
    """Return the findings host by host; a command is a line of its own, to be copied whole."""
    lines: list[str] = []
    subjects = max((len(finding.subject) for finding in findings), default=0)
    indent = max(map(len, WORDS.values())) + subjects + 6
    for host, group in groupby(findings, lambda finding: finding.host):
        lines.append(one_line(host) or "the lab")
        for finding in group:
            head = f"  {WORDS[finding.status]:<14}  {finding.subject:<{subjects}}  "
            # Why a connection failed holds commands: one line, to be copied whole.
            lines += _wrapped(finding.told, head, indent, width if finding.subject != CONNECTION else WHOLE)
            lines += _remedy(finding, indent, width)
    return "\n".join([*lines, "", _total(findings)]) + "\n"


def _remedy(finding: Finding, indent: int, width: int) -> list[str]:
    remedy = finding.remedy
    lines = [f"{' ' * (indent - 2)}> {one_line(shlex.join(command))}" for command in remedy.commands]
    if remedy.words:
        lines += _wrapped(remedy.words, " " * indent, indent, width)
    if remedy.undo:
        undo = one_line("; ".join(map(shlex.join, remedy.undo)))
        lines.append(f"{' ' * indent}(--fix runs it; back: {undo})")
    return lines


def _wrapped(text: str, head: str, indent: int, width: int) -> list[str]:
    """Return a text in lines behind a head, the others as far in."""
    room = max(width - indent, 30)
    first, *others = wrap(one_line(text), room, break_long_words=False, break_on_hyphens=False) or [""]
    return [f"{head}{first}".rstrip(), *(f"{' ' * indent}{line}" for line in others)]


def _total(findings: Sequence[Finding]) -> str:
    number = counts(findings)
    several = [f"{number[word]} {word}{'' if number[word] == 1 else 's'}" for word in ("warning", "problem")]
    return f"{number['ok']} ok, {', '.join(several)}, {number['unknown']} could not be told"


def as_json(findings: Sequence[Finding], lab: str | None) -> str:
    """Return one object: the findings with their remedies, and how many there are of each status."""
    number = counts(findings)
    found: dict[str, Any] = {
        "schema": 1,
        "lab": lab,
        "findings": [_entry(finding) for finding in findings],
        "summary": {status: number[status] for status in WORDS},
    }
    return json.dumps(found, indent=2) + "\n"


def _entry(finding: Finding) -> dict[str, Any]:
    remedy = finding.remedy
    return {
        "host": finding.host or None,
        "subject": finding.subject,
        "status": finding.status,
        "told": finding.told,
        "remedy": {
            "commands": [list(command) for command in remedy.commands],
            "words": remedy.words or None,
            "undo": [list(command) for command in remedy.undo],
        },
    }
