"""Programs begun from copies of a process that has imported what they need; the place is this machine."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest
from support.class_places import FOLDER, Places, room

from dockerlab.classroom.ready import Ready
from dockerlab.classroom.room import AT_ONCE
from dockerlab.sandbox.place import Way


@pytest.fixture
def way(tmp_path):
    return lambda _: Way({}, {"XDG_STATE_HOME": str(tmp_path)})


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def children():
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


def kill(pid):
    """Kill a process, and wait until it was reaped."""
    os.kill(pid, signal.SIGKILL)
    while Path(f"/proc/{pid}").exists():
        time.sleep(0.01)


def played(ready, script):
    """Return what a script of calls returns; the process of which copies are made has ended then."""

    async def play():
        try:
            return await script
        finally:
            await ready.end()

    return asyncio.run(play())


def test_a_program(way, tmp_path):
    """A copy says what the program would, with the place's environment and its exit code; no descriptor is left."""
    ready = Ready(FOLDER.path, way)

    async def script():
        wrong = await ready.run("s01", ["dockerlab", "nonsense"], 60)
        files = open_files()
        right = [await ready.run("s01", ["dockerlab", "--version"], 60) for _ in range(3)]
        look = await ready.run("s01", ["dockerlab.classroom.looking", "--why", "x"], 60)
        return wrong, right, look, open_files() - files

    wrong, right, look, more = played(ready, script())
    assert (wrong.code, "No such command" in wrong.text) == (2, True)
    assert {(said.code, said.text.startswith("dockerlab ")) for said in right} == {(0, True)}
    assert (look.code, "is not on" in look.text) == (1, True)
    assert more == 0
    assert list(tmp_path.iterdir()) == []


def test_too_long(way):
    """What takes longer than it may is ended with all that it has started, and has no exit code."""
    ready = Ready(FOLDER.path, way)

    async def script():
        await ready.run("s01", ["dockerlab", "--version"], 60)
        return await ready.run("s01", ["timeit", "-n", "1", "-s", "import time", "time.sleep(60)"], 0.5)

    began = time.monotonic()
    assert played(ready, script()).code is None
    assert time.monotonic() - began < 50


def test_killed(way):
    """When the process that is copied was killed, the next program is begun from a new one."""
    ready = Ready(FOLDER.path, way)

    async def script():
        await ready.run("s01", ["dockerlab", "--version"], 60)
        (copied,) = children()
        await asyncio.to_thread(kill, int(copied))
        return await ready.run("s01", ["dockerlab", "--version"], 60)

    assert played(ready, script()).code == 0


def test_no_way():
    """A place that cannot be entered is a program that fails, with the reason; the next one is begun all the same."""
    gone = Way({"net": "/nowhere/ns/net"}, {})
    ready = Ready(FOLDER.path, lambda name: gone if name == "gone" else Way({}, {}))

    async def script():
        return [await ready.run(name, ["dockerlab", "--version"], 60) for name in ("gone", "s01")]

    failed, done = played(ready, script())
    assert failed.code not in (0, None)
    assert "/nowhere/ns/net" in failed.text
    assert done.code == 0


def test_checks_wait_for_nothing_that_can_wait(tmp_path):
    """Looks and resets that wait, and those that run, keep no check waiting but in their own student's place."""
    here = room(tmp_path, Places(tmp_path))
    order = []

    async def turn(student, **how):
        async with here.turn(student, **how):
            order.append((student, bool(how)))
            await asyncio.sleep(0.01)

    async def script():
        names = [f"s{number:02}" for number in range(6)]
        looks = [asyncio.create_task(turn(name, looking=True)) for name in names]
        resets = [asyncio.create_task(turn(f"{name}-x", behind=True)) for name in names]
        await asyncio.sleep(0)
        await asyncio.gather(turn("s05"), *looks, *resets)

    asyncio.run(script())
    assert order.index(("s05", False)) <= AT_ONCE
    assert len(order) == 13


def test_how_nice(way):
    """A program that runs behind others is as nice as is said, and the next one is not."""
    ready = Ready(FOLDER.path, way)
    asks = ["timeit", "-n", "1", "-r", "1", "-s", "import os", "print(os.nice(0))"]

    async def script():
        return [await ready.run("s01", asks, 60, nice) for nice in (10, 0)]

    own = os.nice(0)
    assert [int(said.text.split()[0]) for said in played(ready, script())] == [min(own + 10, 19), own]
