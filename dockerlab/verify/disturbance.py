"""What changed on the hosts while the cells were asked: a cell that it may have touched is not judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dockerlab.errors import HostError
from dockerlab.probe.base import Observation, unknown
from dockerlab.reach import Cell, Expectation, World
from dockerlab.reach.cells import published
from dockerlab.snapshot import ContainerState, Snapshot

DEFAULT_BRIDGE = "bridge"
"""The network that an engine makes anew whenever it starts: its ID tells one life of the engine from the next."""


def disturbed(
    world: World, before: Mapping[str, Snapshot], after: Mapping[str, Snapshot | HostError]
) -> dict[str, str]:
    """Return what happened between two looks, by the name of the host or container that it happened to."""
    events: dict[str, str] = {}
    for host, now in after.items():
        if isinstance(now, HostError):
            events[host] = f"the engine of {host} went away while the cells were asked"
            continue
        first, last = before[host].network(DEFAULT_BRIDGE), now.network(DEFAULT_BRIDGE)
        if first is not None and (last is None or first.id != last.id):
            events[host] = f"the engine of {host} was restarted while the cells were asked"
        for name in world.lab.on_host(host):
            then = before[host].container(name)
            happened = _happened(then, now.container(name)) if then is not None and then.running else ""
            if happened:
                events[name] = f"{name} {happened} while the cells were asked"
    return events


def _happened(then: ContainerState, now: ContainerState | None) -> str:
    """Return what happened to a container that ran, or an empty text."""
    if now is None:
        return "was removed"
    if not now.running:
        return f"ended (exit code {now.exit_code})"
    was, is_now = _addresses(then), _addresses(now)
    moved = f", and its address changed from {was or 'none'} to {is_now or 'none'}," if was != is_now else ""
    if then.id != now.id:
        return f"was made anew{moved}"
    if (then.pid, then.started) != (now.pid, now.started):
        return f"was restarted{moved}"
    return f"was put on other networks{moved}" if moved else ""


def _addresses(container: ContainerState) -> str:
    return ", ".join(str(a.ip) for _, endpoint in sorted(container.endpoints.items()) for a in endpoint.addresses)


def withdraw(
    cells: Sequence[tuple[Cell, Expectation]], observed: Sequence[Observation], world: World, events: Mapping[str, str]
) -> list[Observation]:
    """Return the observations, unknown where an event may be their cause.

    What was reached as expected stands: nothing that went wrong can have made it so. What is unknown anyway keeps its
    own reason.
    """
    if not events:
        return list(observed)
    found = []
    for (cell, expected), seen in zip(cells, observed, strict=True):
        event = _touching(cell, world, events)
        reached = seen.state == "reachable" and expected.reachable is True
        stands = event is None or seen.state == "unknown" or reached
        found.append(seen if stands else unknown(f"not judged: {event}"))
    return found


def _touching(cell: Cell, world: World, events: Mapping[str, str]) -> str | None:
    """Return the event that may have touched a cell: at an end, its host, or what a published port leads to."""
    ends = [name for name in (cell.source, cell.to, cell.holder) if name is not None]
    if cell.holder in world.lab.hosts and cell.port is not None:
        ends += [name for port, name in published(world, cell.holder) if port.published == cell.port]
    boxes = [world.people.of[name] for name in ends if name in world.people.of]
    hosts = [world.lab.host_of(name) for name in ends if name in world.lab.containers]
    return next((events[name] for name in (*ends, *boxes, *hosts) if name in events), None)
