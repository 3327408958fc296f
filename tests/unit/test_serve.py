"""The teacher's page without a browser: who gets in, what every answer carries, and what the board shows."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from contextlib import closing
from datetime import datetime, timezone
from threading import Event

import pytest
from support.lab_hosts import EXAMPLES
from support.labs import read
from support.offline import observed

from dockerlab.errors import HostError, Interrupted, UsageError
from dockerlab.serve.access import HEADERS, Access, access
from dockerlab.serve.app import application, stream
from dockerlab.serve.board import Board
from dockerlab.serve.rounds import rounds
from dockerlab.serve.server import listening
from dockerlab.students.grades import Grade
from dockerlab.students.instance import instance
from dockerlab.students.roster import parse
from dockerlab.students.subnets import Source

NOW = datetime(2027, 1, 31, 18, 0, tzinfo=timezone.utc)
TOKEN = "t0ken-of-the-teacher"
COOKIES = f"dockerlab={TOKEN}"


def grades(wrong=()):
    definition = read(EXAMPLES / "user-bridge.yaml")
    students = parse('name,group\nAda,A\n"<img src=x onerror=alert(1)>",B\n', "r")
    made = [instance(definition, each, {"local": "vm0"}, Source()) for each in students]
    return [Grade(made[0], observed(made[0].lab, wrong=wrong)), Grade(made[1], None, "vm1: no answer")]


@pytest.fixture
def board():
    made = Board("user-bridge", "<b>Bridges</b>")
    made.begin([{"id": "s01-ada", "name": "Ada"}])
    return made


def get(app, path="/", host="127.0.0.1:8642", cookie="", query=b""):
    """Send a request to the application as a server would; return the status, the headers and the body."""
    sent = []

    asked = iter([{"type": "http.request", "body": b""}])

    async def receive():
        return next(asked, None) or await asyncio.sleep(3600)  # nobody hangs up

    async def send(message):
        sent.append(message)

    headers = [(b"host", host.encode()), *([(b"cookie", cookie.encode())] if cookie else [])]
    scope = {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": query,
        "headers": headers, "scheme": "http", "http_version": "1.1", "server": ("127.0.0.1", 8642), "root_path": "",
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    head = {key.decode(): value.decode() for key, value in sent[0]["headers"]}
    return sent[0]["status"], head, b"".join(message.get("body", b"") for message in sent[1:]).decode()


def test_every_answer_has_the_headers(board):
    """Page, data, refusals and what is not there: all come with the policy and the other headers."""
    app = application(board, Access(TOKEN), lambda: True)
    for path in ("/", "/page.css", "/page.js", "/board", "/students/x", "/nothing", "/events"):
        for cookie in (COOKIES, ""):
            _, head, _ = get(app, path, cookie=cookie)
            assert {key: head[key.lower()] for key in HEADERS} == dict(HEADERS)
    assert "'unsafe" not in HEADERS["Content-Security-Policy"]


def test_the_page_has_no_markup_of_anybody(board):
    """A title is text in the page, and the page's own program and style come from the server alone."""
    _, _, text = get(application(board, Access(TOKEN), lambda: True), cookie=COOKIES)
    assert "&lt;b&gt;Bridges&lt;/b&gt;" in text
    assert "http" not in text.lower().replace("http-equiv", "")


def test_a_token_is_asked_for(board):
    """With a token: the address that has it sets a cookie and leads to the page without it; nothing else gets in."""
    app = application(board, Access(TOKEN), lambda: True)
    for cookie in ("", "dockerlab=", "dockerlab=wrong", "other=" + TOKEN, "dockerlab=\xff"):
        assert get(app, "/board", host="class.example", cookie=cookie)[0] == 403
    assert get(app, query=b"token=wrong")[0] == 403
    status, head, _ = get(app, "//evil.example", query=f"token={TOKEN}".encode())
    assert (status, head["location"]) == (303, "/")
    assert "HttpOnly" in head["set-cookie"]
    assert "SameSite=strict" in head["set-cookie"]
    assert get(app, "/board", host="class.example", cookie=f"dockerlab={TOKEN}")[0] == 200


def test_a_token_everywhere():
    """A token is made by chance, another one each time; a given one that can be guessed is refused."""
    assert len(access(None).token) >= 32
    assert access(None) != access(None)
    assert access(TOKEN) == Access(TOKEN, given=True)
    for weak in ("", "short", "a" * 300, "with space in the token"):
        with pytest.raises(UsageError, match="DOCKERLAB_SERVE_TOKEN"):
            access(weak)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:8642", "localhost", ""])
def test_nobody_without_a_token(board, host):
    """On this machine's own address too, under whatever name, nobody gets in without: others use it as well."""
    assert get(application(board, access(None), lambda: True), "/board", host=host)[0] == 403


