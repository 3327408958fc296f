"""The class as a web application: who gets in, what is done, and what a terminal shows; places are this machine."""

import asyncio
import json
import os
import threading
import time
from functools import partial

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from support.class_places import Places, room

from dockerlab.classroom.app import application

ORIGIN = {"Origin": "http://testserver"}


@pytest.fixture
def places(tmp_path):
    return Places(tmp_path)


@pytest.fixture
def here(tmp_path, places):
    return room(tmp_path, places)


@pytest.fixture
def client(here):
    with TestClient(application(here, stopping=lambda: True)) as opened:
        yield opened
        opened.portal.call(here.end)


def link(here, who):
    return f"{f'/s/{who}' if who else '/teacher'}/?token={here.enrolled.tokens[who]}"


def read(socket, wanted, until=10):
    """Return what a terminal shows until it is wanted."""
    shown, end = b"", time.monotonic() + until
    while wanted not in shown and time.monotonic() < end:
        message = socket.receive()
        assert message["type"] == "websocket.send", message
        shown += message.get("bytes") or b""
    assert wanted in shown
    return shown


def test_tokens(client, here):
    """A link leads to a page whose address has no token; it opens nobody else's page, nor the teacher's."""
    assert client.get("/s/s01-ada/").status_code == 403
    answer = client.get(link(here, "s01-ada"), follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "./")
    assert "httponly" in answer.headers["set-cookie"].lower()
    page = client.get("/s/s01-ada/")
    assert page.status_code == 200
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "'unsafe-inline'" not in page.headers["content-security-policy"]
    tokens = here.enrolled.tokens
    assert not any(token in page.text for token in tokens.values())
    for path in ("/s/s02-bob/", "/teacher/", "/teacher/class.csv", "/s/s02-bob/events", "/s/nobody/"):
        assert client.get(path).status_code == 403, path
        assert client.get(path, params={"token": tokens["s01-ada"]}).status_code == 403, path
    client.cookies.set("dockerlab-class-s02-bob", tokens["s01-ada"])
    assert client.get("/s/s02-bob/").status_code == 403
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/s/s02-bob/terminal/vm0", headers=ORIGIN):
        pass


@pytest.mark.parametrize(
    "other", ['prefs={"a":1}', "a=b c", "x=é", "=", ";;", "dockerlab-class-s01-ada", "dockerlab-class-x=old"]
)
def test_cookies_of_other_programs(client, here, other):
    """What other programs of the same machine have set as cookies, in whatever form, neither lets in nor keeps out."""
    own = f"dockerlab-class-s01-ada={here.enrolled.tokens['s01-ada']}"
    for cookies, code in ((f"{other}; {own}", 200), (f"{own}; {other}", 200), (f"{other};{own}", 200), (other, 403)):
        answer = client.get("/s/s01-ada/", headers={"Cookie": cookies.encode()})
        assert (answer.status_code, cookies) == (code, cookies)


def test_a_slow_disk(here, monkeypatch):
    """While the disk takes its time to keep what has happened, everything else goes on, and sees it already."""
    ready = threading.Event()
    monkeypatch.setattr(os, "fsync", lambda _: ready.wait(10))

    async def script():
        noting = asyncio.create_task(here.note("s01-ada", "handin"))
        await asyncio.sleep(0.05)
        assert here.standing.pupils["s01-ada"].handed_in
        assert not noting.done(), "it is not said to be kept before it is"
        ready.set()
        await noting

    asyncio.run(asyncio.wait_for(script(), 5))


@pytest.mark.parametrize("body", ["[" * 60_000, '{"answers": Infinity}', '{"answers": "\\ud800"}', "\xff", "x"])
def test_what_no_page_sends(client, here, body):
    """Whatever somebody with a token sends in the place of JSON is refused, and raises nothing in the server."""
    client.get(link(here, "s01-ada"))
    answer = client.post("/s/s01-ada/check", content=body.encode("latin-1"), headers=ORIGIN)
    assert (answer.status_code, answer.json()) == (400, {"error": "this is not understood"})


def test_another_origin(client, here):
    """What another page sends, or nobody's, changes nothing, and opens no terminal."""
    client.get(link(here, "s01-ada"))
    for headers in ({}, {"Origin": "http://evil.example"}):
        assert client.post("/s/s01-ada/check", headers=headers).status_code == 403
        with pytest.raises(WebSocketDisconnect), client.websocket_connect("/s/s01-ada/terminal/vm0", headers=headers):
            pass
    assert here.standing.pupils["s01-ada"].attempts == 0


def test_check(client, here, places):
    """A check runs in the student's own place, what it says is kept, and a server that comes back knows it."""
    client.get(link(here, "s01-ada"))
    assert client.post("/s/s01-ada/check", json={"answers": ["--why", "172.17.0.2"]}, headers=ORIGIN).status_code == 200
    name, command = next(each for each in places.commands if "check" in each[1])
    assert name == "class-s01-ada"
    assert command[-3:] == ["01-default-bridge", "--answer=--why", "--answer=172.17.0.2"]
    assert here.standing.pupils["s01-ada"].last.verdict == "fail"
    places.says = ("pass", 0)
    client.post("/s/s01-ada/check", json={}, headers=ORIGIN)
    again = room(here.where.parent, places)
    pupil = again.standing.pupils["s01-ada"]
    assert (pupil.step, pupil.attempts, pupil.last.verdict) == (1, 2, "pass")
    assert again.standing.pupils["s02-bob"].attempts == 0


