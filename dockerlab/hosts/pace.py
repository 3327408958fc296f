"""Whether a host gets on: when it gave something last that it was asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic

PIECE = 2**14
"""Bytes of one answer by which a host gets on; one that says a byte now and then does not."""


class Pace:
    """When a host got on last, and until when it may say nothing; seconds of a clock."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._changing = threading.Lock()
        self._came = 0
        self.moved = self.allowed = clock()

    def got_on(self, *, alone: bool = False) -> None:
        """Note a whole answer, or that the host is asked something; `alone` says that nobody waits for another one.

        Then it may not be silent any longer for what it was asked before.
        """
        with self._changing:
            self.moved, self._came = self._clock(), 0
            if alone:
                self.allowed = self.moved

    def part(self, size: int) -> None:
        """Note so many bytes of an answer: by a long one a host gets on before it is whole."""
        with self._changing:
            self._came += size
            if self._came >= PIECE:
                self.moved, self._came = self._clock(), 0

    def allow(self, seconds: float) -> None:
        """Let the host say nothing for so many seconds: it is asked for something that takes honest ones as long."""
        with self._changing:
            self.allowed = max(self.allowed, self._clock() + seconds)
