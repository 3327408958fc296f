"""What helps: the hints of a step or a fault, and the commands that do it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping

from dockerlab.exercise.model import Folder
from dockerlab.exercise.progress import Progress
from dockerlab.exercise.readme import Block
from dockerlab.faults.injury import Injury, shown
from dockerlab.hosts.base import Host
from dockerlab.survey import look

KINDS = {"host": "the host", "network": "the network", "container": "the container"}


def for_step(folder: Folder, step: int) -> tuple[str, ...]:
    """Return the hints of a step, vague ones first; none where all steps are done."""
    steps = folder.exercise.steps
    return steps[step].hints if step < len(steps) else ()


def for_fault(injury: Injury) -> tuple[str, ...]:
    """Return the hints on a fault: what changes, what it is about, and what is to be looked at."""
    looks = [check.look for check in injury.signs if check.look is not None]
    about = KINDS[injury.fault.about]
    at = [f"Look at this: {look.at}, on {look.on}." for look in looks]
    at = at or [f"Hold {about} {injury.broken.on} against the lab's definition, option by option."]
    return (injury.fault.changes, f"It is about {about} {injury.broken.on}.", *at)


def commands(folder: Folder, step: int) -> tuple[str, ...]:
    """Return the commands of a step, as its section of the README has them; what is to fail is marked."""
    if step >= len(folder.exercise.steps):
        return ()
    return tuple(line for block in folder.sections[step].blocks for line in _marked(block))


def _marked(block: Block) -> Iterator[str]:
    if block.fails:
        yield "# this fails:" if len(block.commands) == 1 else "# each of these fails:"
    yield from block.commands


def repair(folder: Folder, progress: Progress, hosts: Mapping[str, Host]) -> list[str]:
    """Return the commands that mend what is broken, as one types them here; none where nothing is."""
    if progress.fault is None:
        return []
    if progress.fault.fault.alter is not None:
        where = " --sandbox" if progress.sandbox else ""
        where += f" --inventory {shlex.quote(str(progress.inventory))}" if progress.inventory is not None else ""
        return [f"dockerlab up {shlex.quote(str(folder.path))}{where} --no-verify"]
    snapshots = look(hosts, folder.lab.containers).snapshots
    lines = []
    for act in progress.fault.undo:
        line = shlex.join(shown(act, snapshots))
        ssh = f"ssh {hosts[act.host].address} {shlex.quote(line)}" if hosts[act.host].address else line
        lines.append(f"dockerlab sandbox ssh {_in_sandbox(act.host)} {line}" if progress.sandbox else ssh)
    return lines


def _in_sandbox(host: str) -> str:
    """Return the name of a lab's host in the sandbox, where a lab for this machine runs on the first one."""
    return host if host.startswith("vm") else "vm0"
