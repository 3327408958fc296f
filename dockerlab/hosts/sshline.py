"""One connection to a host: made on first use, and again after it was lost."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from time import monotonic

import paramiko

from dockerlab.errors import ConnectError
from dockerlab.hosts.sshconfig import Hop
from dockerlab.hosts.sshconnect import Connection, open_connection

MOMENT = 0.2
"""Seconds in which who only looks at the connection is done with it."""


class Line:
    """A connection to a host, by way of its jump hosts, that opens channels."""

    def __init__(self, host: str, hops: Sequence[Hop], timeout: float) -> None:
        """Remember where to; a server has `timeout` seconds to open a channel."""
        self._host, self._hops, self._timeout = host, hops, timeout
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._slow: list[Connection] = []
        self._failure: tuple[float, ConnectError] | None = None
        self._closed = False

    def connect(self, *, ahead: bool = False) -> Connection:
        """Return the connection, made anew if there is none; who waited for another's failure shares it.

        With `ahead` nobody waits for it yet: a failure is kept for whoever asks next. Raises ConnectError.
        """
        asked = monotonic()
        with self._lock:
            try:
                return self._connected(asked, ahead=ahead)
            finally:
                if self._closed:
                    self._end()

    def _connected(self, asked: float, *, ahead: bool) -> Connection:
        if self._connection is not None and self._connection.alive:
            return self._connection
        if self._closed:
            raise ConnectError(self._host, "the connection was closed at the end of this run")
        if self._failure is not None and self._failure[0] >= asked:
            self._failure = monotonic(), self._failure[1]  # it has been told: the next one tries again
            raise self._failure[1]
        if self._connection is not None:
            self._connection.close()
        try:
            self._connection = open_connection(self._host, self._hops)
        except ConnectError as error:
            self._connection = None
            self._failure = math.inf if ahead else monotonic(), error
            raise
        return self._connection

    def open_channel(self) -> paramiko.Channel | None:
        """Return a new channel, or None if the server refuses one; connects, and reconnects once, where needed.

        Raises ConnectError.
        """
        lost: Exception | None = None
        for _ in range(2):
            connection = self.connect()
            start = monotonic()
            try:
                return connection.transport.open_session(timeout=self._timeout)
            except paramiko.ChannelException:
                return None
            except (paramiko.SSHException, EOFError, OSError) as error:
                if connection.alive and monotonic() - start < self._timeout:
                    return None  # of several refusals at once, paramiko gives only one its proper exception
                self._abandon(connection)
                lost = error
        raise ConnectError(self._host, f"channel: the connection was lost twice before anything was run: {lost}")

    def close(self) -> None:
        """End the connection for good; who is making one ends it, and is not waited for: the host may not answer."""
        self._closed = True
        if self._lock.acquire(timeout=MOMENT):
            try:
                self._end()
            finally:
                self._lock.release()

    def _end(self) -> None:
        for connection in (*self._slow, *([self._connection] if self._connection is not None else [])):
            connection.close()
        self._connection = None
        self._slow.clear()

    def _abandon(self, connection: Connection) -> None:
        """Use a connection no more; what still runs on a slow one may come to its end."""
        with self._lock:
            if self._connection is connection:
                self._connection = None
            if connection.alive:
                self._slow.append(connection)
                return
        connection.close()
