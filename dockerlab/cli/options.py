"""The options that several commands share, and what they mean."""

from __future__ import annotations

import os
import re
import secrets
import shlex
import stat
import sys
import threading
from collections.abc import Mapping
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dockerlab.cli import completion
from dockerlab.errors import Located, UsageError
from dockerlab.plain import for_terminal

if TYPE_CHECKING:
    from dockerlab.lab.loader import Definition
    from dockerlab.lab.model import Lab
    from dockerlab.session import Whereabouts

LabArgument = Annotated[
    str,
    typer.Argument(metavar="LAB", help="A YAML file, or the name of a packaged lab.", autocompletion=completion.labs),
]
LabOrName = Annotated[
    str, typer.Argument(metavar="LAB", help="A YAML file, or just a lab's name.", autocompletion=completion.labs)
]
OptionalLab = Annotated[
    str | None, typer.Argument(metavar="LAB", help="A YAML file, or just a lab's name.", autocompletion=completion.labs)
]
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
HostOption = Annotated[
    list[str] | None, typer.Option("--host", metavar="ADDRESS", help="A host to look at: ssh://…, an alias, local.")
]
OutputOption = Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write there instead.")]
VerboseOption = Annotated[bool, typer.Option("-v", "--verbose", help="Show every command with its host and time.")]
StudentsOption = Annotated[
    str | None,
    typer.Option("--students", metavar="CLASS", help="An instance for each student: a number, or a roster in CSV."),
]
ClassOption = Annotated[
    str, typer.Option("--students", metavar="CLASS", help="The students: a number, or a roster in CSV.")
]
StudentOption = Annotated[
    str | None, typer.Option("--student", metavar="ID", help="One student's instance, such as s07-ada.")
]
SubnetsOption = Annotated[
    str | None,
    typer.Option("--subnets", metavar="RANGE", help="From where instances get subnets; else 198.18.0.0/15."),
]
WhyOption = Annotated[bool, typer.Option("--why", help="Explain every cell of the matrix.")]


class Format(str, Enum):
    """How a report is printed."""

    TABLE = "table"
    JSON = "json"
    HTML = "html"
    JUNIT = "junit"
    MARKDOWN = "markdown"


class ListFormat(str, Enum):
    """How what exists is listed."""

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
FormatOption = Annotated[
    Format, typer.Option("--format", help="How the matrix is printed; html is one page that needs nothing else.")
]
ListOption = Annotated[ListFormat, typer.Option("--format", help="How the list is printed.")]


def whereabouts(sandbox: bool, inventory: Path | None, accept_new_host_keys: bool) -> Whereabouts:
    """Return what the call says about where hosts are."""
    from dockerlab.hosts.address import SshOptions
    from dockerlab.hosts.passwords import Prompt, from_environment
    from dockerlab.session import Whereabouts

    password = from_environment(os.environ)
    options = SshOptions(accept_new_host_keys=accept_new_host_keys, password=password, ask=Prompt())
    return Whereabouts(sandbox, inventory, options)


def checked_engine(engine: str) -> str:
    """Return the version of an engine that a call names; raises UsageError for what is none."""
    if not re.match(r"\d+\.\d+", engine):
        raise UsageError(f"--engine {engine}: write a version of the Docker engine, such as 20.10 or 28.5")
    return engine


def load_lab(lab: str, settings: list[str] | None, *, warn: bool = False) -> Lab:
    """Return the checked definition that a path or a packaged name means; raises DefinitionError or UsageError.

    With `warn`, what works but misleads is said.
    """
    definition, warnings = read_lab(lab, settings, os.environ if warn else None)
    for warning in warnings if warn else ():
        say(f"warning: {warning}")
    return definition


def read_lab(
    lab: str, settings: list[str] | None, environment: Mapping[str, str] | None = None
) -> tuple[Lab, list[Located]]:
    """Return a checked definition and what in it works but misleads, with its place.

    With an `environment`, that it lacks what containers are to get from it misleads as well.
    """
    from dockerlab import modes
    from dockerlab.lab.check import absent, warnings
    from dockerlab.lab.lint import LINTS

    found = definition_of(lab, settings)
    problems = [*warnings(found.lab), *(p for each in (*LINTS, modes.lint) for p in each(found.lab))]
    problems += absent(found.lab, environment) if environment is not None else ()
    return found.lab, found.locate(problems)


def definition_of(lab: str, settings: list[str] | None) -> Definition:
    """Return a checked definition that knows the place of everything in it; raises DefinitionError or UsageError."""
    from dockerlab import modes
    from dockerlab.lab.catalog import find
    from dockerlab.lab.loader import read, text_of

    overrides = {}
    for setting in settings or ():
        name, equals, value = setting.partition("=")
        if not equals or not name:
            raise UsageError(f"--set {setting}: write it as NAME=VALUE")
        overrides[name] = value
    path = find(lab)
    return read(text_of(path), str(path), networks=modes.network_types(), checks=[modes.check], overrides=overrides)


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
        if not is_name(lab):
            raise
        return lab, fallback
    return definition.name, given or definition.addresses


def definition_or_none(lab: str | None) -> Lab | None:
    """Return the definition that a call of `down` names, or None where it names no file."""
    try:
        return load_lab(lab, None) if lab is not None else None
    except UsageError:
        return None  # just a name: `name_and_hosts` has seen to it that it is one


def is_name(lab: str) -> bool:
    """Tell whether a word may be the name of a lab, and not only that of a file."""
    return re.fullmatch(r"[a-z0-9][a-z0-9_-]*", lab) is not None


def _short(address: str) -> str:
    """Return a name for a host that the call gives by its address alone."""
    return address.partition("://")[2] or address


def same_place(command: str, sandbox: bool, inventory: Path | None) -> str:
    """Return a command with the options by which it finds the hosts where this call found them."""
    if inventory is not None:
        return f"{command} --inventory {shlex.quote(str(inventory))}"
    return f"{command} --sandbox" if sandbox else command


def import_beside(*modules: str) -> None:
    """Begin to import what is needed after something that takes its time: the work of a host, for example."""
    threading.Thread(target=lambda: [import_module(name) for name in modules], name="import", daemon=True).start()


def say(line: str) -> None:
    """Print a line of progress, which goes to standard error."""
    sys.stderr.write(for_terminal(line) + "\n")
    sys.stderr.flush()


def write(text: str, output: Path | None) -> None:
    """Print machine output, or put it into a file; raises UsageError where that cannot be written."""
    if output is None:
        sys.stdout.write(for_terminal(text) if sys.stdout.isatty() else text)
        return
    try:
        _put(text, output)
    except OSError as error:
        raise UsageError(f"cannot write {output}: {error.strerror}") from None


def _put(text: str, output: Path) -> None:
    """Write a file that is there whole or not at all; what is there and is no file, such as /dev/null, stays that."""
    if os.path.lexists(output) and not stat.S_ISREG(output.lstat().st_mode):
        output.write_text(text, encoding="utf-8")
        return
    # A name that nobody can know, and made anew: in a directory for all, somebody else may have put a link there.
    beside = output.with_name(f".{output.name}.{secrets.token_hex(8)}")
    try:
        with beside.open("x", encoding="utf-8") as file:
            file.write(text)
        beside.replace(output)
    finally:
        beside.unlink(missing_ok=True)
