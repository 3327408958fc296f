"""Reports without engines: what the model predicts of an imagined lab, as if it had been observed."""

from datetime import datetime, timezone

from dockerlab.probe import base as probe
from dockerlab.reach import matrix, worlds
from dockerlab.verify import Report, judge_all
from support.facts import facts_of

MADE = datetime(2027, 1, 31, 18, 0, tzinfo=timezone.utc)


def world_of(definition):
    """Return the world of a lab that only is imagined."""
    return worlds.offline(definition)


def observed(definition, wrong=(), untold=()):
    """Return the report of a lab that is as predicted, but for the cells with these numbers."""
    world = world_of(definition)
    cells = matrix(world)
    seen = [_seen(number, expected, wrong, untold) for number, (_, expected) in enumerate(cells)]
    return Report(
        lab=definition.name,
        title=definition.title,
        cells=judge_all(cells, seen),
        engines=dict.fromkeys(definition.hosts, "28.5.2"),
        probers=dict.fromkeys(definition.hosts, "agent"),
        seconds=1.5,
        made=MADE,
        world=world,
        facts={host: facts_of(host, ip_forward=True) for host in definition.hosts},
    )


def _seen(number, expected, wrong, untold):
    if number in untold or expected.reachable is None:
        return probe.unknown("not tested: the container does not run")
    if expected.reachable == (number not in wrong):
        return probe.reachable(0.123 + number / 1e4, "answered by the right one")
    return probe.unreachable(expected.symptom or "timeout", "3 packets sent, none came back")
