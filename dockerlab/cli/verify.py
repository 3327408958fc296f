"""`dockerlab verify`: probe and compare."""

from __future__ import annotations

import shutil
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from dockerlab.cli import options as o
from dockerlab.cli import students as of_class

if TYPE_CHECKING:
    from dockerlab.verify import Report


def verify(
    lab: o.LabArgument,
    settings: o.SetOption = None,
    sandbox: o.SandboxOption = False,
    inventory: o.InventoryOption = None,
    accept_new_host_keys: o.AcceptOption = False,
    student: o.StudentOption = None,
    subnets: o.SubnetsOption = None,
    prober: o.ProberOption = o.ProberChoice.AUTO,
    why: o.WhyOption = False,
    form: o.FormatOption = o.Format.TABLE,
    output: o.OutputOption = None,
) -> None:
    """Probe every cell of the matrix and hold it against the prediction."""
    from dockerlab.session import open_session

    where = o.whereabouts(sandbox, inventory, accept_new_host_keys)
    if student is not None:
        from dockerlab.verify import on_hosts

        with of_class.instance_of(lab, settings, student, where, subnets) as (instance, session):
            finish(on_hosts.verify(instance.lab, session.hosts, prober.value, student), form, output, why=why)
    definition = o.load_lab(lab, settings)
    with open_session(definition.addresses, where, o.say) as session:
        from dockerlab.verify import on_hosts  # while the hosts are connected to

        finish(on_hosts.verify(definition, session.hosts, prober.value), form, output, why=why)


def finish(report: Report, form: o.Format, output: Path | None, *, why: bool) -> None:
    """Print a report in the wanted format and end with its exit code."""
    from dockerlab.report.matrices import total

    o.write(_rendered(report, form, why=why), output)
    for paragraph in report.ended:
        o.say(paragraph)
    if output is not None:
        o.say(total(report))
    raise typer.Exit(report.exit_code)


def _rendered(report: Report, form: o.Format, *, why: bool) -> str:
    if form is o.Format.TABLE:
        from dockerlab.report import as_table

        return as_table.render(report, shutil.get_terminal_size((100, 24)).columns, why=why)
    if form is o.Format.HTML:
        from dockerlab.identity import current
        from dockerlab.provision import scripts
        from dockerlab.report import as_html

        lab = report.world.lab if report.world is not None else None
        return as_html.render(report, scripts.commands_of(lab, current(lab.name)) if lab is not None else {})
    text: str = import_module(f"dockerlab.report.as_{form.value}").render(report)
    return text
