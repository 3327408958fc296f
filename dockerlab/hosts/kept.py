"""Programs that wait to be used, or to be used again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress

from dockerlab.errors import HostError
from dockerlab.hosts.process import Process


class Kept:
    """Programs that run and are used by nobody, one for each argument vector: a start takes longer than a use.

    Each holds a channel, so they are dropped when that is wanted for something else.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[tuple[str, ...], Future[Process]] = {}

    def start(self, argv: tuple[str, ...], start: Callable[[], Process]) -> None:
        """Start a program, in a thread; who wants it waits for it, and learns nothing of why it did not start."""
        started: Future[Process] = Future()
        self._put(argv, started)

        def run() -> None:
            try:
                started.set_result(start())
            except BaseException as error:  # noqa: BLE001 - whoever waits has to go on, whatever it was
                started.set_exception(error)

        threading.Thread(target=run, name=f"start {argv[0]}", daemon=True).start()

    def put(self, argv: tuple[str, ...], program: Process) -> None:
        """Keep a program that runs, of whose output nothing is left to read."""
        started: Future[Process] = Future()
        started.set_result(program)
        self._put(argv, started)

    def take(self, argv: tuple[str, ...]) -> Process | None:
        """Return the program of these arguments for its next use, or None if none still runs."""
        with self._lock:
            started = self._waiting.pop(argv, None)
        if started is None or started.exception() is not None:
            return None
        program = started.result()
        with suppress(HostError):
            # That it has ended may be known before the end of what it said is, and the other way round.
            if program.receive(0) == (b"", b"") and program.wait(0) is None:
                return program
        program.close()
        return None

    def drop(self) -> None:
        """End them all; one that has not started yet ends when it has."""
        with self._lock:
            dropped = list(self._waiting.values())
            self._waiting.clear()
        for started in dropped:
            started.add_done_callback(_close)

    def _put(self, argv: tuple[str, ...], started: Future[Process]) -> None:
        with self._lock:
            before = self._waiting.pop(argv, None)
            self._waiting[argv] = started
        if before is not None:
            before.add_done_callback(_close)


def _close(started: Future[Process]) -> None:
    if started.exception() is None:
        started.result().close()
