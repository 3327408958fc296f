"""`dockerlab exercise …`: the labs of the classroom, step by step."""

from __future__ import annotations

import typer

from dockerlab.cli.group import group_of

COMMANDS = {
    "list": "dockerlab.cli.exercise.starting:show_list",
    "start": "dockerlab.cli.exercise.starting:start",
    "task": "dockerlab.cli.exercise.helping:task",
    "check": "dockerlab.cli.exercise.checking:check",
    "hint": "dockerlab.cli.exercise.helping:hint",
    "solution": "dockerlab.cli.exercise.helping:solution",
    "fault": "dockerlab.cli.exercise.breaking:fault",
    "stop": "dockerlab.cli.exercise.starting:stop",
}

app = typer.Typer(
    cls=group_of(COMMANDS),
    help="The labs of the classroom, step by step.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
