"""What the shell is offered for a word that is being typed; an offer is never an error."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import typer

from dockerlab.errors import DefinitionError, UsageError


def labs(incomplete: str) -> list[str]:
    """Return the packaged labs that begin so; none where a file does, which the shell completes by itself."""
    from dockerlab.lab import catalog

    return [] if incomplete and _that_begin(incomplete, _files()) else _that_begin(incomplete, catalog.known())


def exercises(incomplete: str) -> list[str]:
    """Return the exercises that begin so."""
    from dockerlab.exercise import loader

    return _that_begin(incomplete, loader.exercises())


def containers(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the containers of the lab that is named before."""
    return _that_begin(incomplete, _names(ctx)[0])


def ends(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the containers and hosts of the lab that is named before."""
    return _that_begin(incomplete, [name for names in _names(ctx) for name in names])


def _names(ctx: typer.Context) -> tuple[list[str], list[str]]:
    """Return the containers and the hosts of the lab that is named before: none where that is no definition."""
    from dockerlab.cli import loading
    from dockerlab.cli.definitions import given_of
    from dockerlab.cli.places import Places, expected

    try:
        inventory = ctx.params.get("inventory")
        said = Places(bool(ctx.params.get("sandbox")), Path(str(inventory)) if inventory else None)
        where = said if said.named else expected()
        lab = loading.definition_of(str(ctx.params.get("lab")), given_of(ctx.params), where).lab
    except (DefinitionError, UsageError):
        return [], []
    return [*lab.services, *lab.containers], list(lab.hosts)


def _files() -> list[str]:
    try:
        return [path.name for path in Path().iterdir()]
    except OSError:
        return []  # the directory is gone, or may not be read


def _that_begin(incomplete: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
