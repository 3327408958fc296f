"""`dockerlab down`: remove a lab by its labels, with or without its definition."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Annotated

import typer

from dockerlab.cli import loading
from dockerlab.cli import options as o
from dockerlab.cli import students as of_class
from dockerlab.cli.finishing import removed
from dockerlab.cli.output import say
from dockerlab.cli.places import HERE, Places, placed
from dockerlab.errors import UsageError


@placed
def down(
    lab: o.OptionalLab = None,
    every: Annotated[bool, typer.Option("--all", help="Every lab of yours on the hosts.")] = False,
    everyone: Annotated[bool, typer.Option("--everyone", help="Also what somebody else made.")] = False,
    expired: Annotated[
        bool, typer.Option("--expired", help="Every lab of yours whose time (up --ttl) is over.")
    ] = False,
    allow_engine_restart: Annotated[
        bool,
        typer.Option(
            "--allow-engine-restart",
            help="Restart an engine that runs nothing more and does not let a network go; --sandbox needs no leave.",
        ),
    ] = False,
    students: o.StudentsOption = None,
    host: Annotated[
        list[str] | None, typer.Option("--host", metavar="ADDRESS", help="A host to clean: ssh://…, an alias, local.")
    ] = None,
    where: Places = HERE,
    verbose: o.VerboseOption = False,
) -> None:
    """Remove everything that carries the lab's labels, and nothing else."""
    if (lab is not None) + every + expired != 1:
        raise UsageError("say which lab: 'dockerlab down LAB', --all for every one of yours, or --expired")
    name, hosts = loading.name_and_hosts(lab, host, where)
    if students is not None and name is None:
        raise UsageError("--students goes with a lab: 'dockerlab down LAB --students …'; --all is for all of them")
    whole = name or ("every expired lab" if expired else "every lab")
    if where.empty():
        say(f"{whole}: there is no sandbox, and so nothing to remove")
        return
    if students is not None and name is not None:
        of_class.down(name, students, hosts, where, everyone=everyone, verbose=verbose)
        return
    with where.open(hosts) as session:
        # Imported while the hosts are connected to.
        from dockerlab.cli.progress import reporting
        from dockerlab.plan.remains import remains
        from dockerlab.provision.down import Which, bring_down

        which = Which(name, everyone, datetime.now(timezone.utc) if expired else None)
        may_restart = allow_engine_restart or where.sandbox
        told = reporting(verbose=verbose)
        taken = bring_down(which, session.hosts, told, may_restart=may_restart, prove=every)
    gone = taken.removal
    known = loading.named(lab, where) if lab is not None and gone.failures else None
    left = [remains(each, known, gone.answers, gone.ours) for each in gone.failures]
    with where.pointing_out():
        removed(whole, taken, left)
