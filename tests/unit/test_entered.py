"""A host on which a stranger is root: what goes around its own programs, and whose engine is believed."""

from __future__ import annotations

import ast
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.host_contract import HostContract

from dockerlab.checks.looks import READERS
from dockerlab.engine.client import connected
from dockerlab.errors import ConnectError, EngineError, SandboxError
from dockerlab.hosts import door, entered, genuine
from dockerlab.hosts.address import SshOptions
from dockerlab.hosts.base import ENGINE
from dockerlab.hosts.entered import EnteredHost, reads
from dockerlab.hosts.fake import FakeHost
from dockerlab.hosts.inventory import Inventory
from dockerlab.hosts.local import LocalHost
from dockerlab.probe.agent_session import AGENT
from dockerlab.sandbox import layout, outside
from dockerlab.survey import send

CHANGES = [
    ("docker", "run", "--detach", "x"),
    ("docker", "network", "create", "inspect"),
    ("docker", "image", "rm", "save"),
    ("docker",),
    ("docker", "rm", "--force", "ps"),
    ("ip", "link", "add", "a", "type", "bridge"),
    ("iptables", "-w", "-I", "FORWARD", "-j", "DROP"),
    ("nsenter", "--target=7", "--net", "--", "ip", "link", "set", "eth0", "down"),
    ("sysctl", "-w", "net.ipv4.ip_forward=0"),
    ("sh", "-s", "--", "x"),
    ("sh", "-s", "doctor"),
    ("sh", "-c", "ip link show"),
    ("python3", "-c", "anything"),
]


def own(command):
    return list(command)


class TestEnteredHost(HostContract):
    """A host that is entered keeps the contract, whichever way a program takes."""

    @pytest.fixture
    def host(self, monkeypatch):
        monkeypatch.setattr(entered, "reads", lambda _: True)
        host = EnteredHost(LocalHost("vm0"), own)
        yield host
        host.close()


@pytest.mark.parametrize("look", READERS)
@pytest.mark.parametrize("ahead", [(), ("nsenter", "--target=7", "--net", "--")], ids=["host", "inside"])
def test_looks_only_read(look, ahead):
    """Every fact that a check may look at is read from outside, on the host and in a container."""
    assert reads((*ahead, *READERS[look].argv))


