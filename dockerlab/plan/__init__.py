"""From a definition and what exists to the steps that make the two agree. Pure.

What makes a lab is `plan.bringing_up.up`, which knows definitions; what takes it away knows none.
"""

from dockerlab.plan.steps import Key, Plan, Step
from dockerlab.plan.taking_down import down, remove

__all__ = ["Key", "Plan", "Step", "down", "remove"]
