"""Where a call says that hosts are: the same three options for every command that asks hosts."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from inspect import Parameter, getdoc, signature
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from dockerlab.cli.output import say
from dockerlab.errors import DeadlineExceeded, HostError, TransportError, UsageError

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


VARIABLE = "DOCKERLAB_SANDBOX"
"""The variable of the environment that says `--sandbox` for every call that does not say where hosts are."""

YES, NO = ("1", "yes", "true", "on"), ("", "0", "no", "false", "off")


@dataclass(frozen=True)
class Places:
    """What a call says about where hosts are; `always`, where the environment says `--sandbox`, and not the call."""

    sandbox: bool = False
    inventory: Path | None = None
    accept_new_host_keys: bool = False
    always: bool = False

    @property
    def said(self) -> bool:
        """Tell whether the call itself names hosts by one of the options."""
        return self.named and not self.always

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

    @contextmanager
    def open(self, names: Mapping[str, str | None]) -> Iterator[Session]:
        """Give the open hosts; `names` are those that are wanted, with the addresses that they have.

        The hosts are connected to while what comes next is imported.
        """
        from dockerlab.session import open_session

        with self.pointing_out(), open_session(names, self.whereabouts(), say) as session:
            yield session

    @contextmanager
    def pointing_out(self) -> Iterator[None]:
        """Let what a host fails by say so where it may be that the sandbox was meant."""
        try:
            yield
        except (DeadlineExceeded, TransportError):
            raise  # there was a host, and something ran on it
        except HostError as error:
            forgotten = self.forgotten()
            if forgotten:
                error.args = (f"{error}\n{forgotten}",)
            raise

    def forgotten(self) -> str:
        """Return what is to be said where a host fails, and hosts of a sandbox are there; empty where none is meant."""
        if self.named:
            return ""
        from dockerlab import sandbox

        there = sandbox.hosts_there()
        if not there:
            return ""
        return (
            f"a sandbox is on this machine ({', '.join(there)}), and this call does not name it: add --sandbox, or say "
            f"it once for all calls with 'export {VARIABLE}=1'"
        )

    def say_failures(self, failures: Iterable[HostError]) -> None:
        """Say why hosts did not answer, and once for all of them what may have been forgotten."""
        told = list(dict.fromkeys(map(str, failures)))
        for line in (*told, *filter(None, [self.forgotten() if told else ""])):
            say(line)

    def empty(self) -> bool:
        """Tell whether a sandbox's hosts are meant where there is no sandbox: nothing can be on them."""
        if not self.sandbox or self.inventory is not None:
            return False
        from dockerlab import sandbox

        return not sandbox.hosts_there()

    def local(self, taken: Collection[str] = ()) -> str:
        """Return what this machine, which a definition calls `local`, is called where the call says that hosts are.

        In the sandbox and by an inventory it is another machine: the first of those that are not `taken` by other
        hosts of the definition. Somebody who looks for it finds it by that name alone. Raises UsageError and
        DefinitionError for an inventory that cannot be read.
        """
        from dockerlab.hosts.address import LOCAL

        if self.sandbox == (self.inventory is not None):  # nothing is said, or too much, and a session says so
            return LOCAL
        if self.inventory is not None:
            from dockerlab.hosts.inventory_file import read_inventory

            names: Iterable[str] = read_inventory(self.inventory).addresses
            return LOCAL if LOCAL in names else next((name for name in names if name not in taken), LOCAL)
        from dockerlab.sandbox.layout import host_name

        return next(name for name in map(host_name, count()) if name not in taken)

    def again(self, command: str) -> str:
        """Return a command with the options by which it finds the hosts where this call found them."""
        if self.inventory is not None:
            return f"{command} --inventory {shlex.quote(str(self.inventory))}"
        return f"{command} --sandbox" if self.sandbox and not self.always else command


HERE = Places()
"""What a call says that has none of the options."""

WHERE = "where"
"""The parameter of a command in whose place its options stand."""

OPTIONS = {"sandbox": SandboxOption, "inventory": InventoryOption, "accept_new_host_keys": AcceptOption}


def placed(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command as typer is to see it: with the three options in place of its parameter `where`.

    Where neither they nor `--host` say where hosts are, the environment may.
    """
    return spread(command, WHERE, Places, OPTIONS, HERE, beside=by_environment)


def by_environment(places: Places, given: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> Places:
    """Return where hosts are, as the environment has it where the call says nothing; raises UsageError."""
    value = environment.get(VARIABLE, "").strip()
    # A program of the sandbox has the same variable, as a mark: a path. Inside, there is no sandbox to be meant.
    if places.named or given.get("host") or value.lower() in NO or value.startswith("/"):
        return places
    if value.lower() not in YES:
        raise UsageError(
            f"{VARIABLE}={value}: write 1 where --sandbox is meant for every call, 0 where it is not, or a "
            "sandbox's name"
        )
    return replace(places, sandbox=True, always=True)


def expected(environment: Mapping[str, str] = os.environ) -> Places:
    """Return where hosts are to be expected by a call that asks none of them."""
    value = environment.get(VARIABLE, "").strip()
    return HERE if value.lower() in NO or value.startswith("/") else replace(HERE, sandbox=True, always=True)


def spread(
    command: Callable[..., None],
    place: str,
    kind: Callable[..., Any],
    options: Mapping[str, Any],
    defaults: Any,
    *,
    beside: Callable[[Any, Mapping[str, Any]], Any] = lambda whole, _: whole,
) -> Callable[..., None]:
    """Return a command as typer is to see it: with options in place of a parameter that takes them all as one.

    They are by name what `kind` is made of; `defaults` has what each is where the call says nothing. `beside` makes of
    it, and of all else that is given, what the command gets.
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
        command(**given, **{place: beside(whole, given)})

    call.__name__, call.__doc__, call.__module__ = command.__name__, getdoc(command), command.__module__
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    call.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    return call
