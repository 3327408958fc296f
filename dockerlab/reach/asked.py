"""What is expected of a whole lab, as its hosts are or as they would be; the one way there for every command."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from dockerlab.errors import UsageError
from dockerlab.imagined.refusals import refusals
from dockerlab.reach.cells import Cell
from dockerlab.reach.expectation import Expectation
from dockerlab.reach.matrix import Row, beside, matrix
from dockerlab.reach.overrides import override
from dockerlab.reach.world import World


@dataclass(frozen=True)
class Expected:
    """Every cell of a lab with what is expected of it, in the order of the matrix, and the world that it follows from.

    `notes` are what the author of the definition should know, such as an `expect` that changes nothing. `whole` tells
    that nothing was left out. `now` is the lab's world as the hosts' kernels have it, and `predicted` what that says of
    each row; without hosts there is neither.
    """

    world: World
    rows: list[Row]
    notes: list[str]
    whole: bool = True
    now: World | None = None
    predicted: list[Expectation] = field(default_factory=list)


class Ends(NamedTuple):
    """Which cells are asked for; None means all."""

    source: str | None = None
    to: str | None = None
    probe: str | None = None

    def fit(self, cell: Cell) -> bool:
        """Tell whether a cell is asked for."""
        return (
            self.source in (None, cell.source)
            and self.to in (None, cell.to, cell.target)
            and self.probe in (None, cell.probe)
        )


def expected(world: World, now: World | None = None) -> Expected:
    """Return what is expected of a lab: what follows from its world, and the definition's own `expect` over that.

    With `now`, the same lab as its hosts' kernels have it, also what is predicted of each cell.
    """
    rows, predicted = (matrix(world), list[Expectation]()) if now is None else beside(world, now)
    overridden, notes = override(rows, world.lab.expect)
    return Expected(
        world,
        overridden,
        [*notes, *doubts(world), *(refused(world) if now is None else ())],
        now=now,
        predicted=predicted,
    )


def doubts(world: World) -> list[str]:
    """Return what nobody observed of the engines that a world is imagined of, each once."""
    return list(dict.fromkeys(each.doubt for each in world.engines.values() if each.doubt))


def refused(world: World) -> list[str]:
    """Return what the engines that a world is imagined of would not make of the lab, each with its host."""
    return [
        f"{host}: {told}; `up` refuses it before anything is made"
        for host, engine in world.engines.items()
        for told in refusals(world.lab, host, engine)
    ]


def asked(world: World, ends: Ends, now: World | None = None) -> Expected:
    """Return what is expected of the cells that are asked for.

    Raises UsageError when there are none, and says what there is.
    """
    every = expected(world, now)
    meant = [Ends(source, to, ends.probe) for source in _called(world, ends.source) for to in _called(world, ends.to)]
    wanted = [number for number, (cell, _) in enumerate(every.rows) if any(each.fit(cell) for each in meant)]
    if not wanted:
        raise UsageError(_no_such_cell(world, [cell for cell, _ in every.rows], ends))
    return replace(
        every,
        rows=[every.rows[number] for number in wanted],
        predicted=[every.predicted[number] for number in wanted] if every.predicted else [],
        whole=ends.source is None and ends.to is None,
    )


def _called(world: World, end: str | None) -> tuple[str | None, ...]:
    """Return the ends that a word means: a Compose service's containers, else itself."""
    return (end,) if end is None else world.lab.called(end) or (end,)


def _no_such_cell(world: World, cells: list[Cell], asked: Ends) -> str:
    """Return what is wrong with the ends that name no cell, and what fits the rest of them."""
    left, wrong = cells, ""
    for what, wanted, names in (
        ("FROM", asked.source, lambda cell: (cell.source,)),
        ("TO", asked.to, lambda cell: (cell.to, cell.target)),
        ("--probe", asked.probe, lambda cell: (cell.probe,)),
    ):
        meant = _called(world, wanted)
        fitting = [cell for cell in left if not {None, *names(cell)}.isdisjoint(meant)]
        if not fitting:
            services = () if what == "--probe" else world.lab.services
            known = ", ".join(dict.fromkeys((*services, *(names(cell)[0] for cell in left))))
            wrong = f"{what} {wanted} is none of {known}"
            break
        left = fitting
    elsewhere = dict.fromkeys(cell.to for cell in cells if cell.probe == asked.probe and cell.source == asked.source)
    more = f"; {asked.probe} is asked of {', '.join(elsewhere)}" if wrong.startswith("--probe") and elsewhere else ""
    return f"no such cell: {wrong}{more}"
