"""What a lab can be held against: another engine, another definition, the hosts as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dockerlab.errors import UsageError
from dockerlab.imagined.changes import BACKEND
from dockerlab.lab.model import Lab
from dockerlab.reach import worlds
from dockerlab.reach.against import Comparison, Side, compare
from dockerlab.reach.asked import Ends
from dockerlab.reach.world import World
from dockerlab.reach.worlds import Looked
from dockerlab.versions import Engine, holding

ALL = Ends()


def engines(lab: Lab, before: Engine, after: Engine, ends: Ends = ALL) -> Comparison:
    """Return what differs of a lab between two engines, on hosts that nobody has seen.

    Raises UsageError for ends that no cell has.
    """
    one, two = (Side(f"engine {each}", worlds.offline(lab, each)) for each in (before, after))
    return compare(one, two, ends, held=lambda names: worlds.offline(lab, _held(after, names, before)))


def definitions(lab: Lab, other: Lab, engine: Engine, there: Engine, ends: Ends = ALL) -> Comparison:
    """Return what differs between two definitions, each on an engine, on hosts that nobody has seen.

    Raises UsageError for ends that no cell has.
    """
    one = Side(f"{lab.name} on engine {engine}", worlds.offline(lab, engine))
    return compare(one, Side(f"{other.name} on engine {there}", worlds.offline(other, there)), ends)


def upgrade(lab: Lab, seen: Looked, after: Engine, ends: Ends = ALL) -> Comparison:
    """Return what would differ of a lab if its hosts, as they were seen, had another engine.

    Raises UsageError for ends that no cell has.
    """
    there = worlds.defined(lab, seen)
    told = "; ".join(dict.fromkeys(f"engine {each}" for each in there.engines.values()))
    return compare(
        Side(f"the hosts with {told}", there),
        Side(f"the same hosts with engine {after}", _on(lab, seen, after)),
        ends,
        held=lambda names: worlds.upgraded(lab, seen, lambda own: _held(_like(own, after), names, own)),
    )


def definitions_on_hosts(lab: Lab, other: Lab, seen: Looked, ends: Ends = ALL) -> Comparison:
    """Return what differs between two definitions on the same hosts.

    Raises UsageError for ends that no cell has, and for a host that is none of the first definition's.
    """
    missing = [host for host in other.hosts if host not in seen.snapshots]
    if missing:
        raise UsageError(f"{other.name} wants host {missing[0]}, which is none of {lab.name}'s: add --offline")
    one = Side(f"{lab.name} on its hosts", worlds.defined(lab, seen))
    return compare(one, Side(f"{other.name} there", worlds.defined(other, seen)), ends)


def hosts(lab: Lab, seen: Looked, engine: Engine | None = None, ends: Ends = ALL) -> Comparison:
    """Return what differs between a definition, on another engine where one is named, and its hosts as they are.

    Raises UsageError for ends that no cell has.
    """
    told = f"{lab.name} on engine {engine}" if engine is not None else f"{lab.name} as it is defined"
    there = _on(lab, seen, engine) if engine is not None else worlds.defined(lab, seen)
    return compare(Side(told, there), Side("its hosts as they are", worlds.surveyed(lab, seen)), ends)


def _on(lab: Lab, seen: Looked, engine: Engine) -> World:
    return worlds.upgraded(lab, seen, lambda own: _like(own, engine))


def _like(own: Engine, engine: Engine) -> Engine:
    """Return an engine in place of a host's own, whose settings stay."""
    return replace(own, version=engine.version, backend=engine.backend)


def _held(engine: Engine, names: Sequence[str], like: Engine) -> Engine:
    """Return an engine that does some things as another one does, its rules' language among them."""
    kept = holding(engine, [name for name in names if name != BACKEND], like)
    return replace(kept, backend=like.backend) if BACKEND in names else kept
