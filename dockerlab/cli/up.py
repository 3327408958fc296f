"""`dockerlab up`: create or converge, then verify."""

from __future__ import annotations

import shlex
from contextlib import closing
from datetime import datetime, timezone
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from dockerlab.cli import changes
from dockerlab.cli import options as o
from dockerlab.cli import students as of_class
from dockerlab.errors import UsageError

if TYPE_CHECKING:
    from dockerlab.plan import Plan


class PullChoice(str, Enum):
    """When an image is brought to a host."""

    MISSING = "missing"
    NEVER = "never"
    ALWAYS = "always"


def up(
    lab: o.LabArgument,
    settings: o.SetOption = None,
    sandbox: o.SandboxOption = False,
    inventory: o.InventoryOption = None,
    accept_new_host_keys: o.AcceptOption = False,
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
    from dockerlab.session import open_session

    may_restart = allow_daemon_changes or sandbox or dry_run
    until = leases.read_ttl(ttl, datetime.now(timezone.utc))
    definition = o.load_lab(lab, settings, warn=True)
    where = o.whereabouts(sandbox, inventory, accept_new_host_keys)
    if students is not None:
        if show_changes or changes_file is not None:
            raise UsageError("--show-changes and --changes are for one lab: leave --students out")
        from dockerlab.provision.up import Wish

        wish = Wish(pull.value, until, may_restart)
        of_class.up(
            lab, settings, students, where, subnets, wish, dry_run=dry_run, keep_failed=keep_failed,
            no_verify=no_verify, prober=prober, form=form, output=output, verbose=verbose,
        )  # fmt: skip
        return
    with open_session(definition.addresses, where, o.say) as session:
        # Imported while the hosts are connected to.
        from dockerlab.cli.progress import Progress
        from dockerlab.identity import current
        from dockerlab.lock import lock_name, locked
        from dockerlab.provision.execute import WhileLocked
        from dockerlab.provision.up import Wish, carry_out, make_again, plan_up

        who = current(definition.name)
        wish = Wish(pull.value, until, may_restart)
        planned = partial(plan_up, definition, who, session.hosts, session.controller)
        if dry_run:
            plan, _ = planned(wish)
            _say_settings(plan)
            o.write(described(plan), output)
            return
        with locked(session.hosts, [lock_name(who.lab, who.instance)]) as locks:
            plan, _ = planned(wish, locks)
            _say_settings(plan)
            undo = o.same_place(f"dockerlab down {shlex.quote(lab)}", sandbox, inventory)
            with (
                closing(Progress(len(plan.steps), verbose=verbose)) as shown,
                changes.shown(
                    WhileLocked(shown, locks), session.hosts, show=show_changes, output=changes_file
                ) as progress,
            ):
                if not no_verify:
                    o.import_beside("dockerlab.verify.on_hosts", "dockerlab.cli.verify", "dockerlab.report.as_table")
                done = carry_out(plan, session.hosts, progress, keep_failed=keep_failed, undo=undo)
                again = Wish(daemons=may_restart)
                make_again(done, lambda: planned(again)[0], session.hosts, progress, o.say, undo)
        o.say(f"{definition.name}: {_counts(plan)}")
        if isinstance(until, datetime):
            o.say(f"{definition.name}: {leases.told(until, datetime.now(timezone.utc))} ({until:%F %R} UTC)")
        if not no_verify:
            from dockerlab.cli.verify import finish
            from dockerlab.verify import on_hosts

            if plan.changes:
                report = on_hosts.verify_new(definition, session.hosts, prober.value, o.say)
            else:
                report = on_hosts.verify(definition, session.hosts, prober.value)
            finish(report, form, output, why=why)


def _say_settings(plan: Plan) -> None:
    """Show what becomes of the engines' own settings."""
    for step in plan.steps:
        if step.key.kind == "daemon" and step.why:
            o.say(step.why)


def described(plan: Plan) -> str:
    """Return what would be done, an object a line, and the total."""
    objects = [step for step in plan.ordered() if step.action != "clear" and step.key.name != "invite"]
    return "".join(f"{step.action:<9} {step.key}\n" for step in objects) + f"would be: {_counts(plan)}\n"


def _counts(plan: Plan) -> str:
    counts = plan.counts()
    if not plan.changes:
        return "no change: everything is as the definition says"
    words = {"create": "created", "recreate": "recreated", "remove": "removed", "keep": "kept"}
    return ", ".join(f"{counts[action]} {word}" for action, word in words.items() if counts[action])
