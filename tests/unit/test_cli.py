"""The command line: what it prints where, and its exit code."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import dockerlab
from dockerlab.cli import main
from dockerlab.plain import ORDERS

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("*.yaml"))
HEAVY = ("docker", "paramiko", "pydantic", "jinja2", "yaml")


@dataclass
class Done:
    """How a call ended."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def call(capsys, monkeypatch):
    """Return a function that calls the command line in this process, which is faster than one of its own."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["dockerlab", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return Done(ended.value.code or 0, *capsys.readouterr())

    return run


def test_version(call):
    """The version is printed alone."""
    done = call("--version")
    assert (done.returncode, done.stdout) == (0, f"dockerlab {dockerlab.__version__}\n")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("dockerlab exercise st", ["start", "stop"]),
        ("dockerlab graph --form", ["--format"]),
        ("dockerlab graph macvlan --format ", ["svg", "mermaid", "dot"]),
        ("dockerlab graph --format=m", ["mermaid"]),
        ("dockerlab verify macvlan --engine nonsense --prober p", ["portable"]),
        ("dockerlab sandbox ssh vm0 --", ["--name", "--help"]),
        ("dockerlab up mac", ["macvlan"]),
        ("dockerlab status user", ["user-bridge"]),
        ("dockerlab up dock", []),  # a folder begins so here, and the shell knows it
        ("dockerlab exec macvlan centos_vm0", ["centos_vm0_v1"]),
        ("dockerlab inspect nosuch c", []),
        ("dockerlab explain macvlan centos_vm0_v1 ", ["centos_vm0_v1", "centos_vm1_v1", "vm0", "vm1"]),
        ("dockerlab explain --offline macvlan v", ["vm0", "vm1"]),
        ("dockerlab exercise start 05", ["05-macvlan"]),
    ],
)
def test_completion(call, monkeypatch, line, words):
    """The shell is given what fits, whatever the words before are worth, and the command itself does not run."""
    monkeypatch.setenv("_DOCKERLAB_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(line.count(" ")))
    done = call()
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, words, "")


def test_completion_beside_files(call, monkeypatch, tmp_path):
    """Where a file begins so the shell completes that by itself; in a directory that is gone there is none."""
    monkeypatch.setenv("_DOCKERLAB_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "dockerlab up mac")
    monkeypatch.setenv("COMP_CWORD", "2")
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    (gone / "machines.yaml").touch()
    assert call().stdout.split() == []
    (gone / "machines.yaml").unlink()
    gone.rmdir()
    assert call().stdout.split() == ["macvlan"]


def test_as_a_module():
    """`python -m dockerlab` is the same command."""
    done = subprocess.run([sys.executable, "-m", "dockerlab", "--version"], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0
    assert done.stdout.startswith(b"dockerlab ")


def test_help(call):
    """The help names every command."""
    done = call("--help")
    assert done.returncode == 0
    for name in ("up", "verify", "down", "status", "render", "schema", "labs", "sandbox"):
        assert f" {name} " in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["up"],
        ["up", "macvlan", "--format", "xml"],
        ["down"],
        ["down", "bridge", "--all"],
        ["verify", "macvlan", "--prober", "luck"],
        ["nonsense"],
        ["render", "macvlan", "--set", "novalue"],
        ["render", "macvlan", "--set", "nosuch=1"],
        ["render", "macvlan", "--host", "vm9"],
        ["render", "macvlan", "-o", "/no/such/directory/file"],
        ["up", "macvlan", "--sandbox", "--inventory", "x.yaml"],
        ["up", "macvlan", "--inventory", "/no/such/file"],
        ["graph", "macvlan", "--offline"],
        ["graph", "macvlan", "--sandbox"],
        ["graph", "macvlan", "--matrix", "--offline", "--sandbox"],
        ["graph", "macvlan", "--engine", "new"],
        ["explain", "ports", "--trace"],
        ["verify"],
        ["verify", "--sandbox", "--host", "local"],
        ["verify", "macvlan", "--host", "local"],
        ["verify", "--host", "ssh://user:secret@host"],
        ["verify", "--host", "local", "--set", "a=b"],
        ["explain"],
        ["explain", "nginx", "vm0"],
        ["explain", "nginx", "vm0", "--host", "local", "--trace"],
        ["explain", "--host", "local", "--live"],
        ["graph"],
        ["graph", "--host", "local", "--matrix", "--offline"],
        ["graph", "macvlan", "--project", "shop"],
        ["inspect"],
        ["watch"],
        ["discover", "--sandbox", "--host", "local"],
        ["explain", "ports", "nginx", "vm0", "--trace", "--offline"],
    ],
    ids=" ".join,
)
def test_wrong_calls(call, arguments):
    """A call that is wrong has exit code 2, says so on standard error, prints nothing else and shows no traceback."""
    done = call(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr
    assert "Traceback" not in done.stderr


def test_too_many_words(call):
    """Of words that a command has no place for, it is said that one value with blanks goes in quotes."""
    done = call("exercise", "check", "--answer", "this", "is", "the", "web")
    assert (done.returncode, done.stdout) == (2, "")
    assert "too many words: the web. A value with blanks in it goes in quotes: 'like this'" in done.stderr


def test_an_answer_of_two_words(call, tmp_path, monkeypatch):
    """The second word of an answer is no exercise: that it belongs in quotes is said with the command's own words."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    done = call("exercise", "check", "--answer", "nobody", "there")
    assert done.returncode == 2
    told = "goes in quotes, and right would be: dockerlab exercise check --answer 'nobody there'"
    assert told in " ".join(done.stderr.split())


