"""What a call says that names no lab: which hosts are looked at, and what of that is taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from dockerlab.cli.finishing import refuse_partial
from dockerlab.cli.output import say
from dockerlab.cli.places import Places, spread
from dockerlab.errors import UsageError

if TYPE_CHECKING:
    from dockerlab.discover.spot import Spot
    from dockerlab.discover.wanted import Wanted
    from dockerlab.session import Session

FILTERS = {
    "host": Annotated[
        list[str] | None,
        typer.Option(
            "--host", metavar="ADDRESS", help="A host to look at where no LAB is named: ssh://…, an alias, local."
        ),
    ],
    "project": Annotated[
        list[str] | None,
        typer.Option(
            "--project", metavar="NAME", help="Of what is found: what Docker Compose or stack made by that name."
        ),
    ],
    "label": Annotated[
        list[str] | None,
        typer.Option("--label", metavar="KEY[=VALUE]", help="Of what is found: containers with that label."),
    ],
    "network": Annotated[
        list[str] | None,
        typer.Option("--network", metavar="NAME", help="Of what is found: containers on such a network; * and ? fit."),
    ],
    "name": Annotated[
        list[str] | None,
        typer.Option("--name", metavar="NAME", help="Of what is found: containers of such a name; * and ? fit."),
    ],
    "stopped": Annotated[bool, typer.Option("--all", help="Also what is found and does not run.")],
}


@dataclass(frozen=True)
class Unnamed:
    """What a call says of hosts and of what is on them, where it names no lab."""

    host: list[str] | None = None
    project: list[str] | None = None
    label: list[str] | None = None
    network: list[str] | None = None
    name: list[str] | None = None
    stopped: bool = False

    @property
    def said(self) -> str:
        """Return the first of the options that the call has, empty where it has none."""
        options = {"--all" if name == "stopped" else f"--{name}": getattr(self, name) for name in FILTERS}
        return next((option for option, given in options.items() if given), "")

    def refuse_with(self, lab: str | None) -> None:
        """Raise UsageError where a lab is named, and yet something is said of what is to be found on hosts."""
        if lab is not None and self.said:
            raise UsageError(
                f"{self.said} is for what is found on hosts without a definition: leave it out, or leave {lab} out; "
                "where a lab's hosts are is said by its definition, --sandbox or --inventory"
            )

    def wanted(self, *, stopped: bool = False) -> Wanted:
        """Return what is taken of what is found; with `stopped`, also what does not run."""
        from dockerlab.discover.wanted import Wanted

        return Wanted(
            projects=tuple(self.project or ()),
            labels=tuple(self.label or ()),
            networks=tuple(self.network or ()),
            names=tuple(self.name or ()),
            stopped=self.stopped or stopped,
        )

    def addresses(self, where: Places, *, fallback: bool = False) -> dict[str, str | None]:
        """Return the hosts that the call names by their address; none where they are named elsewhere.

        With `fallback`, it is this machine where nothing is said; else that raises UsageError.
        """
        from dockerlab.hosts.address import LOCAL, parse_address

        if self.host and where.said:
            raise UsageError("--host, --sandbox and --inventory each say where the hosts are: keep one of them")
        if where.named:
            return {}
        if not self.host and not fallback:
            raise UsageError(
                "name a LAB, or say on which hosts to look: --host ADDRESS (`local` is this machine), --sandbox or "
                "--inventory FILE"
            )
        from dockerlab.discover.naming import names_for

        told = list(dict.fromkeys(self.host or [LOCAL]))
        names = names_for((("", each), each if each == LOCAL else parse_address(each).host) for each in told)
        return {names["", each]: each for each in told}

    @contextmanager
    def found(self, where: Places, *, stopped: bool = False) -> Iterator[tuple[Spot, Session]]:
        """Give what is on the hosts as a lab, and the open hosts; tell what was left out."""
        from dockerlab.discover.spot import on_the_spot

        addresses = self.addresses(where)
        with where.open(addresses) as session:
            spot = on_the_spot(session.hosts, addresses or dict.fromkeys(session.hosts), self.wanted(stopped=stopped))
            for note in spot.found.notes:
                say(note)
            yield spot, session
        refuse_partial(spot.silent)


NOTHING = Unnamed()
"""What a call says that has none of the options."""


def unnamed(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command as typer is to see it: with these options in place of its parameter `what`."""
    return spread(command, "what", Unnamed, FILTERS, NOTHING)
