"""Removals that one command can do: `docker rm` takes many containers, and spares a process for each of them."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from dockerlab.command import Command, Part
from dockerlab.plan import Step

MOST = 10
"""How many containers one command removes: all of them at the same time, beside those of the other commands."""


def taken(ready: deque[Step]) -> list[Step]:
    """Take the next step off those that are ready, and the ones behind it that the same command can do."""
    steps = [ready.popleft()]
    while ready and len(steps) < MOST and _alike(steps[0], ready[0]):
        steps.append(ready.popleft())
    return steps


def command(steps: list[Step]) -> Command:
    """Return the one command that does what all of these steps do."""
    commands = [step.commands[0] for step in steps]
    objects = tuple(argument for each in commands for argument in each.parts[-1].arguments)
    names = ", ".join(step.key.name for step in steps)
    return replace(commands[0], parts=(*commands[0].parts[:-1], Part(objects)), why=f"Remove containers {names}")


def _alike(step: Step, other: Step) -> bool:
    """Tell whether two steps are removals of containers of one host that differ in the container alone."""
    removals = all(each.key.kind == "container" and each.key.half == "unmake" for each in (step, other))
    if not removals or step.key.host != other.key.host or not len(step.commands) == len(other.commands) == 1:
        return False
    mine, others = step.commands[0], other.commands[0]
    return mine.argv[:-1] == others.argv[:-1] and len(mine.parts[-1].arguments) == 1
