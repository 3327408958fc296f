"""Hosts as guests of one run: who cannot be reached in it, or lets time pass in silence, is not asked again.

A run asks a host many things, some of them one after the other. Each has a time of its own, which is right for a host
that answers; for one that does not, these times would add up, and so would the hosts'.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from time import monotonic
from typing import Any, Protocol, TypeVar, cast

from dockerlab.command import Result
from dockerlab.errors import ConnectError, DeadlineExceeded, HostError
from dockerlab.hosts.base import DEFAULT_TIMEOUT, Conversation, Host, Input
from dockerlab.hosts.pace import Pace
from dockerlab.hosts.process import Process
from dockerlab.hosts.together import begun

T = TypeVar("T")

SILENCE = 30.0
"""Seconds in which a host may give nothing though it is waited for, in all; as long as a look at one may take."""


class Elsewhere(Protocol):
    """What a host elsewhere can do beside: it hands out a program with its streams open, and keeps it."""

    def resume(self, argv: tuple[str, ...], timeout: float) -> Process:
        """Return a program that was kept, or start one."""
        ...

    def keep(self, argv: tuple[str, ...], program: Process) -> None:
        """Keep a program for its next use."""
        ...


class Guest:
    """A `Host` that one run asks; once it has failed in it, every further use says why, at once.

    It has failed when no connection to it could be made, when it did not end what it was asked in time, when it gave
    nothing for `silence` seconds in all, and when it was dismissed. That a program or an engine on it fails is none of
    these: that may go well the next time.
    """

    def __init__(self, host: Host, silence: float = SILENCE, clock: Callable[[], float] = monotonic) -> None:
        self._host, self._silence = host, silence
        self.pace = Pace(clock)
        self._changing = threading.Lock()
        self._waited = 0.0
        self._asked = 0
        self._dismissed: Future[HostError] = Future()

    @property
    def name(self) -> str:
        """Return the host's name in the lab."""
        return self._host.name

    @property
    def address(self) -> str | None:
        """Return the address or name under which the host is reached, or None for the local machine."""
        return self._host.address

    @property
    def channels(self) -> int:
        """Return how many commands may run at once."""
        return self._host.channels

    @property
    def failed(self) -> HostError | None:
        """Return why it is asked nothing more, or None."""
        return self._dismissed.result() if self._dismissed.done() else None

    @property
    def busy(self) -> bool:
        """Tell whether somebody waits for it now."""
        return self._asked > 0

    def dismiss(self, why: HostError) -> None:
        """Ask it nothing more; who waits for it now is told why, and what it was asked ends by its own time."""
        with self._changing:
            if not self._dismissed.done():
                self._dismissed.set_result(why)

    def begin(self) -> None:
        """Begin with what the next use of the engine needs."""
        self._host.begin()

    def run(self, argv: Sequence[str], *, input: Input | None = None, timeout: float = DEFAULT_TIMEOUT) -> Result:  # noqa: A002 - the contract
        """Run a program; raises why the host has failed, if it has."""
        return self.ask(lambda: self._host.run(argv, input=input, timeout=timeout))

    def converse(self, argv: Sequence[str], *, timeout: float = DEFAULT_TIMEOUT) -> Conversation:
        """Start a program and return the dialogue with it; raises why the host has failed, if it has."""
        return Talk(self, self.ask(lambda: self._host.converse(argv, timeout=timeout), lambda talk: talk.abort()))

    def stream(self, argv: Sequence[str], *, timeout: float = DEFAULT_TIMEOUT) -> Iterator[bytes]:
        """Yield standard output in chunks; raises why the host has failed, if it has."""
        chunks = iter(self._host.stream(argv, timeout=timeout))
        while (chunk := self.ask(lambda: next(chunks, None))) is not None:
            yield chunk

    def attach(self, argv: Sequence[str], *, terminal: bool) -> int:
        """Run a program on our own standard streams."""
        return self._host.attach(argv, terminal=terminal)

    def resume(self, argv: tuple[str, ...], timeout: float) -> Process:
        """Return a program that was kept, or start one; raises why the host has failed, if it has."""
        return Watched(
            self, self.ask(lambda: cast(Elsewhere, self._host).resume(argv, timeout), lambda program: program.close())
        )

    def keep(self, argv: tuple[str, ...], program: Process) -> None:
        """Keep a program for its next use, in this run or another."""
        cast(Elsewhere, self._host).keep(argv, program.process if isinstance(program, Watched) else program)

    def close(self) -> None:
        """Release the connection."""
        self._host.close()

    def ask(self, job: Callable[[], T], unwanted: Callable[[T], None] = lambda _: None, *, whole: bool = True) -> T:
        """Return what comes of a question; raises what that raises, or why the host has failed, as soon as it has.

        `unwanted` ends what comes when nobody waits for it any more. What comes is a `whole` answer, by which the host
        gets on, or may be a part of one.
        """
        with self._changing:
            if self._dismissed.done():
                raise self._dismissed.result()
            if not self._asked and whole:
                self.pace.got_on()
            self._asked += 1
        running = begun(job, f"ask {self.name}")
        try:
            either: tuple[Future[Any], ...] = (running, self._dismissed)
            wait(either, return_when=FIRST_COMPLETED)
            if running.done():
                if whole:
                    self.pace.got_on(alone=self._asked == 1)
                return running.result()
            running.add_done_callback(lambda late: unwanted(late.result()) if late.exception() is None else None)
            raise self._dismissed.result()
        except (ConnectError, DeadlineExceeded) as error:
            self.dismiss(error)
            raise
        finally:
            with self._changing:
                self._asked -= 1

    def heard(self, came: int, seconds: float) -> None:
        """Count the bytes that came of an answer, or else the seconds that it was waited for.

        Raises DeadlineExceeded once these are too many.
        """
        if came:
            self.pace.part(came)
            return
        with self._changing:
            self._waited += seconds
        if self._waited > self._silence:
            raise DeadlineExceeded(
                self.name, f"it gave nothing for {self._waited:.0f} s, and is not asked again in this run"
            )


