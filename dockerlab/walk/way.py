"""What is known and noted while one packet and what answers it are under way."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dockerlab.kernel.addresses import IpAddress
from dockerlab.walk.outcome import Element, SpaceId, Step
from dockerlab.walk.tracking import Tracker

if TYPE_CHECKING:
    from dockerlab.walk.compiled import Fabric, Space
    from dockerlab.walk.fate import Fate
    from dockerlab.walk.packet import Packet
    from dockerlab.walk.wires import Ear

MOST_FORKS = 8
"""How many things may be unknown on one way; with more of them there is no claim."""


class TooManyForksError(Exception):
    """More is unknown on a way than can be tried; `why` says what, first."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass
class Way:
    """One run through the net, with a guess for everything that nobody can tell.

    `guesses` are the answers to the first questions; whatever comes after them is taken not to hold. `asked` are all
    questions in order, with the answers that were taken. `travel` sends a packet of its own, as tunnels need it.
    `topics` are the kinds of things that the questions are about, by the doubt in words. `known` are neighbours of
    namespaces that need not be asked for: they have asked first.
    """

    fabric: Fabric
    travel: Callable[[Way, Space, Packet], Fate]
    guesses: tuple[bool, ...] = ()
    detail: bool = False
    asked: list[tuple[str, bool]] = field(default_factory=list)
    topics: dict[str, str] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    known: dict[tuple[SpaceId, str, IpAddress], Ear] = field(default_factory=dict)
    _taken: dict[Hashable, bool] = field(default_factory=dict)
    _trackers: dict[SpaceId, Tracker] = field(default_factory=dict)

    def ask(self, key: Hashable, doubt: str) -> bool:
        """Return a guess for what nobody can tell, the same whenever it is asked again; a key begins with its topic."""
        found = self._taken.get(key)
        if found is None:
            if len(self.asked) >= MOST_FORKS:
                raise TooManyForksError(self.asked[0][0])
            number = len(self.asked)
            found = self.guesses[number] if number < len(self.guesses) else False
            self.asked.append((doubt, found))
            self.topics[doubt] = str(key[0]) if isinstance(key, tuple) else ""
            self._taken[key] = found
        return found

    def share(self, other: Way) -> None:
        """Take the guesses of another way as one's own, and hand it those that come."""
        self.guesses, self.asked, self.topics, self._taken = other.guesses, other.asked, other.topics, other._taken

    def tracker(self, space: Space) -> Tracker:
        """Return what a namespace remembers of connections."""
        found = self._trackers.get(space.id)
        if found is None:
            found = self._trackers[space.id] = Tracker()
        return found

    def note(self, space: Space, what: str, says: str, element: Element | None = None) -> None:
        """Note a step."""
        self.steps.append(Step(space.id, what, says, element))

    def hand(self, space: Space, link: str, says: str, element: Element | None, to: tuple[SpaceId, str]) -> None:
        """Note that a packet goes on to another namespace and, there, to an interface."""
        self.steps.append(Step(space.id, "neighbour", says, element, link, *to))
