"""A shell in a container or on a host: what is started there, and for whom."""

from dataclasses import replace

import pytest
import typer
from typer.testing import CliRunner

from dockerlab.cli import loading
from dockerlab.cli.exec_ import app, execute
from dockerlab.errors import UsageError
from dockerlab.hosts.fake import FakeHost
from dockerlab.snapshot import LABEL_LAB, ContainerState, Snapshot
from dockerlab.survey import run_in

WEB = ContainerState(
    "c0ffee", "web", "dockerlab/node", running=True, status="running", pid=42, labels={LABEL_LAB: "demo"}
)
AT = run_in.Inside("vm0", WEB)


def test_of_its_own():
    """Where the image has a shell it is that one, on the terminal where there is one, and it says whose it is."""
    argv = run_in.shell_in(AT, tools=False, terminal=True)
    assert argv[:6] == ("docker", "exec", "--interactive", "--tty", "--env", "PS1=web:\\w\\$ ")
    assert argv[6] == "c0ffee"
    assert "--tty" not in run_in.shell_in(AT, tools=False, terminal=False)


def test_with_the_hosts_tools():
    """Else it is the host's, in the container's network namespace and in nothing else of it."""
    assert run_in.shell_in(AT, tools=True, terminal=True)[:4] == ("nsenter", "--target=42", "--net", "--")


@pytest.mark.parametrize(("rc", "has"), [(0, True), (126, False), (127, False)])
def test_has_a_shell(rc, has):
    """An image has a shell where one starts."""
    assert run_in.has_shell(AT, FakeHost("vm0", lambda *_: (rc, ""))) is has


def test_one_that_does_not_run():
    """A container that has ended has no shell: it is said how it ended, and what to do."""
    ended = replace(WEB, running=False, status="exited", exit_code=137, pid=0)
    with pytest.raises(UsageError, match=r"does not run \(exited, exit code 137\): 'docker start web'"):
        run_in.one([run_in.Inside("vm0", ended)], "web")


def test_several():
    """A terminal is for one container; where a name means several, each is named with its host."""
    with pytest.raises(UsageError, match="web on vm0, web on vm1"):
        run_in.one([AT, run_in.Inside("vm1", WEB)], "web")


def test_nobody_of_that_name():
    """Where the name is neither a container nor a host, both are listed."""
    snapshots = {"vm0": Snapshot("vm0", containers=(WEB,))}
    with pytest.raises(UsageError, match="nothing of demo is called wob; there are web, vm0"):
        run_in.chosen(snapshots, "demo", "wob", hosts=["vm0"])


NOTHING_SAID = {
    "terminal": False, "timeout": 60.0, "host": None,
    "sandbox": False, "inventory": None, "accept_new_host_keys": False,
}  # fmt: skip


def test_an_option_behind_the_command(monkeypatch, capsys):
    """`--sandbox` behind the command is given to that: it is said where it stands instead."""
    monkeypatch.setattr(loading, "name_and_hosts", lambda *_: pytest.fail("no further", pytrace=False))
    with pytest.raises(pytest.fail.Exception):
        execute(lab="bridge", container="centos_v1", command=["ping", "-c1", "web", "--sandbox"], **NOTHING_SAID)
    assert "--sandbox stands behind the command, and is given to it" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("words", "terminal", "command"),
    [
        (["-it", "demo", "web", "sh"], True, ["sh"]),
        (["--interactive", "--tty", "demo", "web", "sh"], True, ["sh"]),
        (["demo", "web", "grep", "-i", "x"], False, ["grep", "-i", "x"]),
        (["demo", "web", "--", "ls", "-it"], False, ["ls", "-it"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_in_front_as_docker_has_it(words, terminal, command):
    """`-it` in front is ours, as it is docker's; behind the container the same words are the command's."""
    group = typer.main.get_command(app)
    context = group.make_context("exec", list(words))
    assert (context.params["terminal"], list(context.params["command"])) == (terminal, command)
    assert CliRunner().invoke(app, ["--help"]).output.count("--terminal") == 1
