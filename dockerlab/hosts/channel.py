"""A program behind SSH as a `Process`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from time import monotonic

import paramiko

from dockerlab.errors import TransportError
from dockerlab.hosts.process import READ, brief

SEND_STEP = 0.2
"""Seconds that one write to a channel may block."""

UNKNOWN = "whether it took effect is not known"

GONE = (OSError, EOFError, paramiko.SSHException)
"""What paramiko raises for a message that it cannot send any more, in reading and closing as well."""


class Bell(threading.Event):
    """An event that paramiko's stream buffers can only set: clearing is the reader's alone, so no ring is lost."""

    def clear(self) -> None:
        """Do nothing: an empty standard output says nothing about standard error."""

    def reset(self) -> None:
        """Clear the event."""
        super().clear()


class ChannelProcess:
    """A program on an SSH channel; closing it gives the channel back through `release`.

    Memory is bounded by the channel's window: what is not received, the server does not send.
    """

    def __init__(self, host: str, argv: Sequence[str], channel: paramiko.Channel, release: Callable[[], None]) -> None:
        self._host, self._argv, self._channel, self._release = host, argv, channel, release
        self._closed = threading.Lock()
        self._bell = Bell()
        channel.in_buffer.set_event(self._bell)
        channel.in_stderr_buffer.set_event(self._bell)
        channel.settimeout(SEND_STEP)

    def receive(self, timeout: float) -> tuple[bytes, bytes] | None:
        """Return what came on both streams, or None after their end; raises TransportError for a broken connection."""
        channel = self._channel
        end = monotonic() + timeout
        while True:
            self._bell.reset()
            # Asked before the streams are looked at: nothing can come after it.
            ended = channel.eof_received or channel.closed
            try:
                out = channel.recv(READ) if channel.recv_ready() else b""
                err = channel.recv_stderr(READ) if channel.recv_stderr_ready() else b""
            except GONE as error:
                # Who takes what came tells the server that there is room again, and that may be gone by then.
                raise TransportError(self._host, f"{brief(self._argv)}: the connection was lost; {UNKNOWN}") from error
            if out or err:
                return out, err
            if ended:
                return None
            if not self._bell.wait(max(0.0, end - monotonic())):
                return b"", b""

    def write(self, data: bytes, timeout: float) -> int:  # noqa: ARG002 - the channel has one bound for all writes
        """Send what the channel's window takes."""
        try:
            sent = self._channel.send(data)
        except TimeoutError:
            return 0
        except GONE as error:
            raise BrokenPipeError from error
        if sent == 0:
            raise BrokenPipeError
        return sent

    def close_input(self) -> None:
        """Send the end of standard input."""
        try:
            self._channel.shutdown_write()
        except GONE:
            return  # the connection is gone; receiving and waiting will say so

    def wait(self, timeout: float) -> int | None:
        """Return the exit code; without one the connection broke, or a signal ended the program."""
        if not self._channel.status_event.wait(timeout):
            return None
        rc = self._channel.exit_status
        if rc < 0:
            transport = self._channel.get_transport()
            lost = "the connection was lost" if not transport.is_active() else "no exit code came"
            raise TransportError(
                self._host,
                f"{brief(self._argv)}: {lost} before it ended (or a signal ended it); {UNKNOWN}",
            )
        return int(rc)

    def kill(self) -> None:
        """Close the channel: the program reads the end of its input and can write no more."""
        try:
            self._channel.close()
        except GONE:
            return  # the connection is gone, and the channel with it

    def close(self) -> None:
        """Close the channel and give its slot back once."""
        self.kill()
        if self._closed.acquire(blocking=False):
            self._release()
