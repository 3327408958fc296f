"""TCP connections: begun, waited for, let go of.

Part of the agent's program: standard library only, and Python 3.6 must run it.
"""

import errno
import os
import selectors
import socket
import time
from collections.abc import Callable
from typing import Any

from dockerlab.probe.flight import Flight, name_of

FIN_WAIT1 = 4
"""The state of a connection whose end is not acknowledged (linux/tcp_states.h)."""
FIRST_LOOK, LAST_LOOK = 0.005, 0.7
"""Seconds: the pause before the second look at whether it is, which doubles, and the longest."""

TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ, TCP_SEND_QUEUE = 19, 20, 21, 2


class Connections:
    """TCP connections that are begun, and closed once it is known how.

    We say at once that nothing will come from us. A kernel that took the connection acknowledges that; one that took
    the first packet alone does not, and then the record has `unheard`. Where whoever accepts may have to lead it on, a
    proxy hands that on, and the far end is given `hold` seconds to do the same. The records say how each connection
    began, where the kernel tells that.
    """

    def __init__(
        self,
        selector: "selectors.BaseSelector",
        settle: "Callable[..., None]",
        wake: "Callable[[Flight, float], None]",
    ) -> None:
        self._selector = selector
        self._settle = settle
        self._wake = wake
        self.hold = 0.0
        self.numbers: set[int] = set()

    def send(self, flight: "Flight") -> "None":
        """Begin a connection. The kernel repeats it after a second; where there is haste, so do we."""
        if flight.socket is not None:
            if not flight.haste or flight.opened is not None:
                return
            self.release(flight)
        at = time.monotonic()
        made, number = flight.namespace.connected(
            socket.SOCK_STREAM, flight.question.address, flight.question.port or 0
        )
        if number not in (0, errno.EINPROGRESS):
            made.close()
            raise OSError(number, os.strerror(number))
        flight.socket = made
        flight.sent[flight.tries - 1] = at
        flight.began = initial_number(made)
        if flight.began is not None:
            self.numbers.add(flight.began)
        self._selector.register(made, selectors.EVENT_WRITE, (self.hear, flight, made))

    def hear(self, flight: "Flight", made: "socket.socket") -> "None":
        """Note how a connection began."""
        if flight.socket is not made:
            return
        rtt = (time.monotonic() - max(flight.sent.values())) * 1000
        number = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            self._settle(flight, outcome="errno", errno=name_of(number))
        elif made.getsockname() == made.getpeername():
            self._settle(flight, outcome="errno", errno="ECONNREFUSED")  # it met itself: nobody listens there
        else:
            flight.opened = {"outcome": "answered", "rtt": round(rtt, 3), "began": flight.began}
            if flight.question.led:
                self._linger(flight, made)
            else:
                self._confirm(flight, made)

    def _confirm(self, flight: "Flight", made: "socket.socket") -> "None":
        """Say that nothing will come from us, and see whether that is acknowledged; mostly it is at once."""
        self._selector.modify(made, selectors.EVENT_READ, (self.heard, flight, made))
        try:
            made.shutdown(socket.SHUT_WR)
        except OSError:
            self._settle(flight, **self._opened(flight))  # it was reset: by whoever had it
            return
        self.look(flight, FIRST_LOOK)

    def heard(self, flight: "Flight", made: "socket.socket") -> "None":
        """Note that something came by a connection: its far end has it."""
        if flight.socket is made:
            self._settle(flight, **self._opened(flight))

    def look(self, flight: "Flight", pause: "float") -> "None":
        """Settle a connection whose end was acknowledged, or never is; else look again after a longer pause."""
        if flight.socket is None:
            return
        number = flight.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            self._settle(flight, outcome="errno", errno=name_of(number))
        elif flight.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != FIN_WAIT1:
            self._settle(flight, **self._opened(flight))
        elif pause > LAST_LOOK:
            self._settle(flight, **self._opened(flight), unheard=True)
        else:
            flight.until, flight.look = time.monotonic() + pause, pause
            self._wake(flight, pause)

    @staticmethod
    def _opened(flight: "Flight") -> "dict[str, Any]":
        """Return the record of a connection that was accepted."""
        return dict(flight.opened or {})

    def _linger(self, flight: "Flight", made: "socket.socket") -> "None":
        """Say that nothing will come from us, and wait for the far end to end it as well."""
        flight.until = time.monotonic() + self.hold
        self._wake(flight, self.hold)
        self._selector.modify(made, selectors.EVENT_READ, (self.end, flight, made))
        try:
            made.shutdown(socket.SHUT_WR)
        except OSError:
            self.end(flight, made)

    def end(self, flight: "Flight", made: "socket.socket") -> "None":
        """Note that the far end has ended a connection; what it says before that is not read."""
        if flight.socket is not made or flight.opened is None:
            return
        try:
            closed = not made.recv(1)
        except OSError:
            closed = True
        self._settle(flight, **flight.opened, closed=closed)

    def release(self, flight: "Flight") -> "None":
        """Let go of a flight's connection."""
        if flight.socket is not None:
            self._selector.unregister(flight.socket)
            flight.socket.close()
            flight.socket = None


def initial_number(made: "socket.socket") -> "int | None":
    """Return the number that a connection began with, or None where the kernel does not tell.

    It is told to who may repair connections (linux/tcp.h: TCP_REPAIR), of what it will send next: its first byte.
    """
    try:
        made.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    except OSError:
        return None
    try:
        made.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR_QUEUE, TCP_SEND_QUEUE)
        return (made.getsockopt(socket.IPPROTO_TCP, TCP_QUEUE_SEQ) - 1) & 0xFFFFFFFF
    finally:
        try:
            made.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, -1)
        except OSError:  # before Linux 4.19 it could only be left with a packet that asks for a sign of life
            made.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 0)
