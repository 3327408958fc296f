"""What is to run on a host, and what came of it.

A `Command` is an argument vector, never a shell line. Each group of arguments carries its reason, so that
what `dockerlab render` explains is the very thing that runs.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace


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

HANDOVER = 'eval "$(cat)"; exec "$@"'
"""A shell that takes what `exports` gives on standard input, and then is the command."""


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
    input is to read, in chunks; where that is a `text`, a script shows it. `takes` are variables of this process's
    environment that the command gets as its own: they travel on its standard input, so that their values stand in no
    argument vector, which everybody may read.
    """

    host: str
    parts: tuple[Part, ...]
    why: str = ""
    stores: str | None = None
    waits_for: tuple[str, ...] = ()
    feeds: Callable[[], Iterable[bytes]] | None = field(default=None, compare=False)
    text: str | None = None
    takes: tuple[str, ...] = ()

    @property
    def argv(self) -> tuple[Argument, ...]:
        """Return all arguments in order, variables unresolved."""
        return tuple(argument for part in self.parts for argument in part.arguments)

    def resolve(self, values: Mapping[str, str]) -> tuple[str, ...]:
        """Return the argument vector with every variable replaced; raises KeyError for a missing one."""
        return tuple(values[a.name] if isinstance(a, Variable) else a for a in self.argv)

    def given(self) -> Iterable[bytes] | None:
        """Return what standard input is to read, None for nothing."""
        if self.feeds is not None:
            return self.feeds()
        return None if self.text is None else [self.text.encode()]

    def started(self, argv: Sequence[str]) -> tuple[str, ...]:
        """Return how to start the resolved vector: as it is, or so that it reads the variables that it takes."""
        return ("sh", "-c", HANDOVER, "sh", *argv) if self.takes else tuple(argv)

    def shell(self) -> str:
        """Return one line for `sh` that gives exactly this argument vector."""
        return self.piped(" ".join(a.shell() if isinstance(a, Variable) else shlex.quote(a) for a in self.argv))

    def told(self) -> str:
        """Return the command for a message: without what it reads, which may be long."""
        return replace(self, text=None).shell()

    def piped(self, line: str) -> str:
        """Return a line for `sh` that also gives the command what it has to read."""
        if self.text is None:
            return line
        if "\n" in self.text[:-1] and self.text.endswith("\n") and "END" not in self.text.splitlines():
            return f"{line} <<'END'\n{self.text}END"
        return f"printf %s {shlex.quote(self.text)} | {line}"


def exports(names: Iterable[str], environment: Mapping[str, str] = os.environ) -> Iterator[bytes]:
    """Yield the shell's statements that give it variables of an environment, and none where that has none."""
    for name in names:
        line = f"export {name}={shlex.quote(environment[name])}\n" if name in environment else f"unset {name}\n"
        yield line.encode(errors="surrogateescape")


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
