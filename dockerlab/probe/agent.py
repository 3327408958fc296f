"""The agent: probes from, and listens in, every namespace of one host at once.

It is sent to the host as it is and never installed: standard library only, Python 3.6 or later, as root. The dialogue
is one JSON object a line:

    controller: {"nonce": hex, "patience": s, "haste": bool, "hold": s, "last": bool,
                 "places": [{"key", "pid", "ports", "taker": bool}], "cells": [question]}
    agent:      {"event": "ready", "kernel": boot id, "python": …, "places": {key: {"namespace": id} or {"error": …}}}
    controller: {"event": "go", "share": how many agents share this kernel}     so that all hosts probe at one moment
    agent:      {"event": "working"}                 each half second, until every cell of its own is settled, and then
    agent:      {"event": "done"}                                                               it goes on listening
    controller: {"event": "stop"}                                                                  all agents are done
    agent:      {"event": "report", "cells": [record], "arrivals": [[cell, attempt, namespace, mark]],
                 "missed": [[namespace, packets]], "overflows": count, "numbers": [number], "proxies": [port],
                 "knocks": [[namespace, port, number, what]], "deaf": [[namespace, reason]],
                 "delivered": [[namespace, number]], "unseen": [[namespace, reason]]}

A question is a list, the fields of `Question`. A record says what happened to one cell: its `outcome` is `answered`,
`silent`, `errno`, `icmp` or `untested`. Nothing of ours answers an echo request: the kernel of the target does. A cell
that ends in silence was really sent. Where there are `ports`, connections to them are watched as they arrive at that
place (`knocks.py`), and the report says of each with what number it began and what became of it. A `taker` is to take
connections: the report says which were delivered to it (`deliveries.py`), by the same number.
"""

import collections
import errno
import heapq
import os
import platform
import selectors
import signal
import time
from typing import Any

from dockerlab.probe import wire
from dockerlab.probe.connections import Connections
from dockerlab.probe.deliveries import Deliveries
from dockerlab.probe.dialogue import SIGN, hear, say
from dockerlab.probe.flight import Flight, Question, name_of
from dockerlab.probe.knocks import Watches, proxied_ports
from dockerlab.probe.namespaces import Namespace, open_namespace, read_text
from dockerlab.probe.senders import Lookups, Pings

BATCH = 64
"""Cells that are sent before what has come is read, so that no socket's buffer overflows."""
YOUNG = 0.05
"""Seconds that answers are given before neighbours are forgotten to make room."""
SLOW = 0.05
"""Seconds: where the answer to any ping took that long, no ping or connection is tried again or given up in haste."""
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
    agent.connections.hold = job["hold"]
    places = {place["key"]: agent.open_place(place) for place in job["places"]}
    agent.last, agent.haste = job["last"], job["haste"]
    entered = [place for place in agent.places.values() if "namespace" in place]
    agent.watches.open(agent.namespaces, [(place["namespace"], place["ports"]) for place in entered if place["ports"]])
    for namespace in {place["namespace"] for place in entered if place["taker"]}:
        agent.deliveries.open(agent.namespaces[namespace])
    kernel = read_text("/proc/sys/kernel/random/boot_id").strip()
    say(event="ready", kernel=kernel, python=platform.python_version(), places=places)
    share = hear()["share"]
    agent.run(job["cells"], share)


