"""What is said of a cell: whether it is reachable, by which rule, and why."""

from __future__ import annotations

from dataclasses import dataclass

from dockerlab.reach.cells import Cell


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
