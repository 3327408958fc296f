"""`dockerlab render`: the commands, each flag with its reason."""

from __future__ import annotations

from typing import Annotated

import typer

from dockerlab.cli import loading
from dockerlab.cli import options as o
from dockerlab.cli import students as of_class
from dockerlab.cli.output import write


def render(
    lab: o.LabArgument,
    settings: o.SetOption = None,
    host: Annotated[str | None, typer.Option("--host", metavar="NAME", help="Only this host's part.")] = None,
    student: o.StudentOption = None,
    subnets: o.SubnetsOption = None,
    output: o.OutputOption = None,
) -> None:
    """Print the lab's commands as a shell script for each host, every flag with its reason."""
    from dockerlab.identity import current
    from dockerlab.provision import scripts

    if student is not None:
        made = of_class.instance_by_names(lab, settings, student, subnets)
        write(scripts.of(made.lab, current(made.lab.name, student), host), output)
        return
    definition = loading.load_lab(lab, settings)
    write(scripts.of(definition, current(definition.name), host), output)
