"""Calls about a class that are wrong, and what is printed without any host."""

from __future__ import annotations

import sys

import pytest

from dockerlab.cli import main


def call(monkeypatch, capsys, *words):
    monkeypatch.setattr(sys, "argv", ["dockerlab", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code or 0, capsys.readouterr()


def test_hosts_are_not_joined_in_silence(monkeypatch, capsys, tmp_path):
    """An overlay for a class says what its Swarm means and asks for leave; the sandbox's hosts are all one machine."""
    inventory = tmp_path / "hosts.yaml"
    inventory.write_text("hosts: {vm0: 'ssh://root@127.0.0.1:1', vm1: 'ssh://root@127.0.0.1:1'}\n")
    words = ("up", "overlay", "--students", "2", "--inventory", str(inventory))
    code, told = call(monkeypatch, capsys, *words)
    assert code == 2
    assert "joins vm0, vm1 in one Swarm: whoever is root on its manager can run anything as root on all" in told.err
    assert told.err.endswith("Where that is meant, call it with --allow-shared-swarm\n")
    code, told = call(monkeypatch, capsys, *words, "--allow-shared-swarm")
    assert code == 4
    assert "note: the overlay " in told.err
    code, told = call(monkeypatch, capsys, "up", "bridge", *words[2:])
    assert "Swarm" not in told.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("down", "--all", "--students", "3"), "--students goes with a lab"),
        (("status", "--students", "3"), "--students goes with a lab"),
        (("up", "bridge", "--students", "no-such.csv"), "a CSV file that can be read"),
        (("up", "bridge", "--students", "0"), "a number from 1 to 1000"),
        (("up", "bridge", "--students", "3", "--format", "markdown"), "write one of table, json, html, junit ("),
        (("up", "bridge", "--students", "3", "--subnets", "x"), "--subnets x"),
        (("grade", "bridge", "--students", "3", "--sandbox", "--inventory", "x"), "leave one out"),
        (("verify", "bridge", "--student", "7"), "write an ID"),
        (("verify", "bridge", "--student", "s13", "--students", "12"), "nobody of the class has this ID; did you mean"),
        (("explain", "bridge", "--student", "s13", "--students", "12"), "nobody of the class has this ID"),
        (("render", "bridge", "--student", "s13", "--students", "12"), "nobody of the class has this ID"),
        (("verify", "bridge", "--students", "12"), "--students names the class of one --student here"),
        (("explain", "--students", "12"), "name a LAB before"),
        (("explain", "bridge", "--student", "s07", "--offline"), "leave out --student, or --offline"),
        (
            ("render", "macvlan", "--student", "s40"),
            "macvlan.yaml:11:79: containers.centos_vm0_v1",
        ),
        (("serve", "bridge", "--students", "3", "--listen", "0.0.0.0", "--port", "99999"), "port"),
    ],
)
def test_wrong_calls(monkeypatch, capsys, words, says):
    """What is wrong with a call is said, with exit code 2, before any host is asked."""
    code, told = call(monkeypatch, capsys, *words)
    assert (code, told.out) == (2, "")
    assert says in told.err


def test_a_token_that_can_be_guessed(monkeypatch, capsys):
    """A weak token from the environment is refused, and not repeated."""
    monkeypatch.setenv("DOCKERLAB_SERVE_TOKEN", "hunter2")
    code, told = call(monkeypatch, capsys, "serve", "bridge", "--students", "3")
    assert code == 2
    assert "DOCKERLAB_SERVE_TOKEN" in told.err
    assert "hunter2" not in told.err


def test_a_students_commands(monkeypatch, capsys):
    """The script of one student's instance has its names, subnets and label, and needs no host."""
    code, told = call(monkeypatch, capsys, "render", "user-bridge", "--student", "s07-ada")
    assert code == 0
    assert "--name s07-ada-web" in told.out
    assert "--subnet 198.18.24.0/24" in told.out
    assert "--label dockerlab.instance=s07-ada" in told.out
