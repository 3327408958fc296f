"""`dockerlab schema` and `dockerlab labs`: what a definition may say, and the definitions that come along."""

from __future__ import annotations

import json

from dockerlab.cli import options as o
from dockerlab.cli.output import tell, write


def schema(output: o.OutputOption = None) -> None:
    """Print the JSON Schema of a definition, for editors."""
    from dockerlab import modes
    from dockerlab.lab.schema import schema as describe

    write(json.dumps(describe(modes.network_types()), indent=2) + "\n", output)


def labs() -> None:
    """List the packaged labs, which `up` and the others take by name."""
    from dockerlab.lab.catalog import names

    found = names()
    width = max((len(name) for name, _ in found), default=0)
    tell("".join(f"{name:<{width}}  {title}\n" for name, title in found))
