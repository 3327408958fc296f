"""`dockerlab verify`: probe and compare."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from dockerlab.cli import options as o

if TYPE_CHECKING:
    from dockerlab.verify import Report


def verify(
    lab: o.LabArgument,
    settings: o.SetOption = None,
    sandbox: o.SandboxOption = False,
    inventory: o.InventoryOption = None,
    accept_new_host_keys: o.AcceptOption = False,
    prober: o.ProberOption = o.ProberChoice.AUTO,
    why: o.WhyOption = False,
    form: o.FormatOption = o.Format.TABLE,
    output: o.OutputOption = None,
) -> None:
    """Probe every cell of the matrix and hold it against the prediction."""
    from dockerlab import lifecycle
    from dockerlab.session import open_session

    definition = o.load_lab(lab, settings)
    with open_session(definition.hosts, o.whereabouts(sandbox, inventory, accept_new_host_keys), o.say) as session:
        finish(lifecycle.verify(definition, session.hosts, prober.value), form, output, why=why)


def finish(report: Report, form: o.Format, output: Path | None, *, why: bool) -> None:
    """Print a report in the wanted format and end with its exit code."""
    from dockerlab.report import as_json, as_table

    if form is o.Format.JSON:
        text = as_json.render(report)
    else:
        text = as_table.render(report, shutil.get_terminal_size((100, 24)).columns, why=why)
    o.write(text, output)
    for paragraph in report.ended:
        o.say(paragraph)
    if output is not None:
        o.say(as_table.total(report))
    raise typer.Exit(report.exit_code)
