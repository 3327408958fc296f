"""HTTP over the streams of a program, which joins them to the engine's socket: questions that have no body."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic

from dockerlab.errors import HostError
from dockerlab.hosts.process import Process

TIMEOUT = 30
"""Seconds in which the engine has to answer a read, from the first byte of the question to the last of the answer."""

LARGEST = 16 * 2**20
"""Bytes of one answer: a thousand containers, of which an engine says four thousand bytes each, have a quarter."""

WHOLE = 120.0
"""Seconds in which all questions of one use of the engine have to be answered; a thousand containers take twenty."""

MOST = 2 * LARGEST
"""Bytes that all its answers may have, with what HTTP puts around them."""

LONGEST_LINE = 2**16
"""Bytes of a line of an answer's head, and of the size of a piece."""

MOST_LINES = 200
"""Lines of an answer's head."""

ERROR_LIMIT = 2**16
"""Bytes of standard error that are kept."""

END = 2.0
"""Seconds in which a program that has closed its output has to end."""

BODILESS = (204, 304)


class Unanswered(Exception):
    """There was no answer, or none that is HTTP; the words say what there was."""


class TooLate(Unanswered):
    """The answer was not whole in time."""


@dataclass(frozen=True)
class Answer:
    """An engine's answer: its status, the fields of its head by their names in small letters, and its content."""

    status: int
    head: dict[str, str] = field(default_factory=dict)
    content: bytes = b""


class Line:
    """A program that is joined to the engine: asked one question after the other, each answered within limits.

    All answers together have limits as well. Every question raises Unanswered or TooLate where there is no answer; the
    line is of no use then.
    """

    def __init__(self, process: Process) -> None:
        self._process = process
        self._pending = b""
        self._said = b""
        self._rc: int | None = None
        self._lost: HostError | None = None
        self._over = monotonic() + WHOLE
        self._end = self._over
        self._left = MOST
        self._whole = True

    @property
    def idle(self) -> bool:
        """Tell whether every answer was read to its end, and the engine wants to be asked more."""
        return self._whole and not self._pending

    def ask(self, method: str, target: str) -> Answer:
        """Ask for what is at a target, by GET or HEAD, and return the whole answer."""
        self._end = min(monotonic() + TIMEOUT, self._over)
        self._whole = False
        self._write(f"{method} {target} HTTP/1.1\r\nHost: docker\r\nAccept-Encoding: identity\r\n\r\n".encode())
        status, head = self._head()
        while 100 <= status < 200:
            status, head = self._head()
        content = b"" if method == "HEAD" or status in BODILESS else self._content(head)
        self._whole = head.get("connection", "").lower() != "close"
        if 300 <= status < 400:
            raise Unanswered("it sends us to another place, where nobody is asked: is it a Docker engine?")
        if head.get("content-encoding", "identity") != "identity":
            raise Unanswered("it packs its answer, which nobody asked for: is it a Docker engine?")
        return Answer(status, head, content)

    def diagnose(self) -> tuple[int | None, str]:
        """Return the exit code of the program, None if it has not ended by itself, and its standard error.

        Raises TransportError when its connection was lost.
        """
        if self._lost is not None:
            raise self._lost
        return self._rc, self._said.decode(errors="replace").strip()

    def close(self) -> None:
        """End the program."""
        self._process.close()

    def _head(self) -> tuple[int, dict[str, str]]:
        """Return the status and the fields of an answer."""
        words = self._line().split(" ", 2)
        if len(words) < 2 or not words[0].startswith("HTTP/1.") or not _is_number(words[1], 10):
            raise Unanswered("its answer is not HTTP: is it a Docker engine?")
        head: dict[str, str] = {}
        for _ in range(MOST_LINES):
            line = self._line()
            if not line:
                return int(words[1]), head
            name, _, value = line.partition(":")
            head[name.strip().lower()] = value.strip()
        raise Unanswered("its answer has a head without an end: is it a Docker engine?")

    def _content(self, head: dict[str, str]) -> bytes:
        """Return the content of an answer: of a length that its head says, in pieces, or until the program ends."""
        if head.get("transfer-encoding", "").lower() == "chunked":
            return self._pieces()
        length = head.get("content-length")
        if length is None:
            return self._rest()
        if not _is_number(length, 10):
            raise Unanswered("its answer has no length: is it a Docker engine?")
        return self._take(int(length))

    def _pieces(self) -> bytes:
        found = bytearray()
        while True:
            size = self._line().partition(";")[0].strip()
            if not _is_number(size, 16):
                raise Unanswered("its answer has pieces without a size: is it a Docker engine?")
            piece = self._take(int(size, 16), len(found))
            found += piece
            while (line := self._line()) and not piece:  # fields may follow the last piece
                pass
            if line:
                raise Unanswered("a piece of its answer is longer than it says: is it a Docker engine?")
            if not piece:
                return bytes(found)

    def _rest(self) -> bytes:
        """Return all that comes until the program closes its output."""
        found = bytearray(self._pending)
        self._pending = b""
        while self._more():
            found += self._pending
            self._pending = b""
            _bounded(len(found))
        self._pending = b"\0"  # it has ended, and is not used again
        return bytes(found)

    def _line(self) -> str:
        while b"\n" not in self._pending:
            if len(self._pending) > LONGEST_LINE or not self._more():
                raise Unanswered("its answer ends, or has a line without an end")
        line, _, self._pending = self._pending.partition(b"\n")
        return line.decode("latin-1").rstrip("\r")

    def _take(self, size: int, before: int = 0) -> bytes:
        """Return so many bytes; `before` is how many of the same answer there were already."""
        _bounded(size + before)
        parts = [self._pending]
        missing = size - len(self._pending)
        while missing > 0:
            self._pending = b""
            if not self._more():
                raise Unanswered("its answer ends in the middle")
            parts.append(self._pending)
            missing -= len(self._pending)
        whole = b"".join(parts)
        self._pending = whole[size:]
        return whole[:size]

    def _more(self) -> bool:
        """Wait for more of standard output; tell whether it has not ended."""
        while True:
            left = self._end - monotonic()
            chunk = self._process.receive(left) if left > 0 else (b"", b"")
            if chunk is None:
                self._learn()
                return False
            if chunk == (b"", b""):
                raise TooLate(f"the Docker engine did not answer within {TIMEOUT} s; is the host overloaded?")
            self._said = (self._said + chunk[1])[-ERROR_LIMIT:]
            self._left -= len(chunk[0])
            if self._left < 0:
                raise Unanswered("it says more than is wanted of it: is it a Docker engine?")
            if chunk[0]:
                self._pending += chunk[0]
                return True

    def _write(self, data: bytes) -> None:
        while data:
            try:
                sent = self._process.write(data, TIMEOUT)
            except BrokenPipeError as error:
                self._learn()
                raise Unanswered("it takes no question") from error
            if not sent:
                raise TooLate("the Docker engine takes no more data")
            data = data[sent:]

    def _learn(self) -> None:
        """Learn how the program ended."""
        try:
            while (chunk := self._process.receive(END)) not in {None, (b"", b"")}:
                self._said = (self._said + (chunk or (b"", b""))[1])[-ERROR_LIMIT:]
            self._rc = self._process.wait(END)
        except HostError as error:
            self._lost = error


def _is_number(text: str, base: int) -> bool:
    digits = "0123456789abcdef"[:base]
    return 0 < len(text) < 16 and not text.lower().strip(digits)


def _bounded(size: int) -> None:
    if size > LARGEST:
        raise Unanswered(f"its answer has more than {LARGEST // 2**20} MiB: is it a Docker engine?")
