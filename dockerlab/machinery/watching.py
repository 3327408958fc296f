"""Follow hosts while somebody works there: an episode for each time that something changed."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Mapping
from datetime import datetime, timezone
from queue import Empty, Queue
from threading import Thread

from dockerlab.errors import HostError
from dockerlab.hosts.base import Conversation, Host
from dockerlab.machinery.episodes import Episode, between, cause_of
from dockerlab.machinery.model import Machinery
from dockerlab.machinery.send import read
from dockerlab.survey.send import listen

READY = "ready"
Event = tuple[str, Episode | HostError | str]


def watch(
    hosts: Mapping[str, Host], ready: Callable[[], None], seconds: float | None = None
) -> Generator[Episode, None, None]:
    """Yield what changes on the hosts as it comes, for some seconds or for ever; `ready` is called when all are seen.

    A host that is lost gives an episode with its failure. Raises HostError when none is left.
    """
    events: Queue[Event] = Queue()
    talks: dict[str, Conversation] = {}
    for name, host in hosts.items():
        Thread(target=_follow, args=(name, host, talks, events), name=f"watch {name}", daemon=True).start()
    end = None if seconds is None else time.monotonic() + seconds
    waiting, left = set(hosts), set(hosts)
    try:
        while left:
            try:
                name, event = events.get(timeout=None if end is None else max(0.0, end - time.monotonic()))
            except Empty:
                return
            if isinstance(event, Episode):
                yield event
                continue
            if isinstance(event, HostError):
                left.discard(name)
                yield Episode(datetime.now(timezone.utc), name, "the host was lost", failure=str(event))
            if name in waiting:
                waiting.discard(name)
                if not waiting and left:
                    ready()
    finally:
        for talk in list(talks.values()):
            talk.abort()
    raise HostError(", ".join(hosts), "no host is left to watch")


def _follow(name: str, host: Host, talks: dict[str, Conversation], events: Queue[Event]) -> None:
    """Tell of each change on one host, until it is lost or nobody listens any more."""
    try:
        talks[name] = listen(host)
        before = _next(name, talks[name])
        events.put((name, READY))
        while True:
            after = _next(name, talks[name])
            changes = between(before, after)
            told = Episode(datetime.now(timezone.utc), name, cause_of(changes), changes=changes)
            if told.notable:
                events.put((name, told))
            before = after
    except HostError as error:
        events.put((name, error))
    finally:
        with contextlib.suppress(KeyError):
            talks[name].abort()


def _next(name: str, talk: Conversation) -> Machinery:
    """Return what the host shows after its next change; blank lines are signs of life."""
    line = b""
    while not line.strip():
        line = talk.receive_line()
    return read(name, line)
