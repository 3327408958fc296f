"""What changed on a host at once, and what it came from: a command of ours, or what the engine's objects show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dockerlab.machinery.diff import Change, diff
from dockerlab.machinery.model import Machinery
from dockerlab.machinery.reasons import Told, tell

BY_HAND = "no object of the engine changed: done by hand, by another program, or by the kernel"
VERBS = {
    ("added", "container"): "docker run, create or compose: container {} was made",
    ("removed", "container"): "docker rm: container {} was removed",
    ("changed", "container"): "docker start, stop, network connect or disconnect: {}",
    ("added", "network"): "docker network create: {}",
    ("removed", "network"): "docker network rm: {}",
}


@dataclass(frozen=True)
class Episode:
    """Changes on one host with their cause.

    `command` is the command that was run in between, as a line for `sh`, where it was one of ours. `failure` says why
    the host could not be looked at: then nothing is known of what changed.
    """

    when: datetime
    host: str
    cause: str
    command: str = ""
    seconds: float = 0.0
    changes: tuple[Told, ...] = ()
    failure: str = ""

    @property
    def notable(self) -> bool:
        """Tell whether there is more than what the kernel does by itself."""
        return bool(self.failure) or any(not told.minor for told in self.changes)


def between(before: Machinery, after: Machinery) -> tuple[Told, ...]:
    """Return what changed between two looks, with the reasons."""
    return tuple(tell(diff(before, after), before, after))


def cause_of(changes: Sequence[Told]) -> str:
    """Return what must have been done, as far as the engine's objects show it."""
    seen = [_cause(told.change) for told in changes if (told.change.verb, told.change.kind) in VERBS]
    return "; ".join(dict.fromkeys(seen)) or BY_HAND


def _cause(change: Change) -> str:
    return VERBS[change.verb, change.kind].format(change.what)