class Talk:
    """The dialogue with a program on a guest."""

    def __init__(self, guest: Guest, talk: Conversation) -> None:
        self._guest, self._talk = guest, talk

    def send(self, data: bytes) -> None:
        """Write to the program's standard input."""
        self._guest.ask(lambda: self._talk.send(data))

    def receive_line(self) -> bytes:
        """Return the next line of standard output."""
        return self._guest.ask(self._talk.receive_line)

    def finish(self) -> Result:
        """Return what the program gave since."""
        return self._guest.ask(self._talk.finish)

    def abort(self) -> None:
        """Stop the program."""
        self._talk.abort()


class Watched:
    """A program on a guest whose silence counts."""

    def __init__(self, guest: Guest, process: Process) -> None:
        self._guest, self.process = guest, process

    def receive(self, timeout: float) -> tuple[bytes, bytes] | None:
        """Return what came on both streams within the time; raises why the guest has failed, if it has."""

        def receive() -> tuple[bytes, bytes] | None:
            began = monotonic()
            found = self.process.receive(timeout)
            self._guest.heard(1 if found is None else len(found[0]) + len(found[1]), monotonic() - began)
            return found

        return self._guest.ask(receive, whole=False)

    def write(self, data: bytes, timeout: float) -> int:
        """Return how many bytes standard input took; raises why the guest has failed, if it has."""

        def write() -> int:
            began = monotonic()
            taken = self.process.write(data, timeout)
            self._guest.heard(taken, monotonic() - began)
            if taken:
                self._guest.pace.got_on()  # whoever asks something has the answer before it
            return taken

        return self._guest.ask(write, whole=False)

    def close_input(self) -> None:
        """End standard input."""
        self.process.close_input()

    def wait(self, timeout: float) -> int | None:
        """Return the exit code, or None when the time is up."""
        return self.process.wait(timeout)

    def kill(self) -> None:
        """Stop the program as far as that is possible."""
        self.process.kill()

    def close(self) -> None:
        """Stop the program and release what it holds here."""
        self.process.close()


def allow(host: Host, seconds: float) -> None:
    """Let a host say nothing for so many seconds, where it is a guest; others may do so anyway."""
    if isinstance(host, Guest):
        host.pace.allow(seconds)


def invited(hosts: Mapping[str, Host], silence: float = SILENCE) -> dict[str, Guest]:
    """Return hosts as guests of one run; those that are guests already stay the same run's."""
    return {name: host if isinstance(host, Guest) else Guest(host, silence) for name, host in hosts.items()}


def kept_waiting(guests: Iterable[Guest]) -> list[Guest]:
    """Return those for whom somebody waits now."""
    return [guest for guest in guests if guest.busy and guest.failed is None]
