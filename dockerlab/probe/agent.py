"""The agent: probes from, and listens in, every sandbox of one host at once.

It is sent to the host as it is and never installed: standard library only, Python 3.6 or later, as root. The dialogue
is one JSON object a line:

    controller: {"nonce": hex, "patience": s, "places": [{"key", "pid"}], "cells": [{"number", "place", "probe", …}]}
    agent:      {"event": "ready", "kernel": boot id, "python": …, "places": {key: {"sandbox": id} or {"error": text}}}
    controller: {"event": "go", "share": how many agents share this kernel}     so that all hosts probe at one moment
    agent:      {"event": "done"}                               every cell of its own is settled; it goes on listening
    controller: {"event": "stop"}                                                                  all agents are done
    agent:      {"event": "report", "cells": [record], "arrivals": [[cell, attempt, sandbox]],
                 "missed": [[sandbox, packets]], "overflows": count}

A record says what happened to one cell: its `outcome` is `answered`, `silent`, `errno`, `icmp` or `untested`. Nothing
of ours answers an echo request: the kernel of the target does. A cell that ends in silence was really sent.
"""

import collections
import errno
import heapq
import json
import os
import platform
import selectors
import signal
import socket
import sys
import time
from typing import Any

from dockerlab.probe import wire
from dockerlab.probe.sandboxes import Sandbox, open_namespace, read_as, read_text

TRIES = (0.0, 0.5, 1.2)
"""Seconds after a cell's first try at which it is tried, until it is settled."""
BATCH = 64
"""Cells that are sent before what has come is read, so that no socket's buffer overflows."""
YOUNG = 0.05
"""Seconds that answers are given before neighbours are forgotten to make room."""
LIFETIME = 600
SPARE_FILES = 64
SHORTAGES = (errno.ENOBUFS, errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE)


def main() -> "None":
    """Hold the dialogue on standard input and output."""
    signal.alarm(LIFETIME)
    job = hear()
    if os.geteuid() != 0:
        say(event="failed", reason="the agent needs root")
        return
    agent = Agent(bytes.fromhex(job["nonce"]), job["patience"])
    places = {place["key"]: agent.open_place(place) for place in job["places"]}
    kernel = read_text("/proc/sys/kernel/random/boot_id").strip()
    say(event="ready", kernel=kernel, python=platform.python_version(), places=places)
    share = hear()["share"]
    agent.run(job["cells"], share)


def say(**message: "object") -> "None":
    """Write one message to the controller."""
    sys.stdout.buffer.write(json.dumps(message).encode() + b"\n")
    sys.stdout.buffer.flush()


def hear() -> "dict[str, Any]":
    """Return the controller's next message; ends the program where the controller has gone."""
    line = sys.stdin.buffer.readline()
    if not line:
        sys.exit(1)
    message: dict[str, Any] = json.loads(line.decode())
    return message


def name_of(number: "int | None") -> "str":
    """Return the symbolic name of a system error, such as ENETUNREACH."""
    return errno.errorcode.get(number or 0, str(number))


def raise_file_limit() -> "int":
    """Allow as many open files as may be, for every TCP and DNS probe is one; return how many that is."""
    try:
        import resource  # noqa: PLC0415 - a minimal Python has none, and does with the limit that is there
    except ImportError:
        return os.sysconf("SC_OPEN_MAX")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class Flight:
    """One cell under way, from its first try to its record."""

    def __init__(self, cell: "dict[str, Any]", sandbox: "Sandbox") -> None:
        self.cell = cell
        self.number: int = cell["number"]
        self.sandbox = sandbox
        self.sent: dict[int, float] = {}
        self.socket: socket.socket | None = None
        self.server = ""
        self.shortage = ""

    @property
    def record_type(self) -> "int":
        """Return which DNS record answers: AAAA where only IPv6 addresses are expected, else A."""
        expected = self.cell["expected"]
        return wire.TYPE_AAAA if expected and all(":" in address for address in expected) else wire.TYPE_A


