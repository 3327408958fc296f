"""How to use a running program: feed it, drain it, wait for it, within a time.

Everything here works on a `Process`, so a local program and one behind SSH behave alike to the last detail.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from time import monotonic
from typing import Protocol

from dockerlab.command import Result
from dockerlab.errors import DeadlineExceeded, HostError, UsageError
from dockerlab.hosts.base import Input

LIMIT = 64 * 2**20
"""Bytes of one stream that are kept in memory; more is an error, not a swap storm."""

READ = 64 * 2**10
"""Bytes that are read at once."""


class Process(Protocol):
    """A program that runs; no method blocks longer than its `timeout` in seconds."""

    def receive(self, timeout: float) -> tuple[bytes, bytes] | None:
        """Return what came on standard output and error, both empty when the time is up, None after their end."""
        ...

    def write(self, data: bytes, timeout: float) -> int:
        """Return how many bytes standard input took, 0 when the time is up; raises BrokenPipeError if it is closed."""
        ...

    def close_input(self) -> None:
        """End standard input."""
        ...

    def wait(self, timeout: float) -> int | None:
        """Return the exit code, or None when the time is up; raises TransportError when it cannot be known."""
        ...

    def kill(self) -> None:
        """Stop the program as far as that is possible; never raises."""
        ...

    def close(self) -> None:
        """Stop the program and release what it holds here; safe to call twice, never raises."""
        ...


def check(argv: Sequence[str]) -> tuple[str, ...]:
    """Return the argument vector; raises UsageError for one that no operating system can run."""
    if not argv:
        raise UsageError("an empty command cannot be run")
    if any("\0" in argument for argument in argv):
        raise UsageError(f"{brief(argv)}: an argument contains a NUL byte, which no program can receive")
    return tuple(argv)


def brief(argv: Sequence[str]) -> str:
    """Return a command's first words for a message: enough to recognise it, too little to show a secret."""
    words = " ".join(argv[:3]).replace("\0", "\\0").replace("\n", "\\n")
    return f"`{words[:60]}{' …' if len(argv) > 3 or len(words) > 60 else ''}`"


class Buffer:
    """The bytes of one stream, up to the limit."""

    def __init__(self, host: str, argv: Sequence[str], stream: str, limit: int = LIMIT) -> None:
        self._host, self._argv, self._stream, self._limit = host, argv, stream, limit
        self._data = bytearray()

    def add(self, data: bytes) -> None:
        """Keep the data; raises HostError beyond the limit."""
        if len(self._data) + len(data) > self._limit:
            size = f"{self._limit // 2**20} MiB"
            raise HostError(
                self._host,
                f"{brief(self._argv)} wrote more than {size} to its {self._stream} and was stopped; limit its output",
            )
        self._data += data

    def take_line(self) -> bytes | None:
        """Remove and return the first line with its newline, or None while there is none."""
        end = self._data.find(b"\n") + 1
        return self.take(end) if end else None

    def take(self, size: int | None = None) -> bytes:
        """Remove and return the first `size` bytes, or everything."""
        data = bytes(self._data[:size])
        del self._data[: len(data)]
        return data


class Clock:
    """What is left of the time that a command was given."""

    def __init__(self, host: str, argv: Sequence[str], timeout: float) -> None:
        self._host, self._argv, self._timeout = host, argv, timeout
        self._start = monotonic()

    @property
    def seconds(self) -> float:
        """Return the seconds since the start."""
        return monotonic() - self._start

    def left(self) -> float:
        """Return the seconds that are left; raises DeadlineExceeded when there are none."""
        left = self._timeout - self.seconds
        if left <= 0:
            raise self.exceeded()
        return left

    def exceeded(self) -> DeadlineExceeded:
        """Return the error that says that the time is up."""
        message = f"{brief(self._argv)} did not end within {self._timeout:g} s; whether it took effect is not known"
        return DeadlineExceeded(self._host, message)


class Feeder:
    """A thread that writes a program's input while another reads its output."""

    def __init__(self, process: Process, given: Input | None) -> None:
        self._process = process
        self._pieces: Iterable[bytes] = (given,) if isinstance(given, bytes) else given or ()
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._feed, name="feeder", daemon=True)
        self._thread.start()

    def _feed(self) -> None:
        """Write every piece, then end the input; an error of the caller's iterator ends the program."""
        try:
            for piece in self._pieces:
                rest = memoryview(piece)
                while rest and not self._stop.is_set():
                    rest = rest[self._process.write(bytes(rest[:READ]), timeout=0.2) :]
                if self._stop.is_set():
                    return
            self._process.close_input()
        except BrokenPipeError:
            return  # the program reads no more; whether that is right, its exit code says
        except BaseException as error:  # noqa: BLE001 - it is raised in the caller's thread
            self._error = error
            self._process.kill()

    def finish(self) -> None:
        """End the thread; raises what the caller's iterator raised."""
        self._stop.set()
        self._thread.join(timeout=2)  # an iterator of the caller that never returns must not hold us
        if self._error is not None:
            raise self._error


def collect(process: Process, host: str, argv: Sequence[str], given: Input | None, timeout: float) -> Result:
    """Feed and drain a program until it ends, and return what it gave; the program is gone afterwards.

    Raises DeadlineExceeded, TransportError, HostError for too much output, and what iterating `given` raises.
    """
    clock = Clock(host, argv, timeout)
    out, err = Buffer(host, argv, "standard output"), Buffer(host, argv, "standard error")
    feeder = Feeder(process, given)
    try:
        rc = _drain(process, clock, out, err)
    except BaseException:
        process.kill()
        raise
    finally:
        try:
            feeder.finish()
        finally:
            process.close()
    return Result(tuple(argv), rc, out.take(), err.take(), clock.seconds)


def _drain(process: Process, clock: Clock, out: Buffer, err: Buffer) -> int:
    """Read both streams to their end and return the exit code."""
    while (chunk := process.receive(clock.left())) is not None:
        out.add(chunk[0])
        err.add(chunk[1])
    rc = process.wait(clock.left())
    if rc is None:
        raise clock.exceeded()
    return rc


def stream(process: Process, host: str, argv: Sequence[str], timeout: float) -> Iterator[bytes]:
    """Yield standard output as it comes; raises HostError with the standard error if the exit code is not 0."""
    clock = Clock(host, argv, timeout)
    err = Buffer(host, argv, "standard error")
    try:
        process.close_input()
        while (chunk := process.receive(clock.left())) is not None:
            err.add(chunk[1])
            if chunk[0]:
                yield chunk[0]
        rc = process.wait(clock.left())
        if rc is None:
            raise clock.exceeded()
        if rc:
            said = err.take().decode(errors="replace").strip()
            raise HostError(host, f"{brief(argv)} failed with exit code {rc}: {said or 'it gave no reason'}")
    finally:
        process.close()
