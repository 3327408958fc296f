"""The matrix: what the model expects of every cell.

Containers of one kind fare alike. What becomes of a packet is worked out once for each kind of source and each kind of
target, so that the cost of a large lab is that of counting its cells.
"""

from __future__ import annotations

import gc
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from ipaddress import ip_address
from typing import NamedTuple

from dockerlab.reach.cells import Cell, Target, names_of, sources, targets
from dockerlab.reach.connect import connect
from dockerlab.reach.fate import TOLD_NO_ROUTE, Arrival, Fate, Loss
from dockerlab.reach.names import known, look_up
from dockerlab.reach.walk import exchange
from dockerlab.reach.world import Sandbox, World
from dockerlab.topology import IpAddress, IpNetwork


@dataclass(frozen=True)
class Expectation:
    """What the model says of a cell; `reachable` None is "no claim", and the text then says what it cannot see.

    `text` serves all cells of a kind: `because` fills in the names of one.
    """

    reachable: bool | None
    rule: str
    text: str
    symptom: str | None = None

    def because(self, cell: Cell) -> str:
        """Return why, for one cell."""
        return filled(self.text, cell)


def filled(text: str, cell: Cell) -> str:
    """Return a text of the model with the names of a cell in it."""
    return text.replace("{source}", cell.source).replace("{address}", cell.target).replace("{to}", cell.to)


def matrix(world: World) -> list[tuple[Cell, Expectation]]:
    """Return every cell of the lab with its expectation, grouped by source in the definition's order."""
    model = Model(world, questions(world))
    with _no_collection():
        return [found for source in sources(world) for found in model.row(source)]


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep the cyclic garbage collector from walking through millions of new tuples, which is half of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def fate_of(world: World, cell: Cell) -> Fate:
    """Return what becomes of one cell's packet, with its hops, in the cell's own names."""
    box = world.sandboxes[world.of[cell.source]]
    if cell.probe == "dns":
        asked = world.sandboxes[world.of[cell.to]]
        return look_up(world, box, asked, known(world, box, asked, cell.target), named=asked.name == cell.to)
    published = cell.to in world.lab.hosts
    address = ip_address(cell.target) if cell.target else None
    target = Target(cell.to, address, cell.holder, () if cell.port is None else (cell.port,), published)
    return _fate(world, box, target, cell.port)


class Question(NamedTuple):
    """What is asked of everybody alike: a target, on one port of it or (None) by ping, as a cell shows it."""

    target: Target
    text: str
    probe: str
    port: int | None


def questions(world: World) -> list[Question]:
    """Return the questions that every source is asked, in the order of the matrix."""
    return [
        Question(target, target.text, "ping" if port is None else f"tcp/{port}", port)
        for target in targets(world)
        for port in (None, *target.ports)
    ]


