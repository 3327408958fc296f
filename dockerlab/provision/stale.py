"""A network that its engine does not let go although nobody is on it any more, and what makes it let go.

Where containers come and go at the same time, an engine may keep the record of an endpoint (an attachment to a
network) whose container it has removed: it is taken off by force. Engines before 28.1 count the endpoints beside the
records, and may count wrong (moby #42119, #43286): then nobody is on the network that could be taken off, and only a
start of the engine counts anew.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from dockerlab import engine
from dockerlab.command import Command, Result
from dockerlab.daemon.commands import revive
from dockerlab.hosts.base import Host
from dockerlab.plan import Key, removals
from dockerlab.snapshot import Snapshot

Look = Callable[[Host, Collection[str]], Snapshot]


def held(key: Key, result: Result) -> bool:
    """Tell whether the removal of a network failed because the engine believes that somebody is on it."""
    return key.kind == "network" and key.half == "unmake" and not result.ok and removals.HELD in result.error


def cures(
    host: Host, key: Key, result: Result, *, may_restart: bool = False, look: Look = engine.snapshot
) -> tuple[Command, ...]:
    """Return the commands after which a network that is held can be removed; none where that is not known.

    None as well where a container that exists is on it, whoever's it is. The engine is restarted only where that may
    be, and stops nobody's container. Raises HostError.
    """
    if not held(key, result):
        return ()
    seen = look(host, (key.name,))
    found = next((each for each in seen.networks if result.argv[-1] in (each.id, each.name)), None)
    if found is None or found.containers:
        return ()
    left = [endpoint for endpoint in found.stale if endpoint]
    if left:
        return tuple(removals.detach(key.host, found.name, found.id, endpoint) for endpoint in left)
    alone = seen.live_restore or not any(container.running for container in seen.containers)
    return (revive(key.host),) if may_restart and alone else ()
