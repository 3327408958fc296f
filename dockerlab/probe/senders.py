"""How pings and lookups are sent and heard; connections are in `connections.py`.

Each has `send`, which makes one try of a cell. It raises OSError with what the kernel says, and ValueError where the
cell cannot be asked. `settle` is called when a cell has come to its end. Part of the agent's program: standard library
only, and Python 3.6 must run it.
"""

import os
import selectors
import socket
import time
from collections.abc import Callable
from typing import Any

from dockerlab.probe import wire
from dockerlab.probe.flight import FULL, Flight, name_of
from dockerlab.probe.namespaces import Namespace
from dockerlab.probe.resolver import Book, Line, open_book


class Pings:
    """Echo requests that carry their cell's number, and all that comes back or arrives of them."""

    def __init__(
        self,
        nonce: "bytes",
        flights: "dict[int, Flight]",
        settle: "Callable[..., None]",
        again: "Callable[[Flight], None]",
    ) -> None:
        self._nonce = nonce
        self._flights = flights
        self._settle = settle
        self._again = again
        self.arrivals: set[tuple[int, int, int, str]] = set()
        self.slowest = 0.0

    def send(self, flight: "Flight") -> "None":
        """Send an echo request."""
        question, attempt, size = flight.question, flight.tries - 1, 0
        if flight.size:
            attempt, size = FULL + flight.full_tries - 1, flight.size
        own = wire.Stamp(flight.number, attempt, os.urandom(wire.MARK_SIZE))
        packet = wire.echo_request(wire.version_of(question.address), self._nonce, own, size)
        at = time.monotonic()
        flight.namespace.send_echo(packet, question.address)
        flight.sent[attempt] = at
        flight.marks[attempt] = own.mark.hex()

    def hear(self, raw: "socket.socket", namespace: "Namespace", version: "int") -> "None":
        """Note each packet of this run that waits at a namespace: a request arrives, a reply or an error settles."""
        while True:
            try:
                packet, sender = raw.recvfrom(2048)
            except BlockingIOError:
                return
            found = wire.read_icmp(wire.strip_ip_header(packet, 4) if version == 4 else packet, version, self._nonce)
            if found is None:
                continue
            number, attempt, mark = found.stamp
            if found.kind == "request":
                self.arrivals.add((number, attempt, namespace.id, mark.hex()))
                namespace.used = True
                continue
            flight = self._flights.get(number)
            if flight is None or flight.namespace is not namespace or attempt not in flight.sent:
                continue
            if found.kind == "reply":
                self._answered(flight, attempt)
            else:
                said = {"kind": found.kind, "code": found.code, "version": version, "by": sender[0]}
                self._refused(flight, attempt, said)

    def _answered(self, flight: "Flight", attempt: "int") -> "None":
        """Note a reply: the first one settles, a later one has to be confirmed."""
        seconds = time.monotonic() - flight.sent[attempt]
        self.slowest = max(self.slowest, seconds)
        if attempt >= FULL:
            self._settle(flight, **flight.answer(full="answered", size=flight.size))
            return
        flight.answered[attempt] = seconds * 1000
        if flight.size:
            return  # a late answer to a small packet
        if not flight.proven() or (flight.question.full and self._measure(flight)):
            self._again(flight)
        else:
            self._settle(flight, **flight.answer())

    def _measure(self, flight: "Flight") -> "bool":
        """Prepare the tries with a full-size packet; tell whether the kernel says how large that is."""
        try:
            flight.size = flight.namespace.mtu(flight.question.address)
        except OSError:
            return False  # it was answered, and the route has gone since: there is nothing more to ask
        return True

    def _refused(self, flight: "Flight", attempt: "int", said: "dict[str, Any]") -> "None":
        """Note an ICMP error about a try."""
        if attempt >= FULL:
            self._settle(flight, **flight.answer(full=said, size=flight.size))
        elif not flight.answered:
            self._settle(flight, outcome="icmp", **flight.marked(), **said)


class Lookups:
    """Questions to the first name server of each source, all of a source's over one socket."""

    def __init__(
        self, selector: "selectors.BaseSelector", settle: "Callable[..., None]", pids: "dict[int, int]"
    ) -> None:
        self._selector = selector
        self._settle = settle
        self._pids = pids
        self.heard: set[str] = set()  # the name servers that have answered anything
        self._books: dict[int, Book] = {}
        self._lines: dict[tuple[int, str], Line] = {}

    def send(self, flight: "Flight") -> "None":
        """Ask as the source's C library would: its hosts file, then the first server of its resolver file."""
        question, name = flight.question, flight.question.name or ""
        if flight.line is None:
            book = self._book(question.place)
            known = wire.read_hosts(book.hosts, name)
            wanted = [address for address in known if (":" in address) == (flight.question.record == wire.TYPE_AAAA)]
            if wanted or not book.servers:
                rcode, server = (0, "/etc/hosts") if wanted else (wire.NO_SUCH_NAME, "")
                self._settle(flight, outcome="answered", rcode=rcode, addresses=wanted, server=server)
                return
            flight.server = book.servers[0]
            flight.line = self._line(flight.namespace, flight.server)
            flight.ident = flight.line.enter(flight)
        at = time.monotonic()
        flight.line.ask(flight.ident, name, flight.question.record)
        flight.sent[flight.tries - 1] = at

    def _book(self, place: "int") -> "Book":
        if place not in self._books:
            self._books[place] = open_book(self._pids[place])
        return self._books[place]

    def _line(self, namespace: "Namespace", server: "str") -> "Line":
        key = (namespace.id, server)
        if key not in self._lines:
            line = self._lines[key] = Line(namespace, server)
            self._selector.register(line.socket, selectors.EVENT_READ, (self.hear, line))
        return self._lines[key]

    def hear(self, line: "Line") -> "None":
        """Note what the name server said; where nobody serves names, that is the answer to all that was asked."""
        while True:
            try:
                message = line.hear()
            except OSError as error:
                for flight in list(line.asked.values()):
                    self._settle(flight, outcome="errno", errno=name_of(error.errno), server=line.server)
                return
            if message is None:
                return
            flight = line.asked.get(int.from_bytes(message[:2], "big"))
            answer = wire.read_dns(message, flight.ident, flight.question.record) if flight is not None else None
            if flight is not None and answer is not None:
                self.heard.add(line.server)
                rtt = (time.monotonic() - max(flight.sent.values())) * 1000
                record = {"rcode": answer.rcode, "addresses": answer.addresses, "server": line.server}
                self._settle(flight, outcome="answered", rtt=round(rtt, 3), **record)
