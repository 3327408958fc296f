"""What a student's page gets of his lab: what is observed, and never the answer to anything."""

import json

from support.offline import observed
from support.reports import with_causes

from dockerlab.checks.model import Way
from dockerlab.classroom.doing import sight
from dockerlab.classroom.looking import _asks, masked, open_asks
from dockerlab.classroom.running import Said
from dockerlab.classroom.shown import shown
from dockerlab.exercise import loader
from dockerlab.exercise.progress import Progress

FOLDER = loader.load(loader.find("11"))


def progress(**more):
    return Progress(id=FOLDER.id, folder=FOLDER.path, started="2027-01-31T18:00:00+00:00", **more)


def cells(found):
    return [cell for table in found["tables"] for _, row in table["rows"] for cell in row if cell is not None]


def test_matrix_and_picture():
    """Every cell of the matrix is in a table with its mark and verdict, and the picture has the strands, unstyled."""
    report = observed(FOLDER.lab, wrong={0})
    found = shown(report)
    assert len(cells(found)) == len(report.cells)
    assert sum(verdict == "fail" for _, verdict in cells(found)) == found["counts"]["fail"] == 1
    assert 'class="strand fail"' in found["svg"]
    assert "<style" not in found["svg"]
    assert "style=" not in found["svg"]


def test_no_causes():
    """Neither a cause nor the command that would put it right, nor a reason, is in what the page gets."""
    report = with_causes()
    text = json.dumps(shown(report))
    for cause, _ in report.told_causes:
        assert cause.text not in text
        assert not cause.undo or cause.undo not in text
    assert not any(judged.because in text for judged in report.cells)


def test_asked():
    """A cell that the step asks for is told neither in the matrix nor in the sums, until it was answered rightly."""
    steps = FOLDER.exercise.steps
    at = next(n for n, step in enumerate(steps) if any(c.ask and c.ask.reaches for c in step.checks))
    (way,) = [ask.reaches for ask in open_asks(FOLDER, progress(step=at)) if ask.reaches]
    report = observed(FOLDER.lab)
    hidden = [judged for judged in report.cells if _asks(way, judged)]
    found = shown(report, lambda judged: judged in hidden)
    assert hidden
    assert [cell for cell in cells(found) if cell[1] == "asked"] == [["…", "asked"]] * len(hidden)
    assert sum(found["counts"].values()) == len(report.cells) - len(hidden)
    question = next(c.ask.question for c in steps[at].checks if c.ask and c.ask.reaches == way)
    assert open_asks(FOLDER, progress(step=at, answers={question: "yes"})) == [
        ask for ask in open_asks(FOLDER, progress(step=at)) if ask.question != question
    ]
    assert open_asks(FOLDER, progress(step=len(steps))) == []


def test_masked():
    """An address that the step asks for stands neither in the picture nor above a column; a longer one is another."""
    found = {"svg": "<text>10.0.0.2</text><text>10.0.0.20/24</text>", "columns": ["web 10.0.0.2", "5"]}
    assert masked(found, ["10.0.0.2", "5", "yes"]) == {
        "svg": "<text>…</text><text>10.0.0.20/24</text>",
        "columns": ["web …", "5"],
    }


def test_broken():
    """While something is broken on purpose the picture is the definition's, whatever the hosts show."""
    whole, other = observed(FOLDER.lab), loader.load(loader.find("01")).lab
    assert other.title not in shown(whole)["svg"]
    assert other.title in shown(whole, broken=other)["svg"]


def test_sight():
    """What a look says is its last line; a look that failed, or says nothing of ours, is told and shows nothing."""
    assert sight(Said(0, 'a note\n{"svg": ""}\n')).found == {"svg": ""}
    assert (sight(Said(4, "dockerlab: vm0 is gone\n")).problem, sight(Said(4, "x")).found) == (
        "dockerlab: vm0 is gone",
        {},
    )
    assert "too large" in sight(Said(0, '{"svg": "')).problem
    assert "in time" in sight(Said(None, "")).problem
    assert Way(**{"from": "*", "to": "*"}).probe == "ping"
