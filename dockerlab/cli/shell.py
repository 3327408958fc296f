"""`dockerlab shell`: a shell in a lab's container, or on one of its hosts."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from dockerlab.cli import completion, loading
from dockerlab.cli import options as o
from dockerlab.cli.output import say
from dockerlab.cli.places import HERE, Places, placed


@placed
def shell(
    lab: o.LabOrName,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A container or a host of the lab.", autocompletion=completion.ends)
    ],
    tools: Annotated[
        bool,
        typer.Option("--tools", help="The host's own shell and tools in the container's network, whatever its image."),
    ] = False,
    host: o.HostOption = None,
    where: Places = HERE,
) -> None:
    """Open a shell in a container or on a host; where an image has none, the host's, in the container's network."""
    from dockerlab.survey import run_in, survey

    definition = loading.defined(lab, None, where)
    label, hosts = loading.name_and_hosts(lab, host, where)
    with where.open(hosts) as session:
        if name in session.hosts:
            raise typer.Exit(session.hosts[name].attach(run_in.HOST_SHELL, terminal=on_terminal()))
        found = survey(session.hosts)
        where.say_failures(found.failures.values())
        if not found.answers:
            raise typer.Exit(4)
        typed = definition.containers if definition is not None else ()
        at = run_in.one(run_in.chosen(found.answers, label or lab, name, typed, hosts=tuple(session.hosts)), name)
        own = not tools and run_in.has_shell(at, session.hosts[at.host])
        if not own and not tools:
            say(
                f"{name}: its image has no shell: this is the one of {at.host}, in the network of {name}; "
                f"its files are below /proc/{at.container.pid}/root"
            )
        argv = run_in.shell_in(at, tools=not own, terminal=on_terminal())
        code = session.hosts[at.host].attach(argv, terminal=on_terminal())
    raise typer.Exit(code)


def on_terminal() -> bool:
    """Tell whether somebody sits at a terminal, and not a program at a pipe."""
    return sys.stdin.isatty() and sys.stdout.isatty()
