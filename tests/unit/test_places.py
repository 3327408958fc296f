"""Where a call says that hosts are, what the environment says for it, and what is said where that was forgotten."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from dockerlab import sandbox
from dockerlab.cli.app import app
from dockerlab.cli.places import VARIABLE, Places, by_environment
from dockerlab.errors import ConnectError, DeadlineExceeded, UsageError


@pytest.mark.parametrize(
    ("value", "meant"),
    [("1", True), ("yes", True), ("", False), ("0", False), ("off", False), ("/run/dockerlab/sandbox 402653", False)],
)
def test_said_once(value, meant):
    """The environment says --sandbox for every call; what marks a program of the sandbox says nothing."""
    assert by_environment(Places(), {}, {VARIABLE: value}).sandbox is meant


def test_unclear():
    """A value that is neither yes nor no is refused, with what to write."""
    with pytest.raises(UsageError, match="write 1 where"):
        by_environment(Places(), {}, {VARIABLE: "perhaps"})


@pytest.mark.parametrize(
    ("places", "given"), [(Places(inventory=Path("x")), {}), (Places(), {"host": ["local"]})], ids=["inventory", "host"]
)
def test_the_call_wins(places, given):
    """Where the call says where hosts are, that holds, and not the environment."""
    assert by_environment(places, given, {VARIABLE: "1"}) == places


def test_said_by_the_call_or_for_it():
    """What only the environment says is no reason to refuse a call, nor is it in the commands that are proposed."""
    always = by_environment(Places(), {}, {VARIABLE: "1"})
    assert always.named
    assert not always.said
    assert always.again("dockerlab down x") == "dockerlab down x"
    assert Places(sandbox=True).again("dockerlab down x") == "dockerlab down x --sandbox"


def failing(places, error):
    """Return what is said of an error that hosts fail with."""
    with pytest.raises(type(error)) as raised, places.pointing_out():
        raise error
    return str(raised.value)


def test_forgotten(monkeypatch):
    """A host that is not there is said together with the sandbox that is, and with how to say that it is meant."""
    monkeypatch.setattr(sandbox, "hosts_there", lambda: ["vm0", "vm1"])
    told = failing(Places(), ConnectError("vm0", "cannot resolve vm0"))
    assert told.startswith("vm0: cannot resolve vm0\na sandbox is on this machine (vm0, vm1)")
    assert f"export {VARIABLE}=1" in told
    assert "sandbox is on" not in failing(Places(sandbox=True), ConnectError("vm0", "no"))
    assert "sandbox is on" not in failing(Places(), DeadlineExceeded("vm0", "slow"))


def test_no_sandbox(monkeypatch):
    """Where there is no sandbox, nothing is said of one."""
    monkeypatch.setattr(sandbox, "hosts_there", list)
    assert failing(Places(), ConnectError("vm0", "no")) == "vm0: no"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["status", "--sandbox"], "there is no sandbox, and so nothing on it; 'dockerlab sandbox up' starts it"),
        (["down", "bridge", "--sandbox"], "bridge: there is no sandbox, and so nothing to remove"),
        (["down", "--all", "--sandbox"], "every lab: there is no sandbox, and so nothing to remove"),
    ],
    ids=" ".join,
)
def test_what_looks_and_removes_starts_none(monkeypatch, words, told):
    """Where no sandbox is, nothing is on it: none is started to say so."""
    monkeypatch.setattr(sandbox, "hosts_there", list)
    monkeypatch.setattr(sandbox, "up", lambda *_: pytest.fail("a sandbox was started"))
    done = CliRunner().invoke(app, words)
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", f"{told}\n")


def test_failures_are_told_with_it_once(monkeypatch, capsys):
    """Hosts that fail one by one are told each, and the sandbox once."""
    monkeypatch.setattr(sandbox, "hosts_there", lambda: ["vm0"])
    Places().say_failures([ConnectError("a", "no"), ConnectError("b", "no")])
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["a: no", "b: no"]
    assert len(lines) == 3
