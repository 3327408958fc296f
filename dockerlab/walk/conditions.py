"""A rule's conditions as one question to a packet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from dockerlab.kernel.rules import Match, Rule
from dockerlab.walk.extensions import WHOLE
from dockerlab.walk.matching import DOUBTFUL, SINGLE, Test, negated, unknown
from dockerlab.walk.packet import Packet

if TYPE_CHECKING:
    from dockerlab.walk.compiled import Space


def conditions(matches: Sequence[Match], rule: Rule, space: Space, *, backend: str) -> tuple[Test, ...]:
    """Return conditions of a rule as functions of a packet; those of one extension are one."""
    tests = list[Test]()
    for module, together in _by_module(matches):
        if module in WHOLE:
            found = WHOLE[module](space, rule, together, backend)
            tests += [found] if found is not None else []
            continue
        for match in together:
            one = _single(match, space)
            tests += [one] if one is not None else []
    return tuple(tests)


def _by_module(matches: Sequence[Match]) -> list[tuple[str, list[Match]]]:
    """Return conditions by the extension that they belong to; each `--match-set` is one of its own."""
    found: list[tuple[str, list[Match]]] = []
    for match in matches:
        same = bool(found) and found[-1][0] == match.module
        if same and not (match.module == "set" and match.option == "--match-set"):
            found[-1][1].append(match)
        else:
            found.append((match.module, [match]))
    return found


def _single(match: Match, space: Space) -> Test | None:
    """Return one condition, None for one that always holds."""
    if match.module == "comment" or match.option == "--comment":
        return None
    make = SINGLE.get(match.option)
    test: Test | None
    if make is None or (match.module in DOUBTFUL):
        test = unknown
    else:
        try:
            test = make(match, space)
        except (ValueError, IndexError):
            test = unknown
    return negated(test) if match.negated and test is not None else test


def holds(tests: Iterable[Test], packet: Packet) -> bool | None:
    """Tell whether all conditions hold: one that does not decides, whatever the others would say."""
    sure = True
    for test in tests:
        found = test(packet)
        if found is False:
            return False
        if found is None:
            sure = False
    return True if sure else None
