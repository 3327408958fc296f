"""What the commands have in common: which exercise is meant, its open hosts, and how progress is shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from dockerlab.cli import completion
from dockerlab.cli import options as o

if TYPE_CHECKING:
    from dockerlab.exercise.course import Reporting
    from dockerlab.exercise.model import Folder
    from dockerlab.exercise.progress import Progress
    from dockerlab.provision.execute import Reporter
    from dockerlab.session import Session

Which = Annotated[
    str | None,
    typer.Argument(
        metavar="[ID]",
        help="Which one, by ID or number; needed where several are on.",
        autocompletion=completion.exercises,
    ),
]


def current(exercise: str | None) -> tuple[Folder, Progress]:
    """Return the exercise that is meant and where its person stands; raises UsageError."""
    from dockerlab.exercise import loader, progress

    here = progress.current(exercise, progress.directory())
    return loader.load(here.folder), here


@contextmanager
def hosts_of(folder: Folder, here: Progress, accept: bool) -> Iterator[Session]:
    """Open the hosts of an exercise that is on, for as long as the context lasts."""
    from dockerlab.session import open_session

    with open_session(folder.lab.addresses, o.whereabouts(here.sandbox, here.inventory, accept), o.say) as session:
        yield session


def shown(verbose: bool, *, quiet: bool = False) -> Reporting:
    """Return how progress is shown; of what is broken nothing may be."""
    from dockerlab.cli.progress import Progress, Silent

    def reporting(steps: int) -> AbstractContextManager[Reporter]:
        return closing(Silent()) if quiet else closing(Progress(steps, verbose=verbose))

    return reporting


def undo(folder: Folder) -> str:
    """Return the command that takes away what is made now."""
    return f"dockerlab exercise stop {folder.id}"
