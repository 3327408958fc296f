"""The questions of a matrix: whom everybody is asked for, by which address, port or name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from dockerlab.reach.cells import Cell, Target, asked_at, names_of, staying, targets
from dockerlab.reach.names import known
from dockerlab.reach.world import World


class Question(NamedTuple):
    """What is asked of everybody alike: a target, on one port of it or (None) by ping, as a cell shows it."""

    target: Target
    text: str
    probe: str
    port: int | None


@dataclass
class Questions:
    """The questions of a lab, in the order of the matrix: by a world in which everything is as it should be."""

    world: World

    @cached_property
    def packets(self) -> list[Question]:
        """Return the questions that every source is asked."""
        return [
            Question(target, target.text, "ping" if port is None else f"tcp/{port}", port)
            for target in targets(self.world)
            for port in (None, *target.ports)
        ]

    @cached_property
    def names(self) -> list[tuple[str, str, str, tuple[str, ...]]]:
        """Return every name that is asked for, with its container, the holder of its namespace, and its addresses."""
        people = self.world.people
        return [
            (container, name, people.of[container], tuple(map(str, addresses)))
            for container in staying(self.world.lab)
            if (addresses := asked_at(self.world, container))
            for name in names_of(self.world, container)
        ]

    def row(self, source: str) -> tuple[list[int], list[Cell]]:
        """Return the numbers of the questions that a source is asked, and its cells; names come after packets."""
        asked = [number for number, (target, *_) in enumerate(self.packets) if target.to != source]
        packets = [self.packets[number] for number in asked]
        cells = [Cell(source, each.to, text, probe, each.holder, port) for each, text, probe, port in packets]
        if source in self.world.lab.containers:
            first = len(self.packets)
            asked += [first + number for number, (container, *_) in enumerate(self.names) if container != source]
            cells += [
                Cell(source, container, name, "dns", holder, None, right)
                for (container, name, holder, _), right in zip(self.names, self._right(source), strict=True)
                if container != source
            ]
        return asked, cells

    def _right(self, source: str) -> list[tuple[str, ...]]:
        """Return the addresses that each name has to give to somebody; none where nobody has it on his networks."""
        of = self.world.people.of[source]
        places = self.world.people.known_on.get(of, ())
        # Who shares a namespace with others asks for names that are its own; all others on these networks ask alike.
        key = (places, of if of in self.shared else "")
        answers = self._rights.get(key)
        if answers is None:
            heard = self.world.people.heard_by(of)
            answers = [
                self._given(of, holder, name, own) if name in heard else () for _, name, holder, own in self.names
            ]
            self._rights[key] = answers
        return answers

    def _given(self, of: str, holder: str, name: str, own: tuple[str, ...]) -> tuple[str, ...]:
        found = known(self.world, of, holder, name, within=of in self.shared)
        return tuple(each for each in found.own if each in self._ours) or (own if found.others else ())

    @cached_property
    def _ours(self) -> frozenset[str]:
        """Return the addresses of all in the lab: who else has a name of theirs is not meant by it."""
        return frozenset[str]().union(*self.world.people.texts.values())

    @cached_property
    def shared(self) -> frozenset[str]:
        """Return whose namespaces several containers are in."""
        owners = Counter(self.world.people.of[name] for name in self.world.lab.containers)
        return frozenset(owner for owner, number in owners.items() if number > 1)

    @cached_property
    def _rights(self) -> dict[Hashable, list[tuple[str, ...]]]:
        return {}
