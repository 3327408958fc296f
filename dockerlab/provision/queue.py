"""What is begun next: the steps that are ready, by host, and removals that go together.

`docker rm` takes many containers, and so spares a process for each of them.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from dockerlab.command import Command, Part
from dockerlab.hosts.base import Host
from dockerlab.plan import Step

TOGETHER = 3
"""How many containers one command removes, all at once: with one for each, the processes take as long as the engine
does; and with many more than eight under way, the engine takes longer than it has to (docs/performance.md)."""


class Queue:
    """Steps that may begin, first come, first served; a host has as many of them under way as it has channels."""

    def __init__(self, hosts: Mapping[str, Host], *, one_by_one: bool = False) -> None:
        self._hosts = hosts
        self._most = 1 if one_by_one else TOGETHER
        self._ready: dict[str, deque[Step]] = defaultdict(deque)
        self._under_way: Counter[str] = Counter()

    def add(self, step: Step) -> None:
        """Let a step wait for its turn."""
        self._ready[step.key.host].append(step)

    def begin(self) -> Iterator[list[Step]]:
        """Yield the steps that begin now, those together that one command does."""
        for name, ready in self._ready.items():
            while ready and self._under_way[name] < max(1, self._hosts[name].channels):
                taken = _taken(ready, self._most)
                self._under_way[name] += len(taken)
                yield taken

    def ended(self, steps: Sequence[Step]) -> None:
        """Make room for others on the host of steps that began together."""
        self._under_way[steps[0].key.host] -= len(steps)


def joint(steps: Sequence[Step]) -> Command:
    """Return the one command that does what all of these steps do."""
    commands = [step.commands[0] for step in steps]
    objects = tuple(argument for each in commands for argument in each.parts[-1].arguments)
    names = ", ".join(step.key.name for step in steps)
    return replace(commands[0], parts=(*commands[0].parts[:-1], Part(objects)), why=f"Remove containers {names}")


def _taken(ready: deque[Step], most: int) -> list[Step]:
    """Take the next step off those that are ready, and the ones behind it that the same command can do."""
    steps = [ready.popleft()]
    while ready and len(steps) < most and _alike(steps[0], ready[0]):
        steps.append(ready.popleft())
    return steps


def _alike(step: Step, other: Step) -> bool:
    """Tell whether two steps are removals of containers that differ in the container alone."""
    removals = all(each.key.kind == "container" and each.key.half == "unmake" for each in (step, other))
    if not removals or not len(step.commands) == len(other.commands) == 1:
        return False
    mine, others = step.commands[0], other.commands[0]
    return mine.argv[:-1] == others.argv[:-1] and len(mine.parts[-1].arguments) == 1
