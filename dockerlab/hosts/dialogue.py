"""A conversation in lines with a running program."""

from __future__ import annotations

from collections.abc import Sequence

from dockerlab.command import Result
from dockerlab.errors import TransportError
from dockerlab.hosts.process import Buffer, Clock, Process, brief


class Dialogue:
    """The `Conversation` with a `Process`; after any error the program is gone."""

    def __init__(self, process: Process, host: str, argv: Sequence[str], timeout: float) -> None:
        self._process, self._host, self._argv, self._timeout = process, host, tuple(argv), timeout
        self._life = self._clock()
        self._out = Buffer(host, argv, "standard output")
        self._err = Buffer(host, argv, "standard error")

    def send(self, data: bytes) -> None:
        """Write to standard input; raises TransportError with its standard error if the program has ended."""
        clock = self._clock()
        try:
            while data:
                taken = self._process.write(data, timeout=min(0.05, clock.left()))
                data = data[taken:]
                if not taken:
                    # A program that waits for us to read would never read what we write.
                    while self._pump(0):
                        pass
        except BrokenPipeError:
            raise self._ended(clock) from None
        except BaseException:
            self.abort()
            raise

    def receive_line(self) -> bytes:
        """Return the next line with its newline; raises TransportError when there is none, DeadlineExceeded."""
        clock = self._clock()
        try:
            while (line := self._out.take_line()) is None and self._pump(clock.left()) is not None:
                pass
        except BaseException:
            self.abort()
            raise
        if line is None:
            raise self._ended(clock)
        return line

    def finish(self) -> Result:
        """Close standard input, wait for the end, and return what was not yet received."""
        clock = self._clock()
        try:
            self._process.close_input()
            while self._pump(clock.left()) is not None:
                pass
            rc = self._process.wait(clock.left())
            if rc is None:
                raise clock.exceeded()
            return Result(self._argv, rc, self._out.take(), self._err.take(), self._life.seconds)
        finally:
            self.abort()

    def abort(self) -> None:
        """Stop the program."""
        self._process.close()

    def _clock(self) -> Clock:
        return Clock(self._host, self._argv, self._timeout)

    def _pump(self, timeout: float) -> int | None:
        """Keep what comes within the time; return how many bytes that were, None after the end of both streams."""
        chunk = self._process.receive(timeout)
        if chunk is None:
            return None
        self._out.add(chunk[0])
        self._err.add(chunk[1])
        return len(chunk[0]) + len(chunk[1])

    def _ended(self, clock: Clock) -> TransportError:
        """Return the error for a program that has ended although it was still spoken to; the program is gone then."""
        try:
            while self._pump(clock.left()) is not None:
                pass
            rc = self._process.wait(clock.left())
        finally:
            self.abort()
        code = "did not end" if rc is None else f"ended with exit code {rc}"
        said = self._err.take().decode(errors="replace").strip() or "it gave no reason"
        return TransportError(self._host, f"{brief(self._argv)} {code} in the middle of the dialogue: {said}")
