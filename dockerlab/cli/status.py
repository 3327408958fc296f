"""`dockerlab status`: what exists, and where."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from dockerlab.cli import options as o


def status(
    lab: Annotated[str | None, typer.Argument(metavar="LAB", help="A YAML file, or just a lab's name.")] = None,
    host: Annotated[
        list[str] | None, typer.Option("--host", metavar="ADDRESS", help="A host to look at: ssh://…, an alias, local.")
    ] = None,
    sandbox: o.SandboxOption = False,
    inventory: o.InventoryOption = None,
    accept_new_host_keys: o.AcceptOption = False,
    form: o.FormatOption = o.Format.TABLE,
) -> None:
    """Show what dockerlab made: containers and networks, their state, host, and owner."""
    from dockerlab import lifecycle
    from dockerlab.report import inventory as listing
    from dockerlab.session import open_session

    name, hosts = o.name_and_hosts(lab, host, named_elsewhere=sandbox or inventory is not None)
    with open_session(hosts, o.whereabouts(sandbox, inventory, accept_new_host_keys), o.say) as session:
        survey = lifecycle.look_for_removal(session.hosts)
    rows = listing.rows(survey.answers, name)
    o.write(json.dumps(rows, indent=2) + "\n" if form is o.Format.JSON else listing.table(rows), None)
    for error in survey.failures.values():
        o.say(str(error))
    if survey.failures:
        raise typer.Exit(4)
