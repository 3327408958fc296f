"""What the commands have in common: which exercise is meant, and its open hosts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from dockerlab.cli import completion
from dockerlab.cli.places import Places
from dockerlab.errors import SandboxError

if TYPE_CHECKING:
    from dockerlab.exercise.model import Folder
    from dockerlab.exercise.progress import Progress
    from dockerlab.session import Session

Which = Annotated[
    str | None,
    typer.Argument(
        metavar="ID",
        help="Which one, by ID or number; needed where several are on.",
        autocompletion=completion.exercises,
    ),
]


def current(exercise: str | None) -> tuple[Folder, Progress]:
    """Return the exercise that is meant and where its person stands; raises UsageError."""
    from dockerlab.exercise import loader, progress

    here = progress.current(exercise, progress.directory())
    return loader.load(here.folder), here


def lost(here: Progress) -> bool:
    """Tell whether the sandbox of an exercise is gone, or another one stands in its place."""
    from dockerlab import sandbox
    from dockerlab.exercise.lost import is_lost

    return here.sandbox and is_lost(here, sandbox.identities())


def refuse_lost(folder: Folder, here: Progress) -> None:
    """Raise SandboxError where the sandbox of an exercise is gone."""
    if lost(here):
        from dockerlab.exercise.lost import told

        raise SandboxError(told(folder, here))


@contextmanager
def hosts_of(folder: Folder, here: Progress, accept: bool) -> Iterator[Session]:
    """Open the hosts of an exercise that is on, for as long as the context lasts; raises SandboxError."""
    refuse_lost(folder, here)
    with Places(here.sandbox, here.inventory, accept).open(folder.lab.addresses) as session:
        refuse_lost(folder, here)  # a host that did not live any more was built again just now
        yield session


def undo(folder: Folder) -> str:
    """Return the command that takes away what is made now."""
    return f"dockerlab exercise stop {folder.id}"