def raise_file_limit() -> "int":
    """Allow as many open files as may be, for every TCP and DNS probe is one; return how many that is."""
    try:
        import resource  # noqa: PLC0415 - a minimal Python has none, and does with the limit that is there
    except ImportError:
        return os.sysconf("SC_OPEN_MAX")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class Agent:
    """All that is under way on this host."""

    def __init__(self, nonce: "bytes", patience: "float") -> None:
        self.patience = patience
        self.namespaces: dict[int, Namespace] = {}
        self.places: dict[int, dict[str, Any]] = {}
        self.selector = selectors.DefaultSelector()
        self.flights: dict[int, Flight] = {}
        self.waiting: collections.deque[Flight] = collections.deque()
        self.flying: set[Flight] = set()
        self.timers: list[tuple[float, int, int]] = []
        self.records: dict[int, dict[str, Any]] = {}
        self.last_sent = 0.0
        self.own_namespace = open_namespace(0)
        self.most_files = raise_file_limit()
        self.pids: dict[int, int] = {}
        self.last = self.haste = False
        self.watches = Watches(self.selector)
        self.deliveries = Deliveries(self.selector)
        self.pings = Pings(nonce, self.flights, self.settle, self.attempt)
        self.connections = Connections(self.selector, self.settle, self.wake)
        self.lookups = Lookups(self.selector, self.settle, self.pids)
        self.send = {"ping": self.pings.send, "tcp": self.connections.send, "dns": self.lookups.send}

    def open_place(self, place: "dict[str, Any]") -> "dict[str, Any]":
        """Listen in the namespace of a place; return its identity, equal for two places in one, or the error."""
        self.places[place["key"]] = place
        self.pids[place["key"]] = place["pid"]
        try:
            handle = open_namespace(place["pid"]) if place["pid"] else os.dup(self.own_namespace)
            identity = os.fstat(handle).st_ino
            if identity in self.namespaces:
                os.close(handle)
            else:
                namespace = self.namespaces[identity] = Namespace(handle)
                for version, raw in namespace.raw.items():
                    self.selector.register(raw, selectors.EVENT_READ, (self.pings.hear, raw, namespace, version))
        except OSError as error:
            whose = f"process {place['pid']}" if place["pid"] else "the host"
            place["error"] = f"cannot enter the network namespace of {whose}: {error.strerror}"
            return {"error": place["error"]}
        place["namespace"] = identity
        return {"namespace": identity}

    def run(self, cells: "list[list[Any]]", share: "int") -> "None":
        """Send everything, listen until the controller says stop, and report."""
        fulls = sum(table.fulls for table in self.tables())
        for question in (Question(*cell) for cell in cells):
            place = self.places[question.place]
            if "error" in place:
                self.records[question.number] = {"outcome": "untested", "error": place["error"]}
                continue
            flight = self.flights[question.number] = Flight(question, self.namespaces[place["namespace"]], self.haste)
            self.waiting.append(flight)
        asked = {wire.packed(address) for address in {flight.question.address for flight in self.waiting} if address}
        for namespace in self.namespaces.values():
            namespace.ask_again(asked)
        self.selector.register(0, selectors.EVENT_READ, None)
        done, due = False, time.monotonic() + SIGN
        while True:
            self.send_waiting(share)
            self.run_timers()
            if not done and not self.waiting and not self.flying:
                say(event="done")
                done = True
            elif not done and time.monotonic() >= due:
                say(event="working")
                due += SIGN
            if self.listen(self.nap() if done else min(self.nap(), SIGN)):
                break
        hear()
        self.listen(0)
        for namespace in self.namespaces.values():
            namespace.forget_neighbours(with_incomplete=True)
        say(
            event="report",
            cells=[dict(record, number=number) for number, record in self.records.items()],
            arrivals=sorted(self.pings.arrivals),
            missed=[[namespace.id, namespace.missed()] for namespace in self.namespaces.values()],
            overflows=sum(table.fulls for table in self.tables()) - fulls,
            numbers=sorted(self.connections.numbers),
            proxies=proxied_ports() if self.last else [],
            **self.watches.report(),
            **self.deliveries.report(),
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
        if not self.waiting or len(self.flying) + 8 * len(self.namespaces) + SPARE_FILES + BATCH > self.most_files:
            return
        if not self.has_room(share):
            if self.flying and time.monotonic() - self.last_sent < YOUNG:
                return
            if not self.make_room(share) and self.flying:
                self.last_sent = time.monotonic()  # others fill the tables: look again after a while
                return
        for _ in range(min(BATCH, len(self.waiting))):
            flight = self.waiting.popleft()
            self.flying.add(flight)
            self.attempt(flight)
        self.last_sent = time.monotonic()

    def tables(self) -> "list[Any]":
        """Return the kernel's neighbour tables, or nothing where there is no namespace to ask from."""
        return next((namespace.tables() for namespace in self.namespaces.values()), [])

    def has_room(self, share: "int") -> "bool":
        """Tell whether a batch of every agent on this kernel fits in: a cell makes an entry at each of its two ends."""
        return all(table.entries + 2 * BATCH * share < table.limit for table in self.tables())

    def make_room(self, share: "int") -> "bool":
        """Forget neighbours where packets were seen, and if need be everywhere; tell whether there is room now."""
        for namespaces in ([one for one in self.namespaces.values() if one.used], self.namespaces.values()):
            for namespace in namespaces:
                namespace.forget_neighbours(with_incomplete=not self.flying)
            if self.has_room(share):
                return True
        return False

    def run_timers(self) -> "None":
        """Repeat what is due and not settled; give up what has had all its time."""
        now = time.monotonic()
        for _ in range(BATCH):
            if not self.timers or self.timers[0][0] > now:
                return
            _, number, tries = heapq.heappop(self.timers)
            flight = self.flights[number]
            if flight not in self.flying or tries != flight.tries + flight.full_tries or flight.until > now:
                continue
            if flight.hurries() and self.answers_late(flight):
                self.wake(flight, flight.slow_down(self.patience))
            elif flight.wants_more():
                self.attempt(flight)
            else:
                self.give_up(flight)

    def answers_late(self, flight: "Flight") -> "bool":
        """Tell whether an answer may take longer than haste has time.

        A name server that is there works through what many ask at once: it is slow then while every packet is fast.
        """
        if flight.question.probe == "dns":
            return flight.server in self.lookups.heard
        return self.pings.slowest > SLOW

    def attempt(self, flight: "Flight") -> "None":
        """Make one try of a cell, and set the time of the next one or of giving up."""
        if flight.size:
            flight.full_tries += 1
        else:
            flight.tries += 1
        self.wake(flight, flight.pause(self.patience))
        try:
            self.send[flight.question.probe](flight)
        except OSError as error:
            if error.errno in SHORTAGES:
                flight.shortage = f"{name_of(error.errno)} at every try: the host had no room to send"
            elif flight.answered:
                self.settle(flight, **flight.answer(full=name_of(error.errno), size=flight.size))
            else:
                self.settle(flight, outcome="errno", errno=name_of(error.errno), server=flight.server)
        except ValueError as error:
            self.settle(flight, outcome="untested", error=str(error))

    def wake(self, flight: "Flight", seconds: "float") -> "None":
        """Look at a cell again after a time, unless another try has been made by then."""
        heapq.heappush(self.timers, (time.monotonic() + seconds, flight.number, flight.tries + flight.full_tries))

    def give_up(self, flight: "Flight") -> "None":
        """Write the record of a cell that has had all its tries."""
        if flight.size:
            self.settle(flight, **flight.answer(full="silent", size=flight.size))
        elif flight.answered:
            self.settle(flight, **flight.answer())
        elif flight.look:
            self.connections.look(flight, 2 * flight.look)
        elif flight.opened is not None:
            self.settle(flight, **flight.opened, closed=False)
        elif not flight.sent:
            self.settle(flight, outcome="untested", error=flight.shortage)
        else:
            self.settle(flight, outcome="silent", server=flight.server, **flight.marked())

    def settle(self, flight: "Flight", **record: "Any") -> "None":
        """Write the record of a cell and let go of what it holds; an answer that comes late still counts."""
        if self.records.get(flight.number, {}).get("outcome") != "answered":
            self.records[flight.number] = record
        self.flying.discard(flight)
        self.connections.release(flight)


if __name__ == "__main__":
    main()
