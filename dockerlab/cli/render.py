"""`dockerlab render`: the commands, each flag with its reason; or the lab as a Compose file."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from dockerlab.cli import loading
from dockerlab.cli import options as o
from dockerlab.cli import students as of_class
from dockerlab.cli.output import write
from dockerlab.cli.places import expected


class RenderFormat(str, Enum):
    """What a lab is written as."""

    SHELL = "shell"
    COMPOSE = "compose"


def render(
    lab: o.LabArgument,
    settings: o.SetOption = None,
    host: Annotated[str | None, typer.Option("--host", metavar="NAME", help="Only this host's part.")] = None,
    student: o.StudentOption = None,
    students: o.AmongOption = None,
    subnets: o.SubnetsOption = None,
    form: Annotated[
        RenderFormat, typer.Option("--format", help="Commands for a shell, or a Compose file for one host.")
    ] = RenderFormat.SHELL,
    output: o.OutputOption = None,
) -> None:
    """Print the lab's commands as a shell script for each host, every flag with its reason; or as a Compose file."""
    from dockerlab.identity import current
    from dockerlab.provision import as_compose, scripts

    whose = of_class.among(student, students)
    if whose is not None:
        definition = of_class.instance_by_names(lab, settings, whose, subnets).lab
    else:
        definition = loading.load_lab(lab, settings, expected())
    if form is RenderFormat.COMPOSE:
        write(as_compose.of(definition, host), output)
    else:
        write(scripts.of(definition, current(definition.name, student), host), output)
