"""`dockerlab watch`: what changes on the hosts while somebody works there."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from dockerlab.cli import loading
from dockerlab.cli import options as o
from dockerlab.cli.lasting import lasting
from dockerlab.cli.output import say, width, write
from dockerlab.cli.places import HERE, Places, placed
from dockerlab.errors import HostError, Interrupted, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockerlab.machinery.episodes import Episode


@placed
def watch(
    lab: o.OptionalLab = None,
    seconds: Annotated[float | None, typer.Option("--for", metavar="SECONDS", help="End after that time.")] = None,
    once: Annotated[bool, typer.Option("--once", help="End after the first change.")] = False,
    host: o.HostOption = None,
    where: Places = HERE,
    form: Annotated[
        o.ListFormat, typer.Option("--format", help="Lines for people, or one JSON object a line.")
    ] = o.ListFormat.TABLE,
) -> None:
    """Follow the lab's hosts, and tell what changes there while somebody works, with its cause; Ctrl-C ends it.

    Without LAB it is the hosts that are named.
    """
    from dockerlab.machinery.watching import watch as follow

    lasting()
    if seconds is not None and seconds <= 0:
        raise UsageError("--for: say how many seconds, more than 0")
    if lab is None and not (host or where.named):
        raise UsageError("name a LAB, or say which hosts to follow: --host ADDRESS, --sandbox or --inventory FILE")
    _, hosts = loading.name_and_hosts(lab, host, where)
    show, count, failed = printer(form), 0, 0
    with where.open(hosts) as session:
        ready = f"watching {', '.join(session.hosts)}; Ctrl-C ends it"
        episodes = follow(session.hosts, lambda: say(ready), seconds)
        try:
            for episode in episodes:
                show(episode)
                failed += bool(episode.failure)
                count += not episode.failure
                if once and count:
                    break
        except Interrupted:
            raise Interrupted(_ended(count)) from None
        finally:
            episodes.close()
    say(_ended(count))
    if failed:
        raise HostError(", ".join(hosts), "not all of the time was every host seen")


def _ended(count: int) -> str:
    times = {0: "nothing changed", 1: "something changed once"}
    return f"watching has ended; {times.get(count, f'something changed {count} times')}"


def printer(form: o.ListFormat) -> Callable[[Episode], None]:
    """Return what prints an episode to standard output at once."""
    from dockerlab.report import changes

    wide = width()

    def show(episode: Episode) -> None:
        text = changes.json_line(episode) if form is o.ListFormat.JSON else changes.text(episode, wide)
        write(text, None)
        sys.stdout.flush()

    return show
