"""`dockerlab up`: create or converge, then verify."""

from __future__ import annotations

from contextlib import closing
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from dockerlab.cli import options as o

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
    prober: o.ProberOption = o.ProberChoice.AUTO,
    why: o.WhyOption = False,
    form: o.FormatOption = o.Format.TABLE,
    output: o.OutputOption = None,
    verbose: o.VerboseOption = False,
) -> None:
    """Create the lab, or change what is there to match, then verify who reaches whom."""
    from dockerlab import lifecycle
    from dockerlab.cli.progress import Progress
    from dockerlab.cli.verify import finish
    from dockerlab.identity import current
    from dockerlab.session import open_session

    definition = o.load_lab(lab, settings, warn=True)
    where = o.whereabouts(sandbox, inventory, accept_new_host_keys)
    with open_session(definition.hosts, where, o.say) as session:
        who = current(definition.name)
        plan, _ = lifecycle.plan_up(definition, who, session.hosts, session.controller, pull.value)
        if dry_run:
            o.write(_described(plan), output)
            return
        with closing(Progress(len(plan.steps), verbose=verbose)) as progress:
            lifecycle.carry_out(plan, session.hosts, progress, keep_failed=keep_failed)
        o.say(f"{definition.name}: {_counts(plan)}")
        if not no_verify:
            if plan.changes:
                report = lifecycle.verify_new(definition, session.hosts, prober.value, o.say)
            else:
                report = lifecycle.verify(definition, session.hosts, prober.value)
            finish(report, form, output, why=why)


def _described(plan: Plan) -> str:
    """Return what would be done, an object a line, and the total."""
    objects = [step for step in plan.ordered() if step.action != "clear" and step.key.name != "invite"]
    return "".join(f"{step.action:<9} {step.key}\n" for step in objects) + f"would be: {_counts(plan)}\n"


def _counts(plan: Plan) -> str:
    counts = plan.counts()
    if not plan.changes:
        return "no change: everything is as the definition says"
    words = {"create": "created", "recreate": "recreated", "remove": "removed", "keep": "kept"}
    return ", ".join(f"{counts[action]} {word}" for action, word in words.items() if counts[action])
