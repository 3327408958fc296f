"""The tracer: lets the kernel of a host tell which rules one packet meets, in each of some network namespaces.

It is sent to the host as it is and never installed: standard library only, Python 3.6 or later, as root. The dialogue
is one JSON object a line:

    controller: {"places": [{"key", "pid"}], "address", "port", "nonce": hex, "began": number, "owned": bool,
                 "behind": [[address, port]]}
    tracer:     {"event": "ready", "places": {key: {"namespace": id} or {"error": text}}}
    controller: {"event": "send", "place": key}            to the host that the packet starts from, and to no other
    tracer:     {"event": "sent", "outcome": text}
    controller: {"event": "stop"}
    tracer:     {"event": "report", "events": [[namespace, [event]]], "names": {namespace: {index: name}},
                 "rules": [[namespace, family, table, chain, [handle]]], "blind": [[namespace, reason]]}

What marks the packet is a table of our own. The kernel takes it away when our socket is closed, whatever closes it
(`owned`). Before Linux 5.12 it cannot: there the table goes when this program ends or its standard input does, and one
that a killed program left is known by its name, and goes the next time.
"""

import contextlib
import os
import signal
import socket
import struct
import sys
import time
from typing import Any

from dockerlab.probe.dialogue import hear, say
from dockerlab.probe.namespaces import Namespace, open_namespace, read_text, widen
from dockerlab.trace import netfilter
from dockerlab.trace.signs import send, signs

PREFIX = "dockerlab-trace-"
LIFETIME = 60
SETTLING = 0.1
"""Seconds in which what an answer has set off comes to its end."""
OPERATION_NOT_SUPPORTED, INVALID = 95, 22


def main() -> "None":
    """Hold the dialogue on standard input and output."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, lambda *_: sys.exit(1))
    signal.alarm(LIFETIME)
    job = hear()
    spaces: dict[int, Space] = {}
    homes: dict[int, Space] = {}
    try:
        told = {place["key"]: open_place(place, job, spaces, homes) for place in job["places"]}
        say(event="ready", places=told)
        message = hear()
        if message["event"] == "send":
            say(event="sent", outcome=sent(homes, message["place"], job))
            hear()
        time.sleep(SETTLING)
        reports = [space.report() for space in spaces.values()]
    finally:
        for space in spaces.values():
            space.close()
    say(
        event="report",
        events=[[space.id, report["events"]] for space, report in zip(spaces.values(), reports)],  # noqa: B905 - Python 3.6
        rules=[rules for report in reports for rules in report["rules"]],
        names={space.id: report["names"] for space, report in zip(spaces.values(), reports)},  # noqa: B905 - Python 3.6
        blind=[[space.id, why] for space, report in zip(spaces.values(), reports) for why in report["blind"]],  # noqa: B905 - Python 3.6
    )


def open_place(
    place: "dict[str, Any]", job: "dict[str, Any]", spaces: "dict[int, Space]", homes: "dict[int, Space]"
) -> "dict[str, Any]":
    """Begin to trace in a place's namespace; return its identity, equal for two places in one, or the error."""
    try:
        handle = open_namespace(place["pid"])
        identity = os.fstat(handle).st_ino
        if identity in spaces:
            os.close(handle)
        else:
            space = Space(handle)
            space.open(job)
            spaces[identity] = space
    except OSError as error:
        return {"error": f"its rules cannot be traced: {error.strerror}"}
    homes[place["key"]] = spaces[identity]
    return {"namespace": identity}


def sent(homes: "dict[int, Space]", place: "int", job: "dict[str, Any]") -> "str":
    """Send the packet from a place and return what came of it."""
    try:
        return send(homes[place].namespace, job)
    except OSError as error:
        return f"not sent: {error.strerror}"


