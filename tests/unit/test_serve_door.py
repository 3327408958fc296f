"""The page under connections that say nothing: from many, of many kinds, and before any token."""

from __future__ import annotations

import json
import socket
import time
import urllib.request
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from dockerlab.serve.access import Access
from dockerlab.serve.app import application
from dockerlab.serve.board import Board
from dockerlab.serve.door import EACH, FRIENDS, PATIENCE, STRANGERS, Door
from dockerlab.serve.server import listening, serving

TOKEN = "t0ken-of-the-teacher"


class Wire:
    """A connection that only notes that it was ended."""

    def __init__(self):
        self.ended = False

    def abort(self):
        """End it."""
        self.ended = True


def enter(door, *clients):
    wires = {client: Wire() for client in clients}
    for client, wire in wires.items():
        door.enter(client, wire)
    return wires


def ended(wires):
    return [client for client, wire in wires.items() if wire.ended]


def test_one_address_has_few_places():
    """Of too many from one address the oldest goes; those of other addresses stay."""
    door = Door(4096)
    (other,) = enter(door, ("10.0.0.2", 1)).values()
    wires = enter(door, *(("10.0.0.1", port) for port in range(EACH + 3)))
    assert ended(wires) == [("10.0.0.1", 0), ("10.0.0.1", 1), ("10.0.0.1", 2)]
    assert not other.ended


def test_all_together_have_few_places():
    """Of too many from many addresses the oldest goes, but none that has shown a token."""
    door = Door(4096)
    friend = enter(door, ("10.9.9.9", 1))
    door.trust(("10.9.9.9", 1))
    wires = enter(door, *((f"10.0.0.{n}", 1) for n in range(STRANGERS + 2)))
    assert ended(wires) == [("10.0.0.0", 1), ("10.0.0.1", 1)]
    assert not ended(friend)


def test_whoever_has_the_most_makes_room():
    """Of too many with tokens the oldest of whoever has the most goes: one student ends neither another's nor yours."""
    door = Door(4096)
    kept = enter(door, ("10.0.0.1", 1), ("10.0.0.2", 1))
    door.trust(("10.0.0.1", 1), "teacher")
    door.trust(("10.0.0.2", 1), "s01")
    many = {}
    for number in range(FRIENDS):
        client = ("10.0.0.3", number)
        many |= enter(door, client)
        door.trust(client, "s02")
    assert not ended(kept)
    assert ended(many) == [("10.0.0.3", 0), ("10.0.0.3", 1)]
    for client, wire in (many | kept).items():
        door.leave(client, wire)
    assert (door.friends, door.whose) == ({}, {})


@pytest.mark.parametrize(("limit", "places"), [(1024, (64, 128)), (4096, (64, 128)), (64, (5, 11)), (4, (1, 1))])
def test_the_rounds_keep_their_descriptors(limit, places):
    """However few descriptors there are, the page takes a quarter of them at most."""
    assert Door(limit).places == places
    assert sum(places) <= max(2, limit // 4)
    assert places <= (STRANGERS, FRIENDS)


def test_who_is_late():
    """Who has shown no token in time goes; who has stays, and a new connection of the same client is another one."""
    door = Door()
    wires = enter(door, ("a", 1), ("b", 1))
    door.trust(("a", 1))
    for client, wire in wires.items():
        door.late(client, wire)
    assert ended(wires) == [("b", 1)]
    again = enter(door, ("b", 1))
    door.late(("b", 1), wires["b", 1])
    door.leave(("b", 1), wires["b", 1])
    assert not ended(again)
    assert ("b", 1) in door.strangers


@contextmanager
def page(limit):
    """Serve a board, and give the port."""
    board = Board("lab")
    board.begin([{"id": "s01", "name": "Ada"}])
    on, door = listening("127.0.0.1", 0), Door(limit)
    with serving(lambda ending: application(board, Access(TOKEN), ending, door.trust), on, door):
        yield on.getsockname()[1]


def look(port):
    """Ask for the board as the teacher's browser does; return it and the seconds that took."""
    began = time.monotonic()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/board", headers={"Cookie": f"dockerlab={TOKEN}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer), time.monotonic() - began


def descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))


def goes_on(connection):
    """Read what there is, and tell whether the connection is still there."""
    try:
        while connection.recv(4096):
            pass
    except (BlockingIOError, TimeoutError):
        return True
    except ConnectionResetError:
        return False
    return False


def test_idle_and_unfinished_connections():
    """While 300 idle and 300 half-sent connections are held, the page answers, and few descriptors of it are open."""
    with page(1024) as port, ExitStack() as stack:
        before = descriptors()
        events = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        events.sendall(f"GET /events HTTP/1.1\r\nHost: x\r\nCookie: dockerlab={TOKEN}\r\n\r\n".encode())
        assert events.recv(4096).startswith(b"HTTP/1.1 200")
        mine = 1
        for number in range(600):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            mine += 1
            if number % 2:
                one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        found, seconds = look(port)
        assert found["students"][0]["name"] == "Ada"
        assert seconds < 2
        assert descriptors() - before - mine <= 1024 // 4
        events.setblocking(False)
        assert goes_on(events)


def test_a_connection_without_a_token_ends():
    """A connection that says nothing, half a request, or shows no token is ended after some seconds."""
    with page(1024) as port, ExitStack() as stack:
        began = time.monotonic()
        held = [stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=4 * PATIENCE)) for _ in "abc"]
        held[1].sendall(b"GET / HTTP/1.1\r\n")
        held[2].sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert held[2].recv(4096).startswith(b"HTTP/1.1 403")
        assert not any(goes_on(one) for one in held)
        assert PATIENCE - 1 < time.monotonic() - began < 3 * PATIENCE
