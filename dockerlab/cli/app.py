"""All commands in one place."""

from __future__ import annotations

from typing import Annotated

import typer

from dockerlab import __version__
from dockerlab.cli import (
    doctor,
    down,
    exec_,
    exercise,
    explain,
    graph,
    hosts,
    inspect,
    layers,
    quiz,
    render,
    sandbox,
    schema,
    serve,
    status,
    students,
    up,
    verify,
    watch,
)
from dockerlab.cli.group import Group

app = typer.Typer(
    name="dockerlab",
    cls=Group,
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


app.command("up")(up.up)
app.command("verify")(verify.verify)
app.command("down")(down.down)
app.command("status")(status.status)
app.command("grade")(students.grade)
app.command("quiz")(quiz.quiz)
app.command("serve")(serve.serve)
app.command("doctor")(doctor.doctor)
app.command("explain")(explain.explain)
app.command("lint")(explain.lint)
app.command("inspect")(inspect.inspect)
app.command("exec", context_settings=exec_.COMMAND)(exec_.execute)
app.command("watch")(watch.watch)
app.command("graph")(graph.graph)
app.command("layers")(layers.layers)
app.command("hosts")(hosts.hosts)
app.command("render")(render.render)
app.command("schema")(schema.schema)
app.command("labs")(schema.labs)
app.add_typer(exercise.app, name="exercise")
app.add_typer(sandbox.app, name="sandbox")
