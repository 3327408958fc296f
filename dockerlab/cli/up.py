"""`dockerlab up`: create or converge, then verify."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from dockerlab.cli import changes, handing, loading
from dockerlab.cli import options as o
from dockerlab.cli import students as of_class
from dockerlab.cli.output import say, tell
from dockerlab.cli.places import HERE, Places, placed
from dockerlab.errors import UsageError

if TYPE_CHECKING:
    from dockerlab.plan import Plan
    from dockerlab.provision.reporting import Reporter
    from dockerlab.provision.up import Wish


class PullChoice(str, Enum):
    """When an image is brought to a host."""

    MISSING = "missing"
    NEVER = "never"
    ALWAYS = "always"


@placed
def up(
    lab: o.LabArgument,
    settings: o.SetOption = None,
    where: Places = HERE,
    pull: Annotated[PullChoice, typer.Option(help="When to bring images to the hosts.")] = PullChoice.MISSING,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    no_verify: Annotated[bool, typer.Option("--no-verify", help="Leave out the matrix.")] = False,
    keep_failed: Annotated[bool, typer.Option("--keep-failed", help="On failure, leave what was made.")] = False,
    ttl: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="How long it is wanted, from now: 90m, 4h, 2d, or never; see down --expired."
        ),
    ] = None,
    allow_daemon_changes: Annotated[
        bool,
        typer.Option(
            "--allow-daemon-changes",
            help="Let the definition's `daemon` change the hosts' engines, which restart; --sandbox needs no leave.",
        ),
    ] = False,
    allow_host_changes: Annotated[
        bool,
        typer.Option(
            "--allow-host-changes",
            help="Let the definition change the hosts themselves (routes, firewall, …); --sandbox needs no leave.",
        ),
    ] = False,
    allow_environment: handing.AllowOption = False,
    allow_shared_swarm: Annotated[
        bool,
        typer.Option(
            "--allow-shared-swarm",
            help="With --students: let an overlay join the students' hosts in one Swarm; --sandbox needs no leave.",
        ),
    ] = False,
    students: o.StudentsOption = None,
    subnets: o.SubnetsOption = None,
    show_changes: changes.ShowOption = False,
    changes_file: changes.FileOption = None,
    prober: o.ProberOption = o.ProberChoice.AUTO,
    why: o.WhyOption = False,
    form: o.FormatOption = o.Format.TABLE,
    output: o.OutputOption = None,
    verbose: o.VerboseOption = False,
) -> None:
    """Create the lab, or change what is there to match, then verify who reaches whom."""
    from dockerlab import leases
    from dockerlab.lab.catalog import find

    until = leases.read_ttl(ttl, datetime.now(timezone.utc))
    definition = loading.load_lab(lab, settings, where, warn=True)
    files = settings.file if settings is not None else ()
    handing.ask(definition, lambda: (find(lab), *files), where, allowed=allow_environment or dry_run)
    undo = where.again(f"dockerlab down {shlex.quote(lab)}")
    may_restart = allow_daemon_changes or where.sandbox or dry_run
    may_change = allow_host_changes or where.sandbox or dry_run

    def wish() -> Wish:
        from dockerlab.provision.up import Wish

        return Wish(pull.value, until, may_restart, keep_failed, undo, ground=may_change)

    if students is not None:
        if show_changes or changes_file is not None:
            raise UsageError("--show-changes and --changes are for one lab: leave --students out")
        may_join = allow_shared_swarm or where.sandbox or dry_run
        of_class.up(
            lab, settings, students, where, subnets, wish(), dry_run=dry_run,
            no_verify=no_verify, prober=prober, form=form, output=output, verbose=verbose, may_join=may_join,
        )  # fmt: skip
        return
    with where.open(definition.addresses) as session:
        # Imported while the hosts are connected to.
        from dockerlab.cli.progress import reporting
        from dockerlab.identity import current
        from dockerlab.provision.up import bring_up, plan_up
        from dockerlab.report import plans

        if dry_run:
            plan, _ = plan_up(definition, current(definition.name), session.hosts, session.controller, wish())
            _say_settings(plan)
            tell(plans.described(plan), output)
            return

        @contextmanager
        def progress(plan: Plan) -> Iterator[Reporter]:
            _say_settings(plan)
            with (
                reporting(verbose=verbose)(plan) as told,
                changes.shown(told, session.hosts, show=show_changes, output=changes_file) as shown,
            ):
                if not no_verify:
                    o.import_beside("dockerlab.verify.on_hosts", "dockerlab.cli.finishing", "dockerlab.report.as_table")
                yield shown

        plan = bring_up(definition, session.hosts, session.controller, wish(), progress, say)
        say(f"{definition.name}: {plans.counts(plan)}")
        if isinstance(until, datetime):
            say(f"{definition.name}: {leases.told(until, datetime.now(timezone.utc))} ({until:%F %R} UTC)")
        if not no_verify:
            from dockerlab.cli.finishing import finish
            from dockerlab.verify import on_hosts

            if plan.changes:
                report = on_hosts.verify_new(definition, session.hosts, prober.value, say)
            else:
                report = on_hosts.verify(definition, session.hosts, prober.value)
            finish(report, form, output, why=why)


def _say_settings(plan: Plan) -> None:
    """Show what becomes of the engines' own settings."""
    from dockerlab.report import plans

    for text in plans.settings(plan):
        say(text)
