"""Everything that a person reads, in a narrow, a usual and a wide terminal."""

import contextlib
import fcntl
import io
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.machinery import ENGINES, seen
from support.reports import small, with_causes

from dockerlab.cli import main, output
from dockerlab.cli.app import COMMANDS
from dockerlab.cli.ending import run
from dockerlab.cli.exercise import COMMANDS as EXERCISE
from dockerlab.exercise import loader
from dockerlab.finding import Finding, Remedy
from dockerlab.folding import cells
from dockerlab.machinery.view import view
from dockerlab.report import as_table, findings, inspection_tree
from dockerlab.report.readable import readable

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests/golden/widths"
WIDTHS = (60, 80, 200)
WRONG = """\
name: wrong
networks: {front: {subnet: 172.28.1.0/24}, back: {subnet: 172.28.1.0/24}}
containers:
  web: {networks: {front: {ip: 172.28.2.10}}, comand: httpd -f -p 80 -h /www}
  client: {networks: [frnt]}
"""
CALLS = {
    "labs": ["labs"],
    "hosts": ["hosts", "mixed"],
    "lint": ["lint", "ports"],
    "explain": ["explain", "mixed", "--offline"],
    "explain-pair": ["explain", "ports", "client", "vm0", "--offline"],
    "explain-against": ["explain", "ports", "--engine", "20.10", "--against", "28.5"],
    "quiz": ["quiz", "ports", "--seed", "1", "--questions", "3"],
    "exercise-list": ["exercise", "list"],
    "no-exercise": ["exercise", "task"],
    "wrong-option": ["up", "mixed", "--format", "xml"],
    "wrong-lab": ["up", "mixxed"],
    "wrong-definition": ["up", "wrong.yaml"],
    "no-lab": ["explain", "nginx", "vm0"],
}
"""By name: what is called, without a host."""


@pytest.fixture
def call(capsys, monkeypatch, tmp_path):
    """Return a function that calls the command line at a width, and gives what it prints on both streams."""
    (tmp_path / "wrong.yaml").write_text(WRONG)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    def run(width, *words):
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setattr(output, "columns", lambda _=None: width)  # as if both streams were terminals
        monkeypatch.setattr(sys, "argv", ["dockerlab", *words])
        monkeypatch.setattr(sys, "stdin", io.StringIO("n\n" * 9))
        with pytest.raises(SystemExit):
            main()
        return "".join(capsys.readouterr())

    return run


def fits(text, width):
    """Hold that no line of a text is wider than a terminal."""
    assert [line for line in text.splitlines() if cells(line) > width] == []


def words(text):
    """Return the words of a text, without what folding adds: the backslashes of commands, rules of tables."""
    return re.sub(r" \\\n|[─━]", " ", text).split()


@pytest.mark.parametrize("name", CALLS)
def test_commands(call, golden, name):
    """Each command says the same words at each width, each word whole, and no line is too long."""
    told = {width: call(width, *CALLS[name]) for width in WIDTHS}
    for width, text in told.items():
        fits(text, width)
        golden(GOLDEN / f"{name}.{width}.txt", text)
    assert words(told[60]) == words(told[80]) == words(told[200])


@pytest.mark.parametrize("name", [*COMMANDS, *(f"exercise {name}" for name in EXERCISE)])
def test_help(call, name):
    """The help of every command is as wide as the terminal, and no wider."""
    told = {width: call(width, *name.split(), "--help") for width in WIDTHS}
    for width, text in told.items():
        fits(text, width)
    assert told[200].count("\n") <= told[80].count("\n") <= told[60].count("\n")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("path", sorted((ROOT / "labs").glob("*/README.md")), ids=lambda path: path.parent.name)
def test_exercises(path, width):
    """Each text of an exercise fits, keeps its words, and has no mark of Markdown left."""
    folder = loader.load(path.parent)
    for text in (folder.aim, *(section.prose for section in folder.sections)):
        shown = readable(text, width)
        fits(shown, width)
        prose = re.sub(r"^ {4}.*$", "", shown, flags=re.MULTILINE)
        assert not re.search(r"`|\*\*|^#|\|--|\]\(", prose, re.MULTILINE)
        if "|--" not in text:  # a table's cells are beside each other
            plain = re.sub(r"\[(.*?)\]\(.*?\)", r"\1", re.sub(r"[`*\\']", "", text), flags=re.DOTALL)
            assert re.sub(r"[`*\\']", "", shown).split() == plain.split()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("why", [False, True], ids=["short", "why"])
@pytest.mark.parametrize("report", [small(), with_causes()], ids=["cells", "causes"])
def test_reports(report, width, why):
    """A report fits, whatever is amiss in it."""
    fits(as_table.render(report, width, why=why), width)


