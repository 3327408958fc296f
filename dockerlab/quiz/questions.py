"""Which cells of a matrix are asked: by a seed, as many reachable as not, and of every rule in turn. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from random import Random

from dockerlab.reach import Cell, Expectation
from dockerlab.verify import Judged


@dataclass(frozen=True)
class Question:
    """One cell, with the right answer; `seen` tells what was observed where that was asked, else None."""

    cell: Cell
    expected: Expectation
    reachable: bool
    symptom: str | None = None
    seen: bool = False

    @property
    def text(self) -> str:
        """Return the question in words."""
        cell = self.cell
        if cell.probe == "dns":
            return f"Does {cell.source} get the right address for the name {cell.target}?"
        at = "" if cell.target == cell.to else f" at {cell.target}"
        if cell.port is not None:
            return f"Does {cell.source} reach TCP port {cell.port} of {cell.to}{at}?"
        return f"Does {cell.source} reach {cell.to}{at} by ping?"


def predicted(rows: Iterable[tuple[Cell, Expectation]]) -> list[Question]:
    """Return a question for each cell of which the model claims something."""
    return [
        Question(cell, expected, expected.reachable, expected.symptom)
        for cell, expected in rows
        if expected.reachable is not None
    ]


def observed(cells: Iterable[Judged]) -> list[Question]:
    """Return a question for each cell that was tested, and of which the model claims something."""
    return [
        Question(each.cell, each.expected, each.observed.state == "reachable", each.observed.symptom, seen=True)
        for each in cells
        if each.verdict != "unknown"
    ]


def choose(questions: Sequence[Question], number: int, seed: int) -> list[Question]:
    """Return at most that many of the questions, the same ones for the same seed.

    Half of them have the answer yes, as far as there are such, and each half takes the rules in turn, so that the rule
    of many cells does not drown the others.
    """
    chance = Random(seed)  # noqa: S311 - to be repeated, not to be secret
    halves = [_in_turn([q for q in questions if q.reachable is answer], chance) for answer in (True, False)]
    chance.shuffle(halves)
    mixed = [question for pair in zip_longest(*halves) for question in pair if question is not None]
    chosen = mixed[:number]
    chance.shuffle(chosen)
    return chosen


def _in_turn(questions: Sequence[Question], chance: Random) -> list[Question]:
    """Return questions shuffled, one of each rule, then a second one of each, and so on."""
    by_rule: dict[str, list[Question]] = {}
    for question in chance.sample(questions, len(questions)):
        by_rule.setdefault(question.expected.rule, []).append(question)
    rules = chance.sample(sorted(by_rule), len(by_rule))
    rounds = zip_longest(*(by_rule[rule] for rule in rules))
    return [question for question in chain.from_iterable(rounds) if question is not None]
