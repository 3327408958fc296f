"""What other users of a machine can put in the way of a lock, in a directory in which everybody may make files."""

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dockerlab.errors import ConflictError
from dockerlab.hosts.local import LocalHost
from dockerlab.lock import locked
from dockerlab.lock.program import HOLD

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="another user can only be had by root")

NOBODY = 65534
OWN = Path("/run/dockerlab")


@pytest.fixture
def shared():
    """The place of a lock that nobody else has, in the directory for all; what is there in the end is removed."""
    folder = Path("/run/lock") if Path("/run/lock").stat().st_mode & stat.S_ISVTX else Path("/tmp")
    path = folder / f"dockerlab-test-{os.getpid()}-{time.monotonic_ns()}.lock"
    yield path
    path.unlink(missing_ok=True)
    assert not list(folder.glob(".dockerlab-*")), "what a lock was made in is left"


def name_of(path):
    return path.name.removeprefix("dockerlab-").removesuffix(".lock")


def take(path):
    """Take the lock as root and say how long that took, in seconds."""
    began = time.monotonic()
    with locked({"here": LocalHost("here")}, [name_of(path)]) as locks:
        locks.wait("here")
    return time.monotonic() - began


def ask(path, user, patience=3):
    """Return the line that the program on a host says to somebody."""
    as_user = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []
    done = subprocess.run([*as_user, "sh", "-c", HOLD, "lock", str(patience), "me", name_of(path)],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, timeout=30)  # fmt: skip
    return done.stdout


def of_nobody(path):
    os.chown(path, NOBODY, NOBODY, follow_symlinks=False)


def test_a_link_is_not_followed(shared, tmp_path):
    """A link in the place of a lock is not written through: root goes on, and what it leads to is as it was."""
    precious = tmp_path / "precious"
    precious.write_text("content")
    shared.symlink_to(precious)
    of_nobody(shared)
    assert take(shared) < 30
    assert precious.read_text() == "content"
    assert shared.is_symlink()


def test_a_pipe_is_not_waited_for(shared):
    """A named pipe in the place of a lock holds nobody up, and leaves no process that waits for it."""
    os.mkfifo(shared, 0o666)
    of_nobody(shared)
    assert take(shared) < 30
    found = subprocess.run(["pgrep", "-f", name_of(shared)], capture_output=True, check=False)
    assert found.stdout == b""


def test_a_stranger_that_holds_a_lock(shared):
    """A lock held by somebody who may not use the engine keeps root from nothing, whatever its file says."""
    shared.write_text("root@teacher (process 1) since 2027-01-31 18:00:00 UTC\n")
    shared.chmod(0o666)
    of_nobody(shared)
    hold = f"import fcntl,sys; f=open({str(shared)!r}); fcntl.flock(f, 2); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as stranger:
        assert stranger.stdout.readline() == b"held\n"
        assert take(shared) < 30
        stranger.stdin.close()


@pytest.mark.parametrize("make", [Path.touch, Path.mkdir, os.mkfifo, lambda path: path.symlink_to("/etc/passwd")])
def test_what_a_stranger_made_is_refused_with_the_name(shared, make):
    """To whoever is not root, what a stranger made in the place of a lock is refused with its owner's name."""
    make(shared)
    os.chown(shared, 4242, 4242, follow_symlinks=False)
    try:
        assert ask(shared, NOBODY) == f"strange {shared} UNKNOWN\n"
    finally:
        (shared.rmdir if shared.is_dir() and not shared.is_symlink() else shared.unlink)()


def test_root_and_others_keep_each_other_out(shared):
    """While root has a lock, others do not get it, and root's own directory is closed to them."""
    with locked({"here": LocalHost("here")}, [name_of(shared)]) as locks:
        locks.wait("here")
        assert stat.S_IMODE(OWN.stat().st_mode) == 0o700
        assert OWN.stat().st_uid == 0
        assert stat.S_IMODE(shared.stat().st_mode) & 0o007 == 0
        held = f"waits\nheld {name_of(shared)} "
        assert ask(shared, NOBODY) == f"{held}\n", "who holds it is none of a stranger's business"
        assert ask(shared, 0).startswith(held)
    assert ask(shared, NOBODY) == "granted\n"
    assert not shared.exists()


def test_members_of_the_engines_group(shared):
    """Who may use the engine without being root, and root, keep each other out, by what the file's group says."""
    try:
        group = Path("/run/docker.sock").stat().st_gid
    except FileNotFoundError:
        group = 0
    if group == 0:
        pytest.skip("NOT TESTED: no engine here whose socket a group may use")
    member = ["setpriv", "--reuid=4242", "--regid=4242", f"--groups={group}"]
    words = ["sh", "-c", HOLD, "lock", "3", "member", name_of(shared)]
    with subprocess.Popen([*member, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "granted\n"
        assert ask(shared, 0) == f"held {name_of(shared)} member\n"
        words[5] = "another member"
        another = ["setpriv", "--reuid=4343", *member[2:], *words]
        other = subprocess.run(another, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
        assert other.stdout == f"held {name_of(shared)} member\n"
        holder.stdin.close()
    assert ask(shared, 0) == "granted\n"


def test_a_file_that_stayed(shared):
    """A file of root's that nobody holds any more is taken, and removed in the end."""
    shared.write_text("somebody who is gone\n")
    take(shared)
    assert not shared.exists()


def test_the_refusal(shared):
    """Whose file stands there is told with its name, and how it goes away."""
    from dockerlab.hosts.fake import FakeHost  # noqa: PLC0415 - for this test alone

    host = FakeHost("far", lambda _argv, _given: f"strange {shared} mallory\n")
    with pytest.raises(ConflictError) as refused, locked({"far": host}, [name_of(shared)]) as locks:
        locks.wait("far")
    said = str(refused.value)
    assert said.startswith(f"nothing was changed, because {shared} on far is not a lock of dockerlab: ")
    assert "it was made by mallory" in said
    assert said.endswith(f"Have it removed by mallory or root: rm {shared}")