def test_unknown_lab(call):
    """A lab that is not there is an error with what may have been meant."""
    done = call("render", "macvlam")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "dockerlab: macvlam: no such file, and no packaged lab of that name: did you mean macvlan?\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["foo", "vm1"], "FROM foo is none of nginx, admin, client, remote, vm0, vm1"),
        (["nginx", "foo"], "TO foo is none of admin, client, remote, vm0, vm1, gateway:bridge@vm0, gateway:bridge@vm1"),
        (["nginx", "admin", "--probe", "tcp/99"], "--probe tcp/99 is none of ping, tcp/80, dns"),
        (
            ["remote", "nginx", "--probe", "tcp/81"],
            "--probe tcp/81 is none of ping, tcp/80, dns; tcp/81 is asked of vm0",
        ),
    ],
    ids=["from", "to", "probe", "probe-of-another"],
)
def test_no_such_cell(call, words, said):
    """What is wrong of a pair is named with what fits the rest of it; a published port is asked of its host."""
    done = call("explain", "ports", *words, "--offline")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"dockerlab: no such cell: {said}\n")


def test_definition_errors(call, tmp_path):
    """Every mistake of a definition comes at once, each on a line of standard error with its place."""
    path = tmp_path / "lab.yaml"
    path.write_text("name: Bad Name\ncontainers:\n  a: {imag: x}\n  b: {network_mode: nonsense}\n")
    done = call("render", str(path))
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert len(lines) == 3
    for line, number in zip(lines, (1, 3, 4), strict=True):
        assert line.removeprefix("dockerlab: ").startswith(f"{path}:{number}:")


@pytest.mark.parametrize("example", EXAMPLES)
def test_render(call, example):
    """Every packaged example renders to a script that `sh` accepts, on standard output and nothing else."""
    done = call("render", example)
    assert (done.returncode, done.stderr) == (0, "")
    assert subprocess.run(["sh", "-n"], input=done.stdout, text=True, check=False).returncode == 0


def test_render_into_a_file(call, tmp_path):
    """With -o the output is in the file, whole, and not on standard output."""
    path = tmp_path / "up.sh"
    done = call("render", "bridge", "-o", str(path), "--set", "image=nginx:1")
    assert (done.returncode, done.stdout) == (0, "")
    assert "nginx:1" in path.read_text()
    assert list(tmp_path.iterdir()) == [path]


