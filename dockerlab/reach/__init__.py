"""The model: who reaches whom, why, and why not: a lab laid over kernels, real ones or made-up ones."""

from dockerlab.reach.cells import Cell
from dockerlab.reach.expectation import Expectation, filled
from dockerlab.reach.matrix import matrix, outcome_of
from dockerlab.reach.world import World

__all__ = ["Cell", "Expectation", "World", "filled", "matrix", "outcome_of"]