@pytest.mark.parametrize("width", WIDTHS)
def test_findings(golden, width):
    """What a doctor says fits; a command of it goes on in the next line as a shell has it."""
    command = (
        "iptables",
        "-w",
        "-t",
        "filter",
        "-D",
        "INPUT",
        "-p",
        "tcp",
        "-m",
        "tcp",
        "--dport",
        "8080",
        "-j",
        "DROP",
    )
    told = "rules that are not Docker's drop packets to ports that the lab publishes, and so nobody gets to them"
    found = [
        Finding("vm0", "connection", "ok", "commands run on root@192.168.22.61"),
        Finding(
            "vm0", "INPUT of filter", "problem", told, Remedy((command,), "Or say on the host who may.", (command,))
        ),
    ]
    text = findings.table(found, width)
    fits(text, width)
    golden(GOLDEN / f"doctor.{width}.txt", text)


@pytest.mark.parametrize("width", WIDTHS)
def test_inspection(width):
    """The tree of what Docker built fits."""
    machine = seen(ENGINES[0])
    fits(inspection_tree.render([view(machine, ())], width), width)


LONG = {
    "notes": ["explain", "nginx", "vm0"],
    "wrong-value": ["up", "mixed", "--format", "xml"],
    "usage": ["exec", "--nope"],
    "text": ["explain", "ports", "client", "vm0", "--offline"],
}
"""By name: what is called, and has a line of more than 60 columns on one of the two streams."""


@pytest.fixture(scope="module")
def in_pipes(tmp_path_factory):
    """Give what each call says where neither stream is a terminal."""
    return {name: at_terminals(80, (), words, tmp_path_factory.mktemp(name)) for name, words in LONG.items()}


@pytest.mark.parametrize("width", WIDTHS)
def test_at_a_terminal(width, tmp_path):
    """A real terminal is asked for its width, on both streams."""
    told = at_terminals(width, (1, 2), LONG["notes"], tmp_path)
    assert "name both ends" in told[2]
    fits(told[2], width)
    assert told[2].count("\n") == {60: 3, 80: 2, 200: 1}[width]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", LONG)
@pytest.mark.parametrize("terminal", [1, 2], ids=["stdout", "stderr"])
def test_one_stream_at_a_terminal(in_pipes, terminal, name, width, tmp_path):
    """What goes to a terminal has its width, and what goes elsewhere keeps its lines, whichever of the two it is."""
    told, whole, elsewhere = at_terminals(width, (terminal,), LONG[name], tmp_path), in_pipes[name], 3 - terminal
    assert told[elsewhere] == whole[elsewhere]
    assert told[terminal].split() == whole[terminal].split()
    fits(told[terminal], width)
    assert max(cells(line) for text in whole.values() for line in text.splitlines()) > 60


def at_terminals(width, terminals, words, home):
    """Call the command line with some of its streams at a terminal of a width; return what is said on each, by number.

    What is no terminal is a pipe.
    """
    ends = {number: pty.openpty() if number in terminals else os.pipe() for number in (1, 2)}
    for number in terminals:
        fcntl.ioctl(ends[number][1], termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    program = shutil.which("dockerlab", path=Path(sys.executable).parent)
    environment = {key: value for key, value in os.environ.items() if key != "COLUMNS"} | {"HOME": str(home)}
    child = subprocess.Popen(
        [program, *words], stdin=subprocess.DEVNULL, stdout=ends[1][1], stderr=ends[2][1], env=environment
    )
    for _, its in ends.values():
        os.close(its)
    with ThreadPoolExecutor(2) as pool:  # a full pipe would hold the other one up
        told = dict(zip(ends, pool.map(all_of, (mine for mine, _ in ends.values())), strict=True))
    assert child.wait() in (0, 2)
    return told


def all_of(mine):
    """Return what is said at the other end of a terminal or pipe, to the end."""
    said = b""
    with os.fdopen(mine, "rb", buffering=0) as file, contextlib.suppress(OSError):  # Linux's end of a terminal
        while part := file.read(4096):
            said += part
    return said.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("width", WIDTHS)
def test_an_internal_error(width, monkeypatch, capsys):
    """What is said of an internal error fits, too; shown whole, the lines of the program are as they are."""
    monkeypatch.setattr(output, "columns", lambda _=None: width)
    monkeypatch.delenv("DOCKERLAB_TRACEBACK", raising=False)
    for whole in (False, True):
        if whole:
            monkeypatch.setenv("DOCKERLAB_TRACEBACK", "1")
        with pytest.raises(SystemExit) as ended:
            run(lambda: {}["a value"], ("up",))
        assert ended.value.code == 70
        said = capsys.readouterr().err
        assert ("Traceback" in said) == whole
        if not whole:
            fits(said, width)
            assert "Please report it" in " ".join(said.split())
