"""An image that is removed in the middle of an exercise: it is missed, and no command is printed that wants it."""

import pytest
from support.classroom import Classroom

from dockerlab import drift
from dockerlab.cli.exercise.words import Level
from dockerlab.exercise import course, loader

GONE = "vm0: image dockerlab/node is not there any more"
BACK = "right would be, on this machine: dockerlab exercise start {}"


def without_images(number):
    """Return an exercise at its beginning, whose images somebody has removed."""
    room = Classroom(number)
    room.engines["vm0"].pictures.clear()
    return room


def test_it_is_missed_first():
    """What is wrong is said before all else, and the command that brings the image back when that is asked for."""
    room = without_images("01")
    verdict, said = room.check()
    assert verdict == "fail"
    assert said.splitlines()[1].strip() == GONE
    assert "exercise start" not in said
    how = room.check(much=Level.HOW)[1]
    assert BACK.format("01-default-bridge") in how


@pytest.mark.parametrize("number", ["01", "08"])
def test_no_command_that_wants_it(number):
    """A container that is not there is told with its image, and not with a `docker run` that would ask a registry."""
    room = without_images(number)
    how = room.check(much=Level.HOW)[1]
    assert "its image dockerlab/node is not on vm0" in how
    assert "on vm0: docker run" not in how
    room.engines["vm0"].add_image(("dockerlab/node:latest",))
    assert "on vm0: docker run" in room.check(much=Level.HOW)[1]


def test_what_runs_needs_none():
    """A container that runs, or can be started, is none the worse for it; one that has to be made anew is."""
    room = Classroom("01")
    room.does()
    room.types("dockerlab sandbox ssh vm0 docker stop centos_v1")
    room.engines["vm0"].pictures.clear()
    (found,) = drift.differences(room.folder.lab, room.engines.snapshots())
    assert found.right == ("docker start centos_v1",)
    lab = room.folder.lab
    other = lab.containers["centos_v1"].model_copy(update={"command": ("sleep", "1d")})
    lab = lab.changed(containers={**lab.containers, "centos_v1": other})
    (found,) = drift.differences(lab, room.engines.snapshots())
    assert found.right == ()
    assert found.what.endswith("; its image dockerlab/node is not on vm0")


def test_an_image_that_a_registry_has():
    """An image of a registry's comes by `docker run` itself: what is printed for it works."""
    room = without_images("01")
    lab = room.folder.lab
    spec = lab.containers["centos_v1"].model_copy(update={"image": "nginx:1.20"})
    lab = lab.changed(containers={"centos_v1": spec})
    (found,) = drift.differences(lab, room.engines.snapshots())
    assert found.what == "does not exist"
    assert found.right[0].endswith("nginx:1.20")


def test_an_image_that_the_lab_builds():
    """The images that an exercise builds at its beginning are missed as well."""
    room = Classroom("10")
    del room.engines["vm0"].pictures[room.engines["vm0"].image_of("web").id]
    said = room.check(much=Level.HOW)[1]
    assert "vm0: image web is not there any more" in said
    assert BACK.format("10-image-layers") in said


def test_an_exercise_of_ones_own():
    """The command names the folder of an exercise that does not come along."""
    folder = loader.load(loader.find("01"))
    own = folder.__class__(**{**vars(folder), "path": folder.path.parent / "my own"})
    assert course.again(folder) == "dockerlab exercise start 01-default-bridge"
    assert course.again(own) == f"dockerlab exercise start '{own.path}'"
