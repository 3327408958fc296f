"""What is broken on purpose for somebody to find: one fault, or several, or nothing at all; a seed chooses it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from pydantic import BaseModel, ConfigDict

from dockerlab.errors import UsageError
from dockerlab.faults.fault import Break
from dockerlab.faults.injury import Injury, touched
from dockerlab.lab.model import Lab

HEALTHY = 3
"""Of so many seeds one stands for a lab in which nothing is broken, where that may be."""


class Trial(BaseModel):
    """What is to be found, in the order in which it was put in; nothing where that is what is to be found out.

    `seed` is what chose it, and `maybe` tells whether it might as well have been nothing.
    """

    model_config = ConfigDict(extra="forbid")

    injuries: tuple[Injury, ...] = ()
    seed: str = ""
    maybe: bool = False


def choose(breaks: Sequence[Break], lab: Lab, seed: str, number: int = 1, *, maybe: bool = False) -> tuple[Break, ...]:
    """Return as many of an exercise's faults as are wanted, by a seed: the same for the same seed, everywhere.

    Of several, none touches what another one does. With `maybe`, some seeds stand for none at all. Raises UsageError
    where there are not so many that go together.
    """
    if not breaks:
        raise UsageError("this exercise has no faults")
    if maybe and _drawn(f"healthy {seed}") % HEALTHY == 0:
        return ()
    first = _drawn(seed) % len(breaks)
    for start in range(len(breaks)):
        chosen = _together([*breaks[(first + start) :], *breaks[: first + start]], lab, number)
        if len(chosen) == number:
            return chosen
    most = max(len(_together([*breaks[start:], *breaks[:start]], lab, number)) for start in range(len(breaks)))
    raise UsageError(f"{number} of this exercise's faults do not go together; at most {most}: --faults {most}")


def _drawn(seed: str) -> int:
    return int.from_bytes(sha256(seed.encode()).digest()[:8], "big")


def _together(breaks: Sequence[Break], lab: Lab, number: int) -> tuple[Break, ...]:
    """Return the first of some faults, and of those behind it what touches nothing that another one does."""
    chosen: list[Break] = []
    for broken in breaks:
        if len(chosen) < number and not any(_meet(broken, other, lab) for other in chosen):
            chosen.append(broken)
    return tuple(chosen)


def _meet(one: Break, other: Break, lab: Lab) -> bool:
    """Tell whether two faults touch the same; two different ones of a host do not: each has its own place there."""
    if one.on in lab.hosts and other.on in lab.hosts:
        return (one.fault, one.on) == (other.fault, other.on)
    return not touched(one, lab).isdisjoint(touched(other, lab))
