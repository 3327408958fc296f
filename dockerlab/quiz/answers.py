"""How an answer is marked, and what is said of it. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dockerlab.quiz.questions import Question
from dockerlab.report.as_words import PAGES, about_rule

SCHEMA = 1


@dataclass(frozen=True)
class Answered:
    """A question with what was answered; None is no answer."""

    question: Question
    given: bool | None

    @property
    def right(self) -> bool:
        """Tell whether the answer is right; none is wrong."""
        return self.given == self.question.reachable


def explained(answered: Answered) -> Iterator[str]:
    """Yield what is said of an answer: that it is right, or what is true, why, and by which rule."""
    question = answered.question
    truth = ("yes" if question.reachable else "no") + (f", {question.symptom}" if question.symptom else "")
    if answered.right:
        yield f"  Right: {truth}."
        return
    yield f"  {'No answer' if answered.given is None else 'Wrong'}: {truth}."
    expected = question.expected
    if question.seen and expected.reachable != question.reachable:
        yield "  That is not as it should be: the lab is broken, or somebody has changed it. It should be otherwise,"
    yield f"  because {expected.because(question.cell)}"
    yield from about_rule(expected.rule)


def score(marked: Sequence[Answered]) -> str:
    """Return the result in a line."""
    right = sum(each.right for each in marked)
    return f"{right} of {len(marked)} right"


def as_json(lab: str, seed: int, marked: Sequence[Answered]) -> str:
    """Return questions, answers and the result as one JSON object."""
    document = {
        "schema": SCHEMA,
        "lab": lab,
        "seed": seed,
        "asked": len(marked),
        "right": sum(each.right for each in marked),
        "questions": [
            {
                "from": each.question.cell.source,
                "to": each.question.cell.to,
                "target": each.question.cell.target,
                "probe": each.question.cell.probe,
                "observed": each.question.seen,
                "reachable": each.question.reachable,
                "symptom": each.question.symptom,
                "answered": each.given,
                "right": each.right,
                "rule": each.question.expected.rule,
                "page": f"{PAGES}{each.question.expected.rule}.md",
                "because": each.question.expected.because(each.question.cell),
            }
            for each in marked
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
