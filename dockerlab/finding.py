"""What an examination of a host finds, with what mends it: plain data, made by `doctor` and printed by `report`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warning", "problem", "unknown"]
"""`unknown` means that it could not be told, which is neither good nor bad."""

CONNECTION = "connection"
"""The subject of a finding on whether the host can be reached at all."""

Argv = tuple[str, ...]


@dataclass(frozen=True)
class Remedy:
    """What mends it: commands to run on the host, one after the other, and words where a person has to decide.

    `undo` are the commands that take it back. Only where there are some is it safe to run the commands unasked.
    """

    commands: tuple[Argv, ...] = ()
    words: str = ""
    undo: tuple[Argv, ...] = ()


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `host` is empty for what concerns the lab as a whole."""

    host: str
    subject: str
    status: Status
    told: str
    remedy: Remedy = Remedy()


def counts(findings: Iterable[Finding]) -> Counter[str]:
    """Return how many findings have each status."""
    return Counter(finding.status for finding in findings)


def exit_code(findings: Iterable[Finding]) -> int:
    """Return 4 where a host cannot be reached, 1 for a problem, 3 where something could not be told, else 0."""
    found = list(findings)
    if any(finding.subject == CONNECTION and finding.status == "problem" for finding in found):
        return 4
    number = counts(found)
    return 1 if number["problem"] else 3 if number["unknown"] else 0
