"""The matrix: what the model says of every cell, by one world or by two at once.

Containers of one kind fare alike. What becomes of a packet is worked out once for each kind of source and each kind of
target, so that the cost of a large lab is that of counting its cells.
"""

from __future__ import annotations

import gc
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import ip_address

from dockerlab.reach.cells import Cell, Target, asked_at, sources
from dockerlab.reach.expectation import Expectation
from dockerlab.reach.hosts_file import by_file, lines_of
from dockerlab.reach.names import cut_off, known, look_up, stray
from dockerlab.reach.questions import Questions
from dockerlab.reach.verdict import verdict
from dockerlab.reach.world import World
from dockerlab.walk import alike
from dockerlab.walk.conversation import exchange
from dockerlab.walk.far import Far
from dockerlab.walk.outcome import Outcome, SpaceId
from dockerlab.walk.packet import Flow

Row = tuple[Cell, Expectation]


def matrix(world: World) -> list[Row]:
    """Return every cell of the lab with its expectation, grouped by source in the definition's order."""
    asked = Questions(world)
    model = Model(world, asked)
    rows: list[Row] = []
    with _no_collection():
        for source in sources(world):
            numbers, cells = asked.row(source)
            rows += zip(cells, model.row(source, numbers, cells), strict=True)
    return rows


def beside(world: World, other: World) -> tuple[list[Row], list[Expectation]]:
    """Return every cell of a world with its expectation there, and what another world says of each of them."""
    asked = Questions(world)
    here, there = Model(world, asked), Model(other, asked)
    rows: list[Row] = []
    told: list[Expectation] = []
    with _no_collection():
        for source in sources(world):
            numbers, cells = asked.row(source)
            rows += zip(cells, here.row(source, numbers, cells), strict=True)
            told += there.row(source, numbers, cells)
    return rows, told


def said_of(world: World, other: World, wanted: Collection[Cell]) -> dict[Cell, Expectation]:
    """Return what another world says of some cells of a world."""
    asked = Questions(world)
    model = Model(other, asked)
    found: dict[Cell, Expectation] = {}
    with _no_collection():
        for source in dict.fromkeys(cell.source for cell in wanted):
            numbers, cells = asked.row(source)
            kept = [(number, cell) for number, cell in zip(numbers, cells, strict=True) if cell in wanted]
            told = model.row(source, [number for number, _ in kept], [cell for _, cell in kept])
            found |= zip((cell for _, cell in kept), told, strict=True)
    return found


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep the cyclic garbage collector from walking through millions of new tuples, which is half of the time.

    To be frozen and thawed makes them old at once: else it would walk through all of them as soon as it may.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.unfreeze()
        if was_on:
            gc.enable()


@dataclass
class Told:
    """What all askers of a kind are told: of each question, as far as one of them has asked it.

    `kind` is theirs as namespaces that send; `heard` are the names that their networks know, and `written` those that
    their hosts files have; `cut` is what becomes of all questions for names where none gets to the engine's server;
    `strangers` is what they are told of others.
    """

    kind: Hashable
    answers: list[Expectation | None]
    heard: frozenset[str]
    written: frozenset[str]
    cut: Expectation | None
    strangers: dict[Hashable, Expectation] = field(default_factory=dict)


