"""What a person's answer means, and how a right one is kept so that nobody reads it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import pbkdf2_hmac

YES = frozenset({"y", "yes", "j", "ja", "true", "1", "reachable"})
NO = frozenset({"n", "no", "nein", "false", "0", "unreachable"})
LONGEST = 40
"""No more of a yes or no is looked at: it comes from anybody's keyboard, or file."""

NUMBERS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
"""Numbers that may be written out, each at its own place."""

ROUNDS = 20_000
"""How often a seal is hashed: a hundredth of a second for one answer, and long for a whole dictionary."""


def meaning(line: str) -> bool | None:
    """Return whether a line says yes or no, None where it is neither."""
    word = line[:LONGEST].strip().lower()
    return True if word in YES else False if word in NO else None


def plain(text: str) -> str:
    """Return an answer without what makes no difference: case, further blanks, a full stop."""
    return " ".join(text.casefold().split()).rstrip(".")


def number(text: str) -> str:
    """Return a number in figures that may be written out, and anything else as it is."""
    word = plain(text)
    return str(NUMBERS.index(word)) if word in NUMBERS else word


def seal(question: str, answer: str) -> str:
    """Return what stands in a file for a right answer: it can be compared, and not read.

    The question is the salt, so that one answer to two questions has two seals. Whoever can guess the answer can also
    make the seal: it keeps an answer from being read in passing, and not from being tried.
    """
    return pbkdf2_hmac("sha256", plain(answer).encode(), question.encode(), ROUNDS).hex()[:32]


def opens(question: str, answer: str, seals: Iterable[str]) -> bool | None:
    """Tell whether an answer is one of those that are sealed; None where yes or no is asked, and it is neither."""
    known = frozenset(seals)
    if {seal(question, "yes"), seal(question, "no")} & known:
        meant = meaning(answer)
        return None if meant is None else seal(question, "yes" if meant else "no") in known
    return seal(question, answer) in known