def test_hints(client, here):
    """Each request shows one more hint; when there is no further one, that is said and not counted."""
    client.get(link(here, "s01-ada"))
    codes = [client.post("/s/s01-ada/hint", headers=ORIGIN).status_code for _ in range(3)]
    assert codes == [200, 200, 409]
    assert here.standing.pupils["s01-ada"].hints == 2
    assert len(here.hints("s01-ada")) == 2


def test_rules(client, here):
    """A step that the teacher has closed is not checked; messages reach whom they are for."""
    client.get(link(here, "s01-ada"))
    client.get(link(here, ""))
    assert client.post("/teacher/rules", json={"opened": []}, headers=ORIGIN).json() == {"error": ""}
    assert "not open" in client.post("/s/s01-ada/check", headers=ORIGIN).json()["error"]
    client.post("/teacher/message", json={"to": "s02-bob", "text": "well done"}, headers=ORIGIN)
    assert client.post("/teacher/message", json={"to": "nobody", "text": "x"}, headers=ORIGIN).status_code == 409
    pupils = here.standing.pupils
    assert ([text for _, text in pupils["s02-bob"].messages], pupils["s01-ada"].messages) == (["well done"], ())


def test_terminal(client, here):
    """What is typed is echoed; who comes again sees what was shown; the teacher types on the same terminal."""
    client.get(link(here, "s01-ada"))
    client.get(link(here, ""))
    with client.websocket_connect("/s/s01-ada/terminal/vm0", headers=ORIGIN) as socket:
        socket.send_text(json.dumps({"columns": 91, "rows": 33}))
        socket.send_text(json.dumps({"type": "stty size; echo $((40+2))x\r"}))
        assert b"33 91" in read(socket, b"42x")
    with client.websocket_connect("/teacher/terminal/s01-ada/vm0", headers=ORIGIN) as other:
        assert json.loads(other.receive_text()) == {"size": [91, 33], "windows": 1}
        read(other, b"42x")
        with client.websocket_connect("/s/s01-ada/terminal/vm0", headers=ORIGIN) as socket:
            other.send_text(json.dumps({"type": "echo $((50+3))y\r"}))
            read(socket, b"53y")
            socket.send_text(json.dumps({"type": "exit\r"}))
            read(other, b"exit")
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/s/s01-ada/terminal/elsewhere", headers=ORIGIN):
        pass


def test_two_windows(client, here):
    """A terminal is as large as the smallest window that looks at it, each way; all are told, and of who leaves."""
    client.get(link(here, "s01-ada"))
    client.get(link(here, ""))

    def sizes(socket, wanted):
        while json.loads(socket.receive().get("text") or "{}") != wanted:
            pass

    with client.websocket_connect("/s/s01-ada/terminal/vm0", headers=ORIGIN) as socket:
        socket.send_text(json.dumps({"columns": 120, "rows": 24}))
        sizes(socket, {"size": [120, 24], "windows": 1})
        with client.websocket_connect("/teacher/terminal/s01-ada/vm0", headers=ORIGIN) as other:
            other.send_text(json.dumps({"columns": 70, "rows": 50}))
            for each in (socket, other):
                sizes(each, {"size": [70, 24], "windows": 2})
            other.send_text(json.dumps({"type": "stty size\r"}))
            read(socket, b"24 70")
        sizes(socket, {"size": [120, 24], "windows": 1})
        socket.send_text(json.dumps({"type": "stty size\r"}))
        read(socket, b"24 120")


def test_no_boundary(tmp_path, places):
    """Where nothing keeps a host from this machine, no program is started for a terminal, and the reason is said."""
    here = room(tmp_path, places, lambda _: "no host runs")
    with TestClient(application(here)) as client:
        client.get(link(here, "s01-ada"))
        with client.websocket_connect("/s/s01-ada/terminal/vm0", headers=ORIGIN) as socket:
            assert "no host runs" in socket.receive_text()
    assert not [command for _, command in places.commands if "dockerlab.classroom.entry" in command]


def test_lab(client, here, places):
    """After a check, and when it is asked for, the lab is looked at in the student's place; his page alone gets it."""
    client.get(link(here, "s01-ada"))
    assert client.get("/s/s01-ada/lab").json() == {}
    client.post("/s/s01-ada/check", json={}, headers=ORIGIN)
    end = time.monotonic() + 10
    while not (lab := client.get("/s/s01-ada/lab").json()) and time.monotonic() < end:
        time.sleep(0.05)
    assert lab["tables"]
    assert "<svg" in lab["svg"]
    assert not lab["problem"]
    places.sees = '{"svg": '
    assert client.post("/s/s01-ada/look", headers=ORIGIN).json() == {"error": ""}
    assert "too large" in client.get("/s/s01-ada/lab").json()["problem"]
    assert [name for name, command in places.commands if "dockerlab.classroom.looking" in command] == [
        "class-s01-ada",
        "class-s01-ada",
    ]
    assert client.get("/s/s02-bob/lab").status_code == 403


def test_one_at_a_time(client, here):
    """A look is refused while another program runs in the place; the class's end shuts all of it."""
    client.get(link(here, "s01-ada"))
    here.looking.add("s01-ada")
    assert "wait" in client.post("/s/s01-ada/look", headers=ORIGIN).json()["error"]
    here.looking.clear()
    here.busy.add("s01-ada")
    for order in ("look", "check", "hint"):
        assert "wait" in client.post(f"/s/s01-ada/{order}", headers=ORIGIN).json()["error"]
    here.busy.clear()
    client.portal.call(partial(here.note, "", "until", at="2020-01-01T00:00:00Z"))
    for order in ("look", "check", "hint"):
        assert "time is over" in client.post(f"/s/s01-ada/{order}", headers=ORIGIN).json()["error"]