@dataclass
class Model:
    """The walk's results so far, by kind of source and kind of target."""

    world: World
    questions: list[Question]
    kinds: dict[Hashable, int] = field(default_factory=dict)
    packets: dict[Hashable, Expectation] = field(default_factory=dict)
    answers: dict[Hashable, list[Expectation | None]] = field(default_factory=dict)
    names: dict[Hashable, list[tuple[str, str, str, tuple[str, ...], Expectation]]] = field(default_factory=dict)

    def row(self, source: str) -> Iterator[tuple[Cell, Expectation]]:
        """Yield the cells of one source."""
        box = self.world.sandboxes[self.world.of[source]]
        own = {str(interface.address.ip) for interface in box.interfaces}
        kind = self._kind(_signature(box))
        answered = self.answers.setdefault(kind, [None] * len(self.questions))
        for number, (target, text, probe, port) in enumerate(self.questions):
            if target.to == source:
                continue
            if target.holder == box.name or text in own:
                expected = _expectation(_fate(self.world, box, target, port))
            else:
                expected = answered[number] or self._answer(kind, number, box)
            yield Cell(source, target.to, text, probe, target.holder, port), expected
        if source in self.world.lab.containers:
            for container, name, holder, answers, expected in self._names(box):
                if container != source:
                    yield Cell(source, container, name, "dns", holder, None, answers), expected

    def _answer(self, kind: int, number: int, box: Sandbox) -> Expectation:
        """Return the expectation of a question and keep it in `answers`, for all sandboxes of a kind."""
        question = self.questions[number]
        key = (kind, self._target_kinds[number], question.port)
        found = self.packets.get(key)
        if found is None:
            fate = _fate(self.world, box, question.target, question.port)
            found = self.packets[key] = _expectation(fate)
        self.answers[kind][number] = found
        return found

    @cached_property
    def _target_kinds(self) -> list[Hashable]:
        return [self.kind_of(question.target) for question in self.questions]

    def _names(self, box: Sandbox) -> list[tuple[str, str, str, tuple[str, ...], Expectation]]:
        """Return every name that is asked for, with its container, holder, addresses, expectation; by kind of asker."""
        asking = (self._kind(_signature(box)), box.resolves, box.asks, box.asks_through_host)
        if asking not in self.names:
            self.names[asking] = [
                self._name(asking, box, container, name)
                for container in self.world.lab.containers
                if self.world.addresses[container]
                for name in names_of(self.world, container)
            ]
        return self.names[asking]

    def _name(
        self, asking: Hashable, box: Sandbox, container: str, name: str
    ) -> tuple[str, str, str, tuple[str, ...], Expectation]:
        asked = self.world.sandboxes[self.world.of[container]]
        found, named = known(self.world, box, asked, name), asked.name == container
        key = (asking, found.kind, named)
        expected = self.packets.get(key)
        if expected is None:
            expected = self.packets[key] = _expectation(look_up(self.world, box, asked, found, named=named))
        own = tuple(str(address) for _, address in self.world.addresses[container]) if found.others else ()
        return container, name, asked.name, found.own or own, expected

    def kind_of(self, target: Target) -> Hashable:
        """Return what two targets have in common that fare alike from everywhere: their holder's kind and place."""
        address = target.address
        places = self.world.places.get(address, []) if address is not None else []
        if address is None or target.holder is None or len(places) != 1:
            return (target.text, target.holder, target.to)
        held = self.world.holders[places[0], address]
        if held.sandbox is None or held.name != target.holder:
            return (target.text, target.holder, target.to)
        listens = frozenset(target.ports) & held.sandbox.listens
        opened = self.world.opened.get((places[0], address))
        to = target.to if target.published else ""
        return (self._kind(_signature(held.sandbox)), places[0], held.port, self._around(address), listens, opened, to)

    def _around(self, address: IpAddress) -> int:
        """Return the number of the set of networks that an address is in."""
        return self._kind(("around", frozenset(n for n in self._all_networks if address in n)))

    @cached_property
    def _all_networks(self) -> frozenset[IpNetwork]:
        return frozenset(network for box in self.world.sandboxes.values() for network in _networks(box))

    def _kind(self, signature: Hashable) -> int:
        return self.kinds.setdefault(signature, len(self.kinds))


def _signature(box: Sandbox) -> Hashable:
    """Return what decides how a sandbox's packets fare: where it is attached, and where it sends the rest."""
    attached = frozenset((i.segment, i.address.network, i.port) for i in box.interfaces)
    return (box.host, box.is_host, attached, box.gateways, box.way_out, box.routes)


def _networks(box: Sandbox) -> Iterator[IpNetwork]:
    yield from (interface.address.network for interface in box.interfaces)
    yield from (destination for destination, _, _ in box.routes)


def _fate(world: World, box: Sandbox, target: Target, port: int | None) -> Fate:
    """Return what becomes of a packet or, with a port, a connection; reaching somebody else is a loss."""
    if target.address is None:
        return Loss("no-address", "no claim: no address of {to} is known", None, certain=False)
    fate = exchange(world, box, target.address, port)
    if isinstance(fate, Arrival):
        fate = _rightly(world, target, fate)
    if port is not None:
        return connect(world, box, target, port, fate)
    if isinstance(fate, Loss) and fate.symptom == TOLD_NO_ROUTE:
        return replace(fate, symptom="host unreachable")
    return fate


def _rightly(world: World, target: Target, fate: Arrival) -> Fate:
    """Return the arrival, or its loss where the address leads to somebody else than is meant."""
    meant = target.holder or (f"outside:{target.to}" if target.to in world.lab.outside else fate.at)
    if fate.at == meant:
        return fate
    because = f"from {{source}}, {{address}} is {fate.at}, not {{to}}: {fate.because}"
    return Loss("same-address", because, "wrong answerer", at=fate.at, hops=fate.hops)


def _expectation(fate: Fate) -> Expectation:
    if isinstance(fate, Arrival):
        return Expectation(True, fate.rule, fate.because)
    return Expectation(False if fate.certain else None, fate.rule, fate.because, fate.symptom if fate.certain else None)