def test_output_to_what_is_no_file(call, tmp_path):
    """With -o a device is written to, and is not replaced by a file; a directory is refused."""
    assert call("schema", "-o", "/dev/null").returncode == 0
    assert Path("/dev/null").is_char_device()
    assert call("schema", "-o", str(tmp_path)).returncode == 2
    full = call("schema", "-o", "/dev/full")
    assert (full.returncode, full.stderr) == (2, "dockerlab: cannot write /dev/full: No space left on device\n")


@pytest.mark.parametrize("words", [["schema", "-o"], ["render", "bridge", "-o"], ["graph", "bridge", "-o"]])
def test_output_through_a_link(call, tmp_path, words):
    """With -o nothing is written through a link, whatever it leads to: it is refused, with where it leads."""
    precious, link, nowhere = tmp_path / "precious", tmp_path / "link", tmp_path / "nowhere"
    precious.write_text("content")
    link.symlink_to(precious)
    nowhere.symlink_to(tmp_path / "new")
    for each in (link, nowhere):
        done = call(*words, str(each))
        assert (done.returncode, done.stderr) == (
            2, f"dockerlab: cannot write {each}: it is a link to {each.readlink()}; name that itself\n"
        )  # fmt: skip
    assert (precious.read_text(), link.is_symlink(), (tmp_path / "new").exists()) == ("content", True, False)


def test_output_to_a_pipe_that_nobody_reads(call, tmp_path):
    """With -o a named pipe without a reader holds nobody up."""
    os.mkfifo(tmp_path / "pipe")
    assert call("schema", "-o", str(tmp_path / "pipe")).returncode == 2


def test_output_to_a_number_of_the_shell(tmp_path):
    """With -o the shell's `>(…)` and /dev/stdout are written to as what they are."""
    python = f"{sys.executable} -m dockerlab"
    line = f"{python} schema -o >(cat >{tmp_path}/one); {python} schema -o /dev/stdout >{tmp_path}/two; sleep 1"
    done = subprocess.run(["bash", "-c", line], cwd=ROOT, capture_output=True, check=False)
    assert (done.stdout, done.stderr) == (b"", b"")
    assert json.loads((tmp_path / "one").read_text()) == json.loads((tmp_path / "two").read_text())
    assert Path("/dev/stdout").is_symlink()


def test_output_that_orders_nothing(call, tmp_path):
    """No character that a terminal obeys, or that turns text, reaches a pipe or a file."""
    lab = tmp_path / "lab.yaml"
    lab.write_text('name: lab\ntitle: "x\\u202etxt\\u2028\\u2066"\ncontainers: {a: {network_mode: none}}\n')
    for words in (["render"], ["render", "--format", "compose"], ["graph"], ["graph", "--format", "mermaid"]):
        text = call(words[0], str(lab), *words[1:]).stdout
        assert "txt" in text
        assert not ORDERS.search(text.replace("\r\n", ""))
    call("render", str(lab), "-o", str(tmp_path / "up.sh"))
    assert not ORDERS.search((tmp_path / "up.sh").read_text())


def test_output_beside_a_trap(call, tmp_path):
    """With -o nothing is written through a link that somebody else has put beside the file."""
    mine, trap = tmp_path / "mine", tmp_path / ".up.sh.new"
    mine.write_text("precious")
    trap.symlink_to(mine)
    assert call("render", "bridge", "-o", str(tmp_path / "up.sh")).returncode == 0
    assert (mine.read_text(), sorted(tmp_path.iterdir())) == ("precious", [trap, mine, tmp_path / "up.sh"])


def test_messages_move_no_cursor(call):
    """What a message holds of somebody else's words is shown by a terminal, and not obeyed."""
    done = call("render", "\x1b[2J\x9b1mlab")
    assert (done.returncode, "?[2J?1mlab" in done.stderr) == (2, True)
    assert not {"\x1b", "\x9b"} & set(done.stderr)


