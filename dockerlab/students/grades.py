"""The grade of one student: what of the instance is as it should be, and the first thing that is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from dockerlab.report.as_json import WORDS
from dockerlab.students.instance import Instance
from dockerlab.students.roster import Student
from dockerlab.verify import Cause, Judged, Report, Verdict, how_many

Outcome = Literal["pass", "fail", "unknown", "error"]

CODES: dict[Outcome, int] = {"pass": 0, "unknown": 3, "fail": 1, "error": 4}
"""The exit code of each outcome, the worst one last."""


@dataclass(frozen=True)
class Grade:
    """One student's instance, judged; without a report, `error` says why there is none."""

    instance: Instance
    report: Report | None
    error: str = ""

    @property
    def student(self) -> Student:
        """Return whose grade it is."""
        return self.instance.student

    @property
    def hosts(self) -> tuple[str, ...]:
        """Return the hosts that the instance is on."""
        return tuple(self.instance.lab.hosts)

    @property
    def outcome(self) -> Outcome:
        """Return the verdict over all that is charged to the student; `error` where there is no report.

        An object that is not as the definition has it fails, whatever the cells say.
        """
        if self.report is None:
            return "error"
        if self.counts["fail"] or self.wrong:
            return "fail"
        return "pass" if self.counts["pass"] and not self.counts["unknown"] else "unknown"

    @property
    def wrong(self) -> list[tuple[Cause, int]]:
        """Return what of the instance is not as the definition has it, with the number of cells of each."""
        told = self.report.told_causes if self.report is not None else []
        return [each for each in told if each[0].side == "lab"]

    @property
    def spared(self) -> int:
        """Return how many cells did not pass by a fault of the hosts: they are not charged to the student."""
        return sum(not judged.charged for judged in self.report.cells) if self.report is not None else 0

    @property
    def alone(self) -> int:
        """Return how many of the cells that passed one host alone attests: no other one saw their packets.

        Whoever is root there can have said so without a packet.
        """
        cells = self.report.cells if self.report is not None else ()
        return sum(judged.verdict == "pass" and not judged.observed.witness for judged in cells)

    @property
    def counts(self) -> dict[Verdict, int]:
        """Return how many cells and checks passed, failed, and could not be told, of those that are charged."""
        found = Counter[Verdict]()
        if self.report is not None:
            found.update(judged.verdict for judged in self.report.cells if judged.charged)
            found.update(check.verdict for check in self.report.checks)
        return {"pass": found["pass"], "fail": found["fail"], "unknown": found["unknown"]}

    @property
    def amiss(self) -> tuple[Judged, ...]:
        """Return the cells that did not pass and are charged, failed ones first."""
        cells = self.report.cells if self.report is not None else ()
        found = (judged for judged in cells if judged.verdict != "pass" and judged.charged)
        return tuple(sorted(found, key=lambda judged: judged.verdict != "fail"))

    @property
    def problem(self) -> str:
        """Return in a line what is wrong first of all, with the lab's own names; empty where nothing is."""
        if self.report is None:
            return " ".join(self.error.split())
        if self.wrong:
            return self.instance.short(self.wrong[0][0].text)
        if not self.amiss:
            failed = next((check for check in self.report.checks if check.verdict != "pass"), None)
            return f"{failed.subject}: {failed.observed}; expected {failed.expected}" if failed is not None else ""
        cell, observed = self.amiss[0].cell, self.amiss[0].observed
        seen = f"{observed.state} ({observed.symptom})" if observed.symptom else observed.state
        wanted = WORDS[self.amiss[0].expected.reachable]
        told = observed.detail if observed.state == "unknown" else f"expected {wanted}, for {self.amiss[0].because}"
        text = f"{cell.source} -> {cell.to} {cell.probe}: {seen}; {told}"
        return self.instance.short(" ".join(text.split()))


def of_hosts(grades: Iterable[Grade]) -> list[tuple[Cause, int]]:
    """Return what the hosts are at fault for, once each, with the number of cells of all students."""
    found = Counter[Cause]()
    for grade in grades:
        for cause, cells in grade.report.told_causes if grade.report is not None else ():
            if cause.side == "host":
                found[cause] += cells
    return list(found.items())


def not_charged(grades: Iterable[Grade]) -> list[str]:
    """Return a line for each thing that a host is at fault for: its cells are not charged to the students."""
    return [
        f"{cause}: {how_many(cells)}; not charged to the students"
        + (f"; right would be: {cause.undo}" if cause.undo else "")
        for cause, cells in of_hosts(grades)
    ]


def attested(grades: Iterable[Grade]) -> str:
    """Return in a line on whose word the cells passed; empty where none did."""
    all_of = list(grades)
    passed = sum(judged.verdict == "pass" for each in all_of if each.report is not None for judged in each.report.cells)
    alone = sum(each.alone for each in all_of)
    if not alone:
        return ""
    return f"{alone} of {how_many(passed)} that passed are one host's word alone, as good as whoever is root there"


def worst(grades: Iterable[Grade]) -> int:
    """Return the exit code of all: that of the worst grade."""
    found = {grade.outcome for grade in grades}
    return next((code for outcome, code in reversed(CODES.items()) if outcome in found), 3)


def total(grades: Iterable[Grade]) -> str:
    """Return in a line how many students have which outcome."""
    all_of = list(grades)
    words = {"pass": "pass", "fail": "fail", "unknown": "unknown", "error": "not to be graded"}
    counts = {word: sum(grade.outcome == outcome for grade in all_of) for outcome, word in words.items()}
    what = "student" if len(all_of) == 1 else "students"
    return f"{len(all_of)} {what}: " + ", ".join(f"{count} {word}" for word, count in counts.items() if count)
