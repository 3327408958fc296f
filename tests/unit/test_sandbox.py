"""The sandbox's names, records, lock and client, without a sandbox."""

from __future__ import annotations

import io
import os
import shlex
import socket
import sys
from pathlib import Path

import pytest

import dockerlab.sandbox
from dockerlab.cli import main
from dockerlab.errors import SandboxError, UsageError
from dockerlab.sandbox import SandboxHost, SandboxState, layout, processes, record, ssh_argv, up
from dockerlab.sandbox.lock import locked


@pytest.fixture
def state() -> SandboxState:
    return SandboxState(
        directory=Path("/somewhere"),
        hosts=(SandboxHost("vm0", "192.168.22.61"), SandboxHost("vm1", "192.168.22.62")),
        identity_file=Path("/somewhere/id"),
        known_hosts=Path("/somewhere/known"),
        router="192.168.22.1",
        outside="203.0.113.10",
        rootfs=None,
    )


@pytest.mark.parametrize("words", [["ls"], ["sh", "-c", "echo $HOME"], ["a b", "$(id)", "'", '"', ";", "", "\n", "-o"]])
def test_a_command_is_one_quoted_argument(state, words):
    """The remote shell gets one line that gives the very same words back; nothing of it is an option of ssh."""
    argv = ssh_argv(state, "vm1", words)
    assert argv[-3:-1] == ["--", "root@192.168.22.62"]
    assert shlex.split(argv[-1]) == words


@pytest.mark.parametrize("ahead", [[], ["--"]])
def test_a_command_as_it_is_typed(state, monkeypatch, ahead):
    """`sandbox ssh HOST` passes on what follows, as it is; one `--` may stand ahead of it, as with other commands."""
    ran = []
    monkeypatch.setattr(dockerlab.sandbox, "status", lambda: state)
    monkeypatch.setattr(os, "execvp", lambda _file, argv: ran.append(argv))
    monkeypatch.setattr(sys, "argv", ["dockerlab", "sandbox", "ssh", "vm0", *ahead, "env", "--", "--help", "-x"])
    with pytest.raises(SystemExit):
        main()
    assert shlex.split(ran[0][-1]) == ["env", "--", "--help", "-x"]


@pytest.mark.parametrize("line", ["docker ps -q | wc -l", "docker ps", "id;id"])
def test_a_line_for_a_shell(state, monkeypatch, capsys, line):
    """A whole line in quotes, as ssh takes it, is refused with what hands it to a shell, ready to be typed."""
    monkeypatch.setattr(dockerlab.sandbox, "status", lambda: state)
    monkeypatch.setattr(sys, "argv", ["dockerlab", "sandbox", "ssh", "vm0", line])
    with pytest.raises(SystemExit) as ended:
        main()
    said = " ".join(capsys.readouterr().err.split())
    assert ended.value.code == 2
    assert shlex.split(said.partition("would be: ")[2]) == ["dockerlab", "sandbox", "ssh", "vm0", "sh", "-c", line]


@pytest.mark.parametrize(
    ("words", "streams", "terminal"),
    [
        ([], (True, True), True),
        (["docker", "exec", "-it", "web", "sh"], (True, True), True),
        (["docker", "inspect", "web"], (True, False), False),
        (["sh", "-s"], (False, True), False),
    ],
)
def test_who_has_a_terminal(state, monkeypatch, words, streams, terminal):
    """A command that is typed at a terminal has one there too; of a pipe, on either side, nothing is changed."""
    ran = []
    monkeypatch.setattr(dockerlab.sandbox, "status", lambda: state)
    monkeypatch.setattr(os, "execvp", lambda _file, argv: ran.append(argv))
    monkeypatch.setattr(sys, "argv", ["dockerlab", "sandbox", "ssh", "vm0", *words])
    for name, is_one in zip(("stdin", "stdout"), streams, strict=True):
        monkeypatch.setattr(sys, name, Stream(is_one))
    with pytest.raises(SystemExit):
        main()
    assert ("-t" in ran[0]) is terminal


class Stream(io.StringIO):
    """A stream that is a terminal, or none."""

    def __init__(self, terminal):
        super().__init__()
        self.isatty = lambda: terminal


def test_a_shell_without_a_command(state):
    """Without a command, the target is the last argument."""
    assert ssh_argv(state, "vm0")[-1] == "root@192.168.22.61"


