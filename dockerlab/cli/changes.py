"""What `up --show-changes` prints: after each command, what it changed on its host."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dockerlab.cli.output import opened, say, width
from dockerlab.plain import for_file

if TYPE_CHECKING:
    from dockerlab.hosts.base import Host
    from dockerlab.machinery.episodes import Episode
    from dockerlab.provision.reporting import Reporter

ShowOption = Annotated[
    bool, typer.Option("--show-changes", help="After each command, say what it changed on its host, and why.")
]
FileOption = Annotated[
    Path | None,
    typer.Option("--changes", metavar="FILE", help="Write these changes there, one JSON object for each command."),
]


@contextmanager
def shown(reporter: Reporter, hosts: Mapping[str, Host], *, show: bool, output: Path | None) -> Iterator[Reporter]:
    """Give a reporter that says what each command changed, or the same one where nobody wants to know."""
    if not show and output is None:
        yield reporter
        return
    from dockerlab.provision.showing import Showing
    from dockerlab.report import changes

    wide, turn = width(), threading.Lock()
    with ExitStack() as stack:
        file = None
        if output is not None:
            file = stack.enter_context(opened(output))

        def tell(episode: Episode) -> None:
            with turn:
                if show:
                    say(changes.text(episode, wide).rstrip("\n"))
                if file is not None:
                    file.write(for_file(changes.json_line(episode)))
                    file.flush()

        showing = Showing(reporter, hosts, tell)
        yield showing
        showing.end()
