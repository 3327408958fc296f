"""Where a call says that hosts are: the same three options for every command that asks hosts."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from inspect import Parameter, getdoc, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from dockerlab.cli.output import say

if TYPE_CHECKING:
    from dockerlab.session import Session, Whereabouts

SandboxOption = Annotated[
    bool, typer.Option("--sandbox", help="Use vm0, vm1, … on this machine, and start them if they are not there.")
]
InventoryOption = Annotated[
    Path | None, typer.Option("--inventory", metavar="FILE", help="A file that says where the lab's hosts are.")
]
AcceptOption = Annotated[
    bool, typer.Option("--accept-new-host-keys", help="Record the key of a host that is not known yet.")
]


@dataclass(frozen=True)
class Places:
    """What a call says about where hosts are."""

    sandbox: bool = False
    inventory: Path | None = None
    accept_new_host_keys: bool = False

    @property
    def named(self) -> bool:
        """Tell whether hosts are named here, and not by a definition or by their addresses."""
        return self.sandbox or self.inventory is not None

    def whereabouts(self) -> Whereabouts:
        """Return the same as a session takes it, with the passwords of the environment or the terminal."""
        from dockerlab.hosts.address import SshOptions
        from dockerlab.hosts.passwords import Prompt, from_environment
        from dockerlab.session import Whereabouts

        password = from_environment(os.environ)
        options = SshOptions(accept_new_host_keys=self.accept_new_host_keys, password=password, ask=Prompt())
        return Whereabouts(self.sandbox, self.inventory, options)

    def open(self, names: Mapping[str, str | None]) -> AbstractContextManager[Session]:
        """Return a context with the open hosts; `names` are those that are wanted, with the addresses that they have.

        The hosts are connected to while what comes next is imported.
        """
        from dockerlab.session import open_session

        return open_session(names, self.whereabouts(), say)

    def again(self, command: str) -> str:
        """Return a command with the options by which it finds the hosts where this call found them."""
        if self.inventory is not None:
            return f"{command} --inventory {shlex.quote(str(self.inventory))}"
        return f"{command} --sandbox" if self.sandbox else command


HERE = Places()
"""What a call says that has none of the options."""

WHERE = "where"
"""The parameter of a command in whose place its options stand."""

OPTIONS = {"sandbox": SandboxOption, "inventory": InventoryOption, "accept_new_host_keys": AcceptOption}


def placed(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command as typer is to see it: with the three options in place of its parameter `where`."""
    return spread(command, WHERE, Places, OPTIONS, HERE)


def spread(
    command: Callable[..., None], place: str, kind: Callable[..., Any], options: Mapping[str, Any], defaults: Any
) -> Callable[..., None]:
    """Return a command as typer is to see it: with options in place of a parameter that takes them all as one.

    They are by name what `kind` is made of; `defaults` has what each is where the call says nothing.
    """
    own, hints = signature(command), get_type_hints(command, include_extras=True)
    parameters: list[Parameter] = []
    for parameter in own.parameters.values():
        if parameter.name != place:
            parameters.append(parameter.replace(annotation=hints[parameter.name]))
            continue
        for name, option in options.items():
            parameters.append(Parameter(name, parameter.kind, default=getattr(defaults, name), annotation=option))

    def call(**given: Any) -> None:
        whole = kind(**{name: given.pop(name) for name in options})
        command(**given, **{place: whole})

    call.__name__, call.__doc__, call.__module__ = command.__name__, getdoc(command), command.__module__
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    call.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    return call
