"""A host that is a function, for tests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

from dockerlab.command import Result
from dockerlab.errors import HostError, TransportError
from dockerlab.hosts.base import DEFAULT_TIMEOUT, Conversation, Input
from dockerlab.hosts.process import brief, check

Answer = Result | tuple[int, str | bytes] | tuple[int, str | bytes, str | bytes] | str | bytes
"""A result, `(rc, stdout)`, `(rc, stdout, stderr)`, or the standard output of a success."""

Respond = Callable[[Sequence[str], bytes], Answer]
"""What the host does: from an argument vector and its standard input to an answer; may raise a HostError."""


class FakeHost:
    """A `Host` whose commands are answered by a function; `calls` and `inputs` hold what was run, in order."""

    def __init__(self, name: str, respond: Respond, *, address: str | None = None, channels: int = 8) -> None:
        self.name = name
        self.address = address
        self.channels = channels
        self.calls: list[tuple[str, ...]] = []
        self.inputs: list[bytes] = []
        self._respond = respond
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Do nothing."""

    def run(self, argv: Sequence[str], *, input: Input | None = None, timeout: float = DEFAULT_TIMEOUT) -> Result:  # noqa: A002, ARG002 - the contract
        """Return the function's answer."""
        given = input if isinstance(input, bytes) else b"".join(input or ())
        return self._answer(check(argv), given)

    def converse(self, argv: Sequence[str], *, timeout: float = DEFAULT_TIMEOUT) -> Conversation:  # noqa: ARG002 - the contract
        """Return a dialogue in which the function is asked anew with all that was sent so far."""
        return FakeDialogue(self._answer, check(argv), self.name)

    def stream(self, argv: Sequence[str], *, timeout: float = DEFAULT_TIMEOUT) -> Iterator[bytes]:
        """Yield the answer's standard output."""
        result = self.run(argv, timeout=timeout)
        if result.stdout:
            yield result.stdout
        if not result.ok:
            raise HostError(self.name, f"{brief(argv)} failed with exit code {result.rc}: {result.error}")

    def attach(self, argv: Sequence[str], *, terminal: bool) -> int:  # noqa: ARG002 - the contract
        """Return the answer's exit code."""
        return self._answer(check(argv), b"").rc

    def close(self) -> None:
        """Do nothing."""

    def _answer(self, argv: tuple[str, ...], given: bytes) -> Result:
        """Record the call and return the answer as a result."""
        with self._lock:
            self.calls.append(argv)
            self.inputs.append(given)
        answer = self._respond(argv, given)
        if isinstance(answer, Result):
            return answer
        rc, stdout, *more = answer if isinstance(answer, tuple) else (0, answer)
        return Result(argv, rc, _bytes(stdout), _bytes(more[0] if more else b""), 0.0)


class FakeDialogue:
    """The dialogue with a `FakeHost`."""

    def __init__(self, answer: Callable[[tuple[str, ...], bytes], Result], argv: tuple[str, ...], host: str) -> None:
        self._answer, self._argv, self._host = answer, argv, host
        self._sent = b""
        self._received = 0

    def send(self, data: bytes) -> None:
        """Add to what the program was sent."""
        self._sent += data

    def receive_line(self) -> bytes:
        """Return the next line that the function gives for what was sent; raises TransportError without one."""
        result = self._answer(self._argv, self._sent)
        line, newline, _ = result.stdout[self._received :].partition(b"\n")
        if not newline:
            raise TransportError(self._host, f"{brief(self._argv)} ended with exit code {result.rc}: {result.error}")
        self._received += len(line) + 1
        return line + newline

    def finish(self) -> Result:
        """Return the function's answer without what was received."""
        result = self._answer(self._argv, self._sent)
        return Result(result.argv, result.rc, result.stdout[self._received :], result.stderr, result.seconds)

    def abort(self) -> None:
        """Do nothing."""


def _bytes(text: str | bytes) -> bytes:
    """Return text as UTF-8, bytes as they are."""
    return text.encode() if isinstance(text, str) else text
