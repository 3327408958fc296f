"""Steps, their order, and what a plan says to a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Literal, NamedTuple

from dockerlab.command import Command
from dockerlab.identity import Identity

Kind = Literal["image", "built image", "lease", "daemon", "host", "swarm", "receipt", "network", "volume", "container"]
Ours = Callable[[Mapping[str, str]], bool]
"""Tells by an object's labels whether it is one of those in question."""

Action = Literal["create", "keep", "recreate", "remove", "clear"]
"""`clear` is the removal ahead of a `recreate`: a step of its own, the same object to a person."""


class Key(NamedTuple):
    """Which step: its object and which half of a recreation it is."""

    host: str
    kind: Kind
    name: str
    half: Literal["make", "unmake"] = "make"

    def __str__(self) -> str:
        """Return it as it is told to people, to whom a receipt is a note of what the host is to get back."""
        return f"{'note of' if self.kind == 'receipt' else self.kind} {self.name} on {self.host}"


@dataclass(frozen=True)
class Step:
    """What is done to one object: commands in order, what undoes them, and the steps that have to be done before."""

    key: Key
    action: Action
    commands: tuple[Command, ...] = ()
    undo: tuple[Command, ...] = ()
    after: frozenset[Key] = frozenset()
    why: str = ""


@dataclass(frozen=True)
class Plan:
    """Steps with their order, what a person should know about what is left alone, and who makes what is made."""

    steps: tuple[Step, ...]
    notes: tuple[str, ...] = field(default=())
    identity: Identity | None = None

    def graph(self) -> TopologicalSorter[Key]:
        """Return the steps' order; what is needed but not part of the plan counts as done."""
        known = {step.key for step in self.steps}
        return TopologicalSorter({step.key: step.after & known for step in self.steps})

    def ordered(self) -> tuple[Step, ...]:
        """Return the steps in one order that respects what comes before what."""
        by_key = {step.key: step for step in self.steps}
        return tuple(by_key[key] for key in self.graph().static_order())

    @property
    def changes(self) -> tuple[Step, ...]:
        """Return the steps that do something, one per object: a recreation once, and a lease is no object."""
        return tuple(step for step in self.steps if step.action not in ("keep", "clear") and step.key.kind != "lease")

    def counts(self) -> Counter[str]:
        """Return how many objects are created, kept, recreated, removed."""
        return Counter(step.action for step in self.steps if step.action != "clear" and step.key.kind != "lease")
