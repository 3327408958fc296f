"""What becomes of a packet: it arrives at somebody, or it is lost, and why.

Texts stand for every cell of a kind: `{source}`, `{address}` and `{to}` are filled in for the cell in question.
"""

from __future__ import annotations

from dataclasses import dataclass

from dockerlab.reach.world import Sandbox
from dockerlab.topology import IpAddress


@dataclass(frozen=True)
class Arrival:
    """The packet came to somebody: a sandbox, or (`box` is None) what is beyond the lab.

    `seen_from` is the source address that the packet bears there, and `replies_to` who gets what is sent to that:
    the sender, or the host that put its own address in place of the sender's. `hops` is the packet's way, `back` that
    of the reply.
    """

    at: str
    box: Sandbox | None
    rule: str
    because: str
    seen_from: IpAddress | None = None
    replies_to: str = ""
    hops: tuple[str, ...] = ()
    back: tuple[str, ...] = ()


@dataclass(frozen=True)
class Loss:
    """The packet goes nowhere; `certain` is False where the model cannot see enough to say so.

    `symptom` None means that the way in which it fails cannot be told.
    """

    rule: str
    because: str
    symptom: str | None = "timeout"
    certain: bool = True
    hops: tuple[str, ...] = ()
    at: str | None = None
    """Who got it instead of the one that was meant."""


Fate = Arrival | Loss

TOLD_NO_ROUTE = "told no route"
"""A host on the way has no route and says so by ICMP: a ping shows that as another symptom than a connection."""


def unseen(rule: str, what: str) -> Loss:
    """Return that the model makes no claim, and what it would have to see."""
    return Loss(rule, f"no claim: {what}", None, certain=False)
