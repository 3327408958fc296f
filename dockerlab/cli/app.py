"""All commands in one place."""

from __future__ import annotations

from typing import Annotated

import typer

from dockerlab import __version__
from dockerlab.cli.group import group_of

COMMANDS = {
    "up": "dockerlab.cli.up:up",
    "verify": "dockerlab.cli.verify:verify",
    "down": "dockerlab.cli.down:down",
    "status": "dockerlab.cli.status:status",
    "grade": "dockerlab.cli.students:grade",
    "quiz": "dockerlab.cli.quiz:quiz",
    "serve": "dockerlab.cli.serve:serve",
    "doctor": "dockerlab.cli.doctor:doctor",
    "explain": "dockerlab.cli.explain:explain",
    "lint": "dockerlab.cli.explain:lint",
    "inspect": "dockerlab.cli.inspect:inspect",
    "exec": "dockerlab.cli.exec_:app",
    "watch": "dockerlab.cli.watch:watch",
    "graph": "dockerlab.cli.graph:graph",
    "layers": "dockerlab.cli.layers:layers",
    "hosts": "dockerlab.cli.hosts:hosts",
    "render": "dockerlab.cli.render:render",
    "schema": "dockerlab.cli.schema:schema",
    "labs": "dockerlab.cli.schema:labs",
    "exercise": "dockerlab.cli.exercise:app",
    "sandbox": "dockerlab.cli.sandbox:app",
}

app = typer.Typer(
    name="dockerlab",
    cls=group_of(COMMANDS),
    help="Docker network labs from one YAML file: built, verified cell by cell, explained, taken down.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"dockerlab {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Docker network labs from one YAML file: built, verified cell by cell, explained, taken down."""
    _ = version
