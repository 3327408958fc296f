"""The machine that dockerlab itself runs on."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from time import monotonic

from dockerlab.command import Result
from dockerlab.errors import ConnectError
from dockerlab.hosts.base import DEFAULT_TIMEOUT, Conversation, Input
from dockerlab.hosts.dialogue import Dialogue
from dockerlab.hosts.process import READ, Process, brief, check, collect, stream

CHANNELS = 8
"""As many as on an SSH host, so that a lab behaves alike in both places."""


class LocalHost:
    """The local machine as a `Host`; commands are started without a shell."""

    def __init__(self, name: str = "local") -> None:
        self.name = name
        self.address: str | None = None
        self.channels = CHANNELS

    def begin(self) -> None:
        """Do nothing: there is no connection."""

    def run(self, argv: Sequence[str], *, input: Input | None = None, timeout: float = DEFAULT_TIMEOUT) -> Result:  # noqa: A002 - the contract's word, as in subprocess
        """Run a program; one that does not exist gives exit code 127, as from a shell."""
        argv = check(argv)
        return collect(start(argv), self.name, argv, input, timeout)

    def converse(self, argv: Sequence[str], *, timeout: float = DEFAULT_TIMEOUT) -> Conversation:
        """Start a program and return the dialogue with it."""
        argv = check(argv)
        return Dialogue(start(argv), self.name, argv, timeout)

    def stream(self, argv: Sequence[str], *, timeout: float = DEFAULT_TIMEOUT) -> Iterator[bytes]:
        """Yield standard output in chunks; the program starts with the first of them."""
        argv = check(argv)
        yield from stream(start(argv), self.name, argv, timeout)

    def attach(self, argv: Sequence[str], *, terminal: bool) -> int:  # noqa: ARG002 - ours is its own, if it is one
        """Run a program on our own streams; Ctrl-C is for it."""
        argv = check(argv)
        try:
            program = subprocess.Popen(argv)  # noqa: S603 - an argument vector, never a shell
        except OSError as error:
            raise ConnectError(self.name, f"{brief(argv)} was not started: {error.strerror}") from error
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            rc = program.wait()
        finally:
            signal.signal(signal.SIGINT, before)
        return rc if rc >= 0 else 128 - rc

    def close(self) -> None:
        """Do nothing: there is no connection."""


def start(argv: Sequence[str]) -> Process:
    """Start a program; where that is impossible, return a process that ended as a shell would have it (127, 126)."""
    try:
        return LocalProcess(argv)
    except FileNotFoundError:
        return Unstarted(127, f"{argv[0]}: command not found\n")
    except OSError as error:
        return Unstarted(126, f"{argv[0]}: {error.strerror}\n")


class LocalProcess:
    """A program on this machine, in a process group (and session) of its own, so that all of it can be stopped."""

    def __init__(self, argv: Sequence[str]) -> None:
        pipe = subprocess.PIPE
        self._popen = subprocess.Popen(  # noqa: S603 - an argument vector, never a shell
            list(argv), stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0, start_new_session=True
        )
        streams = self._popen.stdin, self._popen.stdout, self._popen.stderr
        self._input, self._output, self._error = (s.fileno() for s in streams if s is not None)
        os.set_blocking(self._input, False)
        self._input_lock = threading.Lock()
        self._outputs = selectors.DefaultSelector()
        self._outputs.register(self._output, selectors.EVENT_READ)
        self._outputs.register(self._error, selectors.EVENT_READ)

    def receive(self, timeout: float) -> tuple[bytes, bytes] | None:
        """Return what came on both streams, or None after their end."""
        end = monotonic() + timeout
        while self._outputs.get_map():
            ready = self._outputs.select(max(0.0, end - monotonic()))
            data = {self._output: b"", self._error: b""}
            for key, _ in ready:
                data[key.fd] = os.read(key.fd, READ)
                if not data[key.fd]:
                    self._outputs.unregister(key.fd)
            # The end of one stream is neither output nor a timeout: wait on for the other.
            if any(data.values()) or not ready:
                return data[self._output], data[self._error]
        return None

    def write(self, data: bytes, timeout: float) -> int:
        """Write what the pipe takes within the time."""
        with self._input_lock:
            stdin = self._popen.stdin
            if stdin is None or stdin.closed:
                raise BrokenPipeError
            with selectors.DefaultSelector() as selector:
                selector.register(self._input, selectors.EVENT_WRITE)
                return os.write(self._input, data) if selector.select(timeout) else 0

    def close_input(self) -> None:
        """End standard input."""
        with self._input_lock:
            if self._popen.stdin is not None:
                self._popen.stdin.close()

    def wait(self, timeout: float) -> int | None:
        """Return the exit code; 128 + N after signal N, as a shell has it."""
        try:
            rc = self._popen.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        return rc if rc >= 0 else 128 - rc

    def kill(self) -> None:
        """Kill the process group; the leader is not yet waited for, so the number cannot be another's."""
        if self._popen.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._popen.pid, signal.SIGKILL)

    def close(self) -> None:
        """Kill the process group, wait for its leader, and close the pipes."""
        self.kill()
        self.close_input()
        self._outputs.close()
        for stream_ in (self._popen.stdout, self._popen.stderr):
            if stream_ is not None:
                stream_.close()
        self._popen.wait()


class Unstarted:
    """A program that could not be started, as a process that has already said so."""

    def __init__(self, rc: int, said: str) -> None:
        self._rc = rc
        self._said: list[bytes] = [said.encode(errors="surrogateescape")]

    def receive(self, timeout: float) -> tuple[bytes, bytes] | None:  # noqa: ARG002 - nothing to wait for
        """Return the message once."""
        return (b"", self._said.pop()) if self._said else None

    def write(self, data: bytes, timeout: float) -> int:  # noqa: ARG002 - nobody reads
        """Raise BrokenPipeError: nobody reads."""
        raise BrokenPipeError

    def close_input(self) -> None:
        """Do nothing."""

    def wait(self, timeout: float) -> int | None:  # noqa: ARG002 - nothing to wait for
        """Return the exit code."""
        return self._rc

    def kill(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""
