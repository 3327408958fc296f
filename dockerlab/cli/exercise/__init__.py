"""`dockerlab exercise …`: the labs of the classroom, step by step."""

from __future__ import annotations

import typer

from dockerlab.cli.exercise import breaking, checking, helping, starting
from dockerlab.cli.group import Group

app = typer.Typer(
    cls=Group, help="The labs of the classroom, step by step.", no_args_is_help=True, rich_markup_mode=None
)
app.command("list")(starting.show_list)
app.command("start")(starting.start)
app.command("task")(helping.task)
app.command("check")(checking.check)
app.command("hint")(helping.hint)
app.command("solution")(helping.solution)
app.command("fault")(breaking.fault)
app.command("stop")(starting.stop)
