"""Every exception that dockerlab raises on purpose.

    DockerlabError                 exit code 4 unless a subclass says otherwise
    ├── UsageError            (2)  the call is wrong: no such lab, a bad option value
    │   └── DefinitionError   (2)  the definition is wrong: carries every located problem at once
    ├── HostError             (4)  a host or its engine failed; names the host
    │   ├── ConnectError      (4)  no connection was made: nothing has run on that host
    │   │   └── HostKeyError  (4)  the host's key is unknown or has changed
    │   ├── TransportError    (4)  the connection was lost: what ran last may or may not have happened
    │   ├── DeadlineExceeded  (4)  a command did not end in time
    │   └── EngineError       (4)  the Docker engine did not answer, or answered with an error
    ├── ConflictError         (4)  something foreign stands where the lab wants to build
    │   └── LockLost          (4)  somebody else may be changing the lab by now
    ├── ExecutionError        (4)  a rendered command failed; carries its result
    ├── SandboxError          (4)  this machine cannot (yet) hold the sandbox
    ├── OutputError          (74)  standard output cannot be written: it is full, or closed
    ├── ReaderGone          (141)  nobody reads standard output any more
    └── Interrupted         (130)  stopped by the user

A message says what happened, where, and what to do now; `str(error)` is printed as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


class DockerlabError(Exception):
    """Anything that dockerlab stops for and can explain."""

    exit_code: ClassVar[int] = 4


class UsageError(DockerlabError):
    """The call is wrong."""

    exit_code: ClassVar[int] = 2


@dataclass(frozen=True, order=True)
class Located:
    """One thing that is wrong in a definition, and where it stands (line and column count from 1)."""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}"
        return f"{where}: {self.path}: {self.message}" if self.path else f"{where}: {self.message}"


class DefinitionError(UsageError):
    """The definition is wrong; `problems` holds every mistake, in the order of the file."""

    def __init__(self, problems: Sequence[Located]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class HostError(DockerlabError):
    """A host or its engine failed."""

    def __init__(self, host: str, message: str) -> None:
        self.host = host
        super().__init__(f"{host}: {message}")


class ConnectError(HostError):
    """No connection was made; nothing has run on the host."""


class HostKeyError(ConnectError):
    """The host's key is unknown or is not the one that is recorded."""


class TransportError(HostError):
    """The connection was lost while something ran; whether it took effect is not known."""


class DeadlineExceeded(HostError):
    """A command did not end in the time it was given; whether it took effect is not known."""


class EngineError(HostError):
    """The Docker engine of a host did not answer or refused a read."""


class ConflictError(DockerlabError):
    """Something that the lab does not own stands where it wants to build."""


class LockLost(ConflictError):
    """The lab's lock was let go of while it was needed: somebody else may have changed the lab since, or be at it."""


class ExecutionError(DockerlabError):
    """One or more rendered commands failed."""


class SandboxError(DockerlabError):
    """This machine cannot hold the sandbox, or the sandbox is broken."""


class OutputError(DockerlabError):
    """Standard output cannot be written; the exit code is EX_IOERR of sysexits.h."""

    exit_code: ClassVar[int] = 74


class ReaderGone(DockerlabError):
    """Nobody reads standard output any more; the exit code is what a shell makes of SIGPIPE, 128 + 13."""

    exit_code: ClassVar[int] = 141


class Interrupted(DockerlabError):
    """Stopped by the user."""

    exit_code: ClassVar[int] = 130
