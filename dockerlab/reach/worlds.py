"""What is expected of a whole lab, as its hosts are or as they would be; the one way there for every command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from dockerlab.errors import UsageError
from dockerlab.lab.model import Lab
from dockerlab.reach.building import build_world
from dockerlab.reach.cells import Cell
from dockerlab.reach.matrix import Expectation, matrix
from dockerlab.reach.offline import imagine
from dockerlab.reach.overrides import override
from dockerlab.reach.world import World

Row = tuple[Cell, Expectation]


@dataclass(frozen=True)
class Expected:
    """Every cell of a lab with what is expected of it, in the order of the matrix, and the world that it follows from.

    `notes` are what the author of the definition should know, such as an `expect` that changes nothing. `whole` tells
    that nothing was left out.
    """

    world: World
    rows: list[Row]
    notes: list[str]
    whole: bool = True


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


def offline(lab: Lab, engine: str) -> World:
    """Return the world of a lab as it would be after `up` on an engine of that version; no host is touched."""
    return build_world(lab, *imagine(lab, engine))


def expected(world: World) -> Expected:
    """Return what is expected of a lab: what follows from its world, and the definition's own `expect` over that."""
    rows, notes = override(matrix(world), world.lab.expect)
    return Expected(world, rows, notes)


def asked(world: World, ends: Ends) -> Expected:
    """Return what is expected of the cells that are asked for.

    Raises UsageError when there are none, and says what there is.
    """
    every = expected(world)
    rows = [(cell, expectation) for cell, expectation in every.rows if ends.fit(cell)]
    if not rows:
        raise UsageError(_no_such_cell([cell for cell, _ in every.rows], ends))
    return Expected(world, rows, every.notes, whole=ends.source is None and ends.to is None)


def _no_such_cell(cells: list[Cell], asked: Ends) -> str:
    """Return what is wrong with the ends that name no cell, and what fits the rest of them."""
    left, wrong = cells, ""
    for what, wanted, names in (
        ("FROM", asked.source, lambda cell: (cell.source,)),
        ("TO", asked.to, lambda cell: (cell.to, cell.target)),
        ("--probe", asked.probe, lambda cell: (cell.probe,)),
    ):
        fitting = [cell for cell in left if wanted in (None, *names(cell))]
        if not fitting:
            known = ", ".join(dict.fromkeys(names(cell)[0] for cell in left))
            wrong = f"{what} {wanted} is none of {known}"
            break
        left = fitting
    elsewhere = dict.fromkeys(cell.to for cell in cells if cell.probe == asked.probe and cell.source == asked.source)
    more = f"; {asked.probe} is asked of {', '.join(elsewhere)}" if wrong.startswith("--probe") and elsewhere else ""
    return f"no such cell: {wrong}{more}"
