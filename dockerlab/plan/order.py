"""In which order containers are made: whoever is waited for, or whose namespace is joined, is made first."""

from __future__ import annotations

from collections.abc import Iterable
from graphlib import TopologicalSorter

from dockerlab.lab.model import Lab
from dockerlab.lab.process_rules import before
from dockerlab.plan.steps import Key


class Order:
    """The order of a lab's containers; what is only better made first is so as far as that makes no circle."""

    def __init__(self, lab: Lab) -> None:
        self._after = {name: set(before(lab, name)) for name in lab.containers}
        self.first_to_last = list(TopologicalSorter(self._after).static_order()) if self._bound else [*lab.containers]

    @property
    def _bound(self) -> bool:
        return any(self._after.values())

    def also_after(self, name: str, others: Iterable[Key]) -> list[Key]:
        """Return those of the containers that may go ahead of one, and let them."""
        if not self._bound:
            return list(others)
        taken = [each for each in others if not self._reaches(each.name, name)]
        self._after[name] |= {each.name for each in taken}
        return taken

    def _reaches(self, name: str, other: str) -> bool:
        """Tell whether one container waits for another, by way of however many."""
        waiting, seen = [name], set[str]()
        while waiting:
            each = waiting.pop()
            if each == other:
                return True
            if each not in seen:
                seen.add(each)
                waiting += self._after[each]
        return False
