"""Send the program that looks, and give what it saw."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, TypeVar

from dockerlab.errors import HostError
from dockerlab.gate import admitted, parsed
from dockerlab.hosts.base import Conversation, Host
from dockerlab.hosts.program import Program
from dockerlab.kernel.model import Machine
from dockerlab.survey.asking import Answers, ask_all
from dockerlab.survey.parse import machine

Detail = Literal["all", "host", "ground", "listeners"]
"""How much is looked at: all namespaces; the host's own alone; of that what a plan needs (links, routes, policies, who
listens, a few settings); or no more than who listens in those of processes."""
T = TypeVar("T")

MODULES = (
    *("asking", "entering", "netlink", "tables", "rules", "sysctls", "sockets", "processes", "spaces", "engine"),
    "look",
)
PROGRAM = Program("dockerlab.survey.program", MODULES)
LISTENER = Program("dockerlab.survey.program", (*MODULES, "listen"))

PATIENCE = 60.0
"""Seconds in which a look has to end."""

ENDLESS = re.compile(rb"[0-9]{400}")
"""Digits of a number that nothing reads as one: a kernel's have twenty at the most."""

SILENCE = 60.0
"""Seconds for which who listens may say nothing: it gives a sign of life more often."""


def kernels(hosts: Mapping[str, Host], pids: Mapping[str, Iterable[int]], detail: Detail = "all") -> Answers[Machine]:
    """Return the state of each host's kernel, all looked at at once, and why the others could not be looked at.

    `pids` are processes by host whose network namespaces are looked into, such as those of containers.
    """

    def ask(host: Host) -> Machine:
        return look(host, pids.get(host.name, ()), detail)

    return ask_all(hosts, ask)


def look(host: Host, pids: Iterable[int], detail: Detail = "all") -> Machine:
    """Return what is on a host now, in one round trip; raises HostError where it cannot be looked at at all."""
    return read(host.name, sent(host, pids, detail), machine, Machine)


def sent(host: Host, pids: Iterable[int] | None, detail: Detail = "all") -> bytes:
    """Return what the program prints on a host; raises HostError where it cannot run there.

    Without `pids` the engine's command is asked for its containers and networks, and what it says is printed, too.
    """
    wanted = json.dumps({"pids": None if pids is None else sorted(pids), "detail": detail})
    result = PROGRAM.run(host, "look", PATIENCE, wanted)
    if not result.ok:
        reason = (result.error.splitlines() or ["it said nothing"])[-1]
        raise HostError(host.name, f"it cannot be looked at, which needs python3 (3.6 or later) there: {reason}")
    return result.stdout


def listen(host: Host) -> Conversation:
    """Start the program that looks whenever something changed; each of its lines is for `read`, or blank."""
    return LISTENER.converse(host, "listen", timeout=SILENCE)


def read(host: str, line: bytes, understand: Callable[[str, Any], T], form: object) -> T:
    """Return what a line of the program says, of the form that is wanted; raises HostError for what is not its own."""

    def understood() -> T:
        if ENDLESS.search(line):
            raise ValueError("it has a number that no kernel has")
        return understand(host, parsed(line))

    return admitted(host, "its python3", understood, form)
