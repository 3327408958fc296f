"""Something broken for a student to find, and a reset to a step, in a class; places are this machine."""

import asyncio
import io
import json
import zipfile

import pytest
from starlette.testclient import TestClient
from support.class_places import FOLDER, Places, room

from dockerlab.classroom import views
from dockerlab.classroom.app import application
from dockerlab.classroom.upsetting import AGREED
from dockerlab.faults import FAULTS

ORIGIN = {"Origin": "http://testserver"}
BROKEN = FOLDER.exercise.faults[0]
ANSWER = (str(BROKEN), BROKEN.fault, BROKEN.reason, FAULTS[BROKEN.fault].title, FAULTS[BROKEN.fault].changes)


@pytest.fixture
def places(tmp_path):
    return Places(tmp_path)


@pytest.fixture
def here(tmp_path, places):
    return room(tmp_path, places)


@pytest.fixture
def client(here):
    with TestClient(application(here, stopping=lambda: True)) as opened:
        for who in ("s01-ada", ""):
            opened.get(f"{f'/s/{who}' if who else '/teacher'}/?token={here.enrolled.tokens[who]}")
        yield opened
        opened.portal.call(here.end)


def does(client, path, **data):
    return client.post(path, json=data, headers=ORIGIN).json()["error"]


def known_to_student(client, here):
    """Return all that a student's page gets now."""
    page = client.get("/s/s01-ada/").text
    return page + json.dumps(views.of_student(here, "s01-ada")) + client.get("/s/s01-ada/lab").text


def test_find_and_mend(client, here):
    """The teacher breaks something; the student is told that, never what; a check that passes has found it."""
    assert does(client, "/teacher/fault", to="s01-ada") == ""
    seen = views.of_student(here, "s01-ada")
    assert (seen["fault"], seen["maybe"], seen["title"], seen["questions"]) == (True, False, "Find what is broken", [])
    told = known_to_student(client, here)
    assert not [each for each in ANSWER if each and each in told]
    assert FAULTS[BROKEN.fault].title in views.of_teacher(here)["students"][0]["fault"]
    assert does(client, "/s/s01-ada/check") == ""
    told = known_to_student(client, here)
    assert not [each for each in ANSWER if each and each in told]
    assert here.standing.pupils["s01-ada"].fault is not None


def test_found(client, here, places):
    """Once the cause is repaired it is counted as found, and the step goes on where it was."""
    does(client, "/teacher/fault", to="s01-ada")
    places.says = ("mended", 0)
    assert does(client, "/s/s01-ada/check") == ""
    pupil = here.standing.pupils["s01-ada"]
    assert (pupil.fault, pupil.found, pupil.step) == (None, 1, 0)
    assert room(here.where.parent, places).standing.pupils["s01-ada"].found == 1


def test_perhaps_nothing(client, here, places):
    """Where it may be that nothing is broken, no number tells; the student's own word, if right, ends it."""
    does(client, "/teacher/fault", to="s01-ada", maybe=True)
    assert here.standing.pupils["s01-ada"].fault.number == 0
    assert views.of_student(here, "s01-ada")["maybe"]
    places.says = ("pass", 0)
    does(client, "/s/s01-ada/check")
    assert here.standing.pupils["s01-ada"].fault is not None
    does(client, "/s/s01-ada/check", healthy=True)
    assert here.standing.pupils["s01-ada"].found == 1
    assert "--healthy" in next(command for _, command in reversed(places.commands) if "check" in command)


def test_by_oneself(client, here):
    """A student has something broken only where the teacher allows it, and nothing twice."""
    assert "not allowed" in does(client, "/s/s01-ada/fault")
    does(client, "/teacher/rules", may_break=True)
    assert does(client, "/s/s01-ada/fault") == ""
    assert "already" in does(client, "/s/s01-ada/fault")
    assert here.standing.pupils["s02-bob"].fault is None


