"""Look at hosts with the survey's program, which asks their engines, too."""

from __future__ import annotations

from collections.abc import Mapping

from dockerlab.hosts.base import Host
from dockerlab.machinery.model import Machinery
from dockerlab.machinery.parse import machinery
from dockerlab.survey import send
from dockerlab.survey.asking import Answers, ask_all


def look(host: Host) -> Machinery:
    """Return what is on a host now, in one round trip; raises HostError where it cannot be looked at at all."""
    return read(host.name, send.sent(host, None))


def read(host: str, line: bytes) -> Machinery:
    """Return what a line of the program says; raises HostError for what is not its own."""
    return send.read(host, line, machinery, Machinery)


def look_at_all(hosts: Mapping[str, Host]) -> Answers[Machinery]:
    """Return what is on each host, all looked at at once, and why the others could not be looked at."""
    return ask_all(hosts, look)
