"""What a call says of a definition beside its name: the same options for every command that reads one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import Parameter, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

if TYPE_CHECKING:
    from dockerlab.compose.options import Options

SETTINGS = "settings"
"""The parameter of a command in whose place its options stand."""


@dataclass(frozen=True)
class Given:
    """Values for a definition's vars, and how a Compose file is to be read."""

    set_: tuple[str, ...] = ()
    file: tuple[Path, ...] = ()
    profile: tuple[str, ...] = ()
    project_name: str | None = None
    env_file: tuple[Path, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether anything was given."""
        return bool(self.set_ or self.file or self.profile or self.project_name or self.env_file)

    def options(self) -> Options:
        """Return how a Compose file is to be read, with the environment of this call."""
        from dockerlab.compose.options import Options

        return Options(self.file, self.profile, self.project_name, self.env_file)


OPTIONS: dict[str, Any] = {
    "set_": Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Override one of the definition's vars.")
    ],
    "file": Annotated[
        list[Path] | None,
        typer.Option("-f", "--file", metavar="FILE", help="Of a Compose file: one more to lay over it."),
    ],
    "profile": Annotated[
        list[str] | None,
        typer.Option("--profile", metavar="NAME", help="Of a Compose file: a profile that is on; * for all."),
    ],
    "project_name": Annotated[
        str | None,
        typer.Option("--project-name", metavar="NAME", help="Of a Compose file: what its project is called."),
    ],
    "env_file": Annotated[
        list[Path] | None,
        typer.Option("--env-file", metavar="FILE", help="Of a Compose file: variables, instead of those in .env."),
    ],
}


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command as typer is to see it: with these options in place of its parameter `settings`."""
    own = signature(command)
    if SETTINGS not in own.parameters:
        return command
    hints = get_type_hints(command, include_extras=True)
    parameters: list[Parameter] = []
    for parameter in own.parameters.values():
        if parameter.name != SETTINGS:
            parameters.append(parameter.replace(annotation=hints[parameter.name]))
            continue
        for name, option in OPTIONS.items():
            parameters.append(Parameter(name, parameter.kind, default=None, annotation=option))

    def call(**given: Any) -> None:
        taken = {name: given.pop(name) for name in OPTIONS}
        command(**given, settings=given_of(taken))

    call.__name__, call.__doc__, call.__module__ = command.__name__, command.__doc__, command.__module__
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    call.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    return call


def given_of(taken: Mapping[str, Any]) -> Given:
    """Return what typer found of the options, by their names."""
    several = {name: tuple(taken.get(name) or ()) for name in OPTIONS if name != "project_name"}
    return Given(**several, project_name=taken.get("project_name"))
