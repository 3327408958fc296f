"""The groups that the commands are in."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from importlib import import_module
from io import StringIO
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

from dockerlab.cli.definitions import with_options
from dockerlab.cli.output import say
from dockerlab.cli.values import without_checks

WHOLE_LINES = 10_000
"""Columns in which a call's usage is one line: it is folded where it is printed, to the width of standard error."""


class Group(TyperGroup):
    """A group whose options are checked only where there is something to be checked."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the options of the group itself."""
        return without_checks(super().get_params(ctx))

    def main(self, *given: Any, standalone_mode: bool = True, **named: Any) -> Any:
        """Run the command line; what is wrong with a call is told in lines that fit the terminal."""
        whole: Any = super().main  # its first arguments may come by place
        if not standalone_mode:
            return whole(*given, standalone_mode=False, **named)
        try:
            code = whole(*given, standalone_mode=False, **named)
        except typer.Abort:
            say("Aborted!")
            sys.exit(1)
        except Exception as error:
            show = getattr(error, "show", None)  # of click's own, whichever click typer brings
            if show is None:
                raise
            context, shown = getattr(error, "ctx", None), StringIO()
            if context is not None:
                context.terminal_width = WHOLE_LINES  # else the usage has the width of standard output's terminal
            show(file=shown)
            say(shown.getvalue().rstrip("\n"))
            code = getattr(error, "exit_code", 2)
        sys.exit(code if isinstance(code, int) else 0)


class Single(TyperCommand):
    """A command that takes the words as they are while the shell completes one of them.

    They are not for use then, and the import of what would check them takes as long as all else of a completion. In a
    call they are checked only where there is something to be checked.
    """

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the options and arguments, `--help` among them."""
        return without_checks(super().get_params(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Return the words that are left over when the options and arguments have theirs."""
        if not ctx.resilient_parsing:
            takes_all, ctx.allow_extra_args = ctx.allow_extra_args, True
            left = super().parse_args(ctx, args)
            if left and not takes_all:
                ctx.fail(f"too many words: {shlex.join(left)}. A value with blanks in it goes in quotes: 'like this'")
            return left
        parser = self.make_parser(ctx)
        given, ctx.args, _ = parser.parse_args(args=args)
        for parameter in self.get_params(ctx):
            ctx.params[parameter.name], source = parameter.consume_value(ctx, given)
            ctx.set_parameter_source(parameter.name, source)
        ctx._opt_prefixes.update(parser._opt_prefixes)  # noqa: SLF001 - as the method does that this one stands for
        rest: list[str] = ctx.args
        return rest


class Later(TyperCommand):
    """A command of which the name and a line are known: it is imported and built when it is called."""

    def __init__(self, name: str, place: str, told: str) -> None:
        super().__init__(name, short_help=told)
        self._place = place

    def built(self) -> Any:
        """Return the command itself."""
        module, _, attribute = self._place.partition(":")
        found = getattr(import_module(module), attribute)
        if not isinstance(found, typer.Typer):
            single = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
            single.command(cls=Single)(with_options(found))
            found = single
        command = get_command(found) if len(found.registered_commands) == 1 else get_group(found)
        command.name = self.name
        return command

    def make_context(self, *given: Any, **named: Any) -> Any:
        """Return a context of the command itself, for a call or for the completion of one."""
        return self.built().make_context(*given, **named)


def group_of(commands: Mapping[str, tuple[str, str]]) -> type[Group]:
    """Return the class of a group of commands by name: where each of them is, and what a list says of it.

    A place is `module:name`, and there is a function, a typer application with one function, or one that is a group.
    """

    class Listed(Group):
        """A group that imports a command when it is called."""

        def __init__(self, **attributes: Any) -> None:
            super().__init__(**attributes)
            self.commands = {name: Later(name, *about) for name, about in commands.items()}

    return Listed
