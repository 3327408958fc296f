"""Jobs on several hosts at once, of which those that are late are waited for as long as they get on, and not for ever.

Nobody knows beforehand how long a host needs. How long it took the most is known, once they are done: a host that says
nothing for as long again is not merely slower.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from time import monotonic
from typing import Any

from dockerlab.errors import HostError
from dockerlab.hosts.guests import Guest, kept_waiting
from dockerlab.hosts.together import most_of

FLOOR = 2.0
"""Seconds for which a host may say nothing after the most are done, at the least: more than one answer takes a host
that is much slower than they are."""

CEILING = 10.0
"""Seconds for which a host is waited for after the most are done though it gets on, unless they took longer: as long as
it takes to grade a lab in which nothing answers."""


STEP = 0.25
"""Seconds after which those that are late are looked at again: one that has answered may be silent no longer."""


@dataclass(frozen=True)
class Patience:
    """How long those that are late are waited for; `took` is how many seconds it took the most."""

    took: float
    floor: float = FLOOR
    ceiling: float = CEILING

    def silent(self, since: float, moved: float, allowed: float) -> float:
        """Return when a host has said nothing for too long.

        It gets as long again as the most took, from when these were done (`since`) or from when it got on last
        (`moved`). Until `allowed` it was asked for something during which an honest host says nothing either.
        """
        return max(max(since, moved) + max(self.floor, self.took), allowed + self.floor)

    def end(self, since: float) -> float:
        """Return when a host is waited for no longer though it gets on."""
        return since + max(self.ceiling, self.took)


@dataclass(frozen=True)
class Times:
    """How long hosts are waited for, by which clock, and what waits for the first of several futures."""

    floor: float = FLOOR
    ceiling: float = CEILING
    clock: Callable[[], float] = monotonic
    waiting: Callable[..., Any] = wait


TIMES = Times()


def attended(
    running: Mapping[Future[Any], Collection[Guest]], times: Times = TIMES, most: Callable[[], None] = lambda: None
) -> set[Future[Any]]:
    """Wait for jobs, each on some hosts of its own; who keeps one waiting for too long is dismissed, and told so.

    `most` is called once the most have ended, where others have not. What can go on without a host that was dismissed
    is waited for as long again. Returns the jobs that have not ended though no host keeps them waiting.
    """
    began = times.clock()
    late = most_of(running, times.waiting)
    patience = Patience(times.clock() - began, times.floor, times.ceiling)
    since = dict.fromkeys(late, times.clock())
    stuck: set[Future[Any]] = set()
    if late:
        most()
    while late:
        now = times.clock()
        due = min(_due(patience, since[each], running[each], now) for each in late)
        _, late = times.waiting(late, timeout=max(0.0, min(due - now, STEP)), return_when=FIRST_COMPLETED)
        now = times.clock()
        for each in late:
            over, behind = now >= patience.end(since[each]), kept_waiting(running[each])
            too_long = [guest for guest in behind if over or now >= _silent(patience, since[each], guest)]
            for guest in too_long:
                why = f"it did not answer within {now - began:.0f} s, and the others long have"
                guest.dismiss(HostError(guest.name, why))
            if too_long:
                since[each] = now
            elif over:
                stuck.add(each)
        late = late - stuck
    return stuck


def _silent(patience: Patience, since: float, guest: Guest) -> float:
    return patience.silent(since, guest.pace.moved, guest.pace.allowed)


def _due(patience: Patience, since: float, guests: Collection[Guest], now: float) -> float:
    """Return when a job is to be looked at again: no host keeps it waiting for too long before that."""
    # Of a host that is asked from now on, no more is known than that it cannot be silent for too long by then.
    first = [_silent(patience, since, guest) for guest in kept_waiting(guests)] or [patience.silent(since, now, 0.0)]
    return min(patience.end(since), *first)