@dataclass
class Model:
    """What one world says of questions, by kind of source and kind of target."""

    world: World
    asked: Questions
    packets: dict[Hashable, Expectation] = field(default_factory=dict)
    targets: dict[int, Hashable] = field(default_factory=dict)
    shared: dict[Hashable, Told] = field(default_factory=dict)

    def row(self, source: str, numbers: Sequence[int], cells: Sequence[Cell]) -> list[Expectation]:
        """Return what is said of a source's cells, given with the numbers of their questions."""
        told = self._told(source)
        shared = told.answers
        home = self.world.homes.get(self.world.people.of[source])
        alone = self._alone.get(home, frozenset()) if home is not None else frozenset[int]()
        return [
            (None if number in alone else shared[number]) or self._answer(number, cell, told, alone)
            for number, cell in zip(numbers, cells, strict=True)
        ]

    def _told(self, source: str) -> Told:
        """Return what a source and all of its kind are told."""
        asker = self._asker(source)
        found = self.shared.get(asker)
        if found is None:
            of = self.world.people.of[source]
            nothing: list[Expectation | None] = [None] * (len(self.asked.packets) + len(self.asked.names))
            kind = self._of_source(self.world.homes.get(of), of)
            heard, written = self.world.people.heard_by(of), frozenset(lines_of(self.world.lab, source))
            found = self.shared[asker] = Told(kind, nothing, heard, written, cut_off(self.world, of))
        return found

    def _answer(self, number: int, cell: Cell, told: Told, alone: frozenset[int]) -> Expectation:
        """Return what is said of a cell, and share it with all askers of a kind where it does not depend on which."""
        if cell.probe == "dns":
            found = self._name(cell, told)
            if number in alone:
                return found
        elif number in alone:
            return self._packet(told.kind, number, cell, self._at_home(number, cell))
        else:
            found = self._packet(told.kind, number, cell, self._from_elsewhere(number))
        told.answers[number] = found
        return found

    @cached_property
    def _alone(self) -> Mapping[SpaceId, frozenset[int]]:
        """Return the questions that are other ones for a namespace than for its kind: it is asked, or is behind it."""
        found: dict[SpaceId, set[int]] = {}
        for number, (target, _, _, port) in enumerate(self.asked.packets):
            holder = self.world.homes.get(target.holder or "")
            behind = frozenset() if target.address is None else alike.aside(self.world.fabric, (target.address, port))
            for space in behind if holder is None else behind | {holder}:
                found.setdefault(space, set()).add(number)
        for number, (_, _, owner, _) in enumerate(self.asked.names, len(self.asked.packets)):
            home = self.world.homes.get(owner)
            if home is not None and owner in self.asked.shared:
                found.setdefault(home, set()).add(number)
        return {space: frozenset(numbers) for space, numbers in found.items()}

    def _asker(self, source: str) -> Hashable:
        """Return what sources have in common that get the same answers, but where one of them is asked itself."""
        people = self.world.people
        of = people.of[source]
        lines = tuple(lines_of(self.world.lab, source).items())
        kind = self._of_source(self.world.homes.get(of), of)
        return (kind, people.known_on.get(of, ()), people.resolvers.get(of), lines)

    def _packet(self, asker: Hashable, number: int, cell: Cell, kind: Hashable) -> Expectation:
        """Return what is said of a packet, worked out once for a kind of source and a kind of target."""
        question = self.asked.packets[number]
        key = (asker, kind, question.port)
        found = self.packets.get(key)
        if found is None:
            found = self.packets[key] = tell(self.world, cell, question.target, self._far)
        return found

    def _of_source(self, home: SpaceId | None, of: str) -> Hashable:
        return of if home is None else self._sources[home]

    def _at_home(self, number: int, cell: Cell) -> Hashable:
        """Return the kind of a target as one is it who asks, or is behind it."""
        target = self.asked.packets[number].target
        return (target.text, target.to, self.world.homes.get(self.world.people.of[cell.source]))

    def _from_elsewhere(self, number: int) -> Hashable:
        """Return what two targets have in common that fare alike from everywhere but their own namespace."""
        found = self.targets.get(number)
        if found is None:
            found = self.targets[number] = self._kind_of(number)
        return found

    def _kind_of(self, number: int) -> Hashable:
        target, _, _, port = self.asked.packets[number]
        holder = self.world.homes.get(target.holder or "")
        if target.address is None or holder is None or target.published:
            return (target.text, target.to, None)
        meant = holder if len(self.world.fabric.holders.get(target.address, ())) > 1 else None
        return (self._targets[target.address, port], meant, target.to in self.world.lab.containers)

    @cached_property
    def _far(self) -> Far:
        return Far(self.world.fabric)

    @cached_property
    def _sources(self) -> Mapping[SpaceId, int]:
        """Return the kind of each namespace as one that asks."""
        return alike.sources(self.world.fabric)

    @cached_property
    def _targets(self) -> Mapping[alike.Target, int]:
        """Return the kind of each address and port that is asked for."""
        wanted = ((each.target.address, each.port) for each in self.asked.packets if each.target.address is not None)
        return alike.targets(self.world.fabric, dict.fromkeys(wanted))

    def _name(self, cell: Cell, told: Told) -> Expectation:
        """Return what is said of a name: where the asker's networks do not know it, whose it is makes no difference."""
        people = self.world.people
        asked = people.of[cell.to]
        if told.written and cell.target.lower() in told.written:
            return tell_name(self.world, cell, told.cut)
        if cell.target in told.heard:
            return self._heard(cell, asked, told.cut)
        key = (people.known_on.get(asked), asked == cell.to)
        found = told.strangers.get(key)
        if found is None:
            found = told.strangers[key] = tell_name(self.world, cell, told.cut)
        return found

    def _heard(self, cell: Cell, asked: str, cut: Expectation | None) -> Expectation:
        of = self.world.people.of[cell.source]
        home = self.world.homes.get(of)
        found, named = known(self.world, of, asked, cell.target), asked == cell.to
        resolver = self.world.people.resolvers[of]
        key = ("dns", self._of_source(home, of), resolver, found.kind, stray(found, cell.answers), named, home is None)
        told = self.packets.get(key)
        if told is None:
            told = self.packets[key] = tell_name(self.world, cell, cut)
        return told


