"""What an overlay does not know of the other hosts' places, though its Swarm should have told it; pure."""

from __future__ import annotations

from collections.abc import Iterator

from dockerlab.drift import undo
from dockerlab.drift.difference import Difference, Told, difference, sides_of
from dockerlab.drift.edits import Edit, Swap
from dockerlab.drift.sides import Pair
from dockerlab.kernel.model import Forward


def lost(pair: Pair) -> Iterator[Difference]:
    """Yield for each other host what an overlay's namespace has lost sight of: neighbours, and where frames go.

    The engines tell each other by gossip (port 7946). Who is not heard for some seconds is forgotten.
    """
    if {"forwards", "neighbours"} & {*pair.there.unread, *pair.wanted.unread}:
        return
    known = {each.mac for each in pair.there.forwards} & {each.mac for each in pair.there.neighbours}
    missing: dict[str, list[Forward]] = {}
    for each in pair.wanted.forwards:
        if each.mac not in known:
            missing.setdefault(each.to, []).append(each)
    for to, forwards in missing.items():
        yield _unseen(pair, to, forwards)


def _unseen(pair: Pair, to: str, forwards: list[Forward]) -> Difference:
    macs = {each.mac for each in forwards}
    there = {(each.address, each.mac) for each in pair.there.neighbours}
    gone = [each for each in pair.wanted.neighbours if each.mac in macs and (each.address, each.mac) not in there]
    where = undo.place(pair.there)
    back = [undo.neighbour(where, "replace", entry) for entry in gone]
    back += [undo.forward(where, "replace", each) for each in forwards]
    says = (
        f"an overlay does not know who is on {to}: the engines have not told each other since they lost sight (gossip, "
        "TCP and UDP port 7946), and may do so again within minutes"
    )
    edits: list[Edit] = [Swap(pair.at, "neighbours", None, entry) for entry in gone]
    edits += [Swap(pair.at, "forwards", None, each) for each in forwards]
    told = Told(forwards[0].device, f"{to}: {', '.join(sorted(macs))}", says, undo.both(back))
    keys = [key for entry in gone for key in sides_of(pair, None, entry)]
    return difference(pair, "missing", "neighbour", told, edits, keys)
