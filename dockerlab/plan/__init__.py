"""From a definition and what exists to the steps that make the two agree. Pure."""

from dockerlab.plan.bringing_up import up
from dockerlab.plan.steps import Key, Plan, Step
from dockerlab.plan.taking_down import down, remove

__all__ = ["Key", "Plan", "Step", "down", "remove", "up"]
