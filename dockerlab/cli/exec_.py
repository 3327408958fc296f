"""`dockerlab exec`: a command in a lab's containers, with its exit code."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from dockerlab.cli import completion, loading
from dockerlab.cli import options as o
from dockerlab.cli.group import Single
from dockerlab.cli.output import say
from dockerlab.cli.places import HERE, Places, placed

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


# What is none of our options is the command's.
@app.command(cls=Single, context_settings={"ignore_unknown_options": True})
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
    timeout: Annotated[float, typer.Option("--timeout", metavar="SECONDS", help="How long it may take.")] = 60.0,
    host: o.HostOption = None,
    where: Places = HERE,
) -> None:
    """Run a command in the containers of a lab that a name or pattern means; its exit code is the command's."""
    from dockerlab.survey import run_in, survey

    definition = loading.defined(lab, None)
    name, hosts = loading.name_and_hosts(lab, host, named_elsewhere=where.named)
    typed = definition.containers if definition is not None else ()
    with where.open(hosts) as session:
        found = survey(session.hosts)
        for error in found.failures.values():
            say(str(error))
        if not found.answers:
            raise typer.Exit(4)
        meant = (definition.called(container) if definition is not None else ()) or (container,)
        containers = [each for word in meant for each in run_in.chosen(found.answers, name or lab, word, typed)]
        results = run_in.run_in(containers, session.hosts, command, timeout)
    for each, result in zip(containers, results, strict=True):
        own = each.container.name
        for stream, output in ((sys.stdout, result.stdout), (sys.stderr, result.stderr)):
            stream.buffer.write(output if len(results) == 1 else run_in.labelled(own, output))
            stream.flush()
        if len(results) > 1 and not result.ok:
            say(f"{own}: exit code {result.rc}")
    raise typer.Exit(run_in.exit_code(results) or (4 if found.failures else 0))
