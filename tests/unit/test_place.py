"""Places: what they may be called, what limits are written, and which calls are meant for them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import pytest

from dockerlab.cli.elsewhere import meant, named
from dockerlab.cli.sandbox import size
from dockerlab.errors import SandboxError, UsageError
from dockerlab.sandbox import boundary, cgroups, place, trees
from dockerlab.sandbox.place import entering, limits, making, naming, removing


@pytest.mark.parametrize("name", ["s01", "a", "0a", "anna-schmidt-2", "x" * 31])
def test_names(name):
    """A name of small letters, digits and hyphens is taken as it is."""
    assert place.checked(name) == name


@pytest.mark.parametrize(
    "name", ["", "-a", "--all", "A", "a/b", "..", "a.b", "a b", "a\n", "ü", "x" * 32, "$(id)", "1", "yes", "off"]
)
def test_names_of_strangers(name):
    """What could be a path, an option, more than a word, or yes and no, is no name, wherever one is asked for."""
    for ask in (place.checked, place.exists, place.remove, place.make, place.unconfined):
        with pytest.raises(UsageError, match="cannot be a sandbox's name"):
            ask(name)
    with pytest.raises(UsageError, match="cannot be a sandbox's name"):
        place.argv(name, ["true"])


def test_a_place_that_is_not_there():
    """A command for a place that is not there is refused, with the command that makes it."""
    with pytest.raises(SandboxError, match="'dockerlab sandbox up --name nobody-has-this' starts it"):
        place.argv("nobody-has-this", ["true"])


def test_the_holder_is_no_number_alone(tmp_path, monkeypatch):
    """A process holds a place only if it began when the holder did: its number may be another's by now."""
    monkeypatch.setattr(entering, "DIRECTORY", tmp_path)
    (tmp_path / "s01").mkdir()
    file = tmp_path / "s01" / entering.HOLDER
    file.write_text(f"{os.getpid()} {entering.started(os.getpid())}\n")
    assert entering.holder("s01") == os.getpid()
    argv = place.argv("s01", ["dockerlab", "status"])
    assert argv[0] == "nsenter"
    assert argv[-2:] == ["dockerlab", "status"]
    file.write_text(f"{os.getpid()} 1\n")
    assert entering.holder("s01") is None
    file.write_text("")
    assert entering.holder("s01") is None


@pytest.mark.parametrize(
    ("words", "value", "where"),
    [
        (["verify", "lab.yaml"], "s01", "s01"),
        (["exercise", "check"], "s01", "s01"),
        (["verify", "lab.yaml", "--sandbox"], "s01", "s01"),
        (["exec", "lab.yaml", "web", "--", "ls", "--host"], "s01", "s01"),
        (["verify", "lab.yaml", "--inventory", "hosts.yaml"], "s01", None),
        (["discover", "--host=vm0"], "s01", None),
        (["sandbox", "list"], "s01", None),
        (["render", "lab.yaml"], "s01", None),
        (["verify", "--help"], "s01", None),
        ([], "s01", None),
        (["verify", "lab.yaml"], "1", None),
        (["verify", "lab.yaml"], "no", None),
        (["verify", "lab.yaml"], "/run/dockerlab/sandbox 4026", None),
        (["verify", "lab.yaml"], "../x", "../x"),
    ],
)
def test_where_a_call_runs(words, value, where):
    """A call runs in the sandbox that the environment names, unless it says itself where hosts are, or asks none."""
    assert meant(words, {"DOCKERLAB_SANDBOX": value}) == where


def test_the_environment_says_nothing():
    """Without the variable, no sandbox has a name."""
    assert named({}) is None


@pytest.mark.parametrize(
    ("text", "bytes_"), [("2G", 2 << 30), ("512M", 512 << 20), ("1.5g", 3 << 29), ("64MiB", 64 << 20), ("1000", 1000)]
)
def test_sizes(text, bytes_):
    """A size is a number with a letter, in powers of 1024."""
    assert size(text) == bytes_
    assert size(None) is None


@pytest.mark.parametrize("text", ["", "-1", "2 gigs", "G", "1e9", "--all", "9999999999"])
def test_no_sizes(text):
    """What is no size is refused, with how one is written."""
    with pytest.raises(UsageError, match="512M or 2G"):
        size(text)


@pytest.mark.parametrize("given", [{"memory": 1}, {"pids": 3}, {"cpu": 0}, {"disk": 5}, {"cpu": 20_000}])
def test_limits_that_nothing_starts_with(given):
    """A limit with which no host could start is refused, with the least that is possible, or the most."""
    with pytest.raises(UsageError, match=next(iter(given))):
        place.Limits(**given)


def made(directory: Path, version: int) -> tuple[Path, int]:
    """Give a group as a hierarchy of that version would have it."""
    names = [name for files in limits.FILES[version].values() for name, _ in files]
    for name in names:
        (directory / name).write_text("0")
    return directory, version


