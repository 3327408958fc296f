"""The command line with a Compose file as its lab."""

import sys

import pytest

from dockerlab.cli import main

PROJECT = """name: shop
services:
  web: {image: nginx, ports: ['8080:80'], networks: [front], tty: true}
  db: {image: postgres, networks: [back], expose: [5432]}
  debug: {image: busybox, networks: [back], profiles: [debug]}
networks: {front: , back: {internal: true}}
"""


@pytest.fixture
def call(capsys, monkeypatch, tmp_path):
    """Return a function that calls the command line in the project's directory."""
    (tmp_path / "compose.yaml").write_text(PROJECT)
    (tmp_path / "over.yaml").write_text("services:\n  web: {networks: [back]}\n")
    monkeypatch.chdir(tmp_path)
    for name in ("COMPOSE_FILE", "COMPOSE_PROFILES", "COMPOSE_PROJECT_NAME"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["dockerlab", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return ended.value.code or 0, told.out, told.err

    return run


def test_explain_by_the_names_of_services(call):
    """A pair is named by its services; what has no meaning is noted on the side."""
    code, out, err = call("explain", "compose.yaml", "web", "db", "--offline", "--probe", "tcp/5432")
    assert (code, out.count("shop-web-1 -> shop-db-1 ")) == (0, 1)
    assert "unreachable" in out.splitlines()[0]
    assert "note: tty: says nothing of networks, and is left out (web)\n" in err


def test_a_directory_with_another_file_and_a_profile(call):
    """The options of Compose count: with the other file both are on one network, and the profile is on."""
    code, out, _ = call(
        "explain", ".", "web", "debug", "--offline", "-f", "over.yaml", "--profile", "debug", "--probe", "ping"
    )
    assert (code, "unreachable" in out.splitlines()[0]) == (0, False)
    code, _, err = call("explain", ".", "web", "debug", "--offline")
    assert (code, "TO debug is none of" in err) == (2, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("graph", "--format", "mermaid"), "shop-web-1"),
        (("render",), "--publish 8080:80/tcp"),
        (("render", "--project-name", "other"), "other-web-1"),
        (("render", "--format", "compose"), "container_name: shop-web-1"),
        (("quiz", "--help"), "--profile"),
    ],
)
def test_other_commands(call, words, told):
    """What takes a lab takes a Compose file, with its options."""
    command, *rest = words
    code, out, _ = call(command, "compose.yaml", *rest)
    assert (code, told in out) == (0, True)


def test_lint(call):
    """Notes stand beside the warnings and are none."""
    code, out, err = call("lint", "compose.yaml")
    assert (code, out, "nothing misleading found" in err) == (0, "", True)


def test_mistakes(call, tmp_path):
    """A mistake in a Compose file is told with its place, and ends the call with 2."""
    (tmp_path / "wrong.yaml").write_text("services:\n  web: {image: a, networks: [nosuch]}\n")
    code, _, err = call("verify", "wrong.yaml")
    assert (code, "wrong.yaml:2:30: services.web.networks[0]: no network 'nosuch'" in err) == (2, True)


def test_options_that_do_not_go_with_the_file(call):
    """An option for Compose files is refused with a definition of our own."""
    code, _, err = call("render", "macvlan", "--profile", "x")
    assert (code, "--profile is for Compose files" in err) == (2, True)
    code, _, err = call("render", "macvlan", "--format", "compose")
    assert (code, "a Compose file is for one engine: say which with --host, of vm0, vm1" in err) == (2, True)
