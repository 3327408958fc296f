"""The quiz: which cells are asked, what an answer means, and what is said of it."""

from __future__ import annotations

import io
import json
import sys
from collections import Counter

import pytest
from support.lab_hosts import EXAMPLES
from support.labs import read
from support.offline import observed as report_of
from support.offline import world_of

from dockerlab.checks.answers import meaning
from dockerlab.cli import main
from dockerlab.cli.quiz import ask
from dockerlab.quiz.answers import Answered, explained, score
from dockerlab.quiz.questions import choose, observed, predicted
from dockerlab.reach import matrix


@pytest.fixture(scope="module")
def known():
    return predicted(matrix(world_of(read(EXAMPLES / "mixed.yaml"))))


def test_the_same_seed_asks_the_same(known):
    """A seed gives the same questions in the same order; another one gives others."""
    assert choose(known, 10, 4) == choose(known, 10, 4)
    assert choose(known, 10, 4) != choose(known, 10, 5)


@pytest.mark.parametrize("seed", range(20))
def test_the_mix_is_good(known, seed):
    """Half of the answers are yes, no cell comes twice, and no rule comes again before all had their turn."""
    chosen = choose(known, 12, seed)
    assert Counter(question.reachable for question in chosen) == {True: 6, False: 6}
    assert len({question.cell for question in chosen}) == 12
    for answer in (True, False):
        rules = [question.expected.rule for question in chosen if question.reachable is answer]
        there = {question.expected.rule for question in known if question.reachable is answer}
        assert len(set(rules)) == min(6, len(there))


def test_more_than_there_is(known):
    """All cells are asked where more are wanted; of nothing, nothing is."""
    assert sorted(q.cell for q in choose(known, 100_000, 1)) == sorted(q.cell for q in known)
    assert choose([], 5, 1) == []


@pytest.mark.parametrize(
    ("line", "means"),
    [("y\n", True), (" YES ", True), ("n", False), ("No\r\n", False), ("", None), ("maybe", None), ("y" * 10**6, None)],
)
def test_what_an_answer_means(line, means):
    """Yes and no in any case; everything else is no answer."""
    assert meaning(line) is means


def test_a_wrong_answer_is_explained(known):
    """Of a wrong answer the reason is said, with the rule and its page; of a right one only that it is right."""
    question = choose(known, 1, 3)[0]
    wrong = "\n".join(explained(Answered(question, not question.reachable)))
    assert "Wrong" in wrong
    assert question.expected.because(question.cell) in wrong
    assert f"docs/rules/{question.expected.rule}.md" in wrong
    assert len(list(explained(Answered(question, question.reachable)))) == 1


def test_what_was_observed_counts():
    """With observations the right answer is what was seen; where that is not as predicted, it is said so."""
    cells = observed(report_of(read(EXAMPLES / "bridge.yaml"), wrong={0}, untold={1}).cells)
    assert len(cells) == len(report_of(read(EXAMPLES / "bridge.yaml")).cells) - 1
    broken = cells[0]
    assert broken.reachable != broken.expected.reachable
    assert "not as it should be" in "\n".join(explained(Answered(broken, not broken.reachable)))


def replies(*lines):
    return iter([*lines, ""]).__next__


def test_what_is_no_answer(known):
    """At a terminal it is asked again; from a file it is no answer, so that the next line is that of the next cell."""
    chosen = choose(known, 2, 1)
    said = []
    patient = ask(chosen, replies("what?\n", "y\n", "n\n"), said.append, patient=True)
    assert [each.given for each in patient] == [True, False]
    assert [e.given for e in ask(chosen, replies("what?\n", "y\n"), said.append, patient=False)] == [None, True]


@pytest.mark.parametrize("lines", [[], ["q\n"], ["Q"]])
def test_the_end_leaves_the_rest_unanswered(known, lines):
    """At the end of the input, or with q, the rest is without an answer, and nothing of it is given away."""
    said = []
    marked = ask(choose(known, 5, 1), replies(*lines), said.append, patient=True)
    assert [each.given for each in marked] == [None] * 5
    assert score(marked) == "0 of 5 right"
    assert len(said) == 1


def call(monkeypatch, capsys, text, *words):
    monkeypatch.setattr(sys, "argv", ["dockerlab", "quiz", *words])
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code or 0, capsys.readouterr()


def test_the_command(monkeypatch, capsys):
    """Piped answers are marked; exit code 0 is for all right, and JSON has it all."""
    code, told = call(monkeypatch, capsys, "", "mixed", "-n", "6", "--seed", "4", "--format", "json")
    document = json.loads(told.out)
    assert (code, document["asked"], document["right"]) == (1, 6, 0)
    assert "1. " in told.err
    assert "'dockerlab graph mixed' draws the lab." in told.err
    answers = "".join("y\n" if each["reachable"] else "n\n" for each in document["questions"])
    code, told = call(monkeypatch, capsys, answers, "mixed", "-n", "6", "--seed", "4")
    assert code == 0
    assert told.out.endswith("6 of 6 right\n")