@pytest.mark.parametrize(
    ("version", "files"),
    [
        (1, {"memory.limit_in_bytes": "1073741824", "pids.max": "300", "cpu.shares": "512"}),
        (2, {"memory.max": "1073741824", "memory.swap.max": "0", "pids.max": "300", "cpu.weight": "50"}),
    ],
)
def test_limits_in_both_versions(tmp_path, monkeypatch, version, files):
    """Each limit is written as its version of control groups has it; one without a controller is told."""
    monkeypatch.setattr(cgroups, "make", lambda _: [made(tmp_path, version)])
    assert limits.confine("s01", place.Limits(1 << 30, 300, 50)) == []
    assert {name: (tmp_path / name).read_text() for name in files} == files
    for name in limits.FILES[version]["pids"]:
        (tmp_path / name[0]).unlink()
    monkeypatch.setattr(cgroups, "make", lambda _: [(tmp_path, version)])
    assert limits.confine("s01", place.Limits(None, 300, None)) == [
        "pids: this machine has no controller of control groups for it"
    ]
    assert (tmp_path / next(iter(files))).read_text() in {"-1", "max"}


def test_limits_are_kept(tmp_path):
    """Limits are read as they were written; where none were written, there are none."""
    file = tmp_path / "limits.json"
    assert limits.read(file) is None
    limits.write(place.Limits(disk=1 << 30), file)
    assert limits.read(file) == place.Limits(disk=1 << 30)


def test_names_of_what_is_there(tmp_path, monkeypatch):
    """A place is told as long as anything of it is there; what cannot be a place's is not."""
    for each in ("run/s02", "run/..x", "stored/s01", "stored/Lost+found"):
        (tmp_path / each).mkdir(parents=True)
    monkeypatch.setattr(naming, "DIRECTORY", tmp_path / "run")
    monkeypatch.setattr(naming, "STORAGE", tmp_path / "stored")
    monkeypatch.setattr(naming, "CGROUPS", tmp_path / "none")
    for each in ("place-s03.lock", "places.lock", "sandbox.lock"):
        (tmp_path / each).touch()
    assert place.names() == ["s01", "s02", "s03"], "who was killed with the lock in hand has left its file"


def test_a_lock_that_somebody_was_killed_with(tmp_path, monkeypatch):
    """Whatever is taken down, nothing stays of the lock that all places have in common."""
    monkeypatch.setattr(naming, "DIRECTORY", tmp_path / "dockerlab/places")
    (tmp_path / "dockerlab").mkdir(mode=0o700)
    (tmp_path / "dockerlab/places.lock").touch()
    assert place.take_down([]) == []
    assert list(tmp_path.iterdir()) == []


def test_user_ids_of_two_places():
    """No user of one place is a user of another, and none is one that login users are given."""
    first, second = (
        set(range(boundary.first_id(index), boundary.first_id(index) + boundary.COUNT)) for index in (0, 1)
    )
    assert not first & second
    assert min(first | second) >= 2_000_000_000
    assert boundary.first_id(2000) + boundary.COUNT < 1 << 31


def test_a_child_that_comes_late():
    """Of a process that has said that it is ready before it has a child, the child is waited for, within a time."""
    argv = [sys.executable, "-c", "import subprocess, time; time.sleep(0.3); subprocess.run(['sleep', '60'])"]
    with subprocess.Popen(argv, start_new_session=True) as process:
        try:
            found = making.child(process.pid, time.monotonic() + 30)
            assert Path(f"/proc/{found}/stat").read_text().split()[3] == str(process.pid)
            with pytest.raises(SandboxError, match=f"process {found}.* in time"):
                making.child(found, time.monotonic() + 0.1)
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def test_a_control_group_in_use(tmp_path, monkeypatch):
    """A group that cannot be removed keeps nothing else of a place from going, and is told; the next call takes it."""
    name, below = "group-in-use", tmp_path / "groups" / naming.CGROUP
    own = [tmp_path / "run" / name, tmp_path / "stored" / name]
    for directory in (below / name / "vm0", below / f"{name}.holder", *own):
        directory.mkdir(parents=True)
    in_use = below / name / "vm0" / "process"  # a directory with something in it cannot be removed either
    in_use.touch()
    monkeypatch.setattr(trees, "ATTEMPTS", 2)
    monkeypatch.setattr(removing, "DIRECTORY", own[0].parent)
    monkeypatch.setattr(removing, "STORAGE", own[1].parent)
    for module in (removing, cgroups):
        monkeypatch.setattr(module, "hierarchies", lambda: [(tmp_path / "groups", 2)])
    monkeypatch.setattr(removing, "together", nullcontext)
    with pytest.raises(SandboxError, match=f"{name} could not be removed: 1 control groups; run the command again"):
        removing.clear(name)
    assert [path for path in (*own, below / f"{name}.holder") if path.exists()] == []
    in_use.unlink()
    assert removing.clear(name) == ["1 control groups"]
    assert not below.exists()
