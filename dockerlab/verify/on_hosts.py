"""A lab verified and explained: where the pure parts and the hosts meet; `provision` makes and removes it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Literal

from dockerlab import engine
from dockerlab.drift import differences
from dockerlab.errors import HostError
from dockerlab.hosts.base import Host
from dockerlab.lab.model import Lab
from dockerlab.plain import one_line
from dockerlab.probe.agents import AgentProber, AgentUnavailable
from dockerlab.probe.base import FLAKY, Observation
from dockerlab.probe.portable import PortableProber
from dockerlab.reach import Cell, Expectation, World, build_world, matrix
from dockerlab.reach.cells import published
from dockerlab.reach.overrides import override
from dockerlab.snapshot import Snapshot, orphaned
from dockerlab.survey import Seen, look, look_again
from dockerlab.verify import image_checks
from dockerlab.verify.causes import causes
from dockerlab.verify.disturbance import disturbed, withdraw
from dockerlab.verify.evidence import around
from dockerlab.verify.promises import promises
from dockerlab.verify.verdicts import Report, held, judge_all, observe

Choice = Literal["auto", "agent", "portable"]
"""Which prober asks; `auto` is the agent where every host can run it."""

SETTLING = 20.0
"""Seconds in which a lab that was just made may still come to what it is, such as the names of an overlay network."""


def verify(
    lab: Lab,
    hosts: Mapping[str, Host],
    prober: Choice = "auto",
    instance: str | None = None,
    seen: Seen | None = None,
) -> Report:
    """Return the whole matrix of a lab as it is now: predicted, observed, judged; `seen` is a look at it just now."""
    seen = seen if seen is not None else look(hosts, lab.containers)
    world = build_world(lab, seen.facts, seen.snapshots)
    cells, notes = override(matrix(world), lab.expect)
    started = time.monotonic()
    asked, expected = [cell for cell, _ in cells], [expectation for _, expectation in cells]
    spoke, observed = _probe(asked, world, seen, hosts, prober, expected)
    seconds = time.monotonic() - started
    events, now = _meanwhile(cells, observed, world, seen, hosts)
    judged = judge_all(cells, withdraw(cells, observed, world, events))
    return Report(
        lab=lab.name,
        title=lab.title,
        cells=judged,
        engines={name: snapshot.engine_version for name, snapshot in seen.snapshots.items()},
        probers=dict.fromkeys(hosts, spoke),
        seconds=seconds,
        instance=instance,
        made=datetime.now(timezone.utc),
        world=world,
        checks=(*promises(lab, seen, hosts), *image_checks.checks(lab, hosts)),
        ended=last_words(lab, hosts, now),
        disturbed=tuple(dict.fromkeys(events.values())),
        notes=(
            *notes,
            *dict.fromkeys(events.values()),
            *(str(each) for each in differences(lab, now) if each.how == "other"),
            *left_behind(lab, now),
            *causes(judged, world, now, hosts),
        ),
    )


def _meanwhile(
    cells: Sequence[tuple[Cell, Expectation]],
    observed: Sequence[Observation],
    world: World,
    seen: Seen,
    hosts: Mapping[str, Host],
) -> tuple[dict[str, str], Mapping[str, Snapshot]]:
    """Return what happened on the hosts while the cells were asked, and the last that is known of each engine.

    Where every cell was reached as predicted, nothing can have happened that matters: nobody is asked again.
    """
    if all(one.state == "reachable" and expected.reachable for (_, expected), one in zip(cells, observed, strict=True)):
        return {}, seen.snapshots
    again = look_again(hosts, world.lab.containers)
    answers = {name: answer for name, answer in again.items() if isinstance(answer, Snapshot)}
    return disturbed(world, seen.snapshots, again), {**seen.snapshots, **answers}


def last_words(lab: Lab, hosts: Mapping[str, Host], snapshots: Mapping[str, Snapshot]) -> tuple[str, ...]:
    """Return a paragraph for each container of the lab that has ended: how, what it said last, and what to look at."""
    told = []
    for name in lab.containers:
        host = lab.host_of(name)
        state = snapshots[host].container(name)
        if state is None or state.status != "exited":
            continue
        try:
            lines = engine.logs(hosts[host], state.id, 5).splitlines() or ["(nothing)"]
        except HostError as error:
            lines = [f"(not to be read: {error})"]
        told.append(
            f"{host}: container {name} has ended (exit code {state.exit_code}); check its `command`. It said last:\n"
            + "\n".join("  " + one_line(line) for line in lines)
        )
    return tuple(told)


def left_behind(lab: Lab, snapshots: Mapping[str, Snapshot]) -> tuple[str, ...]:
    """Return a sentence for each container in a network namespace that its owner has left."""
    told = []
    for name, spec in lab.containers.items():
        snapshot = snapshots[lab.host_of(name)]
        joiner, owner = snapshot.container(name), snapshot.container(spec.owner or "")
        if joiner is not None and owner is not None and orphaned(joiner, owner):
            told.append(
                f"{snapshot.host}: {name} is still in the network namespace that {owner.name} had before it started "
                f"anew, and so it is cut off; 'dockerlab up' makes {name} again, in the new one"
            )
    return tuple(told)


def verify_new(
    lab: Lab, hosts: Mapping[str, Host], prober: Choice = "auto", say: Callable[[str], None] = lambda _: None
) -> Report:
    """Return the matrix of a lab that was just made: asked again for a while where something is not reachable yet.

    `say` is told so once, for that can take a while.

    What is reported is one whole matrix, the last one. A cell that is reachable against the prediction, or that could
    not be told, is no reason to ask again: waiting does not mend it, unless something happened in the meantime.
    """
    deadline = time.monotonic() + SETTLING
    report, told = verify(lab, hosts, prober), False
    while time.monotonic() < deadline:
        late = sum(
            judged.expected.reachable is True and (judged.verdict == "fail" or judged.observed.symptom == FLAKY)
            for judged in report.cells
        )
        if not late and not report.disturbed:
            break
        if not told:
            what = "; ".join(report.disturbed) or f"{late} cells are not reachable yet"
            say(f"{what}; asking again for up to {SETTLING:.0f} s")
            told = True
        time.sleep(0.5)
        report = verify(lab, hosts, prober)
    return report


def _probe(
    cells: Sequence[Cell],
    world: World,
    seen: Seen,
    hosts: Mapping[str, Host],
    choice: Choice,
    expected: Sequence[Expectation] = (),
) -> tuple[str, list[Observation]]:
    """Return the name of the prober that spoke, and its observations in the order of the cells."""
    if choice != "portable":
        agent = AgentProber(hosts)
        try:
            return agent.name, observe(cells, world, seen.snapshots, agent, expected)
        except AgentUnavailable:
            if choice == "agent":
                raise
    portable = PortableProber(hosts, world.lab.name, held=held(world, seen.snapshots))
    return portable.name, observe(cells, world, seen.snapshots, portable)


def understand(lab: Lab, hosts: Mapping[str, Host]) -> tuple[World, Seen]:
    """Return the lab's world as it is now on the hosts, and what it was made from."""
    seen = look(hosts, lab.containers)
    return build_world(lab, seen.facts, seen.snapshots), seen


def evidence(cell: Cell, world: World, seen: Seen, hosts: Mapping[str, Host]) -> list[str]:
    """Return what both ends show while one cell is probed once, a line each."""

    def ask() -> str:
        _, (seen_now,) = _probe([cell], world, seen, hosts, "auto")
        return " ".join(filter(None, (seen_now.state, seen_now.symptom and f"({seen_now.symptom})", seen_now.detail)))

    behind = [name for port, name in published(world, cell.to) if port.published == cell.port]
    return around(cell, hosts, seen.snapshots, world.of[cell.source], ask, behind)
