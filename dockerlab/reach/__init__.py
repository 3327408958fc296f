"""The model: who reaches whom, why, and why not. Pure functions of the definition, the facts and what exists."""

from dockerlab.reach.building import build_world
from dockerlab.reach.cells import Cell
from dockerlab.reach.fate import Arrival
from dockerlab.reach.matrix import Expectation, fate_of, filled, matrix
from dockerlab.reach.world import World

__all__ = ["Arrival", "Cell", "Expectation", "World", "build_world", "fate_of", "filled", "matrix"]
