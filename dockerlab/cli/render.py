"""`dockerlab render`: the commands, each flag with its reason."""

from __future__ import annotations

from typing import Annotated

import typer

from dockerlab.cli import options as o


def render(
    lab: o.LabArgument,
    settings: o.SetOption = None,
    host: Annotated[str | None, typer.Option("--host", metavar="NAME", help="Only this host's part.")] = None,
    output: o.OutputOption = None,
) -> None:
    """Print the lab's commands as a shell script for each host, every flag with its reason."""
    from dockerlab import scripts
    from dockerlab.identity import current

    definition = o.load_lab(lab, settings)
    o.write(scripts.of(definition, current(definition.name), host), output)
