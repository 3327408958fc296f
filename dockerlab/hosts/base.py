"""What every host can do, however it is reached."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from dockerlab.command import Result

Input = bytes | Iterable[bytes]

ENGINE = ("docker", "system", "dial-stdio")
"""The program that joins its streams to the engine's socket, since Docker 18.09; what DOCKER_HOST=ssh://… runs too."""

DEFAULT_TIMEOUT = 120.0
"""Seconds a command may take where the caller does not say otherwise."""


class Conversation(Protocol):
    """A running program whose standard input and output are lines of a dialogue."""

    def send(self, data: bytes) -> None:
        """Write to the program's standard input and flush."""
        ...

    def receive_line(self) -> bytes:
        """Return the next line of standard output with its newline; raises TransportError at its end, with stderr."""
        ...

    def finish(self) -> Result:
        """Close standard input, read both streams to their end, and return what the program gave since."""
        ...

    def abort(self) -> None:
        """Stop the program, whatever it does; never raises."""
        ...


class Host(Protocol):
    """A machine that runs Docker.

    A non-zero exit code is a `Result`. A failure of the transport is an exception. They are never confused.
    """

    @property
    def name(self) -> str:
        """Return the host's name in the lab."""
        ...

    @property
    def address(self) -> str | None:
        """Return the address or name under which the host is reached, or None for the local machine."""
        ...

    @property
    def channels(self) -> int:
        """Return how many commands may run at once."""
        ...

    def begin(self) -> None:
        """Return at once, and begin meanwhile with what the next use of the engine needs: a connection, `ENGINE`."""
        ...

    def run(self, argv: Sequence[str], *, input: Input | None = None, timeout: float = DEFAULT_TIMEOUT) -> Result:  # noqa: A002 - as in subprocess
        """Run a program without a shell's interpretation and wait for it.

        Raises ConnectError when nothing was started, TransportError when the connection was lost, and
        DeadlineExceeded after `timeout` seconds.
        """
        ...

    def converse(self, argv: Sequence[str], *, timeout: float = DEFAULT_TIMEOUT) -> Conversation:
        """Start a program and return the dialogue with it; every read has to end within `timeout` seconds."""
        ...

    def stream(self, argv: Sequence[str], *, timeout: float = DEFAULT_TIMEOUT) -> Iterable[bytes]:
        """Yield standard output in chunks; raises HostError with its standard error if the exit code is not 0."""
        ...

    def attach(self, argv: Sequence[str], *, terminal: bool) -> int:
        """Run a program with our own standard streams for its own and return its exit code; it may take any time.

        With `terminal` it has one: ours, or one that follows it. Raises ConnectError when nothing was started,
        TransportError when the connection was lost.
        """
        ...

    def close(self) -> None:
        """Release the connection; safe to call twice."""
        ...