def test_graph(call, tmp_path):
    """The picture comes from the definition alone, and with --matrix --offline has the predictions over it."""
    path = tmp_path / "lab.svg"
    assert (call("graph", "macvlan", "-o", str(path)).returncode, path.read_text()[:4]) == (0, "<svg")
    plain = call("graph", "macvlan", "--format", "dot")
    over = call("graph", "macvlan", "--format", "dot", "--matrix", "--offline")
    assert (plain.returncode, plain.stderr, over.returncode) == (0, "", 0)
    assert "reach" in over.stdout
    assert "reach" not in plain.stdout
    drawn = call("graph", "macvlan", "--format", "mermaid").stdout
    assert drawn.startswith("%% macvlan: One LAN across two hosts\nflowchart TB\n")


def test_schema(call):
    """The schema is a JSON object that knows every driver."""
    done = call("schema")
    assert done.returncode == 0
    assert "macvlan" in json.dumps(json.loads(done.stdout))


def test_labs(call):
    """The packaged labs are listed with their titles."""
    done = call("labs")
    assert done.returncode == 0
    listed = {line.split()[0] for line in done.stdout.splitlines()}
    assert set(EXAMPLES) <= listed


@pytest.mark.parametrize("start", ["import dockerlab.cli.app", "from dockerlab.cli import main"])
def test_start_is_light(start):
    """Starting the command line imports nothing heavy: a command that needs it does."""
    code = f"{start}\nimport sys\nprint(sorted(set(sys.modules) & set({HEAVY!r})), len(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("[] ")


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--engine", "20.10", "--against", "28.5"], 1, "From 25.0.0 on no longer: an internal bridge gives a default"),
        (["--engine", "28.4", "--against", "28.5"], 0, "54 cells: 0 differ"),
        (["--engine", "28.5", "--against", "user-bridge"], 0, "54 cells: 0 differ"),
        (["--offline", "--against", "ports"], 1, "not asked -> "),
        (["hidden", "local", "--engine", "20.10", "--against", "28.5"], 1, "1 cell: 1 differ"),
        (["--engine", "20.10", "--against", "28.5", "--format", "markdown"], 1, "## What differs"),
        (["--engine", "28.5", "--against", "29.8-nftables"], 0, "against engine 29.8 with nftables"),
    ],
)
def test_what_differs(call, words, code, told):
    """`explain --against` ends with 1 where something differs, with 0 where nothing does."""
    done = call("explain", "user-bridge", *words)
    assert (done.returncode, done.stderr) == (code, "")
    assert told in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--engine", "28.5", "--against", "28.5-nftables"], "from 29.0 on"),
        (["--offline", "--against", "hosts"], "leave out --set-against and --offline"),
        (["--offline", "--format", "json"], "add --against"),
        (["--against", "28.5", "--live"], "leave out --live"),
        (["--engine", "28.5", "--against", "nothing-of-that-name"], "no packaged lab of that name"),
        (["--engine", "28.5", "--against", "29.8", "--set-against", "x"], "NAME=VALUE"),
    ],
)
def test_what_cannot_be_compared(call, words, said):
    done = call("explain", "user-bridge", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_values_on_either_side(call, tmp_path):
    """`--set` is of both sides where they are one definition, `--set-against` of the other one alone."""
    path = tmp_path / "lab.yaml"
    path.write_text(
        "name: sides\nvars: {shut: 'true', out: 'true'}\nnetworks: {n: {internal: '{{ shut }}'}}\n"
        "containers: {web: {networks: [n]}}\noutside: {away: 203.0.113.9}\n"
    )
    one = call("explain", str(path), "--offline", "--set-against", "shut=false")
    assert one.returncode == 1
    told = " ".join(one.stdout.split())
    assert "web -> away 203.0.113.9, ping: unreachable (no route) [bridge-internal] -> reachable" in told
    both = call("explain", str(path), "--offline", "--set", "shut=false", "--set-against", "out=false")
    assert both.returncode == 0
