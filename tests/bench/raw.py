"""The physical limit of a matrix: one process that enters every namespace, sends everything, and counts the answers.

Runs on the host, as root: `python3 raw.py <job`, a JSON object with `pids`, one for each namespace, `addresses` to ping
from each of them, and `names` to look up from each. It predicts nothing, tries once, checks nothing of who answered,
and keeps nothing of a cell but whether an answer came. Prints the seconds without its own start, and both counts.
"""

import json
import os
import select
import socket
import struct
import sys
import time

CLONE_NEWNET = 0x40000000
BATCH = 64
QUIET = 0.3
RESOLVER = ("127.0.0.11", 53)


def setns(handle):
    """Move this process into a network namespace, also where Python is older than 3.12."""
    if hasattr(os, "setns"):
        os.setns(handle, CLONE_NEWNET)
        return
    import ctypes  # noqa: PLC0415 - a minimal Python has none, and a new one does not need it

    if ctypes.CDLL(None, use_errno=True).setns(handle, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def sockets(pid):
    """Return a raw ICMP socket and a UDP socket to the resolver, both in the namespace of a process."""
    handle = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    setns(handle)
    os.close(handle)
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    raw.setsockopt(socket.SOL_SOCKET, 33, 4 << 20)
    raw.setsockopt(255, 1, struct.pack("=I", ~1 & 0xFFFFFFFF))  # echo replies alone
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.connect(RESOLVER)
    for each in (raw, udp):
        each.setblocking(False)
    return raw, udp


def echo(number):
    """Return an echo request with its checksum."""
    body = struct.pack("!HH", number >> 16, number & 0xFFFF)
    total = 0x0800 + sum(struct.unpack("!2H", body))
    total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!BBH", 8, 0, ~total & 0xFFFF) + body


def query(number, name):
    """Return a DNS query for an address."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!6H", number & 0xFFFF, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", 1, 1)


class Tally:
    """The answers so far, of both kinds, and when the last of them came."""

    def __init__(self, handles):
        self.pings = self.lookups = 0
        self.last = time.monotonic()
        self._by_handle = {one.fileno(): one for one in handles}
        self._poll = select.poll()
        for handle in self._by_handle:
            self._poll.register(handle, select.POLLIN)

    def read(self, timeout):
        """Read all that comes within the milliseconds."""
        for handle, _ in self._poll.poll(timeout):
            one = self._by_handle[handle]
            count = received(one)
            if one.type == socket.SOCK_RAW:
                self.pings += count
            else:
                self.lookups += count
            self.last = time.monotonic()


def received(one):
    """Read a socket until it is empty and return how many packets that were."""
    count = 0
    while True:
        try:
            one.recv(2048)
            count += 1
        except BlockingIOError:  # noqa: PERF203 - it is empty
            return count
        except ConnectionRefusedError:  # the next packet may be one
            continue


def main():
    """Read the job, do it, and print what came of it."""
    job = json.load(sys.stdin)
    opened = [sockets(pid) for pid in job["pids"]]
    tally = Tally([one for pair in opened for one in pair])
    pings = [
        (raw.sendto, echo(number), (address, 0))
        for number, (raw, address) in enumerate((raw, address) for raw, _ in opened for address in job["addresses"])
    ]
    lookups = [
        (udp.send, query(number, name))
        for number, (udp, name) in enumerate((udp, name) for _, udp in opened for name in job["names"])
    ]
    began = time.monotonic()
    for number, (send, *arguments) in enumerate([*pings, *lookups]):
        try:
            send(*arguments)
        except OSError:  # noqa: PERF203 - no buffer space: that cell is lost, the others go on
            continue
        finally:
            if number % BATCH == 0:
                tally.read(0)
    while tally.pings + tally.lookups < len(pings) + len(lookups) and time.monotonic() - tally.last < QUIET:
        tally.read(10)
    cells = {"cells": len(pings) + len(lookups), "pings": tally.pings, "lookups": tally.lookups}
    sys.stdout.write(json.dumps({"seconds": tally.last - began, **cells}))


if __name__ == "__main__":
    main()
