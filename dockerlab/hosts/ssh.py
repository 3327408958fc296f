"""A host behind SSH: one connection, several channels."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from time import monotonic, sleep

import paramiko

from dockerlab.command import Result
from dockerlab.errors import ConnectError, DeadlineExceeded, HostError, TransportError
from dockerlab.hosts.address import Address, SshOptions
from dockerlab.hosts.base import DEFAULT_TIMEOUT, ENGINE, Conversation, Input
from dockerlab.hosts.channel import GONE, ChannelProcess
from dockerlab.hosts.dialogue import Dialogue
from dockerlab.hosts.kept import Kept
from dockerlab.hosts.process import Process, brief, check, collect, stream
from dockerlab.hosts.slots import Slots
from dockerlab.hosts.sshconfig import route
from dockerlab.hosts.sshline import Line

CHANNELS = 8
"""sshd's own bound, MaxSessions, is 10."""

OPEN_TIMEOUT = 15.0
"""Seconds in which a server has to open a channel, and to start a command on it."""

REFUSALS = 20
"""How often a server may refuse its only channel: it may still be tidying up after the one before."""

HELD = 15.0
"""Seconds after which the only channel that a server grants is taken to be held for good, as by a lab's lock."""


class SshHost:
    """A machine behind SSH as a `Host`; it is connected to on first use, and again after a connection was lost."""

    def __init__(self, name: str, address: Address, options: SshOptions, *, channels: int = CHANNELS) -> None:
        """Read the ssh configuration; raises UsageError if that cannot be done."""
        self.name = name
        self._hops = route(address, options)
        self._line = Line(name, self._hops, OPEN_TIMEOUT)
        self._kept = Kept()
        self._slots = Slots(channels, self._kept.drop)

    @property
    def address(self) -> str | None:
        """Return the address or name under which the host is reached."""
        return self._hops[-1].hostname

    @property
    def channels(self) -> int:
        """Return how many commands may run at once, as far as the server has shown."""
        return self._slots.limit

    def begin(self) -> None:
        """Begin to connect and join the engine, in a thread; why that fails is told to whoever uses the host next."""

        def start() -> Process:
            self._line.connect(ahead=True)
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
            if isinstance(error, GONE):
                raise self._not_started(argv, channel, error, late=late.is_set()) from error
            raise
        return process

    def attach(self, argv: Sequence[str], *, terminal: bool) -> int:
        """Run a program with our own standard streams; with `terminal` it has one that follows ours."""
        from dockerlab.hosts.terminal import attach  # noqa: PLC0415 - what it imports, only Unix has

        argv = check(argv)
        channel = self._open(argv, OPEN_TIMEOUT)
        try:
            rc = attach(channel, shlex.join(argv).encode("utf-8", "surrogateescape"), terminal=terminal)
        except GONE as error:
            raise self._not_started(argv, channel, error, late=False) from error
        finally:
            channel.close()
            self._slots.release()
        if rc < 0:
            raise TransportError(self.name, f"{brief(argv)}: the connection was lost before it ended")
        return rc

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
        self._line.close()

    def _open(self, argv: Sequence[str], timeout: float) -> paramiko.Channel:
        """Return a new channel, waiting for a free one; nothing has run on it yet, so refusals may be repeated."""
        begun = monotonic()
        end = begun + timeout
        refusals = 0
        while self._slots.take(end - monotonic()):
            try:
                channel = self._line.open_channel()
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
            if self.channels == 1 and self._slots.still > HELD:
                break
            sleep(0.05)
        raise ConnectError(self.name, f"{brief(argv)} was not started: {self._busy(monotonic() - begun)}")

    def _busy(self, seconds: float) -> str:
        """Return why no channel could be had in so many seconds."""
        if self.channels > 1:
            return f"all {self.channels} channels were busy for {seconds:.0f} s"
        return (
            f"the only channel that the server grants was busy for {seconds:.0f} s; a change of a lab needs two, one "
            "for its lock: raise MaxSessions in the server's sshd_config"
        )

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
        with suppress(*GONE):  # then the wait has ended already
            channel.close()

    timer = threading.Timer(seconds, expire)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()
