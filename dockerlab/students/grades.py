"""The grade of one student: what of the instance is as it should be, and the first thing that is not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from dockerlab.report.as_json import WORDS
from dockerlab.students.instance import Instance
from dockerlab.students.roster import Student
from dockerlab.verify import Judged, Report, Verdict

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
        """Return the verdict over all cells; `error` where there is no report."""
        if self.report is None:
            return "error"
        return {0: "pass", 1: "fail"}.get(self.report.exit_code, "unknown")  # type: ignore[return-value]

    @property
    def counts(self) -> dict[Verdict, int]:
        """Return how many cells passed, failed, and could not be told."""
        none: dict[Verdict, int] = {"pass": 0, "fail": 0, "unknown": 0}
        return none if self.report is None else self.report.summary()

    @property
    def amiss(self) -> tuple[Judged, ...]:
        """Return the cells that did not pass, failed ones first."""
        cells = self.report.cells if self.report is not None else ()
        return tuple(sorted((j for j in cells if j.verdict != "pass"), key=lambda judged: judged.verdict != "fail"))

    @property
    def problem(self) -> str:
        """Return in a line what is wrong first of all, with the lab's own names; empty where nothing is."""
        if self.report is None:
            return " ".join(self.error.split())
        if not self.amiss:
            failed = next((check for check in self.report.checks if check.verdict != "pass"), None)
            return f"{failed.subject}: {failed.observed}; expected {failed.expected}" if failed is not None else ""
        cell, observed = self.amiss[0].cell, self.amiss[0].observed
        seen = f"{observed.state} ({observed.symptom})" if observed.symptom else observed.state
        wanted = WORDS[self.amiss[0].expected.reachable]
        told = observed.detail if observed.state == "unknown" else f"expected {wanted}, for {self.amiss[0].because}"
        text = f"{cell.source} -> {cell.to} {cell.probe}: {seen}; {told}"
        return self.instance.short(" ".join(text.split()))


def worst(grades: Iterable[Grade]) -> int:
    """Return the exit code of all: that of the worst grade."""
    found = {grade.outcome for grade in grades}
    return next((code for outcome, code in reversed(CODES.items()) if outcome in found), 3)


def total(grades: Iterable[Grade]) -> str:
    """Return in a line how many students have which outcome."""
    all_of = list(grades)
    words = {"pass": "pass", "fail": "fail", "unknown": "unknown", "error": "not to be graded"}
    counts = {word: sum(grade.outcome == outcome for grade in all_of) for outcome, word in words.items()}
    return f"{len(all_of)} students: " + ", ".join(f"{count} {word}" for word, count in counts.items() if count)
