"""What a call imports: time is lost there before anything is done. Counted in a fresh interpreter, not timed."""

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

LIBRARIES = {"docker", "jinja2", "paramiko", "pydantic", "requests", "rich", "yaml"}

RUN = """
import json, sys
from dockerlab.cli import main
sys.argv[0] = "dockerlab"
try:
    main()
finally:
    with open(3, "w") as listing:
        json.dump(sorted(sys.modules), listing)
"""


def imported(*words: str, returns: int = 0, **environment: str) -> set[str]:
    """Return the names of all modules that are there when `dockerlab WORDS` ends, as it has to."""
    reading, writing = os.pipe()
    code = RUN.replace("open(3", f"open({writing}")
    with os.fdopen(reading) as listing:
        try:
            done = subprocess.run(
                [sys.executable, "-c", code, *words],
                cwd=ROOT,
                env={**os.environ, **environment},
                pass_fds=[writing],
                capture_output=True,
                text=True,
                check=False,
            )
        finally:
            os.close(writing)
        assert done.returncode == returns, done.stderr
        assert done.stdout or returns
        return set(json.load(listing))


def completing(line: str, position: int) -> dict[str, str]:
    """Return the environment in which a shell asks for completions."""
    return {"_DOCKERLAB_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(position)}


@pytest.mark.parametrize("call", [["--help"], ["up", "--help"], ["sandbox", "ssh", "--help"], ["--version"]])
def test_help_imports_no_library(call):
    """Help needs nothing but the parser."""
    modules = imported(*call)
    assert not modules & LIBRARIES
    assert len(modules) < 200


@pytest.mark.parametrize("line", ["dockerlab ", "dockerlab sandbox "])
def test_completing_a_command_imports_no_library(line):
    """A command's name is completed by the parser alone."""
    assert not imported(**completing(line, line.count(" "))) & LIBRARIES


@pytest.mark.parametrize("call", [["--help"], ["exercise", "--help"]])
def test_a_list_of_commands_imports_none_of_them(call):
    """What a list says of a command is known without it."""
    assert not imported(*call) & {f"dockerlab.cli.{name}" for name in ("up", "options", "exercise.starting")}


@pytest.mark.parametrize("line", ["dockerlab up --", "dockerlab exercise start --", "dockerlab sandbox ssh --"])
def test_completing_an_option_imports_no_library(line):
    """An option's name is completed without its validators, and nothing of ours is imported but the command line."""
    modules = imported(**completing(line, line.count(" ")))
    assert not modules & LIBRARIES
    assert not {name for name in modules if name.startswith("dockerlab.lab")}


@pytest.mark.parametrize("call", [["render", "macvlan"], ["explain", "mixed", "--offline"]])
def test_what_touches_no_host_imports_no_client(call):
    """The pure commands do without SSH, the Docker SDK, HTTP and the terminal's library."""
    modules = imported(*call)
    assert not modules & {"docker", "email", "paramiko", "requests", "urllib3", "rich"}
    assert len(modules) < 470


LATE = """
import sys
from dockerlab.cli.late import load_late
load_late("importlib.metadata", "entry_points")
from importlib.metadata import entry_points
assert "email" not in sys.modules
import importlib.metadata
assert "email" not in sys.modules
print(len(entry_points(group="console_scripts")) > 0, importlib.metadata.version("typer"))
from importlib.metadata import PackageNotFoundError, _adapters
assert "email" in sys.modules
assert entry_points is not importlib.metadata.entry_points
"""


def test_a_module_that_is_loaded_late():
    """A stand-in is imported without its module, and does all that the module does once it is called."""
    done = subprocess.run([sys.executable, "-c", LATE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["True", version("typer")]


def test_a_command_imports_no_other():
    """Of the commands, the one is imported that is called."""
    modules = imported("render", "macvlan")
    assert "dockerlab.cli.render" in modules
    assert not modules & {f"dockerlab.cli.{name}" for name in ("up", "down", "doctor", "exercise", "serve")}


def test_ssh_without_what_only_match_exec_wants(tmp_path):
    """What paramiko imports for `Match exec` is loaded for that alone, and works then."""
    (tmp_path / ".ssh").mkdir()
    call = ("down", "x", "--host", "ssh://nobody@127.0.0.1:1")
    heavy = {"asyncio", "invoke.context", "unittest"}
    modules = imported(*call, returns=4, HOME=str(tmp_path))
    assert "paramiko" in modules
    assert not modules & heavy

    (tmp_path / ".ssh" / "config").write_text(f"Match exec 'touch {tmp_path}/ran'\n  ConnectTimeout 3\n")
    modules = imported(*call, returns=4, HOME=str(tmp_path))
    assert modules >= heavy
    assert (tmp_path / "ran").exists()


def test_what_down_imports(tmp_path):
    """What takes a lab away knows no definitions, no walk, no verdicts, no reports, and no library of theirs."""
    call = ("down", "x", "--host", "ssh://nobody@127.0.0.1:1")
    modules = imported(*call, returns=4, HOME=str(tmp_path))
    assert modules & LIBRARIES == {"paramiko"}
    unwanted = ("dockerlab.lab.model", "dockerlab.walk", "dockerlab.verify", "dockerlab.report")
    assert not {name for name in modules if name.startswith(unwanted)}
    assert len(modules) < 490


def test_what_status_imports(tmp_path):
    """To list what is there, of a definition no more is read than its name and its hosts."""
    call = ("status", "examples/macvlan.yaml", "--host", "ssh://nobody@127.0.0.1:1")
    modules = imported(*call, returns=4, HOME=str(tmp_path))
    assert modules & LIBRARIES == {"paramiko", "yaml"}
    assert "dockerlab.lab.model" not in modules
    assert len(modules) < 470


def test_what_discover_imports(tmp_path):
    """What writes a definition of what runs reads none: it needs neither YAML nor templates, and walks nowhere."""
    modules = imported("discover", "--host", "ssh://nobody@127.0.0.1:1", returns=4, HOME=str(tmp_path))
    assert "dockerlab.discover.definition" in modules
    assert modules & LIBRARIES == {"paramiko", "pydantic"}
    unwanted = ("dockerlab.walk", "dockerlab.reach", "dockerlab.verify", "dockerlab.report", "dockerlab.provision")
    assert not {name for name in modules if name.startswith(unwanted)}
    assert len(modules) < 620


WORK = "dockerlab.cli.up, dockerlab.cli.progress, dockerlab.hosts.ssh, dockerlab.session"
MORE = "dockerlab.provision.up, dockerlab.verify.on_hosts, dockerlab.report.as_table"


def test_what_touches_hosts_imports_no_terminal():
    """The work over SSH imports the terminal's library only where there is one, and no report but its own."""
    code = f"import json, sys, {WORK}, {MORE}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    modules = set(json.loads(done.stdout))
    assert "paramiko" in modules
    assert not modules & {"docker", "requests", "rich", "dockerlab.report.as_html", "dockerlab.report.as_junit"}
