"""The hosts themselves in a plan of `down`: what a lab has changed of them is undone exactly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import get_args

from dockerlab import render
from dockerlab.ground import present, receipt
from dockerlab.ground.deeds import Deed, Kind
from dockerlab.ground.present import Beneath
from dockerlab.ground.receipt import receipts
from dockerlab.plan.receipts import REMOVE_RECEIPT
from dockerlab.plan.steps import Key, Ours, Step
from dockerlab.snapshot import LABEL_LAB, Snapshot

ORDER = get_args(Kind)
"""The kinds of things in the order in which they are made: what goes, goes the other way round."""
UNUSED: Mapping[Kind, str] = {"policy": "ACCEPT"}
"""What a thing was where nobody noted it: a policy of DROP that is left without its rules lets nobody in any more."""


def undo_ground(
    snapshots: Mapping[str, Snapshot],
    ours: Ours,
    beneath: Mapping[str, Beneath],
    after: frozenset[Key],
    lasting: Ours = lambda _: False,
) -> tuple[list[Step], list[str]]:
    """Return the steps that undo what labs that are `ours` changed of hosts, and notes on what has to stay.

    What is noted in a receipt that is `lasting` stays: an earlier run has made it.
    """
    steps: list[Step] = []
    notes: list[str] = []
    for host, snapshot in snapshots.items():
        found = list(receipts(snapshot, ours))
        notes += [f"{host}: receipt {name} cannot be understood: look what it says with 'docker volume inspect {name}'"
                  for name in found if isinstance(name, str)]  # fmt: skip
        going = receipt.readable(found)
        if not going:
            continue
        there = beneath.get(host, Beneath(unseen="its kernel was not looked at"))
        if there.unseen:
            notes.append(f"{host}: what the lab changed of the host itself is kept: {there.unseen}; run down again")
            continue
        kept = {deed.key for each in receipt.readable(receipts(snapshot, lasting)) for deed in each.deeds}
        chain: list[Step] = []
        for name in dict.fromkeys(each.labels[LABEL_LAB] for each in going):
            own = [each for each in going if each.labels[LABEL_LAB] == name]
            noted = {d.key: (d, each.before[d.key]) for each in reversed(own) for d in each.deeds if d.key not in kept}
            values = [(deed.key, deed.value) for each in own for deed in each.deeds]
            wrote = {key: frozenset(v for k, v in values if k == key) for key in noted}
            chain += [
                Step(Key(host, "host", deed.key, "unmake"), "remove", deed.undo(host, was))
                for deed, was in undone(noted.values(), there, name, wrote)
            ]
        chain += [forgetting(host, each.volume, dropped=True) for each in going]
        steps += in_turn([replace(step, after=after) for step in chain])
    return steps, notes


def undone(
    noted: Iterable[tuple[Deed, str | None]],
    beneath: Beneath,
    lab: str,
    wrote: Mapping[str, frozenset[str]] | None = None,
) -> Iterator[tuple[Deed, str]]:
    """Yield what has to be undone, the last thing first: what is there, and what has the value that the lab gave."""
    known = sorted(noted, key=lambda each: ORDER.index(each[0].kind))
    chains = frozenset(deed.about["line"].chain for deed, _ in known if deed.kind == "chain")
    for deed, noted_as in reversed(known):
        now, was = present.now(deed, beneath), noted_as or UNUSED.get(deed.kind)
        if now is None:
            continue
        if not present.is_value(deed):
            if present.is_removable(deed, beneath, lab, chains):
                yield deed, ""
        elif was and was != now and now in (wrote or {}).get(deed.key, {deed.value}):
            yield deed, was


def forgetting(host: str, volume: str, *, dropped: bool = False) -> Step:
    """Return the step that removes a receipt: with the lab (`dropped`), or because there is a new one."""
    command = render.command(REMOVE_RECEIPT, host, name=volume)
    return Step(Key(host, "receipt", volume, "unmake"), "remove" if dropped else "clear", (command,))


def in_turn(steps: Sequence[Step]) -> list[Step]:
    """Return steps of one host, each after the one before."""
    return [replace(step, after=step.after | {steps[n - 1].key}) if n else step for n, step in enumerate(steps)]
