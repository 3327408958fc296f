"""How many channels may be open at once on one connection."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic

AGAIN = 1.0
"""Seconds without a free slot after which one more is tried than the server was seen to grant."""


class Slots:
    """A semaphore whose bound falls to what the server really grants.

    A server that is still tidying up after a channel counts it: it may refuse one where it would grant one a moment
    later. So the bound is no last word. Who waits long tries one more, as a channel may be held for as long as the
    program runs, and the only other one be wanted meanwhile.

    `take` a slot, then say `opened`, `refused`, or `give_back`; after `opened`, `release` it. Who finds none free calls
    `make_room` first, which may give one back that is held for nothing.
    """

    def __init__(self, limit: int, make_room: Callable[[], None] = lambda: None) -> None:
        self._limit = self._most = limit
        self._make_room = make_room
        self._waiting = 0
        self._taken = 0
        self._open = 0
        self._peak = 0
        self._moved = monotonic()
        self._changed = threading.Condition()

    @property
    def limit(self) -> int:
        """Return the bound as it is now."""
        return self._limit

    @property
    def still(self) -> float:
        """Return the seconds in which no channel was opened or closed."""
        return monotonic() - self._moved

    @property
    def wanted(self) -> bool:
        """Tell whether somebody waits for a slot."""
        return self._waiting > 0

    def take(self, timeout: float) -> bool:
        """Wait for a free slot; return whether there was one in time."""
        with self._changed:
            if self._taken < self._limit:
                self._taken += 1
                return True
            self._waiting += 1
        try:
            self._make_room()
            return self._wait(timeout)
        finally:
            with self._changed:
                self._waiting -= 1

    def _wait(self, timeout: float) -> bool:
        end = monotonic() + timeout
        with self._changed:
            while self._taken >= self._limit:
                left = end - monotonic()
                if left <= 0:
                    return False
                if not self._changed.wait(min(left, AGAIN)) and left > AGAIN:
                    self._limit = min(self._limit + 1, self._most)
            self._taken += 1
            return True

    def opened(self) -> None:
        """Count a slot's channel as open."""
        with self._changed:
            self._open += 1
            self._moved = monotonic()
            self._peak = max(self._peak, self._open)

    def refused(self) -> bool:
        """Give back a slot whose channel the server refused; return whether no other channel is open.

        No more than the server ever granted at once will be asked of it again.
        """
        with self._changed:
            self._taken -= 1
            self._limit = max(1, min(self._limit, self._peak))
            self._changed.notify_all()
            return self._open == 0

    def release(self) -> None:
        """Give back a slot whose channel was open."""
        with self._changed:
            self._open -= 1
            self._moved = monotonic()
        self.give_back()

    def give_back(self) -> None:
        """Give back a slot for which no channel was asked."""
        with self._changed:
            self._taken -= 1
            self._changed.notify()
