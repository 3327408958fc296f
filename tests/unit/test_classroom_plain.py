"""A class on a lab that is no exercise: its grade by cause, and what its pages show."""

import json
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from support.class_places import Places, room
from support.offline import observed
from support.reports import PLACE, POLICY, with_causes

from dockerlab.classroom import plain, views
from dockerlab.classroom.app import application
from dockerlab.cli.class_ import _folder
from dockerlab.errors import UsageError
from dockerlab.exercise import progress

ORIGIN = {"Origin": "http://testserver"}
BRIDGE = Path(__file__).parents[2] / "examples" / "bridge.yaml"
LAB = plain.folder_of(BRIDGE)


def test_right():
    """Where all cells pass it is 100 %, and there is nothing more to say."""
    report = observed(LAB.lab)
    assert plain.graded(LAB.lab, report) == {
        "outcome": "pass",
        "percent": 100,
        "text": f"100 %: {len(report.cells)} pass, 0 fail, 0 unknown",
    }


def test_by_cause():
    """What is the lab's own is told by cause, what is a host's is not charged; what puts it right is not told."""
    grade = plain.graded(LAB.lab, with_causes())
    lines = grade["text"].splitlines()
    assert grade["outcome"] == "fail"
    assert f"FAIL    {PLACE}: 2 cells" in lines
    assert f"not charged: {POLICY}: 1 cell" in lines
    assert PLACE.undo not in grade["text"]
    assert POLICY.undo not in grade["text"]


def test_no_cell():
    """Of a lab of which nothing can be told there is no percentage."""
    grade = plain.graded(LAB.lab, observed(LAB.lab, untold=range(999)))
    assert (grade["outcome"], grade["percent"]) == ("unknown", 0)


def test_which(tmp_path):
    """An ID means the exercise, a file or another lab's name the lab; an exercise says itself what is made."""
    assert _folder("01", empty=False, allowed=False).exercise.steps
    assert _folder(str(BRIDGE), empty=True, allowed=False).exercise.steps == ()
    assert _folder("bridge", empty=False, allowed=False).path == LAB.path
    with pytest.raises(UsageError, match="--empty is for a lab"):
        _folder("01", empty=True, allowed=False)
    with pytest.raises(UsageError, match="no such file"):
        _folder(str(tmp_path / "none.yaml"), empty=False, allowed=False)


def test_begun_once(tmp_path, monkeypatch):
    """What a student has made, or taken away, is not made again when the class is served again."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    mark = progress.directory().parent / plain.BEGUN
    mark.parent.mkdir(parents=True)
    mark.write_text("")
    assert plain.main("made", str(BRIDGE)) == "it goes on"


def test_pages(tmp_path):
    """The page shows the definition and the percentage; a check is kept, and there are no hints, faults and resets."""
    places = Places(tmp_path)
    here = room(tmp_path, places, lab=LAB)
    places.sees = json.dumps({"svg": "", "tables": [], "grade": {"outcome": "fail", "percent": 40, "text": "40 %"}})
    with TestClient(application(here, stopping=lambda: True)) as client:
        for path in ("/s/s01-ada", "/teacher"):
            who = "s01-ada" if path != "/teacher" else ""
            client.get(f"{path}/?token={here.enrolled.tokens[who]}")
        assert client.post("/s/s01-ada/check", json={}, headers=ORIGIN).json() == {"error": ""}
        seen = views.of_student(here, "s01-ada")
        assert (seen["percent"], seen["last"]["verdict"], seen["steps"]) == (40, "fail", 0)
        assert "network_mode: bridge" in seen["html"]
        assert client.get("/s/s01-ada/lab").json()["grade"]["percent"] == 40
        for path in ("/s/s01-ada/hint", "/teacher/fault", "/teacher/reset"):
            assert client.post(path, json={"to": "s01-ada", "step": 0}, headers=ORIGIN).json()["error"], path
        places.sees = ""
        client.post("/s/s01-ada/check", json={}, headers=ORIGIN)
        client.portal.call(here.end)
    pupil = room(tmp_path, places, lab=LAB).standing.pupils["s01-ada"]
    assert (pupil.attempts, pupil.percent, pupil.last.verdict) == (2, None, "error")
    name, command = places.commands[-1]
    assert (name, command[-3:]) == ("class-s01-ada", ["dockerlab.classroom.plain", "grade", str(BRIDGE)])


def test_terminals(tmp_path):
    """A container's terminal is on the sandbox's host that stands for the lab's, by its name or in order."""
    targets = room(tmp_path, Places(tmp_path), lab=LAB).targets()
    assert list(targets)[:2] == ["vm0", "vm1"]
    assert LAB.lab.host_of("centos_v1") == "vm0"
    assert targets["centos_v1"] == ["vm0", "docker", "exec", "--interactive", "--tty", "centos_v1", "sh"]
    other = plain.folder_of(BRIDGE.with_name("macvlan.yaml"))
    targets = room(tmp_path / "other", Places(tmp_path), lab=other).targets()
    assert {name: targets[name][0] for name in other.lab.containers} == {
        name: other.lab.host_of(name) for name in other.lab.containers
    }
    path = tmp_path / "sides.yaml"
    path.write_text("name: sides\nhosts: {left: , right: }\ncontainers: {a: {host: right}, b: {host: left}}\n")
    targets = room(tmp_path / "sides", Places(tmp_path), lab=plain.folder_of(path)).targets()
    assert (targets["a"][0], targets["b"][0]) == ("vm1", "vm0")
