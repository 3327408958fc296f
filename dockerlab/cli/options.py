"""The options that several commands share, and what they mean."""

from __future__ import annotations

import threading
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dockerlab.cli import completion
from dockerlab.cli.definitions import Given
from dockerlab.errors import UsageError

if TYPE_CHECKING:
    from dockerlab.versions import Engine

ENGINE = "28.5"
"""The version of the engine where none is asked and none is named."""

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
LabOrHosts = Annotated[
    str | None,
    typer.Argument(
        metavar="LAB",
        help="A YAML file, or the name of a packaged lab; without it, what runs on the hosts.",
        autocompletion=completion.labs,
    ),
]
SetOption = Given | None
"""What is said of a definition beside its name: `definitions.with_options` puts the options in its place."""
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
AmongOption = Annotated[
    str | None,
    typer.Option("--students", metavar="CLASS", help="With --student: the class, a number or a roster in CSV."),
]
SubnetsOption = Annotated[
    str | None,
    typer.Option("--subnets", metavar="RANGE", help="From where instances get subnets; else 198.18.0.0/15."),
]
AsIsOption = Annotated[
    bool, typer.Option("--as-is", help="Hold what is observed against what is predicted of the hosts as they are.")
]
HelperOption = Annotated[
    bool,
    typer.Option("--allow-helper", help="Without LAB: a container may be made where nothing else can ask a cell."),
]
WhyOption = Annotated[bool, typer.Option("--why", help="Explain every cell of the matrix.")]


class Format(str, Enum):
    """How a report is printed."""

    TABLE = "table"
    JSON = "json"
    HTML = "html"
    JUNIT = "junit"
    MARKDOWN = "markdown"


class WordsFormat(str, Enum):
    """How what is told in words is printed."""

    TABLE = "table"
    JSON = "json"
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
WordsOption = Annotated[WordsFormat, typer.Option("--format", help="With --against: how what differs is printed.")]
ListOption = Annotated[ListFormat, typer.Option("--format", help="How the list is printed.")]


def checked_engine(engine: str, option: str = "--engine") -> Engine:
    """Return the engine that a call names; raises UsageError for what is none."""
    from dockerlab.versions import named

    try:
        return named(engine)
    except ValueError as error:
        raise UsageError(f"{option} {engine}: {error}") from None


def import_beside(*modules: str) -> None:
    """Begin to import what is needed after something that takes its time: the work of a host, for example."""
    threading.Thread(target=lambda: [import_module(name) for name in modules], name="import", daemon=True).start()
