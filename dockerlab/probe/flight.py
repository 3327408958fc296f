"""One cell under way: what is asked, which tries were made and answered, and what its record says in the end.

Part of the agent's program: standard library only, and Python 3.6 must run it.
"""

import errno
import socket
from typing import Any, NamedTuple

from dockerlab.probe.namespaces import Namespace
from dockerlab.probe.resolver import Line

TRIES = (0.0, 0.5, 1.2)
"""Seconds after a cell's first try at which it is tried, until it is settled."""
MOST_TRIES = 4
PROOF = 2
"""How many tries have to be answered after one that was not: the first packet waits for ARP, and may be lost."""
HASTE = 8.0
"""How many times faster cells are tried and given up where there is haste."""
FULL = 8
"""From here on count the tries with a full-size packet."""
FULL_TRIES = 3
FULL_PAUSE = 0.3


def name_of(number: "int | None") -> "str":
    """Return the symbolic name of a system error, such as ENETUNREACH."""
    return errno.errorcode.get(number or 0, str(number))


class Question(NamedTuple):
    """A cell as the controller asks it.

    `record` is the type of DNS record that answers; `full` tells that a ping which is answered is to be asked again
    with the largest packet that leaves the source whole; `led` that whoever accepts the connection may have to lead it
    on. What is expected of a cell is not told: who may want to please is not to know how.
    """

    number: "int"
    place: "int"
    probe: "str"
    address: "str"
    port: "int | None"
    name: "str | None"
    record: "int"
    full: "bool"
    led: "bool" = False


class Flight:
    """One cell, from its first try to its record; with `haste` silence is believed sooner.

    `sent`, `answered` and `marks` are by try: when, after how many ms, and what the packet was known by.
    """

    def __init__(self, question: "Question", namespace: "Namespace", haste: "bool" = False) -> None:
        self.question = question
        self.haste = haste
        self.number = question.number
        self.namespace = namespace
        self.tries = 0
        self.sent: dict[int, float] = {}
        self.answered: dict[int, float] = {}
        self.marks: dict[int, str] = {}
        self.size = 0  # of a full-size packet, once that is asked for
        self.full_tries = 0
        self.socket: socket.socket | None = None
        self.line: Line | None = None
        self.ident = 0
        self.server = ""
        self.shortage = ""
        self.opened: dict[str, Any] | None = None  # the record of a connection that was accepted
        self.until = 0.0  # when it is let go, or looked at again
        self.look = 0.0  # the last pause between two looks at a connection
        self.began: int | None = None  # the number of its first byte

    def pause(self, patience: "float") -> "float":
        """Return the seconds from the last try to the next one, or to giving up."""
        if self.size:
            return FULL_PAUSE
        last = self.tries - 1
        pause = TRIES[self.tries] - TRIES[last] if self.tries < len(TRIES) else patience - TRIES[-1]
        return pause / HASTE if self.haste else pause

    def hurries(self) -> "bool":
        """Tell whether nothing has come so far, and haste decides when to try again or to give up."""
        return self.haste and not self.answered and not self.size and self.opened is None

    def slow_down(self, patience: "float") -> "float":
        """Give up haste; return the seconds that it has spared so far."""
        self.haste = False
        due = TRIES[self.tries] if self.tries < len(TRIES) else patience
        return due - due / HASTE

    def wants_more(self) -> "bool":
        """Tell whether there is to be another try; one that was answered in part gets more of them."""
        if self.opened is not None:
            return False
        if self.size:
            return self.full_tries < FULL_TRIES
        return self.tries < (MOST_TRIES if self.answered else len(TRIES))

    def proven(self) -> "bool":
        """Tell whether no further try is needed to call it answered."""
        return 0 in self.answered or len(self.answered) >= PROOF or self.tries >= MOST_TRIES

    def lost(self) -> "list[int]":
        """Return the tries that were sent and not answered."""
        return [] if 0 in self.answered else sorted(set(self.sent) - set(self.answered))

    def answer(self, **more: "Any") -> "dict[str, Any]":
        """Return the record of a ping that was answered."""
        attempt, lost = min(self.answered), self.lost()
        told = {"lost": lost, "tries": self.tries} if lost else {}
        rtt = round(self.answered[attempt], 3)
        return {"outcome": "answered", "rtt": rtt, "attempt": attempt, **self.marked(), **told, **more}

    def marked(self) -> "dict[str, Any]":
        """Return what the packets were known by, for the record of a ping that went out."""
        return {"marks": [[attempt, mark] for attempt, mark in self.marks.items()]} if self.marks else {}