def test_only_the_sandbox_keys_count(state):
    """Neither the user's configuration nor the user's agent or known hosts have a say, and the check is strict."""
    argv = ssh_argv(state, "vm0", ["true"])
    assert argv[:3] == ["ssh", "-F", "none"]
    assert {"StrictHostKeyChecking=yes", "UserKnownHostsFile=/somewhere/known", "GlobalKnownHostsFile=none",
            "IdentityFile=/somewhere/id", "IdentitiesOnly=yes", "IdentityAgent=none"} <= set(argv)  # fmt: skip


def test_an_unknown_host_is_the_callers_mistake(state):
    """A wrong host name is answered with those that there are."""
    with pytest.raises(UsageError, match="no host vm7; it has vm0, vm1"):
        ssh_argv(state, "vm7", ["true"])


@pytest.mark.parametrize("count", [-1, 0, 17])
def test_an_impossible_number_of_hosts(count):
    """A number of hosts that the LAN has no addresses for is refused before anything happens."""
    with pytest.raises(UsageError, match="from 1 to 16"):
        up(count)


def test_every_host_has_an_address_of_its_own():
    """Hosts' names and addresses go together, all in the LAN, none the router's or the controller's."""
    addresses = [layout.host_address(layout.host_name(index)) for index in range(layout.MAX_HOSTS)]
    assert addresses[:2] == ["192.168.22.61", "192.168.22.62"]
    assert len(set(addresses) | {str(layout.ROUTER), str(layout.CONTROLLER)}) == layout.MAX_HOSTS + 2


def test_interface_names_fit():
    """A Linux interface's name has at most 15 characters."""
    longest = f"{layout.host_name(layout.MAX_HOSTS - 1)}.{layout.VLAN}"
    assert max(len(layout.LINK), len(longest)) <= 15


def test_a_host_is_alive_only_as_a_whole():
    """One dead part is enough."""
    assert SandboxHost("vm0", "192.168.22.61").alive
    assert not SandboxHost("vm0", "192.168.22.61", sshd=False).alive


def test_record_survives(tmp_path):
    """What was written is read back; another layout, or nothing, is no record."""
    path = tmp_path / "sandbox.json"
    assert record.read(path) is None
    written = record.Record(rootfs="/a b", tagging=True, hosts=("vm0", "vm1"))
    record.write(written, path)
    assert record.read(path) == written
    record.write(record.Record(rootfs=None, tagging=False, layout=record.LAYOUT + 1), path)
    assert record.read(path) is None


def test_lock_keeps_the_second_out_and_leaves_nothing(tmp_path):
    """The second is told that it waits and then refused; afterwards the lock's file and directory are gone."""
    path = tmp_path / "run" / "lock"
    said: list[str] = []
    with locked(said.append, path):
        with pytest.raises(SandboxError, match="another process has held"), locked(said.append, path, seconds=0.2):
            pytest.fail("two at once")
        assert path.exists()
    assert said == ["waiting for another dockerlab that builds or removes the sandbox"]
    assert not path.parent.exists()
    with locked(said.append, path):
        pass


@pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="reads Linux's /proc")
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/etc/passwd")])
def test_a_lock_that_somebody_else_made(tmp_path, make):
    """What stands in the place of the lock and is no plain file is neither followed nor waited for, but refused."""
    path = tmp_path / "run" / "lock"
    path.parent.mkdir(mode=0o777)
    make(path)
    with pytest.raises(SandboxError, match=f"^{path} is"), locked(print, path):
        pass
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="another user can only be had by root")
def test_a_lock_of_another_user(tmp_path):
    """A lock in somebody else's file, or in somebody else's directory, is refused with that one's name."""
    path = tmp_path / "run" / "lock"
    path.parent.mkdir()
    path.touch()
    for strange in (path, path.parent):
        os.chown(strange, 65534, 65534)
        with pytest.raises(SandboxError, match=f"^{strange} is not dockerlab's: nobody made it"), locked(print, path):
            pass
    assert path.exists()


def test_listening_is_seen_without_connecting():
    """A listening socket is found by its port and protocol, and no longer once it is closed."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert processes.listens(os.getpid(), "tcp", port)
        assert not processes.listens(os.getpid(), "udp", port)
    assert not processes.listens(os.getpid(), "tcp", port)


@pytest.mark.skipif(not Path("/proc/self/ns/net").exists(), reason="reads Linux's /proc")
def test_this_process_is_never_ours():
    """Whatever the test for the sandbox's processes says, this one and its parents are spared."""
    found = {process.pid for process in processes.ours(lambda _: True)}
    assert not found & {os.getpid(), os.getppid()}
