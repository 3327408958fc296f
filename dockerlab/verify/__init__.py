"""Expectation against observation: a verdict for every cell, and what explains it."""

from dockerlab.verify.cause import Cause, how_many
from dockerlab.verify.questions import held, observe, place, questions
from dockerlab.verify.verdicts import Checked, Judged, Report, Verdict, judge, judge_all, same_symptom

__all__ = [
    "Cause",
    "Checked",
    "Judged",
    "Report",
    "Verdict",
    "held",
    "how_many",
    "judge",
    "judge_all",
    "observe",
    "place",
    "questions",
    "same_symptom",
]
