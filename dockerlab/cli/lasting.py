"""What is different in a command that goes on until somebody ends it."""

from __future__ import annotations

import gc


def lasting() -> None:
    """Let the interpreter look for cycles: in hours, the few that a round or a request makes are many.

    What is imported by now is left out, so that a look takes no time that somebody would notice who types.
    """
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
    gc.enable()
