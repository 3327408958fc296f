"""The options that several commands share, and what they mean."""

from __future__ import annotations

import re
import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dockerlab.errors import Located, UsageError

if TYPE_CHECKING:
    from dockerlab.lab.model import Lab
    from dockerlab.session import Whereabouts

LabArgument = Annotated[str, typer.Argument(metavar="LAB", help="A YAML file, or the name of a packaged lab.")]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Override one of the definition's vars.")
]
SandboxOption = Annotated[
    bool, typer.Option("--sandbox", help="Use vm0, vm1, … on this machine, and start them if they are not there.")
]
InventoryOption = Annotated[
    Path | None, typer.Option("--inventory", metavar="FILE", help="A file that says where the lab's hosts are.")
]
AcceptOption = Annotated[
    bool, typer.Option("--accept-new-host-keys", help="Record the key of a host that is not known yet.")
]
OutputOption = Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write there instead.")]
VerboseOption = Annotated[bool, typer.Option("-v", "--verbose", help="Show every command with its host and time.")]
WhyOption = Annotated[bool, typer.Option("--why", help="Explain every cell of the matrix.")]


class Format(str, Enum):
    """How a report is printed."""

    TABLE = "table"
    JSON = "json"


class ProberChoice(str, Enum):
    """Who asks the cells."""

    AUTO = "auto"
    AGENT = "agent"
    PORTABLE = "portable"


ProberOption = Annotated[
    ProberChoice, typer.Option("--prober", help="The agent needs root and Python on the hosts; portable, ping and nc.")
]
FormatOption = Annotated[Format, typer.Option("--format", help="How the matrix is printed.")]


def whereabouts(sandbox: bool, inventory: Path | None, accept_new_host_keys: bool) -> Whereabouts:
    """Return what the call says about where hosts are."""
    from dockerlab.hosts.address import SshOptions
    from dockerlab.session import Whereabouts

    return Whereabouts(sandbox, inventory, SshOptions(accept_new_host_keys=accept_new_host_keys))


def load_lab(lab: str, settings: list[str] | None, *, warn: bool = False) -> Lab:
    """Return the checked definition that a path or a packaged name means; raises DefinitionError or UsageError.

    With `warn`, what works but misleads is said.
    """
    definition, warnings = read_lab(lab, settings)
    for warning in warnings if warn else ():
        say(f"warning: {warning}")
    return definition


def read_lab(lab: str, settings: list[str] | None) -> tuple[Lab, list[Located]]:
    """Return a checked definition and what in it works but misleads, with its place."""
    from dockerlab import modes
    from dockerlab.lab.catalog import find
    from dockerlab.lab.check import warnings
    from dockerlab.lab.lint import LINTS
    from dockerlab.lab.loader import read, text_of

    overrides = {}
    for setting in settings or ():
        name, equals, value = setting.partition("=")
        if not equals or not name:
            raise UsageError(f"--set {setting}: write it as NAME=VALUE")
        overrides[name] = value
    path = find(lab)
    found = read(text_of(path), str(path), networks=modes.network_types(), checks=[modes.check], overrides=overrides)
    problems = [*warnings(found.lab, overrides), *(p for each in (*LINTS, modes.lint) for p in each(found.lab))]
    return found.lab, found.locate(problems)


def name_and_hosts(
    lab: str | None, addresses: list[str] | None, *, named_elsewhere: bool
) -> tuple[str | None, dict[str, str | None]]:
    """Return a lab's name and its hosts, from its definition if there is one; else the hosts that the call names.

    Without a definition and without hosts it is this machine, unless they are `named_elsewhere`.
    """
    given: dict[str, str | None] = {_short(address): address for address in addresses or ()}
    here: dict[str, str | None] = {"local": "local"}
    fallback = given if given or named_elsewhere else here
    if lab is None:
        return None, fallback
    try:
        definition = load_lab(lab, None)
    except UsageError:
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", lab):
            raise
        return lab, fallback
    return definition.name, given or dict(definition.hosts)


def _short(address: str) -> str:
    """Return a name for a host that the call gives by its address alone."""
    return address.partition("://")[2] or address


def say(line: str) -> None:
    """Print a line of progress, which goes to standard error."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def write(text: str, output: Path | None) -> None:
    """Print machine output, or put it into a file, which is there whole or not at all."""
    if output is None:
        sys.stdout.write(text)
        return
    beside = output.with_name(f".{output.name}.new")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(output)
    except OSError as error:
        raise UsageError(f"cannot write {output}: {error.strerror}") from None
