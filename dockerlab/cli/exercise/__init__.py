"""`dockerlab exercise …`: the labs of the classroom, step by step."""

from __future__ import annotations

import typer

from dockerlab.cli.group import group_of

COMMANDS = {
    "list": ("dockerlab.cli.exercise.starting:show_list", "List the exercises, and how far you are."),
    "start": ("dockerlab.cli.exercise.starting:start", "Begin one: make its lab, and show the first task."),
    "task": ("dockerlab.cli.exercise.helping:task", "Show the current step's task."),
    "check": ("dockerlab.cli.exercise.checking:check", "Say which checks pass; when all do, the next step is on."),
    "hint": ("dockerlab.cli.exercise.helping:hint", "Show one more hint, more concrete than the one before."),
    "solution": (
        "dockerlab.cli.exercise.helping:solution",
        "Show the commands of the current step, or what mends the fault.",
    ),
    "fault": ("dockerlab.cli.exercise.breaking:fault", "Break something, without a word on what: find it and mend it."),
    "seal": ("dockerlab.cli.exercise.sealing:seal", "Seal an answer for an exercise of your own."),
    "stop": ("dockerlab.cli.exercise.starting:stop", "Take everything away, and prove that nothing is left."),
}

app = typer.Typer(
    cls=group_of(COMMANDS),
    help="The labs of the classroom, step by step.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
