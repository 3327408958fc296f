"""Every command that asks hosts, where what one of them says is nonsense: it ends as it says, and not by our fault."""

from __future__ import annotations

import io
import json
import sys
from contextlib import contextmanager

import pytest
from support.hostile import AGENTS, ENGINES, LOOKS, OF, ON_TWO_HOSTS, TWO_HOSTS
from support.machinery import raw
from support.strangers import Stranger, honest_agent, honest_engine

from dockerlab.cli import main
from dockerlab.cli.app import COMMANDS
from dockerlab.command import Result
from dockerlab.session import Session

LAB = f"name: demo\n{ON_TWO_HOSTS}"
CLASS = """
name: demo
hosts: {h: local}
networks: {net: {subnet: 172.31.1.0/24}}
containers:
  web: {image: dockerlab/node, networks: {net: {ip: 172.31.1.10}}, command: "httpd -f"}
  peer: {image: dockerlab/node, networks: {net: {ip: 172.31.1.11}}}
"""
STUDENTS = ("CLASS", "--students", "2")
CALLS = {
    "up": [("LAB",), STUDENTS],
    "verify": [("LAB",)],
    "down": [("demo",), ("--all",), STUDENTS],
    "status": [(), ("demo",), ("demo", "--students", "2")],
    "grade": [STUDENTS],
    "quiz": [("LAB",)],
    "doctor": [(), ("LAB",)],
    "explain": [("LAB", "peer", "web", "--live"), ("LAB", "peer", "away")],
    "inspect": [("LAB",), ("LAB", "web"), ("demo",)],
    "exec": [("LAB", "*", "--", "true")],
    "shell": [("LAB", "web"), ("LAB", "away")],
    "watch": [("demo", "--for", "1")],
    "discover": [()],
    "graph": [("LAB", "--matrix")],
    "layers": [("--lab", "LAB"), ("dockerlab/node",)],
}
OTHERS = {"lint", "hosts", "render", "schema", "labs", "sandbox"}
"""Commands that ask no host of a lab."""

BY_PARTS = {"serve", "exercise", "class"}
"""Those whose parts are what is called above, or that are held by tests of their own: rounds, checks, places."""

MODES = {
    "engine": {"engine": ENGINES["infolist"]},
    "look": {"look": lambda _: lambda _: LOOKS["list"]},
    "agent": {"agent": AGENTS["nocells"]},
    "shell": {"facts": lambda _: b"== ip_forward\nx\n== addresses\n1\n== links\n1\n== end\n"},
}


class Locking(Stranger):
    """A host that also gives locks, and lends its streams."""

    def converse(self, argv, *, timeout=1.0):
        if "dockerlab-lock" not in argv:
            return super().converse(argv, timeout=timeout)
        return Granted()

    def attach(self, argv, *, terminal):  # noqa: ARG002 - the contract
        return 0


class Granted:
    """A lock that is had."""

    def send(self, data):
        pass

    def receive_line(self):
        return b"granted\n"

    def finish(self):
        return Result((), 0, b"", b"", 0.0)

    def abort(self):
        pass


def test_every_command_is_here():
    """No command is left out: each is called here, asks no host, or is made of what is called here."""
    assert sorted([*CALLS, *OTHERS, *BY_PARTS]) == sorted(COMMANDS)


@pytest.fixture
def call(monkeypatch, capsys, tmp_path):
    """Give a function that calls a command on two hosts, of which h1 is a stranger."""
    for name, text in (("LAB", LAB), ("CLASS", CLASS)):
        (tmp_path / name).with_suffix(".yaml").write_text(text)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(sys, "stdin", io.StringIO())

    def run(command, words, other):
        of = OF if STUDENTS[1] in words else dict.fromkeys(("h0", "h1"), TWO_HOSTS)
        hosts = {
            name: Locking(name, honest_engine(of[name], name), honest_agent(of[name], name), lambda _: LOOKED)
            for name in ("h0", "h1")
        }
        for part, made in other.items():
            setattr(hosts["h1"], part, made("h1"))

        @contextmanager
        def opened(*_, **__):
            yield Session(hosts, hosts["h0"])

        monkeypatch.setattr("dockerlab.cli.places.Places.open", opened)
        monkeypatch.setattr("dockerlab.cli.places.Places.empty", lambda _: False)
        files = [str(tmp_path / f"{word}.yaml") if word in ("LAB", "CLASS") else word for word in words]
        place = files.index("--") if "--" in files else len(files)
        monkeypatch.setattr(sys, "argv", ["dockerlab", command, *files[:place], "--sandbox", *files[place:]])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code or 0, "".join(capsys.readouterr())

    return run


LOOKED = json.dumps(raw("28.5")).encode()


@pytest.mark.parametrize(
    ("command", "words", "mode"),
    [
        (command, words, mode)
        for command in CALLS
        for words in CALLS[command]
        for mode in MODES
        if mode == "engine" or words == CALLS[command][0]
    ],
)
def test_a_host_that_says_nonsense(call, command, words, mode):
    """It is told as that host's, with an exit code that is documented, and never as a fault of dockerlab's own."""
    code, said = call(command, words, MODES[mode])
    assert code in (0, 1, 2, 3, 4), said
    assert "Traceback" not in said
    if mode == "engine" and command not in ("inspect", "watch", "quiz", "layers"):  # what asks no engine
        assert "h1" in said, "who it was"
        assert "what its engine says cannot be understood" in said, "and what is amiss there"
        assert code or command == "shell", "a part is not told as the whole"


def test_an_honest_host(call):
    """The stand-ins themselves are understood: nothing is said of any."""
    for command, all_words in CALLS.items():
        for words in all_words if command != "layers" else ():  # their engines have no images
            assert "what its " not in call(command, words, {})[1], (command, words)
