"""An engine's answers within limits: it is a stranger, and nothing else is asked in its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from time import monotonic

TIMEOUT = 30
"""Seconds in which the engine has to answer a read, from the first byte of the question to the last of the answer."""

LARGEST = 16 * 2**20
"""Bytes of one answer: a thousand containers, of which an engine says four thousand bytes each, have a quarter."""

PIECE = 2**16


class Unanswered(Exception):
    """There was no answer, or none of an engine's; the words say what there was."""


class TooLate(Unanswered):
    """There was no answer in time."""

    def __init__(self) -> None:
        super().__init__(f"the Docker engine did not answer within {TIMEOUT} s; is the host overloaded?")


@dataclass(frozen=True)
class Answer:
    """An engine's whole answer: its status, the fields of its head by their names in small letters, and its content."""

    status: int
    fields: Mapping[str, str]
    content: bytes


def whole(status: int, head: Iterable[tuple[str, str]], pieces: Iterable[bytes], end: float) -> Answer:
    """Return an answer whose head has these fields, and whose content comes in pieces, all before the moment `end`.

    No redirect is followed, and nothing is taken that is packed. Raises Unanswered for an answer that is no engine's.
    """
    fields = {name.lower(): value for name, value in head}
    if 300 <= status < 400:
        raise Unanswered("it sends us to another place, where nobody is asked: is it a Docker engine?")
    if fields.get("content-encoding", "identity") != "identity":
        raise Unanswered("it packs its answer, which nobody asked for: is it a Docker engine?")
    found = bytearray()
    for piece in pieces:
        found += piece
        if len(found) > LARGEST:
            raise Unanswered(f"its answer has more than {LARGEST // 2**20} MiB: is it a Docker engine?")
        if monotonic() > end:
            raise Unanswered(f"its answer was not whole after {TIMEOUT} s; is the host overloaded?")
    return Answer(status, fields, bytes(found))
