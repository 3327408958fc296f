"""A class's student on real hosts: the lab seen, something broken and found, and a reset, in a place of his own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterator

import pytest
from support.lab_hosts import EXAMPLES

from dockerlab.classroom import doing, keeping, plain, upsetting, views
from dockerlab.classroom.ready import Ready
from dockerlab.classroom.room import PREFIX, Room
from dockerlab.classroom.running import run
from dockerlab.cli.class_ import begin
from dockerlab.exercise import loader
from dockerlab.faults import FAULTS
from dockerlab.sandbox import place
from dockerlab.students.roster import Roster, Student

ADA = "s01-e2e-ada"
FOLDER = loader.load(loader.find("01"))


@pytest.fixture(scope="module", params=["machine", "rootfs"])
def hosts(request: pytest.FixtureRequest) -> Iterator[str]:
    """Give a student's place, with its hosts; nothing of it is left in the end."""
    words = []
    if request.param == "rootfs":
        if not os.environ.get("DOCKERLAB_ROOTFS"):
            pytest.skip("DOCKERLAB_ROOTFS names no root file system with another engine (scripts/engine-root)")
        words = ["--rootfs", os.environ["DOCKERLAB_ROOTFS"]]
    name = PREFIX + ADA
    (started,) = place.start([name], words)
    assert started.failure is None
    yield name
    (ended,) = place.take_down([name])
    assert ended.failure is None


def test_an_exercise(hosts, tmp_path):
    """A fault is put in, is seen in the matrix, named to nobody but the teacher, taken out; a reset ends all of it."""
    assert asyncio.run(begin([hosts], FOLDER)) == []
    enrolled = keeping.enrol(tmp_path / "class", FOLDER.id, Roster((Student(1, ADA, "Ada"),)))
    ready = Ready(FOLDER.path)  # as the server has it; without it each program imports for itself (`test_a_lab`)
    room = Room(FOLDER, enrolled, tmp_path / "class", place.argv, place.unconfined, ready=ready.run)

    async def held() -> None:
        try:
            await lesson(room)
        finally:
            await ready.end()

    asyncio.run(held())


@pytest.mark.parametrize("empty", [False, True], ids=["made", "empty"])
def test_a_lab(hosts, tmp_path, empty):
    """A lab that is no exercise is made, or left to be typed; a check is its grade, by cause."""
    asyncio.run(run(place.argv(hosts, ["sh", "-c", 'rm -f "$XDG_STATE_HOME/dockerlab/class-lab"'])))
    lab = plain.folder_of(EXAMPLES / "bridge.yaml")
    assert asyncio.run(begin([hosts], lab, empty=empty)) == []
    enrolled = keeping.enrol(tmp_path / "class", lab.id, Roster((Student(1, ADA, "Ada"),)))
    asyncio.run(grades(Room(lab, enrolled, tmp_path / "class", place.argv, place.unconfined), empty=empty))


async def grades(room: Room, *, empty: bool) -> None:
    """Hold the grade of a lab, and of the same with a container taken away, which its student makes again."""
    name = PREFIX + ADA

    async def on_vm0(*words: str) -> None:
        said = await run(place.argv(name, [sys.executable, "-m", "dockerlab", "sandbox", "ssh", "vm0", *words]))
        assert said.code == 0, said.text

    async def graded() -> tuple[int | None, str]:
        assert await doing.check(room, ADA, []) == ""
        pupil = room.standing.pupils[ADA]
        return pupil.percent, pupil.last.text

    if not empty:
        assert (await graded())[0] == 100
        await on_vm0("docker", "rm", "--force", "centos_v2")
        percent, text = await graded()
        assert percent is not None
        assert percent < 100
        assert "FAIL    " in text
        assert "centos_v2" in text
        await on_vm0("docker", "rm", "--force", "centos_v1")
    percent, _ = await graded()
    assert percent is None or percent < 50  # a name that is not there is not found, as expected
    for container in ("centos_v1", "centos_v2"):
        await on_vm0("docker", "run", "--detach", "--interactive", "--tty", "--name", container, "dockerlab/node")
    assert (await graded())[0] == 100, room.standing.pupils[ADA].last
    for container in ("centos_v1", "centos_v2"):
        await on_vm0("docker", "rm", "--force", container)


async def lesson(room: Room) -> None:
    """Go through what a student and a teacher do."""
    steps = len(FOLDER.exercise.steps)
    assert await upsetting.reset(room, ADA, steps - 1) == ""
    assert room.standing.pupils[ADA].step == steps - 1
    assert await doing.see(room, ADA) == ""
    assert counts(room)["fail"] == 0
    assert counts(room)["pass"] > 0
    assert "centos_v1" in views.of_lab(room, ADA)["svg"]

    assert await upsetting.break_it(room, ADA, upsetting.Wish(seed="monday")) == ""
    here = room.progress[ADA]
    assert here.trial is not None
    (injury,) = here.trial.injuries
    await doing.check(room, ADA, [])
    await asyncio.gather(*room.tasks)
    assert room.standing.pupils[ADA].last.verdict == "fail"
    told = json.dumps([views.of_student(room, ADA), views.of_lab(room, ADA)])
    for answer in (injury.broken.fault, FAULTS[injury.broken.fault].title, FAULTS[injury.broken.fault].changes):
        assert answer not in told
    assert not any(" ".join(act.argv) in told for act in injury.undo)
    assert FAULTS[injury.broken.fault].title in views.of_teacher(room)["students"][0]["fault"]

    assert await upsetting.take_out(room, ADA) == ""
    assert room.standing.pupils[ADA].fault is None
    assert await doing.see(room, ADA) == ""
    assert counts(room)["fail"] == 0

    assert await upsetting.break_it(room, ADA, upsetting.Wish(maybe=True, seed="c")) == ""
    assert await upsetting.reset(room, ADA, 0) == ""
    assert (room.standing.pupils[ADA].step, room.standing.pupils[ADA].fault) == (0, None)
    assert await doing.see(room, ADA) == ""
    assert counts(room)["pass"] == 0 or not room.seen[ADA].problem
    await doing.check(room, ADA, [])
    await asyncio.gather(*room.tasks)
    assert "does not exist" in room.standing.pupils[ADA].last.text


def counts(room: Room) -> dict[str, int]:
    """Return the sums of the matrix that was seen last."""
    assert room.seen[ADA].problem == ""
    return dict(room.seen[ADA].found["counts"])
