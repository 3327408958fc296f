"""The one gate for what hosts, their engines, the survey's program and the agent say: they are strangers.

text    JSON within limits of size, depth and number
form    whether what was made of it is of the form that is declared for it, as deep as that goes

What does not fit is that host's failure, with a sentence, and nobody else's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from dockerlab.errors import HostError
from dockerlab.gate.form import misfit
from dockerlab.gate.text import parsed

__all__ = ["LONGEST", "NONSENSE", "admitted", "misfit", "nonsense", "parsed", "short"]

T = TypeVar("T")

NONSENSE = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What a pure function raises for what is not of the form that it takes; RecursionError is a RuntimeError."""

SHORT = 2**21
"""Bytes of what a script says in lines, each of which takes some hundred bytes more when it is looked at."""

LONGEST = 200
"""So many characters of what is wrong are told: the words are a stranger's."""


def admitted(host: str, what: str, make: Callable[[], T], form: object = object, of: type[HostError] = HostError) -> T:
    """Return what is made of a host's words, once it is of the form that is declared for it.

    `make` is pure but for what it was given to read. Raises HostError, with `what` as the one who said it, such as
    `the agent`; a HostError of `make` itself is left as it is.
    """
    try:
        found = make()
        wrong = misfit(found, form)
    except NONSENSE as error:
        raise nonsense(host, what, error, of) from error
    if wrong is not None:
        raise nonsense(host, what, wrong, of)
    return found


def short(host: str, what: str, said: bytes) -> str:
    """Return what a script says that has only a few things to say; raises HostError where it is more than that."""
    if len(said) > SHORT:
        raise nonsense(host, what, f"it has {len(said)} bytes")
    return said.decode("utf-8", "replace")


def nonsense(host: str, what: str, why: Exception | str, of: type[HostError] = HostError) -> HostError:
    """Return the failure of a host whose words are not of the form that they should be."""
    told = why if isinstance(why, str) else f"{type(why).__name__}: {why}"
    return of(
        host,
        f"what {what} says cannot be understood ({' '.join(told.split())[:LONGEST]}); look whether somebody put "
        "another program in its place there, and leave the host out until then",
    )
