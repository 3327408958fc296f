"""A host behind SSH: one connection, several channels."""

from __future__ import annotations

import math
import shlex
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import monotonic, sleep

import paramiko

from dockerlab.command import Result
from dockerlab.errors import ConnectError, DeadlineExceeded, HostError, TransportError
from dockerlab.hosts.address import Address, SshOptions
from dockerlab.hosts.base import DEFAULT_TIMEOUT, ENGINE, Conversation, Input
from dockerlab.hosts.channel import ChannelProcess
from dockerlab.hosts.dialogue import Dialogue
from dockerlab.hosts.kept import Kept
from dockerlab.hosts.process import Process, brief, check, collect, stream
from dockerlab.hosts.slots import Slots
from dockerlab.hosts.sshconfig import route
from dockerlab.hosts.sshconnect import Connection, open_connection

CHANNELS = 8
"""sshd's own bound, MaxSessions, is 10."""

OPEN_TIMEOUT = 15.0
"""Seconds in which a server has to open a channel, and to start a command on it."""

REFUSALS = 20
"""How often a server may refuse its only channel: it may still be tidying up after the one before."""


class SshHost:
    """A machine behind SSH as a `Host`; it is connected to on first use, and again after a connection was lost."""

    def __init__(self, name: str, address: Address, options: SshOptions, *, channels: int = CHANNELS) -> None:
        """Read the ssh configuration; raises UsageError if that cannot be done."""
        self.name = name
        self._hops = route(address, options)
        self._kept = Kept()
        self._slots = Slots(channels, self._kept.drop)
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._slow: list[Connection] = []
        self._failure: tuple[float, ConnectError] | None = None
        self._closed = False

    @property
    def address(self) -> str | None:
        """Return the address or name under which the host is reached."""
        return self._hops[-1].hostname

    @property
    def channels(self) -> int:
        """Return how many commands may run at once, as far as the server has shown."""
        return self._slots.limit

    def begin(self) -> None:
        """Begin to connect, in a thread; why that fails is told to whoever uses the host next."""

        def start() -> Process:
            self._connected(ahead=True)
            return self.start(ENGINE)

        self._kept.start(ENGINE, start)

    def run(self, argv: Sequence[str], *, input: Input | None = None, timeout: float = DEFAULT_TIMEOUT) -> Result:  # noqa: A002 - the contract's word, as in subprocess
        """Run a program through the login shell, which sees every argument quoted."""
        argv = check(argv)
        return collect(self.start(argv, timeout), self.name, argv, input, timeout)

    def converse(self, argv: Sequence[str], *, timeout: float = DEFAULT_TIMEOUT) -> Conversation:
        """Start a program and return the dialogue with it."""
        argv = check(argv)
        return Dialogue(self.start(argv, timeout), self.name, argv, timeout)

    def stream(self, argv: Sequence[str], *, timeout: float = DEFAULT_TIMEOUT) -> Iterator[bytes]:
        """Yield standard output in chunks; the program starts with the first of them."""
        argv = check(argv)
        yield from stream(self.start(argv, timeout), self.name, argv, timeout)

    def start(self, argv: Sequence[str], timeout: float = DEFAULT_TIMEOUT) -> Process:
        """Start a program on a channel of its own; closing the process gives the channel back.

        Waits at most `timeout` seconds for a free channel. Raises ConnectError when nothing was started,
        TransportError or DeadlineExceeded when that is not known.
        """
        channel = self._open(argv, timeout)
        process = ChannelProcess(self.name, argv, channel, self._slots.release)
        try:
            with _closed_after(OPEN_TIMEOUT, channel) as late:
                channel.exec_command(shlex.join(argv).encode("utf-8", "surrogateescape"))
        except BaseException as error:
            process.close()
            if isinstance(error, (paramiko.SSHException, EOFError, OSError)):
                raise self._not_started(argv, channel, error, late=late.is_set()) from error
            raise
        return process

    def resume(self, argv: tuple[str, ...], timeout: float) -> Process:
        """Return a program that was kept and still runs, or start one."""
        return self._kept.take(argv) or self.start(argv, timeout)

    def keep(self, argv: tuple[str, ...], program: Process) -> None:
        """Keep a program for its next use, until somebody wants its channel."""
        self._kept.put(argv, program)
        if self._slots.wanted:
            self._kept.drop()

    def close(self) -> None:
        """End the connection for good."""
        self._kept.drop()
        with self._lock:
            self._closed = True
            for connection in (*self._slow, *([self._connection] if self._connection is not None else [])):
                connection.close()
            self._connection = None
            self._slow.clear()

    def _open(self, argv: Sequence[str], timeout: float) -> paramiko.Channel:
        """Return a new channel, waiting for a free one; nothing has run on it yet, so refusals may be repeated."""
        end = monotonic() + timeout
        refusals = 0
        while self._slots.take(end - monotonic()):
            try:
                channel = self._ask()
            except BaseException:
                self._slots.give_back()
                raise
            if channel is not None:
                self._slots.opened()
                return channel
            alone = self._slots.refused()
            refusals += alone
            if refusals >= REFUSALS:
                message = f"{brief(argv)} was not started: the server opens no session (MaxSessions 0?)"
                raise ConnectError(self.name, message)
            sleep(0.05)
        message = f"{brief(argv)} was not started: all {self.channels} channels were busy for {timeout:g} s"
        if self.channels == 1:
            message += "; a change of a lab needs two, one for its lock: raise MaxSessions in the server's sshd_config"
        raise ConnectError(self.name, message)

    def _ask(self) -> paramiko.Channel | None:
        """Return a new channel, or None if the server refuses one; connects, and reconnects once, where needed."""
        lost: Exception | None = None
        for _ in range(2):
            connection = self._connected()
            start = monotonic()
            try:
                return connection.transport.open_session(timeout=OPEN_TIMEOUT)
            except paramiko.ChannelException:
                return None
            except (paramiko.SSHException, EOFError, OSError) as error:
                if connection.alive and monotonic() - start < OPEN_TIMEOUT:
                    return None  # of several refusals at once, paramiko gives only one its proper exception
                self._abandon(connection)
                lost = error
        raise ConnectError(self.name, f"channel: the connection was lost twice before anything was run: {lost}")

    def _abandon(self, connection: Connection) -> None:
        """Use a connection no more; what still runs on a slow one may come to its end."""
        with self._lock:
            if self._connection is connection:
                self._connection = None
            if connection.alive:
                self._slow.append(connection)
                return
        connection.close()

    def _connected(self, *, ahead: bool = False) -> Connection:
        """Return the connection, made anew if there is none; who waited for another's failure shares it.

        With `ahead` nobody waits for it yet: a failure is kept for whoever asks next.
        """
        asked = monotonic()
        with self._lock:
            if self._connection is not None and self._connection.alive:
                return self._connection
            if self._closed:
                raise ConnectError(self.name, "the connection was closed at the end of this run")
            if self._failure is not None and self._failure[0] >= asked:
                self._failure = monotonic(), self._failure[1]  # it has been told: the next one tries again
                raise self._failure[1]
            if self._connection is not None:
                self._connection.close()
            try:
                self._connection = open_connection(self.name, self._hops)
            except ConnectError as error:
                self._connection = None
                self._failure = math.inf if ahead else monotonic(), error
                raise
            return self._connection

    def _not_started(self, argv: Sequence[str], channel: paramiko.Channel, error: object, *, late: bool) -> HostError:
        """Return the error for a command whose start the server did not confirm."""
        what = brief(argv)
        if late:
            message = f"{what}: the server did not confirm its start within {OPEN_TIMEOUT:g} s; it may have run"
            return DeadlineExceeded(self.name, message)
        if channel.get_transport().is_active():
            return ConnectError(self.name, f"{what}: the server refuses to run commands: {error}")
        return TransportError(self.name, f"{what}: the connection was lost as it started; it may have run")


@contextmanager
def _closed_after(seconds: float, channel: paramiko.Channel) -> Iterator[threading.Event]:
    """Close the channel when the block takes too long, which ends a wait that paramiko does not bound."""
    late = threading.Event()

    def expire() -> None:
        late.set()
        channel.close()

    timer = threading.Timer(seconds, expire)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()
