"""A program that is sent to a host: it comes whole on standard input, whatever package it is of."""

import subprocess
import sys

import pytest

from dockerlab.errors import TransportError
from dockerlab.hosts.fake import FakeHost
from dockerlab.hosts.local import LocalHost
from dockerlab.hosts.program import Program

MAIN = 'import sys\nfrom far.deep import words\ndef main():\n    print(words.WORD, sys.stdin.read(), end="")\n'


@pytest.fixture
def program(tmp_path, monkeypatch):
    """A program of two modules in a package in a package."""
    deep = tmp_path / "far/deep"
    deep.mkdir(parents=True)
    for name, text in {"../__init__": "", "__init__": "", "words": "WORD = 1\n", "one": MAIN}.items():
        (deep / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield Program("far.deep", ("words", "one"))
    for name in [name for name in sys.modules if name.partition(".")[0] == "far"]:
        del sys.modules[name]


def test_it_runs_without_a_file(program):
    """Where none of its files are, a program's modules import each other, and what comes after them is its input."""
    done = subprocess.run(
        program.argv("one"), input=program.source() + b"more", capture_output=True, cwd="/", check=True
    )
    assert done.stdout == b"1 more"


def test_in_one_round_trip(program):
    """On a host it is one command, and its answer is that of any other."""
    assert program.run(LocalHost(), "one", 30).text == "1 "


def test_as_a_dialogue(program):
    """A dialogue begins with the program itself."""
    host = FakeHost("vm0", lambda _, given: b"heard\n" if given == program.source() else b"")
    assert program.converse(host, "one", 30).receive_line() == b"heard\n"


def test_a_dialogue_that_never_begins(program):
    """Where the program cannot be sent, nothing is left running on the host."""
    ended = []

    class Deaf:
        def send(self, _):
            raise TransportError("vm0", "the connection is lost")

        def abort(self):
            ended.append(True)

    class Host(FakeHost):
        def converse(self, *_, **__):
            return Deaf()

    with pytest.raises(TransportError):
        program.converse(Host("vm0", lambda *_: b""), "one", 30)
    assert ended == [True]
