"""How a call ends: never with a traceback, and with exit code 1 for an answer alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from dockerlab import __version__
from dockerlab.cli.ending import INTERNAL, WHOLE, internal, run
from dockerlab.errors import UsageError

ROOT = Path(__file__).parents[2]
CALL = f"{sys.executable} -m dockerlab"


def shell(line, **environment):
    """Run a line of a shell in the project's folder."""
    own = {key: value for key, value in os.environ.items() if not key.startswith(("LC_", "LANG", "PYTHON"))}
    return subprocess.run(["bash", "-c", line], cwd=ROOT, env=own | environment, capture_output=True, check=False)


@pytest.mark.parametrize("command", ["graph bridge", "--version"])
@pytest.mark.parametrize(
    ("where", "code", "said"),
    [
        (">/dev/full", 74, b"cannot write to standard output: No space left on device\n"),
        (">&-", 74, b"cannot write to standard output: it is closed\n"),
    ],
)
def test_output_that_cannot_be_written(command, where, code, said):
    """A full disk and a closed output are told in one line, with an exit code of their own."""
    done = shell(f"{CALL} {command} {where}")
    assert (done.returncode, done.stderr) == (code, b"dockerlab: " + said)


def test_a_reader_that_goes():
    """Where the reader of much output goes, the call ends with what a shell makes of SIGPIPE."""
    done = shell(f"{CALL} schema | head -c 1 >/dev/null; exit ${{PIPESTATUS[0]}}")
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize(
    "environment", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}]
)
def test_an_output_of_another_encoding(tmp_path, environment):
    """A pipe gets UTF-8 whatever the locale is, as a file of -o does."""
    lab = tmp_path / "lab.yaml"
    lab.write_text("name: lab\ntitle: Zoë 李雷\nhosts: {vm0: local}\ncontainers: {a: {network_mode: none}}\n")
    done = shell(f"{CALL} render {lab} --format compose | cat", **environment)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode("utf-8")
    done = shell(f"{CALL} graph {lab} | cat", **environment)
    assert "Zoë 李雷" in done.stdout.decode("utf-8"), done


@pytest.mark.parametrize("closed", ["<&-", "2>&-", "2>/dev/full", "<&- 2>&-"])
def test_other_streams_that_are_closed(closed):
    """An answer goes to standard output alone, whatever else is closed or full: no file takes its number."""
    done = shell(f"{CALL} labs {closed}")
    assert (done.returncode, b"macvlan" in done.stdout) == (0, True)
    wrong = shell(f"{CALL} lint nowhere.yaml {closed}")
    assert (wrong.returncode, wrong.stdout) == (2, b"")


def _fails(secret):
    raise KeyError(secret)


def test_an_internal_error(capsys, monkeypatch):
    """An internal error has exit code 70, and says what a report needs: the place, and no value that may be secret."""
    monkeypatch.setattr(sys, "argv", ["dockerlab", "up", "hunter2.yaml", "--set", "password=hunter2"])
    monkeypatch.delenv(WHOLE, raising=False)
    with pytest.raises(SystemExit) as ended:
        run(lambda: _fails("hunter2"), ("up",))
    said = capsys.readouterr().err
    assert ended.value.code == INTERNAL == 70
    for word in ("hunter2", "Traceback", str(ROOT)):
        assert word not in said
    for word in ("Please report it", "builtins.KeyError", "test_ending.py", f"dockerlab {__version__} up, Python 3."):
        assert word in said


def test_an_internal_error_shown_whole():
    """Who asks for it gets all of an internal error, and is told to read it first."""
    try:
        _fails("hunter2")
    except KeyError as error:
        told = internal(error, "up", {WHOLE: "1"})
    assert told.startswith("Traceback")
    assert "hunter2" in told
    assert told.endswith("read it before you pass it on\n")


def test_an_end_of_input_is_no_answer(capsys):
    """Where input ends that nobody asked for, that is an internal error, and not the exit code of a cell that fails."""
    app = typer.Typer()

    @app.command()
    def command() -> None:
        raise EOFError

    with pytest.raises(SystemExit) as ended:
        run(lambda: app([]))
    assert ended.value.code == INTERNAL
    assert "EOFError" in capsys.readouterr().err


def test_what_can_be_explained(capsys):
    """What dockerlab stops for keeps its own exit code."""

    def call():
        raise UsageError("no such lab")

    with pytest.raises(SystemExit) as ended:
        run(call)
    assert (ended.value.code, capsys.readouterr().err) == (2, "dockerlab: no such lab\n")