class Space:
    """A namespace in which our packet is marked, and what its kernel tells of that."""

    def __init__(self, handle: "int") -> None:
        self.id = os.fstat(handle).st_ino
        self.table = PREFIX + str(os.getpid())
        self._owned = False
        self.namespace = Namespace(handle)
        self._owner = netlink()
        self._ear = netlink(netfilter.TRACES)

    def open(self, job: "dict[str, Any]") -> "None":
        """Put our table in; raises OSError where the kernel does not take it."""
        for name, flags in self._tables():
            if name.startswith(PREFIX) and not flags & netfilter.OWNED and not alive(name[len(PREFIX) :]):
                asked(self._owner, netfilter.removing(name))
        ways = signs(job)
        self._owned = job["owned"]
        try:
            asked(self._owner, netfilter.marking(self.table, ways, self._owned))
        except OSError as error:
            if not self._owned or error.errno not in (OPERATION_NOT_SUPPORTED, INVALID):
                raise
            self._owned = False
            asked(self._owner, netfilter.marking(self.table, ways, owned=False))

    def close(self) -> "None":
        """Take our table out."""
        if not self._owned:
            asked(self._owner, netfilter.removing(self.table))
        self._owner.close()

    def _tables(self) -> "list[tuple[str, int]]":
        dump = netfilter.message(netfilter.GET_TABLE, netfilter.REQUEST | netfilter.DUMP, 1, netfilter.INET)
        return [netfilter.table_of(body) for body in dumped(self._owner, dump)]

    def report(self) -> "dict[str, Any]":
        """Return what was told of the packet, the handles of each chain that it met, and interfaces' names."""
        blind = self._legacy()
        events = []
        try:
            told = drain(self._ear)
        except OSError as error:
            told = []
            blind.append(f"what the kernel told could not be read: {error.strerror}")
        for kind, _, body in (one for data in told for one in netfilter.messages_in(data)):
            if kind == netfilter.TRACE:
                events.append(netfilter.event(body))
        chains = sorted({(event.family, event.table, event.chain) for event in events if event.table != self.table})
        rules = []
        for family, table, chain in chains:
            found = [netfilter.rule_of(body) for body in dumped(self._owner, netfilter.rule_dump(family, table, chain))]
            rules.append([self.id, family, table, chain, [one[2] for one in found if one[:2] == (table, chain)]])
        self.namespace.enter()
        met = {index for event in events for index in (event.incoming, event.outgoing)}
        names = {index: name for index, name in socket.if_nameindex() if index in met}
        return {"events": events, "rules": rules, "names": names, "blind": blind}

    def _legacy(self) -> "list[str]":
        """Return what is to be said of rules that are not nf_tables', and so not told of."""
        self.namespace.enter()
        found: set[str] = set()
        for names in ("ip_tables_names", "ip6_tables_names"):
            with contextlib.suppress(FileNotFoundError):  # a kernel without legacy iptables
                found.update(read_text("/proc/thread-self/net/" + names).split())
        return [f"the rules of legacy iptables ({', '.join(sorted(found))}) are not told"] if found else []


def alive(pid: "str") -> "bool":
    """Tell whether the program of a table that bears its number may still run."""
    return os.path.exists(f"/proc/{pid}")  # noqa: PTH110 - a minimal Python has no pathlib


def netlink(group: "int" = 0) -> "socket.socket":
    """Return a socket to the netfilter of the current namespace."""
    made = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, netfilter.NETLINK_NETFILTER)
    made.bind((0, 1 << (group - 1) if group else 0))
    widen(made)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 2, 0))
    return made


def asked(made: "socket.socket", request: "bytes") -> "None":
    """Send a batch and wait until all of it was done; raises OSError with the first thing that was refused."""
    drain(made)
    wanted = sum(1 for kind, _, _ in netfilter.messages_in(request) if kind >> 8 == netfilter.SUBSYSTEM)
    made.send(request)
    while wanted:
        for kind, _, body in netfilter.messages_in(made.recv(1 << 17)):
            number = -int.from_bytes(body[:4], sys.byteorder, signed=True) if kind == netfilter.ERROR else 0
            if number:
                raise OSError(number, os.strerror(number))
            wanted -= kind == netfilter.ERROR


def drain(made: "socket.socket") -> "list[bytes]":
    """Return what waits at a socket; raises OSError where the kernel had no room for all of it."""
    found = []
    with contextlib.suppress(BlockingIOError):
        while True:
            found.append(made.recv(1 << 17, socket.MSG_DONTWAIT))
    return found


def dumped(made: "socket.socket", request: "bytes") -> "list[bytes]":
    """Return the bodies of all messages that answer a request for a list; none where there is nothing of that name."""
    made.send(request)
    bodies: list[bytes] = []
    while True:
        for kind, _, body in netfilter.messages_in(made.recv(1 << 17)):
            if kind in (netfilter.DONE, netfilter.ERROR):
                return bodies
            bodies.append(body)


if __name__ == "__main__":
    main()
