"""`dockerlab down`: remove a lab by its labels, with or without its definition."""

from __future__ import annotations

from contextlib import ExitStack, closing
from datetime import datetime, timezone
from typing import Annotated

import typer

from dockerlab.cli import options as o
from dockerlab.cli import students as of_class
from dockerlab.errors import UsageError


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
    sandbox: o.SandboxOption = False,
    inventory: o.InventoryOption = None,
    accept_new_host_keys: o.AcceptOption = False,
    verbose: o.VerboseOption = False,
) -> None:
    """Remove everything that carries the lab's labels, and nothing else."""
    from dockerlab.session import open_session

    if (lab is not None) + every + expired != 1:
        raise UsageError("say which lab: 'dockerlab down LAB', --all for every one of yours, or --expired")
    name, hosts = o.name_and_hosts(lab, host, named_elsewhere=sandbox or inventory is not None)
    where = o.whereabouts(sandbox, inventory, accept_new_host_keys)
    if students is not None:
        if name is None:
            raise UsageError("--students goes with a lab: 'dockerlab down LAB --students …'; --all is for all of them")
        of_class.down(name, students, hosts, where, everyone=everyone, verbose=verbose)
        return
    with ExitStack() as opened:
        session = opened.enter_context(open_session(hosts, where, o.say))
        # Imported while the hosts are connected to.
        from dockerlab.cli.progress import Progress
        from dockerlab.lock import locked
        from dockerlab.plan.remains import remains
        from dockerlab.provision import proof
        from dockerlab.provision.down import Which, locks_for, plan_down, take_down
        from dockerlab.provision.execute import WhileLocked

        which = Which(name, everyone, datetime.now(timezone.utc) if expired else None)
        locks = opened.enter_context(locked(session.hosts, locks_for(which, session.hosts)))
        plans = []
        for _ in range(2):  # an engine that only runs again with its old settings has more to tell
            removal = plan_down(which, session.hosts, locks)
            with closing(Progress(len(removal.plan.steps), verbose=verbose)) as progress:
                take_down(
                    removal.plan,
                    session.hosts,
                    WhileLocked(progress, locks),
                    may_restart=allow_engine_restart or sandbox,
                )
            plans.append(removal.plan)
            if not removal.revived:
                break
        answering = {name: host for name, host in session.hosts.items() if name not in removal.failures}
        left = proof.left(answering, removal.ours, removal.bridges) if every else []
    for note in (*removal.plan.notes, *removal.foreign):
        o.say(note)
    what = name or ("every expired lab" if expired else "every lab")
    of_class.say_removed(what, plans, left if every else None, list(answering))
    known = o.definition_or_none(lab) if removal.failures else None
    of_class.end_of_down(
        removal.failures, [remains(host, known, removal.answers, removal.ours) for host in removal.failures]
    )
    if removal.plan.notes or left:
        raise typer.Exit(1)
