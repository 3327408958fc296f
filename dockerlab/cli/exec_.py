"""`dockerlab exec`: a command in a lab's containers, with its exit code."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from dockerlab.cli import completion, loading
from dockerlab.cli import options as o
from dockerlab.cli.group import Single
from dockerlab.cli.output import say
from dockerlab.cli.places import HERE, Places, placed
from dockerlab.cli.shell import on_terminal

SHELLS = ("sh", "ash", "bash", "zsh", "/bin/sh", "/bin/bash")
"""Commands that do nothing without somebody who types, or a script on standard input."""

LEADING = ("-it", "-ti", "-i", "-t", "--interactive", "--tty")
"""What docker has in front of a container; behind it, these words are the command's."""


class Exec(Single):
    """A command line that takes `-it` in front of everything else, as `docker exec` does."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Return the words that are left over when the options and arguments have theirs."""
        leading = next((number for number, word in enumerate(args) if word not in LEADING), len(args))
        return super().parse_args(ctx, ["--terminal", *args[leading:]] if leading else args)


app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


# What is none of our options is the command's.
@app.command(cls=Exec, context_settings={"ignore_unknown_options": True})
@placed
def execute(
    lab: o.LabOrName,
    container: Annotated[
        str,
        typer.Argument(
            metavar="CONTAINER", help="A name, or a shell pattern such as 'web*'.", autocompletion=completion.containers
        ),
    ],
    command: Annotated[list[str], typer.Argument(metavar="COMMAND…", help="The command; -- ahead of it ends ours.")],
    terminal: Annotated[
        bool, typer.Option("--terminal", help="On your own terminal, as docker exec -it; -it in front says the same.")
    ] = False,
    timeout: Annotated[float, typer.Option("--timeout", metavar="SECONDS", help="How long it may take.")] = 60.0,
    host: o.HostOption = None,
    where: Places = HERE,
) -> None:
    """Run a command in the containers of a lab that a name or pattern means; its exit code is the command's."""
    from dockerlab.survey import run_in, survey

    if "--sandbox" in command and not where.sandbox:
        say("--sandbox stands behind the command, and is given to it: write it ahead of that, or ahead of --")
    definition = loading.defined(lab, None, where)
    name, hosts = loading.name_and_hosts(lab, host, where)
    typed = definition.containers if definition is not None else ()
    with where.open(hosts) as session:
        found = survey(session.hosts)
        where.say_failures(found.failures.values())
        if not found.answers:
            raise typer.Exit(4)
        meant = (definition.called(container) if definition is not None else ()) or (container,)
        containers = [each for word in meant for each in run_in.chosen(found.answers, name or lab, word, typed)]
        alone = len(containers) == 1 and len(command) == 1 and command[0] in SHELLS
        if terminal or alone:  # a shell that nobody types to would end at once, and say nothing
            at, on = run_in.one(containers, container), on_terminal()
            argv = (*run_in.attached(at, terminal=on), *command)
            raise typer.Exit(session.hosts[at.host].attach(argv, terminal=on))
        results = run_in.run_in(containers, session.hosts, command, timeout)
    for each, result in zip(containers, results, strict=True):
        own = each.container.name
        for stream, output in ((sys.stdout, result.stdout), (sys.stderr, result.stderr)):
            stream.buffer.write(output if len(results) == 1 else run_in.labelled(own, output))
            stream.flush()
        if len(results) > 1 and not result.ok:
            say(f"{own}: exit code {result.rc}")
    raise typer.Exit(run_in.exit_code(results) or (4 if found.failures else 0))
