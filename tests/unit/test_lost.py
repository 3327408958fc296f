"""An exercise whose sandbox is gone: that is noticed, and it is set up again to where it was."""

from pathlib import Path

import pytest

from dockerlab.command import Result
from dockerlab.errors import ExecutionError
from dockerlab.exercise import loader, lost
from dockerlab.exercise.progress import Progress
from dockerlab.hosts.fake import FakeHost
from dockerlab.sandbox.record import identities

ROOT = Path(__file__).parents[2]
FOLDER = loader.load(ROOT / "labs/01-default-bridge")
KEYS = {"192.168.22.61": "AAAA", "192.168.22.62": "BBBB"}


def begun(**other):
    """Return the progress of somebody in the second step."""
    known = {"sandbox": True, "machines": KEYS, "step": 1, **other}
    return Progress(schema=2, id=FOLDER.id, folder=FOLDER.path, started="2026-01-01T00:00:00+00:00", **known)


@pytest.mark.parametrize(
    ("now", "gone"),
    [
        (KEYS, False),
        (KEYS | {"192.168.22.63": "CCCC"}, False),
        ({}, True),
        ({"192.168.22.61": "AAAA"}, True),
        (KEYS | {"192.168.22.61": "DDDD"}, True),
    ],
    ids=["same", "grown", "none", "one less", "another"],
)
def test_noticed(now, gone):
    """A sandbox is another one where a host of it is gone or was built again; one that grew is the same."""
    assert lost.is_lost(begun(), now) is gone


def test_hosts_of_ones_own():
    """What is not in a sandbox cannot be lost with one."""
    assert not lost.is_lost(begun(sandbox=False, machines={}), {})


def test_told():
    """What is said names the one command that helps, and where one is after it."""
    told = lost.told(FOLDER, begun())
    assert "'dockerlab exercise start 01-default-bridge'" in told
    assert told.endswith("step 2 of 4")


def test_commands_are_typed(monkeypatch):
    """The steps that are done are done again by the README's commands, with this dockerlab; the others are not."""
    machine = FakeHost("this machine", lambda *_: "")
    session = lost.Session({}, machine)
    monkeypatch.setattr(lost.course, "survey", lambda *_: {})
    monkeypatch.setattr(lost.course, "bring_images", lambda *_: None)
    monkeypatch.setattr(lost.course, "identities", lambda: {"192.168.22.61": "EEEE"})
    said = []
    here = lost.set_up(FOLDER, begun(), session, None, "", said.append)
    assert (here.step, here.machines) == (1, {"192.168.22.61": "EEEE"})
    assert said == [f"step 1: {FOLDER.sections[0].title}"]
    typed = "\n".join(call[-1] for call in machine.calls)
    assert "--name centos_v1" in typed
    assert "ip -brief" not in typed
    assert all(call[:2] == ("env", call[1]) and call[1].startswith("PATH=") for call in machine.calls)


def test_commands_that_fail(monkeypatch):
    """Where a command fails, it is said which, and what takes away what is there by then."""
    machine = FakeHost("this machine", lambda argv, _: Result(tuple(argv), 1, b"", b"no", 0.1))
    monkeypatch.setattr(lost.course, "survey", lambda *_: {})
    monkeypatch.setattr(lost.course, "bring_images", lambda *_: None)
    with pytest.raises(ExecutionError, match="step 1 failed"):
        lost.set_up(FOLDER, begun(), lost.Session({}, machine), None, "", lambda _: None)


def test_no_sandbox_no_keys(tmp_path):
    """Without a sandbox there are no hosts to be told from others."""
    assert identities(tmp_path / "known_hosts") == {}
