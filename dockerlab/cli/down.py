"""`dockerlab down`: remove a lab by its labels, with or without its definition."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from dockerlab.cli import options as o
from dockerlab.errors import HostError, UsageError


def down(
    lab: Annotated[str | None, typer.Argument(metavar="LAB", help="A YAML file, or just a lab's name.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every lab of yours on the hosts.")] = False,
    everyone: Annotated[bool, typer.Option("--everyone", help="Also what somebody else made.")] = False,
    host: Annotated[
        list[str] | None, typer.Option("--host", metavar="ADDRESS", help="A host to clean: ssh://…, an alias, local.")
    ] = None,
    sandbox: o.SandboxOption = False,
    inventory: o.InventoryOption = None,
    accept_new_host_keys: o.AcceptOption = False,
    verbose: o.VerboseOption = False,
) -> None:
    """Remove everything that carries the lab's labels, and nothing else."""
    from dockerlab import lifecycle
    from dockerlab.cli.progress import Progress
    from dockerlab.session import open_session

    if (lab is None) != every:
        raise UsageError("say which lab: 'dockerlab down LAB', or 'dockerlab down --all' for every one of yours")
    name, hosts = o.name_and_hosts(lab, host, named_elsewhere=sandbox or inventory is not None)
    with open_session(hosts, o.whereabouts(sandbox, inventory, accept_new_host_keys), o.say) as session:
        removal = lifecycle.plan_down(name, session.hosts, everyone=everyone)
        with closing(Progress(len(removal.plan.steps), verbose=verbose)) as progress:
            removed = lifecycle.take_down(removal.plan, session.hosts, progress)
    for note in (*removal.plan.notes, *removal.foreign):
        o.say(note)
    what = name or "every lab"
    answered = [host for host in session.hosts if host not in removal.failures]
    if removed or answered:
        o.say(f"{what}: {removed} removed" if removed else f"{what}: nothing to remove on {', '.join(answered)}")
    if removal.failures:
        lines = "\n".join(f"  {error}" for error in removal.failures.values())
        left = ", ".join(removal.failures)
        raise HostError(left, f"not cleaned; run down again when it answers:\n{lines}")
    if removal.plan.notes:
        raise typer.Exit(1)
