"""Hold what was observed against what was expected: a verdict for every cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Literal

from dockerlab.errors import HostError
from dockerlab.facts import Facts
from dockerlab.probe import base as probe
from dockerlab.probe.base import Observation
from dockerlab.reach import Cell, Expectation, World
from dockerlab.verify.cause import Cause

Verdict = Literal["pass", "fail", "unknown"]


ANSWERED = ("no route", "refused", probe.REFUSED_BEHIND, "no such name", "wrong answerer")
"""Symptoms that somebody tells: waiting for them may take longer, as routers send such errors at a limited rate."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One cell with what was expected of it, what was seen, and the verdict.

    `predicted` is what the hosts' kernels will do as they are, None where that was not worked out; `cause` is the one
    object by which the cell is otherwise than expected, None where that is not known or there is nothing to explain.
    """

    cell: Cell
    expected: Expectation
    observed: Observation
    verdict: Verdict
    predicted: Expectation | None = None
    cause: Cause | None = None

    @property
    def unexplained(self) -> bool:
        """Tell whether a cell was seen otherwise than the kernels' state predicts, in a way that both are sure of."""
        if self.predicted is None or self.predicted.reachable is None or self.observed.state == "unknown":
            return False
        return self.predicted.reachable != (self.observed.state == "reachable")

    @property
    def charged(self) -> bool:
        """Tell whether a cell counts for whoever made the lab: what a host is at fault for does not."""
        return self.verdict == "pass" or self.cause is None or self.cause.side != "host" or bool(self.cause.who)

    @property
    def because(self) -> str:
        """Return why the cell is expected to be as it is."""
        return self.expected.because(self.cell)


@dataclass(frozen=True)
class Checked:
    """What a definition expects beside the cells: of what on which host, what was seen, the verdict, and why.

    `subject` is an object, such as `image web`; `rule` is a short name for what was looked at, such as `layers`.
    """

    host: str
    subject: str
    rule: str
    expected: str
    observed: str
    verdict: Verdict
    because: str = ""


@dataclass(frozen=True)
class Report:
    """All cells of a lab, judged. `engines` and `probers` (in words) are per host; `seconds` is what the probing took.

    `ended` tells of each container that should run and does not, with its last words.
    """

    lab: str
    title: str
    cells: tuple[Judged, ...]
    engines: Mapping[str, str]
    probers: Mapping[str, str]
    seconds: float
    instance: str | None = None
    notes: tuple[str, ...] = ()
    """What the author of the definition should know, such as an `expect` that changes nothing."""
    ended: tuple[str, ...] = ()
    made: datetime | None = None
    """When it was verified."""
    world: World | None = None
    """What the expectations follow from, for the formats that show more than the cells."""
    facts: Mapping[str, Facts] = field(default_factory=dict)
    """What is known of the machines, by host."""
    disturbed: tuple[str, ...] = ()
    """What changed on the hosts while the cells were asked; cells that it may have touched are unknown."""
    checks: tuple[Checked, ...] = ()
    """What the definition expects beside the cells."""
    causes: tuple[Cause, ...] = ()
    """What was found not to be as it should be, also where no cell shows it."""
    silent: Mapping[str, HostError] = field(default_factory=dict)
    """Why hosts of the lab could not be looked at; their cells are unknown."""

    @cached_property
    def told_causes(self) -> list[tuple[Cause, int]]:
        """Return every cause once, each with the number of its cells: the lab's before the hosts'.

        Networks come first: what is on one can only be put right once that is.
        """
        number = Counter(judged.cause for judged in self.cells if judged.cause is not None)
        found = dict.fromkeys((*self.causes, *number))
        ordered = sorted(found, key=lambda cause: (cause.side != "lab", cause.kind != "network"))
        return [(cause, number[cause]) for cause in ordered]

    @property
    def unexplained(self) -> int:
        """Return how many cells were seen otherwise than the kernels' state predicts."""
        return sum(judged.unexplained for judged in self.cells if judged.predicted is not None)

    def summary(self) -> dict[Verdict, int]:
        """Return how many cells and checks passed, failed, and could not be judged."""
        counts = Counter(judged.verdict for judged in self.cells) + Counter(check.verdict for check in self.checks)
        return {verdict: counts[verdict] for verdict in ("pass", "fail", "unknown")}

    def missing(self, host: str) -> tuple[str, ...]:
        """Return the facts of a host that could not be read, such as those that take root."""
        facts = self.facts.get(host)
        return facts.missing if facts is not None else ()

    @property
    def exit_code(self) -> int:
        """Return 0 when every cell passed, 1 when one failed, else 3; a report without cells proves nothing: 3.

        An object that is not as the definition has it is a failure of its own, whatever the cells say.
        """
        counts = self.summary()
        if counts["fail"] or any(cause.side == "lab" for cause in self.causes):
            return 1
        return 3 if counts["unknown"] or not self.cells or self.silent else 0


def judge(expected: Expectation, observed: Observation) -> Verdict:
    """Return the verdict: unknown where either side is unknown, and never a pass by default."""
    if expected.reachable is None or observed.state == "unknown":
        return "unknown"
    return "pass" if expected.reachable == (observed.state == "reachable") else "fail"


def judge_all(
    matrix: Sequence[tuple[Cell, Expectation]],
    observed: Sequence[Observation],
    predicted: Sequence[Expectation | None] = (),
) -> tuple[Judged, ...]:
    """Return every cell with its verdict, and what is predicted of it where that was worked out."""
    triples = zip(matrix, observed, predicted or [None] * len(matrix), strict=True)
    return tuple(
        Judged(cell, expected, seen, judge(expected, seen), foreseen) for (cell, expected), seen, foreseen in triples
    )


SEEN_AS = {"host unreachable": ("host unreachable", "timeout")}
"""What else a symptom may look like: the kernel reports a failed neighbour resolution only after some seconds."""


def same_symptom(expected: Expectation, observed: Observation) -> bool:
    """Tell whether a cell fails in the way that was predicted; true where nothing was predicted to fail."""
    if expected.reachable is not False or expected.symptom is None or observed.state != "unreachable":
        return True
    return observed.symptom in SEEN_AS.get(expected.symptom, (expected.symptom,))
