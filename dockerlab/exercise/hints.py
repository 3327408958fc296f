"""What helps: the hints of a step or a fault, and the commands that do it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from itertools import zip_longest

from dockerlab.exercise.model import Folder
from dockerlab.exercise.progress import Progress
from dockerlab.exercise.readme import Block, failing
from dockerlab.exercise.trial import Trial
from dockerlab.faults.injury import Act, Injury, shown
from dockerlab.hosts.base import Host

KINDS = {"host": "the host", "network": "the network", "container": "the container"}


def for_step(folder: Folder, step: int) -> tuple[str, ...]:
    """Return the hints of a step, vague ones first; none where all steps are done."""
    steps = folder.exercise.steps
    return steps[step].hints if step < len(steps) else ()


def for_trial(trial: Trial) -> tuple[str, ...]:
    """Return the hints on what is broken, the vague ones of all faults first; the number of them tells nothing."""
    each = [for_fault(injury) for injury in trial.injuries]
    if trial.maybe and not each:
        return NOTHING
    return tuple(hint for row in zip_longest(*each) for hint in row if hint)


NOTHING = ("Look first for whom it does not work, and whom it does: `dockerlab exercise check`.",)


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
        yield failing(len(block.commands))
    yield from block.commands


def repair(folder: Folder, progress: Progress, hosts: Mapping[str, Host]) -> list[str]:
    """Return the commands that mend what is broken, as one types them here; none where nothing is."""
    injuries = progress.trial.injuries if progress.trial is not None else ()
    lines = [_typed(act, progress, hosts) for injury in reversed(injuries) for act in injury.undo]
    if any(injury.fault.alter is not None for injury in injuries):
        where = " --sandbox" if progress.sandbox else ""
        where += f" --inventory {shlex.quote(str(progress.inventory))}" if progress.inventory is not None else ""
        lines.append(f"dockerlab up {shlex.quote(str(folder.path))}{where} --no-verify")
    return lines


def _typed(act: Act, progress: Progress, hosts: Mapping[str, Host]) -> str:
    line = shlex.join(shown(act))
    if progress.sandbox:
        return f"dockerlab sandbox ssh {_in_sandbox(act.host)} {line}"
    return f"ssh {hosts[act.host].address} {shlex.quote(line)}" if hosts[act.host].address else line


def _in_sandbox(host: str) -> str:
    """Return the name of a lab's host in the sandbox, where a lab for this machine runs on the first one."""
    return host if host.startswith("vm") else "vm0"
