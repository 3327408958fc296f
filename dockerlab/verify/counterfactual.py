"""Which one object of a host makes a prediction differ from what is expected: the one without which it would not. Pure.

The differences between the imagined and the surveyed kernels are undone one by one, in the order in which the packets
meet them, until what is predicted is what is expected. What no packet meets is nobody's cause.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from dockerlab.drift.difference import Difference, Key, element_keys, keys_of
from dockerlab.drift.kernel import mended
from dockerlab.kernel.model import Machine
from dockerlab.walk.outcome import Outcome, SpaceId

K = TypeVar("K")
W = TypeVar("W")

MOST_TRIES = 48
"""How many differences are tried for cells of one kind: beyond that there are rather none than a wrong one."""
KEPT_WORLDS = 8
"""How many mended states are kept: cells of many kinds try the same ones, shortly after each other."""


@dataclass(frozen=True)
class Mismatch(Generic[K]):
    """Cells of one kind that are predicted otherwise than expected, and their packets' ways on both sides.

    A cell may have several ways: that to each address of a name. `expected` are those of the imagined kernels,
    `predicted` those of the surveyed ones.
    """

    kind: K
    expected: Sequence[Outcome]
    predicted: Sequence[Outcome]


def explained(
    mismatches: Iterable[Mismatch[K]],
    found: Sequence[Difference],
    machines: Mapping[str, Machine],
    build: Callable[[Mapping[str, Machine]], W],
    as_expected: Callable[[W, K], bool],
) -> dict[K, Difference]:
    """Return for each kind of cells the difference that is the cause; a kind that none explains is left out.

    `found` are the differences of the surveyed `machines`. `build` makes of kernels what `as_expected` asks: whether
    cells of a kind would be predicted as they are expected. It is asked at most some hundred times a kind.
    """
    worlds = _Worlds(found, machines, build)
    causes: dict[K, Difference] = {}
    for mismatch in mismatches:
        cause = _cause(mismatch, found, lambda numbers, kind=mismatch.kind: as_expected(worlds.without(numbers), kind))  # type: ignore[misc]
        if cause is not None:
            causes[mismatch.kind] = found[cause]
    return causes


class _Worlds(Generic[W]):
    """Kernels without some of their differences, made when they are asked for."""

    def __init__(
        self,
        found: Sequence[Difference],
        machines: Mapping[str, Machine],
        build: Callable[[Mapping[str, Machine]], W],
    ) -> None:
        self._found, self._machines, self._build = found, machines, build
        self._made: dict[frozenset[int], W] = {}

    def without(self, numbers: frozenset[int]) -> W:
        """Return them without the differences of these numbers."""
        made = self._made.pop(numbers, None)
        if made is None:
            made = self._build(mended(self._machines, [self._found[number] for number in sorted(numbers)]))
        self._made[numbers] = made  # the last one asked for is the last one to go
        if len(self._made) > KEPT_WORLDS:
            del self._made[next(iter(self._made))]
        return made


def _cause(mismatch: Mismatch[K], found: Sequence[Difference], cured: Callable[[frozenset[int]], bool]) -> int | None:
    """Return the number of the difference that is the cause, or None."""
    met = list(dict.fromkeys(_met(mismatch, found)))
    others = [number for number in _nearby(mismatch, found) if number not in met]
    candidates = [*met, *others][:MOST_TRIES]
    for number in candidates:
        if cured(frozenset({number})):
            return number
    for several in (met[:MOST_TRIES], candidates, list(range(len(found)))):
        if len(several) > 1 and cured(frozenset(several)):
            return _needed(several, cured)
    return None


def _needed(numbers: Sequence[int], cured: Callable[[frozenset[int]], bool]) -> int | None:
    """Return the first of the differences that are needed, of several that cure only together."""
    kept = list(numbers)
    for number in reversed(numbers[-MOST_TRIES:]):
        fewer = frozenset(kept) - {number}
        if fewer and cured(fewer):
            kept.remove(number)
    return kept[0] if kept else None


def _met(mismatch: Mismatch[K], found: Sequence[Difference]) -> Iterator[int]:
    """Yield the differences that packets met: what decided first, then what is missing on their way, then the rest."""
    by_key: dict[Key, list[int]] = {}
    for number, difference in enumerate(found):
        for key in difference.keys:
            by_key.setdefault(key, []).append(number)
    for outcome in mismatch.predicted:
        if outcome.by is not None:
            for key in element_keys(outcome.at, outcome.by):
                yield from by_key.get(key, ())
    for outcomes in (mismatch.expected, mismatch.predicted):
        for outcome in outcomes:
            for step in (*outcome.steps, *outcome.back):
                for key in keys_of(step):
                    yield from by_key.get(key, ())


def _nearby(mismatch: Mismatch[K], found: Sequence[Difference]) -> Iterator[int]:
    """Yield the differences where packets came by: in the same namespaces first, then elsewhere on those hosts."""
    spaces: dict[SpaceId, None] = {}
    for outcome in (*mismatch.predicted, *mismatch.expected):
        spaces |= dict.fromkeys(step.at for step in (*outcome.steps, *outcome.back))
        spaces[outcome.at] = None
    hosts = {space.host for space in spaces}
    inside = [number for number, difference in enumerate(found) if difference.at in spaces]
    yield from inside
    yield from (n for n, difference in enumerate(found) if difference.host in hosts and n not in inside)