@pytest.mark.parametrize(
    "argv",
    [
        ENGINE, ("sh", "-s"), AGENT.argv("agent"), send.PROGRAM.argv("look", "{}"), ("iptables-save", "-c"),
        ("nsenter", "--target=7", "--net", "--", "ip", "route", "get", "10.0.0.1"), ("docker", "image", "save", "x"),
        ("stat", "-c", "%s %n", "--", "/x"), ("tar", "-C", "/x", "-cf", "-", "."), ("docker", "exec", "x", "id"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_what_judges_reads(argv):
    """What a grade is made of is asked from outside."""
    assert reads(argv)


@pytest.mark.parametrize("argv", CHANGES, ids=" ".join)
def test_what_changes(argv):
    """What changes a host, or may, runs on the host, and is given to nobody who has rights on the machine."""
    assert not reads(argv)
    way = FakeHost("vm0", lambda *_: "by SSH")
    assert EnteredHost(way, own).run(argv).text == "by SSH"
    assert way.calls == [argv]


def test_terminals(capsys):
    """A terminal is the host's own, for nothing with rights on the machine is to be at anybody's hands."""
    way = FakeHost("vm0", lambda *_: (7, ""))
    assert EnteredHost(way, own).attach(("cat", "/etc/hosts"), terminal=True) == 7
    assert capsys.readouterr().out == ""


def test_a_host_that_does_not_run():
    """Where nothing can be entered, nothing was started, and that host is named."""

    def enter(_):
        raise SandboxError("vm0 is not running")

    with pytest.raises(ConnectError, match="vm0: `cat /x` was not started: vm0 is not running"):
        EnteredHost(LocalHost("vm0"), enter).run(("cat", "/x"))


def test_which_hosts_are_entered():
    """An inventory's hosts are entered where it says how, by their addresses, and reached otherwise where not."""
    inventory = Inventory({"a": "local", "b": "ssh://root@192.0.2.1"}, enter={"ssh://root@192.0.2.1": own})
    assert isinstance(inventory.host("a", SshOptions()), LocalHost)
    assert isinstance(inventory.host("b", SshOptions()), EnteredHost)


def test_nobody_is_entered_without_a_place(tmp_path, monkeypatch):
    """The hosts of the sandbox without a name are the caller's own."""
    monkeypatch.setattr(layout, "PLACE", tmp_path / "none")
    assert outside.ways(["vm0"]) == {}
    (tmp_path / "none").write_text("s01 2000000000\n")
    assert list(outside.ways(["vm0"])) == ["vm0"]


def said(code, text):
    """Return a host whose way to the engine ends like that."""
    script = f"import sys; sys.stderr.write({text!r}); sys.exit({code})"
    return EnteredHost(FakeHost("vm0", lambda *_: "", address="192.0.2.1"), lambda _: [sys.executable, "-c", script])


@pytest.mark.parametrize(
    ("code", "text", "told"),
    [
        (door.FORGED, f"the engine of vm0 {door.OTHER}: x\n", f"^vm0: the engine of vm0 {door.OTHER}: x$"),
        (1, f"Cannot connect to {door.ENGINE}: gone. Is the docker daemon running?\n", "is not running"),
    ],
)
def test_what_is_said_of_an_engine(code, text, told):
    """An engine that is not believed is an error of that host, in a sentence; so is one that does not run."""
    with pytest.raises(EngineError, match=told), connected(said(code, text)):
        pass


@pytest.fixture
def answers():
    """Give both ends of a connection, and both of a pipe for what is passed on."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    reader, writer = os.pipe()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    os.set_blocking(reader, False)
    with ours, theirs, os.fdopen(reader, "rb", 0) as passed_on, os.fdopen(writer, "wb", 0) as target:
        yield ours, theirs, passed_on, target.fileno()


def test_what_the_engine_answers(answers):
    """What the process that was examined says is passed on, to its end."""
    ours, theirs, passed_on, target = answers
    theirs.sendall(b"of the engine")
    theirs.shutdown(socket.SHUT_WR)
    door.bring(ours, os.getpid(), target)
    assert passed_on.read() == b"of the engine"


def test_what_somebody_else_answers(answers):
    """What another process writes into the same connection is not passed on."""
    ours, theirs, passed_on, target = answers
    code = "import os, sys; os.write(int(sys.argv[1]), b'of another')"
    subprocess.run([sys.executable, "-c", code, str(theirs.fileno())], pass_fds=[theirs.fileno()], check=True)
    with pytest.raises(genuine.Forged, match="another process answers"):
        door.bring(ours, os.getpid(), target)
    assert passed_on.read() is None


def test_who_holds_the_connection(tmp_path):
    """Which processes hold the other end of a connection is told once it was taken."""
    with socket.socket(socket.AF_UNIX) as waiting, socket.socket(socket.AF_UNIX) as ours:
        waiting.bind(str(tmp_path / "engine"))
        waiting.listen()
        ours.connect(str(tmp_path / "engine"))
        taken, _ = waiting.accept()
        with taken:
            number = genuine.other_end(ours)
            assert number in {0, os.fstat(taken.fileno()).st_ino}, "0 where the kernel does not tell"
            assert genuine.holders(os.fstat(taken.fileno()).st_ino) == {os.getpid()}
            with subprocess.Popen(["sleep", "60"], pass_fds=[taken.fileno()]) as other:
                assert genuine.holders(os.fstat(taken.fileno()).st_ino) == {os.getpid(), other.pid}
                other.kill()
    assert genuine.holders(0) == set()


def test_which_program_answers(tmp_path, monkeypatch):
    """A process is no engine that runs another program, even one of the same size, or that is outside of the host."""
    sleep = shutil.which("sleep")
    assert sleep is not None
    data = bytearray(Path(sleep).read_bytes())
    data[-1] ^= 1
    (tmp_path / "dockerd").write_bytes(data)
    (tmp_path / "dockerd").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with subprocess.Popen([sleep, "60"]) as running:
        try:
            for pid in (running.pid, 0):
                with pytest.raises(genuine.Forged, match="another program answers"):
                    genuine.examine(pid, set())
        finally:
            running.kill()


def test_a_file_is_compared_once(tmp_path):
    """Two files that hold the same are known, also by other names, until one is written to, whatever its times say."""
    one, other, known = tmp_path / "one", tmp_path / "other", set()
    for file in (one, other):
        file.write_bytes(b"engine")
    (tmp_path / "again").hardlink_to(other)
    assert not genuine.same(str(one), __file__, known)
    assert genuine.same(str(one), str(other), known)
    assert len(known) == 1
    assert genuine.same(str(one), str(tmp_path / "again"), known)
    assert len(known) == 1, "nothing was compared"
    times = other.stat()
    time.sleep(0.02)
    other.write_bytes(b"forged")
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert not genuine.same(str(one), str(other), known)


def test_the_door_brings_all_that_it_needs():
    """The way to the engine is handed to python3 with all of it, and finds nothing of ours where it runs."""
    *python, text, main = EnteredHost(FakeHost("vm0", lambda *_: ""), own).door
    ends = text.replace("].main()", "].ENGINE")
    done = subprocess.run([*python, ends, main], cwd="/", check=False, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("module", [door, genuine])
def test_a_minimal_python(module):
    """The way to the engine needs no more of the standard library than Debian's python3-minimal has."""
    tree = ast.parse(Path(module.__file__).read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    has = {"os", "re", "socket", "struct", "subprocess", "sys", "threading", "time"}
    assert imported <= has
    others = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert others in ([], ["dockerlab.hosts.genuine"])
