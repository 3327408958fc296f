"""Every command of every exercise typed with one mistake: the mistake is named, and what is printed puts it right."""

from __future__ import annotations

import shlex

import pytest
from support.classroom import TYPED, Classroom

from dockerlab import drift
from dockerlab.exercise import loader
from dockerlab.exercise.scope import asked_for, so_far

FOLDERS = [loader.load(path) for path in loader.exercises().values()]


def mistakes(line):
    """Yield a command with one thing wrong, and what that is: a name, an image, a command, a flag that is left out."""
    found = TYPED.fullmatch(line)
    argv = shlex.split(found[2]) if found is not None else []
    head = f"dockerlab sandbox ssh {found[1]} " if found is not None else ""

    def typed(what, words):
        return what, head + shlex.join(words)

    if argv[1:2] == ["run"]:
        name, image = argv.index("--name") + 1, argv.index("dockerlab/node")
        yield typed("name", [*argv[:name], f"{argv[name]}x", *argv[name + 1 :]])
        yield typed("image", [*argv[:image], "alpine", *argv[image + 1 :]])
        if argv[image + 1 :]:
            yield typed("no command", argv[: image + 1])
            yield typed("command", [*argv[: image + 1], "sleep", "1d"])
        for flag in ("--network", "--ip", "--network-alias", "--publish"):
            if flag in argv and argv[argv.index(flag) + 1] != "bridge":
                at = argv.index(flag)
                yield typed(f"no {flag}", [*argv[:at], *argv[at + 2 :]])
    elif argv[1:3] == ["network", "create"]:
        yield typed("name", [*argv[:-1], f"{argv[-1]}x"])
        subnet = argv.index("--subnet") + 1
        yield typed("subnet", [*argv[:subnet], "10.99.0.0/24", *argv[subnet + 1 :]])
        for flag in ("--opt", "--driver"):
            if flag in argv:
                at = argv.index(flag)
                yield typed(f"no {flag}", [*argv[:at], *argv[at + 2 :]])
        if "--internal" in argv:
            yield typed("no --internal", [word for word in argv if word != "--internal"])


CASES = [
    pytest.param(folder.path.name, step, line, wrong, id=f"{folder.id}-{step + 1}-{what}-{number}")
    for folder in FOLDERS
    if folder.exercise.begin == "empty"
    for step, section in enumerate(folder.sections)
    for block in section.blocks
    if not block.fails
    for number, line in enumerate(block.commands)
    for what, wrong in mistakes(line)
    if "host" not in what and "--publish 9090:8080" not in line
]


def amiss(room):
    """Return what differs of what was asked for so far."""
    snapshots = room.engines.snapshots()
    wanted = asked_for(room.folder.exercise, room.folder.lab, room.here.step)
    lab = so_far(room.folder.exercise, room.folder.lab, room.here.step, snapshots)
    return [each for each in drift.differences(lab, snapshots) if each.name in wanted]


@pytest.mark.parametrize(("number", "step", "line", "wrong"), CASES)
def test_a_mistake(number, step, line, wrong):
    """A mistake is told of the object that it was made with, and what is printed is not refused and puts it right."""
    room = Classroom(number)
    for earlier in range(step):
        room.does(earlier)
    room.here = room.here.model_copy(update={"step": step})
    for block in room.folder.sections[step].blocks:
        for typed in block.commands if not block.fails else ():
            room.types(wrong if typed == line else typed)
    found = amiss(room)
    argv = shlex.split(line)
    name = argv[-1] if "create" in argv else argv[argv.index("--name") + 1]
    assert name in {each.name for each in found}, [str(each) for each in found]
    rounds(room)


EMPTY = [folder for folder in FOLDERS if folder.exercise.begin == "empty"]


def of_step(room, step):
    """Return the commands of a step that make something: networks and the Swarm, and the containers."""
    lines = [line for block in room.folder.sections[step].blocks if not block.fails for line in block.commands]
    runs = [line for line in lines if " docker run " in line]
    return [line for line in lines if line not in runs], runs


def rounds(room):
    """Type what is printed as right, a few times; nothing of it may be refused, and nothing may be left."""
    for _ in range(3):
        for each in amiss(room):
            for command in each.right:
                refused = room.types(f"dockerlab sandbox ssh {each.host} {command}")
                assert refused == "", f"{command}: {refused}"
    assert not amiss(room), "\n".join(map(str, amiss(room)))


@pytest.mark.parametrize("folder", EMPTY, ids=lambda folder: folder.id)
def test_a_second_order_beside_a_stray(folder):
    """Whatever is started first, and whatever else has taken the first address, a step has what it asks for."""
    room = Classroom(folder.path.name)
    for host in room.engines:
        room.types(f"dockerlab sandbox ssh {host} docker run --detach --name stray dockerlab/node")
    for step in range(len(folder.sections)):
        room.here = room.here.model_copy(update={"step": step})
        others, runs = of_step(room, step)
        joiners = [line for line in runs if "container:" in line]
        room.types(*others, *reversed([line for line in runs if line not in joiners]), *joiners)
        left = [str(each) for each in amiss(room) if not each.cut_off]  # a step of 08 asks for just that
        assert not left, f"step {step + 1}: " + "\n".join(left)


@pytest.mark.parametrize("folder", EMPTY, ids=lambda folder: folder.id)
def test_removed_in_the_middle(folder):
    """What is removed, or stopped, after its step is told by its name, and what is printed brings it back."""
    for how in ("rm --force", "stop"):
        room = Classroom(folder.path.name)
        for step in range(len(folder.sections)):
            room.does(step)
            room.here = room.here.model_copy(update={"step": step})
            for name in asked_for(folder.exercise, folder.lab, step) & folder.lab.containers.keys():
                room.types(f"dockerlab sandbox ssh {folder.lab.host_of(name)} docker {how} {name}")
                assert name in {each.name for each in amiss(room)}, f"{how} {name}"
                rounds(room)
