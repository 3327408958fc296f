"""`doctor --fix`: the remedies that can be taken back, carried out; nothing else.

Safe is what has an undo and cuts nobody off: a kernel setting, a module, an interface brought up. The firewall's policy
is not: it would let through what somebody has meant to be kept out. Nor is a restart of the engine, which stops
containers, nor an end of a process or a container of somebody else's.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping

from dockerlab.errors import HostError
from dockerlab.finding import Finding
from dockerlab.hosts.base import Host


def mend(findings: Iterable[Finding], hosts: Mapping[str, Host], say: Callable[[str], None]) -> int:
    """Run what is safe, each command once, and return how many changed something; `say` is told of each."""
    done: dict[tuple[str, tuple[str, ...]], bool] = {}
    for finding in findings:
        remedy = finding.remedy
        if finding.status == "ok" or not remedy.undo:
            continue
        for command in remedy.commands:
            key = (finding.host, command)
            if key not in done:
                undo = "; ".join(map(shlex.join, remedy.undo))
                done[key] = _run(hosts[finding.host], command, undo, say)
    return sum(done.values())


def _run(host: Host, command: tuple[str, ...], undo: str, say: Callable[[str], None]) -> bool:
    """Run one command; tell whether it succeeded."""
    unasked = (command[0], "-n", *command[1:]) if command[0] == "sudo" else command
    try:
        result = host.run(unasked, timeout=30)
    except HostError as error:
        say(f"{host.name}: '{shlex.join(command)}' was not done: {error}")
        return False
    if not result.ok:
        say(f"{host.name}: '{shlex.join(command)}' failed (exit code {result.rc}): {result.error}")
        return False
    say(f"{host.name}: ran '{shlex.join(command)}'; '{undo}' takes it back")
    return True
