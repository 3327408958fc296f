"""`dockerlab class serve` and `class down`: a class in the browser, and its end."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Sequence
from resource import RLIMIT_NOFILE, getrlimit
from typing import TYPE_CHECKING, Annotated

import typer

from dockerlab.cli import options as o
from dockerlab.cli.group import Group, Single
from dockerlab.cli.output import say
from dockerlab.errors import SandboxError, UsageError

if TYPE_CHECKING:
    from dockerlab.exercise.model import Folder

app = typer.Typer(cls=Group, help="A class in the browser.", no_args_is_help=True, rich_markup_mode=None)

MOST_CONNECTIONS = 1024


@app.command(cls=Single)
def serve(
    exercise: Annotated[str, typer.Argument(metavar="EXERCISE", help="An ID or number, or a folder.")],
    students: o.ClassOption,
    listen: Annotated[str, typer.Option("--listen", metavar="ADDRESS", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The port; 0 takes a free one.")] = 8643,
    address: Annotated[
        str | None, typer.Option("--address", metavar="URL", help="What the links begin with, behind a proxy.")
    ] = None,
    rootfs: Annotated[str | None, typer.Option("--rootfs", help="Whose engine the hosts run.")] = None,
) -> None:
    """Give every student a sandbox, a page and terminals in the browser; Ctrl-C ends the server, and nothing else."""
    try:
        from dockerlab.classroom.app import application
        from dockerlab.classroom.room import Room
        from dockerlab.serve.server import listening, serving
    except ModuleNotFoundError as error:
        raise UsageError(f"class needs {error.name}, which is not installed: pip install 'dockerlab[serve]'") from None
    from dockerlab.classroom import keeping
    from dockerlab.exercise import loader
    from dockerlab.interrupt import asked_to_stop
    from dockerlab.sandbox import place
    from dockerlab.serve.access import Access
    from dockerlab.serve.door import Door
    from dockerlab.students import roster

    folder = loader.load(loader.find(exercise))
    everybody = [(each.id, each.name) for each in roster.read(students)]
    where = keeping.directory()
    enrolled = keeping.enrol(where, folder.id, everybody)
    on = listening(listen, port)
    _make([name for name, _ in everybody], folder, ["--rootfs", rootfs] if rootfs else [])
    room = Room(folder, enrolled, where, place.argv, place.unconfined)
    begin = address.rstrip("/") + "/" if address else Access("", given=True).address(
        listen, on.getsockname()[1], socket.gethostname()
    )  # fmt: skip
    links = [(name, shown, f"{begin}s/{name}/?token={enrolled.tokens[name]}") for name, shown in everybody]
    file = keeping.write_links(where, links)
    door = Door(getrlimit(RLIMIT_NOFILE)[0], most=MOST_CONNECTIONS)
    with (
        asked_to_stop() as asked,
        serving(lambda ending: application(room, ending, door.trust), on, door, sockets=True),
    ):
        say(f"the students' links are in {file}: each is for one alone")
        say(f"your page is at {begin}teacher/?token={enrolled.tokens['']} (Ctrl-C ends the server)")
        while not asked.wait(0.5):
            pass
    say("the pages have ended, the sandboxes go on: the same command serves again, 'dockerlab class down' ends all")


@app.command(cls=Single)
def down() -> None:
    """Remove the class: all its sandboxes with all that is in them, the links, and what was kept."""
    from dockerlab.classroom import keeping
    from dockerlab.classroom.room import PREFIX
    from dockerlab.sandbox import place

    names = [name for name in place.names() if name.startswith(PREFIX)]
    outcomes = place.take_down(names, say)
    failed = [f"{each.name}: {each.failure}" for each in outcomes if each.failure is not None]
    if failed:
        raise SandboxError("\n".join(failed))
    for each in outcomes:
        say(f"sandbox {each.name}: removed {each.said or 'nothing'}")
    kept = keeping.enrolled(keeping.directory())
    keeping.forget(keeping.directory())
    students = 0 if kept is None else len(kept.students)
    say(f"class: removed; sandboxes: {len(names)}, links: {students}")


def _make(students: Sequence[str], folder: Folder, arguments: Sequence[str]) -> None:
    """Make a place for each student, side by side, and begin the exercise in each; raises SandboxError."""
    from dockerlab.classroom.room import place_of
    from dockerlab.sandbox import place

    names = [place_of(student) for student in students]
    outcomes = place.start(names, list(arguments), None, say)
    failed = [f"{each.name}: {each.failure}" for each in outcomes if each.failure is not None]
    if failed:
        raise SandboxError("\n".join(failed) + "\nwhat did start stays: the same command goes on from there")
    begun = asyncio.run(begin(names, folder))
    if begun:
        raise SandboxError("\n".join(begun))


async def begin(names: Sequence[str], folder: Folder) -> list[str]:
    """Begin an exercise in places that are there; return why it was not begun, a text for each of those."""
    from dockerlab.classroom.running import run
    from dockerlab.sandbox import place

    turns = asyncio.Semaphore(os.cpu_count() or 1)
    done = 0

    async def one(name: str) -> str:
        nonlocal done
        async with turns:
            said = await run(
                place.argv(
                    name, [sys.executable, "-m", "dockerlab", "exercise", "start", str(folder.path), "--sandbox"]
                ),
                300,
            )
        done += 1
        say(f"{name}: the exercise is {'on' if said.code == 0 else 'not on'} ({done} of {len(names)})")
        return "" if said.code == 0 else f"{name}: {said.text.strip()}"

    return [failure for failure in await asyncio.gather(*map(one, names)) if failure]
