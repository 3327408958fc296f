"""Wait on this host until something of its networks changed, and look: the program that `watch` sends there.

It sleeps until the kernel or the engine tells of a change: links, addresses, routes, rules that nf_tables keeps, and
the engine's events. Old iptables tells nobody: its rules are compared from time to time. It ends with its standard
input. Standard library only, and Python 3.6 must run it.
"""

import json
import os
import select
import socket
import subprocess
import sys
import time
from typing import Any

from dockerlab.survey.program.asking import Json, run
from dockerlab.survey.program.look import look, prepare
from dockerlab.survey.program.rules import IPTABLES

CALM = 0.25
"""Seconds of silence after which what happened is over, and is looked at."""
LONGEST = 1.5
"""Seconds after which it is looked at even if it is not over."""
BEAT = 5.0
"""Seconds after which a sign of life is given, and the rules are compared."""
ROUTE_GROUPS = 0x1 | 0x10 | 0x40 | 0x100 | 0x400
"""RTMGRP_LINK, and of IPv4 and IPv6 RTMGRP_IFADDR and RTMGRP_ROUTE."""
NETLINK_NETFILTER, SOL_NETLINK, ADD_MEMBERSHIP, NFTABLES = 12, 270, 1, 7
EVENTS = ["docker", "events", "--filter", "type=container", "--filter", "type=network", "--format", "{{.Action}}"]
WANTED = {"pids": None, "detail": "all"}
NOISE = ("exec_", "top", "attach", "resize")
"""Events of the engine that change nothing here; a health check makes two every few seconds."""


class Events:
    """What the engine tells: the output of `docker events`, started again where the engine went away."""

    def __init__(self) -> None:
        self.process = None  # type: subprocess.Popen[bytes] | None
        self.start()

    @property
    def pipes(self) -> "list[Any]":
        """Return what is to be read, nothing while there is no engine."""
        return [] if self.process is None else [self.process.stdout]

    def start(self) -> "None":
        """Listen to the engine; without the docker command, what the kernel tells is all there is."""
        quiet = subprocess.DEVNULL
        try:
            self.process = subprocess.Popen(EVENTS, stdin=quiet, stdout=subprocess.PIPE, stderr=quiet)
        except OSError:
            self.process = None

    def end(self) -> "None":
        """Listen no more."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
        self.process = None


def main() -> "None":
    """Print a look at once, and another one after each change; a blank line is a sign of life."""
    prepare()
    sources, events = kernel_sources(), Events()
    try:
        show(look(WANTED))
        wait_and_look(sources, events)
    finally:
        events.end()


def wait_and_look(sources: "list[Any]", events: "Events") -> "None":
    """Look after each change, until standard input ends."""
    rules = rules_now()
    while True:
        ready, _, _ = select.select([sys.stdin, *sources, *events.pipes], [], [], BEAT)
        if sys.stdin in ready and not os.read(0, 4096):
            return
        changed = drained(ready, sources, events)
        if not ready:
            before, rules = rules, rules_now()
            changed = before != rules
            sys.stdout.write("\n")
            sys.stdout.flush()
            if not events.pipes:
                events.start()
        if changed:
            settle(sources, events)
            rules = rules_now()
            show(look(WANTED))


def settle(sources: "list[Any]", events: "Events") -> "None":
    """Return when nothing happened for a moment."""
    end = time.monotonic() + LONGEST
    while time.monotonic() < end:
        ready, _, _ = select.select([*sources, *events.pipes], [], [], CALM)
        if not ready:
            return
        drained(ready, sources, events)


def drained(ready: "list[Any]", sources: "list[Any]", events: "Events") -> "bool":
    """Take in what is there to be read, and tell whether it means a change."""
    changed = False
    for source in ready:
        if source in sources:
            try:
                source.recv(1 << 16)
            except OSError:
                pass  # more came than it could hold: a change all the same
            changed = True
        elif source in events.pipes:
            text = os.read(source.fileno(), 1 << 16).decode("utf-8", "replace")
            if not text:
                events.end()  # the engine has gone; what that changes, the kernel tells
            changed = changed or any(not line.startswith(NOISE) for line in text.splitlines())
    return changed


def kernel_sources() -> "list[Any]":
    """Return the sockets by which the kernel tells of changes."""
    route = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    route.bind((0, ROUTE_GROUPS))
    try:
        tables = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
        tables.bind((0, 0))
        tables.setsockopt(SOL_NETLINK, ADD_MEMBERSHIP, NFTABLES)
    except OSError:
        return [route]  # a kernel without nf_tables, or no permission: the rules are compared instead
    return [route, tables]


def rules_now() -> "list[Any]":
    """Return the rules of the firewall as texts, without the moment at which they were read."""
    said = (run([f"{program}-save"])["out"] for program in IPTABLES.values())
    return [[line for line in text.splitlines() if not line.startswith("#")] for text in said]


def show(seen: "Json") -> "None":
    """Print a look as one line of JSON."""
    sys.stdout.write(json.dumps(seen) + "\n")
    sys.stdout.flush()
