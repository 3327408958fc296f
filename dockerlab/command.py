"""What is to run on a host, and what came of it.

A `Command` is an argument vector, never a shell line. Each group of arguments carries its reason, so that
what `dockerlab render` explains is the very thing that runs.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Variable:
    """An argument that only an earlier command's output can tell, such as a Swarm join token.

    In a script it is a shell variable that must be set; `hint` says how to get its value.
    """

    name: str
    hint: str

    def shell(self) -> str:
        """Return the double-quoted shell expansion, which fails with the hint when it is unset."""
        return '"${' + self.name + ":?" + self.hint + '}"'


Argument = str | Variable


@dataclass(frozen=True)
class Part:
    """Arguments that belong together (a flag and its value) and why they are there."""

    arguments: tuple[Argument, ...]
    why: str = ""


@dataclass(frozen=True)
class Command:
    """One argument vector for one host.

    `stores` names the variable that receives the command's standard output, stripped. `waits_for` are texts on
    standard error that mean "not yet": the same command is tried again for a while. `feeds` gives what standard
    input is to read, in chunks.
    """

    host: str
    parts: tuple[Part, ...]
    why: str = ""
    stores: str | None = None
    waits_for: tuple[str, ...] = ()
    feeds: Callable[[], Iterable[bytes]] | None = field(default=None, compare=False)

    @property
    def argv(self) -> tuple[Argument, ...]:
        """Return all arguments in order, variables unresolved."""
        return tuple(argument for part in self.parts for argument in part.arguments)

    def resolve(self, values: Mapping[str, str]) -> tuple[str, ...]:
        """Return the argument vector with every variable replaced; raises KeyError for a missing one."""
        return tuple(values[a.name] if isinstance(a, Variable) else a for a in self.argv)

    def shell(self) -> str:
        """Return one line for `sh` that gives exactly this argument vector."""
        return " ".join(a.shell() if isinstance(a, Variable) else shlex.quote(a) for a in self.argv)


@dataclass(frozen=True)
class Result:
    """What a finished command gave: its exit code, both streams, and its duration in seconds."""

    argv: tuple[str, ...]
    rc: int
    stdout: bytes
    stderr: bytes
    seconds: float

    @property
    def ok(self) -> bool:
        """Tell whether the exit code is 0."""
        return self.rc == 0

    @property
    def text(self) -> str:
        """Return standard output as text, undecodable bytes replaced."""
        return self.stdout.decode(errors="replace")

    @property
    def error(self) -> str:
        """Return standard error as text without surrounding blank space, or standard output where it is empty."""
        return (self.stderr.strip() or self.stdout.strip()).decode(errors="replace")