class Agent:
    """All that is under way on this host."""

    def __init__(self, nonce: "bytes", patience: "float") -> None:
        self.nonce = nonce
        self.patience = patience
        self.sandboxes: dict[int, Sandbox] = {}
        self.places: dict[int, dict[str, Any]] = {}
        self.selector = selectors.DefaultSelector()
        self.flights: dict[int, Flight] = {}
        self.waiting: collections.deque[Flight] = collections.deque()
        self.flying: set[Flight] = set()
        self.timers: list[tuple[float, int, int]] = []
        self.records: dict[int, dict[str, Any]] = {}
        self.arrivals: set[tuple[int, int, int]] = set()
        self.last_sent = 0.0
        self.own_namespace = open_namespace(0)
        self.most_files = raise_file_limit()

    def open_place(self, place: "dict[str, Any]") -> "dict[str, Any]":
        """Listen in the sandbox of a place; return its identity, equal for two places in one sandbox, or the error."""
        self.places[place["key"]] = place
        try:
            handle = open_namespace(place["pid"]) if place["pid"] else os.dup(self.own_namespace)
            identity = os.fstat(handle).st_ino
            if identity in self.sandboxes:
                os.close(handle)
            else:
                sandbox = self.sandboxes[identity] = Sandbox(handle)
                for version, raw in sandbox.raw.items():
                    self.selector.register(raw, selectors.EVENT_READ, (self.on_icmp, raw, sandbox, version))
        except OSError as error:
            whose = f"process {place['pid']}" if place["pid"] else "the host"
            place["error"] = f"cannot enter the network namespace of {whose}: {error.strerror}"
            return {"error": place["error"]}
        place["sandbox"] = identity
        return {"sandbox": identity}

    def run(self, cells: "list[dict[str, Any]]", share: "int") -> "None":
        """Send everything, listen until the controller says stop, and report."""
        fulls = sum(table.fulls for table in self.tables())
        for cell in cells:
            place = self.places[cell["place"]]
            if "error" in place:
                self.records[cell["number"]] = {"outcome": "untested", "error": place["error"]}
                continue
            flight = self.flights[cell["number"]] = Flight(cell, self.sandboxes[place["sandbox"]])
            self.waiting.append(flight)
        asked = {wire.packed(cell["address"]) for cell in cells if cell["address"]}
        for sandbox in self.sandboxes.values():
            sandbox.ask_again(asked)
        self.selector.register(0, selectors.EVENT_READ, None)
        done = False
        while True:
            self.send_waiting(share)
            self.run_timers()
            if not done and not self.waiting and not self.flying:
                say(event="done")
                done = True
            if self.listen(self.nap()):
                break
        hear()
        self.listen(0)
        say(
            event="report",
            cells=[dict(record, number=number) for number, record in self.records.items()],
            arrivals=sorted(self.arrivals),
            missed=[[sandbox.id, sandbox.missed()] for sandbox in self.sandboxes.values()],
            overflows=sum(table.fulls for table in self.tables()) - fulls,
        )

    def nap(self) -> "float":
        """Return how many seconds to wait for a packet."""
        if self.waiting:
            return 0.0 if time.monotonic() - self.last_sent > YOUNG else 0.001
        return max(0.0, self.timers[0][0] - time.monotonic()) if self.timers else 1.0

    def listen(self, seconds: "float") -> "bool":
        """Handle all that comes until `seconds` have passed or something came; tell whether the controller spoke."""
        spoken = False
        for key, _ in self.selector.select(seconds):
            if key.data is None:
                spoken = True
            else:
                handler, *arguments = key.data
                handler(*arguments)
        return spoken

    # The order of sending

    def send_waiting(self, share: "int") -> "None":
        """Send the first try of the next batch, where files and the neighbour tables have room for it."""
        if not self.waiting or len(self.flying) + 5 * len(self.sandboxes) + SPARE_FILES + BATCH > self.most_files:
            return
        if not self.has_room(share):
            if self.flying and time.monotonic() - self.last_sent < YOUNG:
                return
            for sandbox in self.sandboxes.values():
                sandbox.forget_neighbours(with_incomplete=not self.flying)
            if self.flying and not self.has_room(share):
                return
        for _ in range(min(BATCH, len(self.waiting))):
            flight = self.waiting.popleft()
            self.flying.add(flight)
            self.attempt(flight, 0)
        self.last_sent = time.monotonic()

    def tables(self) -> "list[Any]":
        """Return the kernel's neighbour tables, or nothing where there is no sandbox to ask from."""
        return next((sandbox.tables() for sandbox in self.sandboxes.values()), [])

    def has_room(self, share: "int") -> "bool":
        """Tell whether a batch of every agent on this kernel fits in: a cell makes an entry at each of its two ends."""
        return all(table.entries + 2 * BATCH * share < table.limit for table in self.tables())

    def run_timers(self) -> "None":
        """Repeat what is due and not settled; give up what has had all its time."""
        now = time.monotonic()
        for _ in range(BATCH):
            if not self.timers or self.timers[0][0] > now:
                return
            _, number, attempt = heapq.heappop(self.timers)
            flight = self.flights[number]
            if flight not in self.flying:
                continue
            if attempt < len(TRIES):
                self.attempt(flight, attempt)
            elif flight.sent:
                self.settle(flight, outcome="silent", server=flight.server)
            else:
                self.settle(flight, outcome="untested", error=flight.shortage)

    def attempt(self, flight: "Flight", attempt: "int") -> "None":
        """Make one try of a cell, and set the time of the next one or of giving up."""
        pause = (TRIES[attempt + 1] if attempt + 1 < len(TRIES) else self.patience) - TRIES[attempt]
        heapq.heappush(self.timers, (time.monotonic() + pause, flight.number, attempt + 1))
        send = {"ping": self.send_ping, "tcp": self.send_tcp, "dns": self.send_dns}[flight.cell["probe"]]
        try:
            send(flight, attempt)
        except OSError as error:
            if error.errno in SHORTAGES:
                flight.shortage = f"{name_of(error.errno)} at every try: the host had no room to send"
            else:
                self.settle(flight, outcome="errno", errno=name_of(error.errno), server=flight.server)
        except ValueError as error:
            self.settle(flight, outcome="untested", error=str(error))

    # Sending

    def send_ping(self, flight: "Flight", attempt: "int") -> "None":
        """Send an echo request that carries the cell's number."""
        address = flight.cell["address"]
        packet = wire.echo_request(wire.version_of(address), self.nonce, flight.number, attempt)
        at = time.monotonic()
        flight.sandbox.send_echo(packet, address)
        flight.sent[attempt] = at

    def send_tcp(self, flight: "Flight", attempt: "int") -> "None":
        """Begin a connection, once: the kernel repeats it by itself."""
        if flight.socket is None:
            at = time.monotonic()
            self.connect(flight, socket.SOCK_STREAM, flight.cell["address"], flight.cell["port"])
            flight.sent[attempt] = at

    def send_dns(self, flight: "Flight", attempt: "int") -> "None":
        """Ask as the source's C library would: its hosts file, then the first server of its resolver file."""
        if flight.socket is None and not self.find_server(flight):
            return
        query = wire.dns_query(flight.number & 0xFFFF, flight.cell["name"], flight.record_type)
        if flight.socket is None:
            self.connect(flight, socket.SOCK_DGRAM, flight.server, 53)
        at = time.monotonic()
        flight.socket.send(query)  # type: ignore[union-attr]  # connect has made it
        flight.sent[attempt] = at

    def find_server(self, flight: "Flight") -> "bool":
        """Find the name server to ask; settle the cell where the source's own files decide it."""
        pid, name = self.places[flight.cell["place"]]["pid"], flight.cell["name"]
        try:
            known = wire.read_hosts(read_as(pid, "/etc/hosts"), name)
        except OSError:
            known = []  # an image need not have one
        found = [address for address in known if (":" in address) == (flight.record_type == wire.TYPE_AAAA)]
        if found:
            self.settle(flight, outcome="answered", rcode=0, addresses=found, server="/etc/hosts")
            return False
        try:
            servers = wire.read_resolv_conf(read_as(pid, "/etc/resolv.conf"))
        except OSError as error:
            message = f"cannot read the source's /etc/resolv.conf: {error.strerror}"
            raise ValueError(message) from error
        if not servers:
            self.settle(flight, outcome="answered", rcode=wire.NO_SUCH_NAME, addresses=[], server="")
            return False
        flight.server = servers[0]
        return True

    def connect(self, flight: "Flight", kind: "int", address: "str", port: "int") -> "None":
        """Give the flight a socket in its sandbox that connects; raises OSError where that fails at once."""
        made, number = flight.sandbox.connected(kind, address, port)
        if number not in (0, errno.EINPROGRESS):
            made.close()
            raise OSError(number, os.strerror(number))
        flight.socket = made
        if kind == socket.SOCK_STREAM:
            self.selector.register(made, selectors.EVENT_WRITE, (self.on_connected, flight, made))
        else:
            self.selector.register(made, selectors.EVENT_READ, (self.on_dns, flight, made))

    # Hearing

    def on_icmp(self, raw: "socket.socket", sandbox: "Sandbox", version: "int") -> "None":
        """Note each packet of this run that waits at a sandbox: a request arrives, a reply or an error settles."""
        while True:
            try:
                packet, sender = raw.recvfrom(2048)
            except BlockingIOError:
                return
            found = wire.read_icmp(wire.strip_ip_header(packet, 4) if version == 4 else packet, version, self.nonce)
            if found is None:
                continue
            number, attempt = found.stamp
            flight = self.flights.get(number)
            if found.kind == "request":
                self.arrivals.add((number, attempt, sandbox.id))
            elif flight is None or flight.sandbox is not sandbox or attempt not in flight.sent:
                continue
            elif found.kind == "reply":
                rtt = (time.monotonic() - flight.sent[attempt]) * 1000
                self.settle(flight, outcome="answered", rtt=rtt, attempt=attempt)
            elif flight in self.flying:
                self.settle(flight, outcome="icmp", kind=found.kind, code=found.code, version=version, by=sender[0])

    def on_connected(self, flight: "Flight", made: "socket.socket") -> "None":
        """Note how a connection began."""
        rtt = (time.monotonic() - min(flight.sent.values())) * 1000
        number = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            self.settle(flight, outcome="errno", errno=name_of(number))
        elif made.getsockname() == made.getpeername():
            self.settle(flight, outcome="errno", errno="ECONNREFUSED")  # it met itself: nobody listens there
        else:
            self.settle(flight, outcome="answered", rtt=rtt)

    def on_dns(self, flight: "Flight", made: "socket.socket") -> "None":
        """Note what the name server said."""
        try:
            message = made.recv(4096)
        except BlockingIOError:
            return
        except OSError as error:
            self.settle(flight, outcome="errno", errno=name_of(error.errno), server=flight.server)
            return
        answer = wire.read_dns(message, flight.number & 0xFFFF, flight.record_type)
        if answer is not None:
            rtt = (time.monotonic() - max(flight.sent.values())) * 1000
            self.settle(flight, outcome="answered", rtt=rtt, server=flight.server, **answer._asdict())

    def settle(self, flight: "Flight", **record: "object") -> "None":
        """Write the record of a cell and let go of its socket; an answer that comes late still counts."""
        if self.records.get(flight.number, {}).get("outcome") != "answered":
            self.records[flight.number] = record
        self.flying.discard(flight)
        if flight.socket is not None:
            self.selector.unregister(flight.socket)
            flight.socket.close()
            flight.socket = None


if __name__ == "__main__":
    main()
