"""HTTP over the streams of a program, which joins them to the engine's socket."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse
from time import monotonic
from typing import Any

from dockerlab.engine.bounded import PIECE, TIMEOUT, Answer, TooLate, Unanswered, whole
from dockerlab.errors import HostError
from dockerlab.hosts.process import Process

ERROR_LIMIT = 2**16
"""Bytes of standard error that are kept."""

END = 2.0
"""Seconds in which a program that has closed its output has to end."""

AHEAD = 64
"""Questions that may wait for their answers, where several are asked at once: some hundred bytes each."""


class Budget:
    """What one use of an engine may take in all: seconds, and bytes of answers; whatever the number of questions."""

    def __init__(self, seconds: float, size: int) -> None:
        self._end = monotonic() + seconds
        self._left = size

    @property
    def seconds(self) -> float:
        """Return what is left of the time, 0 at its end."""
        return max(0.0, self._end - monotonic())

    def take(self, size: int) -> None:
        """Count what has come; raises OSError where it is more than there may be."""
        self._left -= size
        if self._left < 0:
            raise OSError("the engine says more than is wanted of it")


class ProcessSocket:
    """A program's streams, as much like a socket as an HTTP client needs.

    What is read after something was written is one answer: it has to be whole in the time, whatever each read takes.
    The `budget` is for all of them.
    """

    def __init__(self, process: Process, timeout: float, budget: Budget) -> None:
        self._process = process
        self._timeout = timeout
        self._budget = budget
        self._end = monotonic() + timeout
        self._pending = b""
        self._said = b""
        self._rc: int | None = None
        self._lost: HostError | None = None
        self._attached = True
        self._file = _Answers(_Reader(self))

    def sendall(self, data: bytes) -> None:
        """Write to the program's standard input; raises TimeoutError, BrokenPipeError."""
        self._end = monotonic() + self._timeout
        while data:
            try:
                sent = self._process.write(data, self._timeout)
            except BrokenPipeError:
                self._learn()
                raise
            if not sent:
                raise TimeoutError("the engine takes no more data")
            data = data[sent:]

    def renew(self) -> None:
        """Give the next answer the whole time, where what is read is the answer to one of several questions."""
        self._end = monotonic() + self._timeout

    def receive_into(self, buffer: memoryview) -> int:
        """Read from standard output and return the number of bytes, 0 at its end; raises TimeoutError, OSError."""
        while not self._pending:
            left = min(self._end - monotonic(), self._budget.seconds)
            chunk = self._process.receive(left) if left > 0 else (b"", b"")
            if chunk is None:
                self._learn()
                return 0
            if chunk == (b"", b""):
                raise TimeoutError("the engine did not answer in time")
            self._budget.take(len(chunk[0]))
            self._pending = chunk[0]
            self._said = (self._said + chunk[1])[-ERROR_LIMIT:]
        size = min(len(buffer), len(self._pending))
        buffer[:size] = self._pending[:size]
        self._pending = self._pending[size:]
        return size

    def makefile(self, mode: str) -> io.BufferedReader:  # noqa: ARG002 - it is only ever read
        """Return standard output as a file, one for all answers; closing that leaves the program alone."""
        return self._file

    def diagnose(self) -> tuple[int | None, str]:
        """Return the exit code of the program, None if it has not ended by itself, and its standard error.

        Raises TransportError when its connection was lost.
        """
        if self._lost is not None:
            raise self._lost
        return self._rc, self._said.decode(errors="replace").strip()

    def _learn(self) -> None:
        """Learn how the program ended, as nobody can ask once an HTTP client has closed the socket."""
        try:
            while (chunk := self._process.receive(END)) not in {None, (b"", b"")}:
                self._said = (self._said + (chunk or (b"", b""))[1])[-ERROR_LIMIT:]
            self._rc = self._process.wait(END)
        except HostError as error:
            self._lost = error

    def detach(self) -> Process:
        """Return the program, which goes on to run when this is closed."""
        self._attached = False
        return self._process

    def close(self) -> None:
        """End the program."""
        if self._attached:
            self._process.close()


class _Reader(io.RawIOBase):
    """A socket's reading side as a raw file."""

    def __init__(self, source: ProcessSocket) -> None:
        self._source = source

    def readable(self) -> bool:
        """Tell that this can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read some bytes."""
        return self._source.receive_into(memoryview(buffer).cast("B"))


class _Answers(io.BufferedReader):
    """A file that outlives each answer: what was read beyond the end of one is the beginning of the next."""

    def close(self) -> None:
        """Do nothing."""


class Connection(HTTPConnection):
    """An HTTP connection whose socket comes from a function."""

    def __init__(self, dial: Callable[[], ProcessSocket]) -> None:
        super().__init__("docker")
        self._dial = dial

    def connect(self) -> None:
        """Get the socket."""
        self.sock: Any = self._dial()


class DialledLine:
    """A line to an engine over one socket that `dial` opens when something is asked."""

    def __init__(self, dial: Callable[[], ProcessSocket]) -> None:
        self._connection = Connection(dial)
        self._read = True

    @property
    def idle(self) -> bool:
        """Tell whether there is a socket on which every answer was read to its end."""
        return self._read and self._connection.sock is not None

    def ask(self, method: str, target: str) -> Answer:
        """Ask without a body and return the whole answer; raises Unanswered, and the socket is of no use then."""
        self._read = False
        end = monotonic() + TIMEOUT
        try:
            self._connection.request(method, target)
            with self._connection.getresponse() as answer:
                found = whole(answer.status, answer.headers.items(), iter(partial(answer.read, PIECE), b""), end)
        except TimeoutError as error:
            raise TooLate from error
        except (HTTPException, OSError) as error:
            raise Unanswered(str(error) or type(error).__name__) from error
        self._read = True
        return found

    def ask_each(self, targets: Sequence[str]) -> Iterator[Answer]:
        """Yield the whole answer to each of several questions, the next of which are asked before; raises as `ask`.

        An engine answers them in their order (RFC 9112, 9.3.2). One that ends the connection after an answer is asked
        the others anew.
        """
        asked = answered = 0
        while answered < len(targets):
            self._read = False
            end = monotonic() + TIMEOUT
            try:
                if self._connection.sock is None:
                    self._connection.connect()
                    asked = answered
                if asked - answered <= AHEAD // 2:
                    new = targets[asked : answered + AHEAD]
                    asked += len(new)
                    self._connection.sock.sendall("".join(map(_question, new)).encode("ascii"))
                self._connection.sock.renew()
                found, last = self._next(end)
            except TimeoutError as error:
                raise TooLate from error
            except (HTTPException, OSError) as error:
                raise Unanswered(str(error) or type(error).__name__) from error
            answered += 1
            if last:
                self._connection.close()
            self._read = asked == answered
            yield found

    def _next(self, end: float) -> tuple[Answer, bool]:
        """Return the next answer, and whether it is the last one on this connection."""
        with HTTPResponse(self._connection.sock, method="GET") as answer:
            answer.begin()
            found = whole(answer.status, answer.headers.items(), iter(partial(answer.read, PIECE), b""), end)
            return found, answer.will_close

    def close(self) -> None:
        """Close the socket."""
        self._connection.close()


def _question(target: str) -> str:
    """Return a question as it goes over the line; a target's parts are quoted, so that it is one word."""
    return f"GET {target} HTTP/1.1\r\nHost: docker\r\nAccept-Encoding: identity\r\n\r\n"
