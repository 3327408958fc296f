"""`dockerlab serve`: the teacher's page."""

from __future__ import annotations

import os
import socket
from functools import partial
from resource import RLIMIT_NOFILE, getrlimit
from typing import Annotated

import typer

from dockerlab.cli import options as o
from dockerlab.cli import students as of_class
from dockerlab.cli.lasting import lasting
from dockerlab.cli.output import say
from dockerlab.cli.places import HERE, Places, placed
from dockerlab.errors import UsageError

TOKEN = "DOCKERLAB_SERVE_TOKEN"  # noqa: S105 - where it is, not what it is


@placed
def serve(
    lab: o.LabArgument,
    students: o.ClassOption,
    listen: Annotated[
        str, typer.Option("--listen", metavar="ADDRESS", help="Where to listen; the page asks for a token everywhere.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The port; 0 takes a free one.")] = 8642,
    every: Annotated[
        float, typer.Option("--every", metavar="SECONDS", min=0.5, max=3600, help="The pause between two rounds.")
    ] = 10.0,
    settings: o.SetOption = None,
    subnets: o.SubnetsOption = None,
    where: Places = HERE,
    prober: o.ProberOption = o.ProberChoice.AUTO,
) -> None:
    """Show every student's cells on a page, live as they work; Ctrl-C ends it."""
    try:
        from dockerlab.serve.app import application
        from dockerlab.serve.server import listening, serving
    except ModuleNotFoundError as error:
        raise UsageError(f"serve needs {error.name}, which is not installed: pip install 'dockerlab[serve]'") from None
    from dockerlab.interrupt import asked_to_stop
    from dockerlab.serve.access import access
    from dockerlab.serve.board import Board
    from dockerlab.serve.door import Door
    from dockerlab.serve.rounds import rounds
    from dockerlab.students import roster
    from dockerlab.students.grading import grade

    lasting()
    may = access(os.environ.get(TOKEN) or None)
    everybody = roster.read(students).students
    with of_class.opened(lab, settings, everybody, where, subnets) as (course, session):
        board = Board(course.lab.name, course.lab.title)
        board.begin([{"id": each.id, "name": each.name} for each in everybody])
        on = listening(listen, port)
        door = Door(getrlimit(RLIMIT_NOFILE)[0])
        with asked_to_stop() as asked, serving(lambda ending: application(board, may, ending, door.trust), on, door):
            where_from = f"; add ?token= and what {TOKEN} holds" if may.given else ""
            address = may.address(listen, on.getsockname()[1], socket.gethostname())
            say(f"the page is at {address} (Ctrl-C ends it{where_from})")
            rounds(board, partial(grade, course, session.hosts, prober.value, board.partly), asked, every)
    say("the page has ended")
