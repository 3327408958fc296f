"""`dockerlab doctor`: what keeps a lab from working on its hosts, and what mends it."""

from __future__ import annotations

from typing import Annotated

import typer

from dockerlab.cli import completion, loading
from dockerlab.cli import options as o
from dockerlab.cli.output import say, width, write
from dockerlab.cli.places import HERE, Places, placed


@placed
def doctor(
    lab: Annotated[
        str | None,
        typer.Argument(
            metavar="LAB",
            help="A YAML file, or the name of a packaged lab; none: the hosts.",
            autocompletion=completion.labs,
        ),
    ] = None,
    settings: o.SetOption = None,
    where: Places = HERE,
    fix: Annotated[
        bool, typer.Option("--fix", help="Carry out the remedies that can be taken back, then look again.")
    ] = False,
    form: o.ListOption = o.ListFormat.TABLE,
    output: o.OutputOption = None,
) -> None:
    """Look for what keeps containers, or a lab, from working on the hosts, and say what mends it."""
    from dockerlab.doctor.examine import examine
    from dockerlab.doctor.mending import mend
    from dockerlab.finding import exit_code
    from dockerlab.identity import current
    from dockerlab.report import findings as listing

    definition = loading.load_lab(lab, settings, where, warn=True) if lab is not None else None
    if definition is not None:
        hosts = dict(definition.addresses)
    else:
        _, hosts = loading.name_and_hosts(None, None, where)
    who = current(definition.name) if definition is not None else None
    with where.open(hosts) as session:
        found = examine(session.hosts, session.controller, definition, who)
        if fix and mend(found, session.hosts, say):
            found = examine(session.hosts, session.controller, definition, who)
    if form is o.ListFormat.JSON:
        write(listing.as_json(found, definition.name if definition is not None else None), output)
    else:
        write(listing.table(found, width()), output)
    code = exit_code(found)
    if code and where.forgotten():
        say(where.forgotten())
    raise typer.Exit(code)
