"""What a doctor found, as a list for people and as JSON."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from dockerlab.finding import Finding, counts
from dockerlab.folding import fold, fold_command, folded
from dockerlab.plain import one_line

WORDS = {"ok": "ok", "warning": "warning", "problem": "problem", "unknown": "could not tell"}


def table(findings: Sequence[Finding], width: int) -> str:
    """Return the findings host by host, in lines of at most `width` columns; a command can be copied whole."""
    lines: list[str] = []
    subjects = max((len(finding.subject) for finding in findings), default=0)
    indent = max(map(len, WORDS.values())) + subjects + 6
    for host, group in groupby(findings, lambda finding: finding.host):
        lines.append(one_line(host) or "the lab")
        for finding in group:
            head = f"  {WORDS[finding.status]:<14}  {finding.subject:<{subjects}}  "
            # Where the two columns take most of a narrow terminal, what is told goes beneath them.
            beneath = indent if indent <= width // 2 else 6
            if beneath < indent:
                lines += [head.rstrip(), *fold(f"{' ' * beneath}{one_line(finding.told)}", width)]
            else:
                # Folded without the columns: of several blanks in a row, folding keeps one.
                margin = " " * indent
                first, *rest = fold(f"{margin}{one_line(finding.told) or '.'}", width, hang=margin)
                lines += [f"{head}{first[indent:] if finding.told else ''}".rstrip(), *rest]
            lines += _remedy(finding, beneath, width)
    return "\n".join([*lines, "", folded(_total(findings), width)]) + "\n"


def _remedy(finding: Finding, indent: int, width: int) -> list[str]:
    remedy, margin = finding.remedy, " " * indent
    commands = [one_line(shlex.join(command)) for command in remedy.commands]
    lines = [line for each in commands for line in fold_command(f"{margin[2:]}> {each}", width, hang=f"{margin}  ")]
    if remedy.words:
        lines += fold(f"{margin}{one_line(remedy.words)}", width)
    if remedy.undo:
        undo = one_line("; ".join(map(shlex.join, remedy.undo)))
        lines += fold(f"{margin}(--fix runs it; back: {undo})", width)
    return lines


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
