"""The model: who reaches whom, why, and why not. Pure functions of the definition, the facts and what exists."""

from dockerlab.reach.cells import Cell, Expectation, matrix
from dockerlab.reach.world import World, build_world

__all__ = ["Cell", "Expectation", "World", "build_world", "matrix"]
