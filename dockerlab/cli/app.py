"""All commands in one place."""

from __future__ import annotations

from typing import Annotated

import typer

from dockerlab import __version__
from dockerlab.cli.group import group_of

COMMANDS = {
    "up": ("dockerlab.cli.up:up", "Create the lab, or change what is there; verify who reaches whom."),
    "verify": ("dockerlab.cli.verify:verify", "Probe every cell of the matrix, and hold it against the model."),
    "down": ("dockerlab.cli.down:down", "Remove everything that carries the lab's labels, and nothing else."),
    "status": ("dockerlab.cli.status:status", "Show the labs on the hosts, whose they are, and what expires."),
    "grade": ("dockerlab.cli.students:grade", "Verify the instance of every student, and print a line for each."),
    "quiz": ("dockerlab.cli.quiz:quiz", "Ask who reaches whom before it is shown, and explain the answer."),
    "serve": ("dockerlab.cli.serve:serve", "Show every student's cells on a page, live as they work."),
    "doctor": ("dockerlab.cli.doctor:doctor", "Look for what keeps containers, or a lab, from working."),
    "explain": ("dockerlab.cli.explain:explain", "Explain why one reaches another or not, hop by hop."),
    "lint": ("dockerlab.cli.explain:lint", "Point out what works in a definition but misleads."),
    "inspect": ("dockerlab.cli.inspect:inspect", "Show what Docker built: interfaces, cables, routes, rules, ports."),
    "exec": ("dockerlab.cli.exec_:app", "Run a command in a lab's containers; the exit code is its own."),
    "shell": ("dockerlab.cli.shell:shell", "Open a shell in a container, or on a host of a lab."),
    "watch": ("dockerlab.cli.watch:watch", "Tell what changes on the hosts while somebody works, and why."),
    "discover": ("dockerlab.cli.discover:discover", "Write the definition of what runs on hosts, whoever made it."),
    "graph": ("dockerlab.cli.graph:graph", "Draw the lab: hosts, networks, containers, addresses, ports."),
    "layers": ("dockerlab.cli.layers:layers", "Show the layers of images and containers, and what they share."),
    "hosts": ("dockerlab.cli.hosts:hosts", "Say where the hosts are, also for ssh or Ansible."),
    "render": ("dockerlab.cli.render:render", "Print the lab's commands as scripts, every flag with its reason."),
    "schema": ("dockerlab.cli.schema:schema", "Print the JSON Schema of a definition, for editors."),
    "labs": ("dockerlab.cli.schema:labs", "List the packaged labs, which the others take by name."),
    "exercise": ("dockerlab.cli.exercise:app", "The labs of the classroom, step by step."),
    "class": ("dockerlab.cli.class_:app", "A class in the browser: a sandbox and a terminal for every student."),
    "sandbox": ("dockerlab.cli.sandbox:app", "Real Docker hosts vm0, vm1, … on this machine."),
}

app = typer.Typer(
    name="dockerlab",
    cls=group_of(COMMANDS),
    help="Docker network labs from one YAML file: built, verified cell by cell, explained, taken down.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"max_content_width": 10_000},  # as wide as the terminal is; click's own bound is 80
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