def test_refused(client, here, places):
    """Why a fault could not be put in may name it: the teacher is told, the student only that it is so."""
    does(client, "/teacher/rules", may_break=True)
    places.refuses = "vm0: could not be broken: iptables -I FORWARD -j DROP"
    said = does(client, "/s/s01-ada/fault")
    assert "teacher" in said
    assert "iptables" not in said + known_to_student(client, here)
    assert "iptables" in views.of_teacher(here)["students"][0]["refused"]
    assert "iptables" in does(client, "/teacher/fault", to="s01-ada")
    places.refuses = ""
    does(client, "/teacher/fault", to="s01-ada")
    assert views.of_teacher(here)["students"][0]["refused"] == ""


def test_taken_out(client, here):
    """The teacher takes out what is broken: it is not counted as found."""
    assert "nothing is broken" in does(client, "/teacher/take-out", to="s01-ada")
    does(client, "/teacher/fault", to="s01-ada", seed="monday", number=1)
    assert does(client, "/teacher/take-out", to="s01-ada") == ""
    pupil = here.standing.pupils["s01-ada"]
    assert (pupil.fault, pupil.found) == (None, 0)


def test_all(client, here, places):
    """What is broken for all is broken in each student's own place."""
    assert does(client, "/teacher/fault", seed="monday") == ""
    client.portal.call(settled, here)
    assert all(pupil.fault for pupil in here.standing.pupils.values())
    assert {name for name, command in places.commands if "--seed=monday" in command} == {
        "class-s01-ada",
        "class-s02-bob",
    }
    here.busy.add("s02-bob")
    does(client, "/teacher/take-out", to="s01-ada")
    assert does(client, "/teacher/fault") == ""
    client.portal.call(settled, here)
    assert "already" in here.standing.pupils["s02-bob"].refused
    assert here.standing.pupils["s01-ada"].fault is not None
    assert does(client, "/teacher/fault", number=99)
    assert does(client, "/teacher/fault", to="nobody")


async def settled(here):
    await asyncio.gather(*here.tasks)  # to wait for one after the other would never let the last one be taken away


def test_reset(client, here, places):
    """A reset takes the lab away and begins at the step that is wanted; what was done stays counted."""
    does(client, "/s/s01-ada/check")
    does(client, "/teacher/fault", to="s01-ada")
    assert does(client, "/teacher/reset", to="s01-ada", step=2) == ""
    pupil = here.standing.pupils["s01-ada"]
    assert (pupil.step, pupil.fault, pupil.attempts, pupil.last) == (2, None, 1, None)
    words = [command[3:] for _, command in places.commands if "stop" in command or "start" in command]
    assert words == [["exercise", "stop", FOLDER.id], ["exercise", "start", FOLDER.id, *AGREED, "--step=3"]]
    assert does(client, "/teacher/reset", to="s01-ada", step=9)
    assert does(client, "/teacher/reset", to="s01-ada", step="x")
    places.refuses = "vm1 does not answer"
    assert does(client, "/teacher/reset", to="s01-ada", step=0) == "vm1 does not answer"
    assert here.standing.pupils["s01-ada"].step == 2


def test_closed(client, here):
    """Steps are opened and closed one by one; who is at one that is closed reads neither its text nor its hints."""
    does(client, "/s/s01-ada/hint")
    does(client, "/teacher/rules", opened=[1, 2, 77])
    assert here.standing.opened == {1, 2}
    seen = views.of_student(here, "s01-ada")
    assert (seen["html"], seen["hints"]) == ("", [])
    assert "not open" in seen["shut"]
    assert "not open" in does(client, "/s/s01-ada/look")
    does(client, "/teacher/reset", to="s01-ada", step=1)
    assert views.of_student(here, "s01-ada")["shut"] == ""
    does(client, "/teacher/rules", opened=None)
    assert here.standing.opened is None
    assert does(client, "/teacher/rules", opened=["x"])


def test_hand_ins_hold_no_answer(client):
    """What is broken stands in no event either: a hand-in that is given back gives nothing away."""
    does(client, "/teacher/fault", to="s01-ada")
    with zipfile.ZipFile(io.BytesIO(client.get("/teacher/hand-ins.zip").content)) as file:
        text = file.read("s01-ada/events.json").decode()
    assert '"fault"' in text
    assert not [each for each in ANSWER if each and each in text]
