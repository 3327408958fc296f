"""What is different in a command that goes on until somebody ends it."""

from __future__ import annotations

import gc


def lasting() -> None:
    """Let the interpreter look for cycles, seldom: in days, the few that a round or a change makes are many."""
    gc.set_threshold(100_000, 50, 50)
    gc.enable()
