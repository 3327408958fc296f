"""One cell's packet followed by the kernels' own tracing, as lines for a person."""

from __future__ import annotations

from collections.abc import Mapping

from dockerlab.errors import HostError
from dockerlab.hosts.base import Host
from dockerlab.probe.base import Place
from dockerlab.reach import Cell, World
from dockerlab.reach.cells import published
from dockerlab.reach.matrix import outcome_of
from dockerlab.survey import Seen
from dockerlab.trace.compare import Difference, differences
from dockerlab.trace.follow import Probe, Trace, traced
from dockerlab.trace.hops import lines, worded
from dockerlab.verify.questions import place
from dockerlab.walk.outcome import SpaceId


def follow(cell: Cell, world: World, seen: Seen, hosts: Mapping[str, Host]) -> Trace:
    """Return the way of one real packet of a cell, with the texts of the rules that it met.

    Raises HostError where a host cannot be asked, or an end of the cell does not run.
    """
    source = _running(cell.source, world, seen)
    target = None if cell.holder is None else _running(cell.holder, world, seen)
    behind = [
        (_running(name, world, seen), str(address), port.target)
        for port, name in published(world, cell.to)
        if port.published == cell.port
        for _, address in world.people.addresses.get(name, ())
    ]
    trace = traced(hosts, source, target, Probe(cell.target, cell.port, tuple(behind)))
    rulesets = {
        SpaceId(host, space.id): space.ruleset
        for host, machine in seen.machines.items()
        for space in machine.namespaces
    }
    return Trace(tuple(worded(trace.hops, rulesets)), trace.outcome, trace.blind)


def _running(name: str, world: World, seen: Seen) -> Place:
    """Return where a container or host is; raises HostError where it does not run."""
    found = place(name, world, seen.snapshots)
    if isinstance(found, str):
        raise HostError(name if name in world.lab.hosts else world.lab.host_of(name), found)
    return found


def against(cell: Cell, world: World, trace: Trace) -> list[Difference] | None:
    """Return where a trace and the walk of the same packet meet other rules; None where the walk makes no claim."""
    outcome = outcome_of(world, cell, detail=True)
    return None if outcome is None or outcome.reachable is None else differences(outcome, trace.hops)


def told(cell: Cell, world: World, seen: Seen, hosts: Mapping[str, Host]) -> list[str]:
    """Return what the kernels told of one packet of a cell, a line each, or why it was not followed.

    The last lines hold it against the walk through `world`, the lab as its hosts are.
    """
    try:
        trace = follow(cell, world, seen, hosts)
    except HostError as error:
        return [f"not traced: {error}"]
    found = lines(trace.hops) or ["(no kernel told anything of it)"]
    blind = [f"not told: {why}" for why in trace.blind]
    return [
        f"traced by the kernels, rule by rule: {trace.outcome}",
        *(f"    {line}" for line in (*found, *blind)),
        *_held(against(cell, world, trace), trace),
    ]


def _held(found: list[Difference] | None, trace: Trace) -> list[str]:
    """Return what comes of holding a trace against the walk, a line each."""
    if found is None:
        return ["not held against the model, which makes no claim here"]
    if not found:
        return ["the model meets the same rules"]
    because = ": not all was told" if trace.blind else ""
    return [f"the model meets other rules{because}", *(f"    {each}" for each in found)]