def tell(world: World, cell: Cell, target: Target | None = None, far: Far | None = None) -> Expectation:
    """Return what a world says of a cell; `target`, and `far` for many cells, are given by whoever has them already."""
    of = world.people.of[cell.source]
    if cell.probe == "dns":
        return tell_name(world, cell, cut_off(world, of))
    if of not in world.homes:
        return _homeless(world, of)
    target = target or _target(world, cell)
    outcome = outcome_of(world, cell, far=far)
    if outcome is None:
        return Expectation(None, "no-address", "no claim: no address of {to} is known")
    return verdict(world, of, target, cell.port, outcome)


def _homeless(world: World, name: str) -> Expectation:
    return Expectation(None, "no-namespace", f"no claim: {world.homeless.get(name, '{source} does not run')}")


def tell_name(world: World, cell: Cell, cut: Expectation | None) -> Expectation:
    """Return what a world says of a question for a name, in the order in which it is asked for.

    `cut` is what becomes of all such questions of the source where none gets to the engine's server (`cut_off`).
    """
    of, asked = world.people.of[cell.source], world.people.of[cell.to]
    if of not in world.homes:
        return _homeless(world, of)
    right = cell.answers or tuple(map(str, asked_at(world, cell.to)))
    told = by_file(world, cell.source, cell.target, right) or cut
    if told is not None:
        return told
    found = known(world, of, asked, cell.target)
    return look_up(world, of, found, named=asked == cell.to, answers=cell.answers)


def _target(world: World, cell: Cell) -> Target:
    address = ip_address(cell.target) if cell.target else None
    ports = () if cell.port is None else (cell.port,)
    return Target(cell.to, address, cell.holder, ports, cell.to in world.lab.hosts)


def outcome_of(world: World, cell: Cell, *, detail: bool = False, far: Far | None = None) -> Outcome | None:
    """Return what becomes of one cell's packet, step by step; None for a name, or where somebody has no address.

    With `detail` every rule that is met is a step.
    """
    home = world.homes.get(world.people.of[cell.source])
    if home is None or cell.probe == "dns" or not cell.target:
        return None
    flow = Flow(ip_address(cell.target), "icmp" if cell.port is None else "tcp", cell.port)
    return far.exchange(home, flow) if far is not None else exchange(world.fabric, home, flow, detail=detail)
