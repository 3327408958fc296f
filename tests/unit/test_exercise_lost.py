"""The first steps of an exercise, done by the commands of its README."""

from dataclasses import replace

import pytest

from dockerlab.cli.exercise.starting import _done
from dockerlab.cli.places import Places
from dockerlab.errors import ExecutionError, UsageError
from dockerlab.exercise import loader
from dockerlab.exercise.lost import retrace
from dockerlab.exercise.progress import Progress
from dockerlab.exercise.readme import Block, Section
from dockerlab.hosts.address import LOCAL, SshOptions
from dockerlab.hosts.inventory import connect

FOLDER = loader.load(loader.find("01"))
SANDBOX = Places(sandbox=True)


@pytest.fixture
def machine():
    host = connect("this machine", LOCAL, SshOptions())
    yield host
    host.close()


def folder(*steps):
    sections = [Section(n, f"step {n}", "", blocks) for n, blocks in enumerate(steps, 1)]
    return replace(FOLDER, sections=tuple(sections))


def test_retrace(machine, tmp_path):
    """Each step before is typed, here-documents too; what is to fail is not, nor is the step that is to come."""
    typed = Block(f"tee {tmp_path}/one <<'END'\n$x\nEND\nno-such-program-here\necho two >{tmp_path}/two")
    fails, later = Block(f"touch {tmp_path}/fails", fails=True), Block(f"touch {tmp_path}/later")
    said = []
    retrace(folder((typed, fails), (later,)), 1, machine, "undo", said.append)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]
    assert (tmp_path / "one").read_text() == "$x\n"
    assert said == ["step 1: step 1"]


def test_a_command_fails(machine, tmp_path):
    """A command that fails stops it, and what takes away what there is by then is named."""
    with pytest.raises(ExecutionError, match=r"step 1 failed \(exit code 3\)(.|\n)*'stop it' takes away"):
        retrace(folder((Block(f"sh -c 'exit 3'\ntouch {tmp_path}/x"),)), 1, machine, "'stop it'", lambda _: None)
    assert not list(tmp_path.iterdir())


def test_begin_at_a_step():
    """Where an exercise can begin at a step, the steps before it are to be done; else it is said why it cannot."""
    assert _done(FOLDER, None, Places(), None) == 0
    assert _done(FOLDER, 1, Places(), None) == 0
    assert _done(FOLDER, 3, SANDBOX, None) == 2
    with pytest.raises(UsageError, match="has 4 steps"):
        _done(FOLDER, 5, SANDBOX, None)
    with pytest.raises(UsageError, match="add --sandbox"):
        _done(FOLDER, 2, Places(), None)
    begun = Progress(id=FOLDER.id, folder=FOLDER.path, started="2027-01-31")
    with pytest.raises(UsageError, match="stop 01-default-bridge' first"):
        _done(FOLDER, 2, SANDBOX, begun)
    assert _done(FOLDER, None, SANDBOX, begun) == 0