@pytest.mark.parametrize(
    "other", ['prefs={"a":1}', "a=b c", "x=é", "=", ";;", "dockerlab=old", "dockerlab", "_xsrf=2|a|b"]
)
def test_cookies_of_other_programs(board, other):
    """What other programs on this machine have set as cookies, in whatever form, keeps nobody out who has ours."""
    app = application(board, Access(TOKEN), lambda: True)
    for cookies in (f"{other}; {COOKIES}", f"{COOKIES}; {other}", f"{other};{COOKIES}"):
        assert get(app, "/board", cookie=cookies)[0] == 200
    assert get(app, "/board", cookie=other)[0] == 403


@pytest.mark.parametrize(
    ("listen", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8642/"),
        ("::1", "http://[::1]:8642/"),
        ("0.0.0.0", "http://teacher:8642/"),
        ("::", "http://teacher:8642/"),
        ("class.example", "http://class.example:8642/"),
    ],
)
def test_the_address(listen, address):
    """The address can be opened as it is printed; a token in it is one that was made, and none that the user gave."""
    assert access(TOKEN).address(listen, 8642, "teacher") == address
    made = access(None)
    assert made.address(listen, 8642, "teacher") == f"{address}?token={made.token}"


def test_no_text_turns_on_the_page(board):
    """No character that changes the direction of text reaches the page, in its data or its events."""
    board.begin([{"id": "s01", "name": "A\u202eda\u2066"}])
    _, _, text = get(application(board, Access(TOKEN), lambda: True), "/board", cookie=COOKIES)
    assert json.loads(text)["students"][0]["name"] == "A?da?"


def test_what_was_amiss_last_stays(board):
    """A failing cell is shown with its reason, and after its repair still, as repaired."""
    board.publish(grades(wrong={3}), NOW, 1.0)
    assert board.summary()["students"][0]["verdict"] == "fail"
    failing = board.student("s01-ada")
    assert (failing["failed"]["from"], failing["failed"]["to"], failing["repaired"]) == ("web", "hidden", False)
    assert failing["failed"]["because"]
    board.publish(grades(), NOW, 1.0)
    assert board.student("s01-ada")["failed"] == failing["failed"]
    assert board.student("s01-ada")["repaired"]
    assert board.student("s02-img-src-x-on")["error"] == "vm1: no answer"
    assert board.student("nobody") is None


def test_a_matrix_has_the_labs_own_names(board):
    """On the page a student's containers are called as in the definition."""
    board.publish(grades(), NOW, 1.0)
    (ping, _) = board.student("s01-ada")["matrices"]
    assert [row["source"] for row in ping["rows"]] == ["web", "both", "db", "hidden", "vm0"]
    assert {len(row["marks"]) for row in ping["rows"]} == {len(ping["columns"])}
    assert "s01-ada-" not in json.dumps(ping)


def test_events_come_with_each_change(board):
    """The first event is what is known, each change is one more, and the end is told."""
    ended = Event()

    async def listen():
        found = []
        async for event in stream(board, ended.is_set):
            found.append(event)
            if len(found) == 1:
                board.publish(grades(), NOW, 1.0)
            else:
                ended.set()
        return found

    first, second, last = asyncio.run(listen())
    assert json.loads(first.partition("data: ")[2])["round"] == 0
    assert json.loads(second.partition("data: ")[2])["round"] == 1
    assert last.startswith("event: end")


def test_without_the_framework():
    """Where the extra is not installed, it is said how to get it."""
    code = "import sys; sys.modules['uvicorn'] = None; from dockerlab.cli import main; main()"
    words = [sys.executable, "-c", code, "serve", "bridge", "--students", "3"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install 'dockerlab[serve]'" in done.stderr


def test_a_port_that_is_taken():
    """Where the page cannot listen, it is said with the address."""
    on = listening("127.0.0.1", 0)
    with closing(on), pytest.raises(UsageError, match=r"cannot listen on 127.0.0.1 port \d+: .*--port"):
        listening("127.0.0.1", on.getsockname()[1])


def test_a_round_that_fails_is_shown(board):
    """A host that fails does not end the page: the failure is shown, and the next round is tried."""
    stop, told = Event(), []

    def verify():
        told.append(board.summary()["error"])
        if len(told) == 1:
            raise HostError("vm0", "no answer")
        stop.set()
        return grades()

    rounds(board, verify, stop, 0.01)
    assert told == ["", "vm0: no answer"]
    assert (board.summary()["round"], board.summary()["error"]) == (1, "")


def test_a_second_ctrl_c_ends_a_round(board):
    """What stops dockerlab at once is no failure of a round."""

    def verify():
        raise Interrupted("at once")

    with pytest.raises(Interrupted):
        rounds(board, verify, Event(), 0.01)
