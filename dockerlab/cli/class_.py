"""`dockerlab class serve` and `class down`: a class in the browser, and its end."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Sequence
from resource import RLIMIT_NOFILE, getrlimit, setrlimit
from typing import TYPE_CHECKING, Annotated

import typer

from dockerlab.cli import handing
from dockerlab.cli import options as o
from dockerlab.cli.group import Group, Single
from dockerlab.cli.lasting import lasting
from dockerlab.cli.output import say
from dockerlab.cli.places import Places
from dockerlab.errors import SandboxError, UsageError

if TYPE_CHECKING:
    from dockerlab.exercise.model import Folder

app = typer.Typer(cls=Group, help="A class in the browser.", no_args_is_help=True, rich_markup_mode=None)

MOST_CONNECTIONS = 1024
CONNECTIONS = 8
"""A browser opens six at once for a page, and the page one more for each terminal."""


@app.command(cls=Single)
def serve(
    exercise: Annotated[
        str,
        typer.Argument(metavar="EXERCISE", help="An exercise's ID, number or folder; or a lab, by its file or name."),
    ],
    students: o.ClassOption,
    listen: Annotated[str, typer.Option("--listen", metavar="ADDRESS", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The port; 0 takes a free one.")] = 8643,
    address: Annotated[
        str | None, typer.Option("--address", metavar="URL", help="What the links begin with, behind a proxy.")
    ] = None,
    rootfs: Annotated[str | None, typer.Option("--rootfs", help="Whose engine the hosts run.")] = None,
    empty: Annotated[
        bool, typer.Option("--empty", help="With a lab: the students make it, and not dockerlab.")
    ] = False,
    allow_environment: handing.AllowOption = False,
) -> None:
    """Give every student a sandbox, a page and terminals in the browser; Ctrl-C ends the server, and nothing else."""
    try:
        from dockerlab.classroom.app import application
        from dockerlab.classroom.ready import Ready
        from dockerlab.classroom.room import Room
        from dockerlab.serve.server import listening, serving
    except ModuleNotFoundError as error:
        raise UsageError(f"class needs {error.name}, which is not installed: pip install 'dockerlab[serve]'") from None
    from dockerlab.classroom import keeping
    from dockerlab.interrupt import asked_to_stop
    from dockerlab.sandbox import place
    from dockerlab.serve.access import Access
    from dockerlab.serve.door import EACH, Door
    from dockerlab.students import roster

    lasting()
    folder = _folder(exercise, empty=empty, allowed=allow_environment)
    everybody = roster.read(students)
    ids = [each.id for each in everybody.students]
    where = keeping.directory()
    enrolled = keeping.enrol(where, folder.id, everybody)
    on = listening(listen, port)
    hosts = [f"vm{number}" for number in range(max(2, len(folder.lab.hosts)))]
    words = ["--hosts", str(len(hosts)), *(["--rootfs", rootfs] if rootfs else [])]
    _make(ids, folder, words, empty=empty)
    room = Room(folder, enrolled, where, place.argv, place.unconfined, hosts, ready=Ready(folder.path).run)
    origin = address.rstrip("/") + "/" if address else Access("", given=True).address(
        listen, on.getsockname()[1], socket.gethostname()
    )  # fmt: skip
    addresses = {name: f"{origin}s/{name}/?token={enrolled.tokens[name]}" for name in ids}
    links = [(each.id, each.name, addresses[each.id]) for each in everybody.students]
    file = keeping.write_links(where, links, everybody.separator)
    # All students may come at the same moment, and from one address where there is a proxy.
    setrlimit(RLIMIT_NOFILE, (getrlimit(RLIMIT_NOFILE)[1],) * 2)
    door = Door(getrlimit(RLIMIT_NOFILE)[0], most=MOST_CONNECTIONS, each=max(EACH, CONNECTIONS * len(ids)))
    with (
        asked_to_stop() as asked,
        serving(lambda ending: application(room, ending, door.trust), on, door, sockets=True),
    ):
        say(f"the students' links are in {file}: each is for one alone")
        say(f"your page is at {origin}teacher/?token={enrolled.tokens['']} (Ctrl-C ends the server)")
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
    students = 0 if kept is None else len(kept.roster.students)
    say(f"class: removed; sandboxes: {len(names)}, links: {students}")


def _folder(wanted: str, *, empty: bool, allowed: bool) -> Folder:
    """Return the exercise that is meant, or the lab as one without steps; raises UsageError, DefinitionError."""
    from dockerlab.classroom.plain import folder_of
    from dockerlab.exercise import loader
    from dockerlab.lab import catalog

    try:
        found = loader.find(wanted)
    except UsageError:
        path = catalog.find(wanted)
        folder = folder_of(path)
        handing.ask(folder.lab, lambda: [path], Places(sandbox=True), allowed=allowed)
        return folder
    if empty:
        raise UsageError(f"--empty is for a lab that is no exercise: {wanted} says itself what is made")
    return loader.load(found)


def _make(students: Sequence[str], folder: Folder, arguments: Sequence[str], *, empty: bool) -> None:
    """Make a place for each student, side by side, and begin the exercise in each; raises SandboxError."""
    from dockerlab.classroom.room import place_of
    from dockerlab.sandbox import place

    names = [place_of(student) for student in students]
    outcomes = place.start(names, list(arguments), None, say)
    failed = [f"{each.name}: {each.failure}" for each in outcomes if each.failure is not None]
    if failed:
        raise SandboxError("\n".join(failed) + "\nwhat did start stays: the same command goes on from there")
    begun = asyncio.run(begin(names, folder, empty=empty))
    if begun:
        raise SandboxError("\n".join(begun))


async def begin(names: Sequence[str], folder: Folder, *, empty: bool = False) -> list[str]:
    """Begin an exercise, or a lab (`empty`: not made), in places that are there.

    Return why it was not begun, a text for each place where it was not.
    """
    from dockerlab.classroom.ready import Ready

    ready = Ready(folder.path)
    words = ["dockerlab", "exercise", "start", str(folder.path), "--sandbox"]
    if not folder.exercise.steps:
        words = ["dockerlab.classroom.plain", "empty" if empty else "made", str(folder.path)]
    turns = asyncio.Semaphore(os.cpu_count() or 1)
    done = 0

    async def one(name: str) -> str:
        nonlocal done
        async with turns:
            said = await ready.run(name, words, 300)
        done += 1
        say(f"{name}: the lab is {'on' if said.code == 0 else 'not on'} ({done} of {len(names)})")
        return "" if said.code == 0 else f"{name}: {said.text.strip()}"

    try:
        return [failure for failure in await asyncio.gather(*map(one, names)) if failure]
    finally:
        await ready.end()
