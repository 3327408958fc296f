"""Hold what was observed against what was expected: a verdict for every cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dockerlab.probe import base as probe
from dockerlab.probe.base import Observation, Place, Prober
from dockerlab.reach import Cell, Expectation, World
from dockerlab.snapshot import Snapshot

Verdict = Literal["pass", "fail", "unknown"]


@dataclass(frozen=True)
class Judged:
    """One cell with what was expected of it, what was seen, and the verdict."""

    cell: Cell
    expected: Expectation
    observed: Observation
    verdict: Verdict

    @property
    def because(self) -> str:
        """Return why the cell is expected to be as it is."""
        return self.expected.because(self.cell)


@dataclass(frozen=True)
class Report:
    """All cells of a lab, judged. `engines` and `probers` are per host; `seconds` is how long the probing took.

    `ended` tells of each container that should run and does not, with its last words.
    """

    lab: str
    title: str
    cells: tuple[Judged, ...]
    engines: Mapping[str, str]
    probers: Mapping[str, str]
    seconds: float
    instance: str | None = None
    notes: tuple[str, ...] = ()
    """What the author of the definition should know, such as an `expect` that changes nothing."""
    ended: tuple[str, ...] = ()

    def summary(self) -> dict[Verdict, int]:
        """Return how many cells passed, failed, and could not be judged."""
        counts = Counter(judged.verdict for judged in self.cells)
        return {verdict: counts[verdict] for verdict in ("pass", "fail", "unknown")}

    @property
    def exit_code(self) -> int:
        """Return 0 when every cell passed, 1 when one failed, else 3; a report without cells proves nothing: 3."""
        counts = self.summary()
        if counts["fail"]:
            return 1
        return 3 if counts["unknown"] or not self.cells else 0


def judge(expected: Expectation, observed: Observation) -> Verdict:
    """Return the verdict: unknown where either side is unknown, and never a pass by default."""
    if expected.reachable is None or observed.state == "unknown":
        return "unknown"
    return "pass" if expected.reachable == (observed.state == "reachable") else "fail"


def observe(
    cells: Sequence[Cell], world: World, snapshots: Mapping[str, Snapshot], prober: Prober
) -> list[Observation]:
    """Return an observation for every cell, in order: what cannot be probed at all is unknown, and says why."""
    places = {name: place(name, world, snapshots) for name in (*world.lab.containers, *world.lab.hosts)}
    observed: dict[int, Observation] = {}
    askable: list[probe.Cell] = []
    for number, cell in enumerate(cells):
        source = places[cell.source]
        target = places[cell.holder] if cell.holder is not None else None
        stopped = next((each for each in (source, target) if isinstance(each, str)), None)
        if stopped is not None or isinstance(source, str) or isinstance(target, str):
            observed[number] = probe.unknown(str(stopped))
        elif not cell.target:
            observed[number] = probe.unknown(f"no address of {cell.to} is known")
        else:
            askable.append(_question(number, cell, source, target))
    observed |= prober.observe(askable)
    return [observed.get(n, probe.unknown("the prober gave no answer for this cell")) for n in range(len(cells))]


def held(world: World, snapshots: Mapping[str, Snapshot]) -> dict[str, set[Place]]:
    """Return who holds each address in the lab, its hosts' own bridges included."""
    found: dict[str, set[Place]] = {}
    for box in world.sandboxes.values():
        at = place(box.name, world, snapshots)
        if isinstance(at, Place):
            for interface in box.interfaces:
                found.setdefault(str(interface.address.ip), set()).add(at)
    return found


def place(name: str, world: World, snapshots: Mapping[str, Snapshot]) -> Place | str:
    """Return where a container or host is probed from, or why it cannot be."""
    if name in world.lab.hosts:
        return Place(name, None, 1)
    host = world.lab.host_of(name)
    state = snapshots[host].container(name)
    if state is None:
        return f"{name} does not exist on {host}"
    if not state.running:
        return f"{name} does not run ({state.status}, exit code {state.exit_code})"
    box = world.of[name]
    owner = snapshots[host].container(box)
    shares = "host" if box in world.lab.hosts else owner.id if owner is not None and box != name else ""
    return Place(host, name, state.pid, state.id, shares)


def _question(number: int, cell: Cell, source: Place, target: Place | None) -> probe.Cell:
    kind: probe.Probe = "tcp" if cell.port is not None else "dns" if cell.probe == "dns" else "ping"
    if kind == "dns":
        return probe.Cell(number, source, target, "", kind, name=cell.target, expected=cell.answers)
    return probe.Cell(number, source, target, cell.target, kind, port=cell.port)


def judge_all(matrix: Sequence[tuple[Cell, Expectation]], observed: Sequence[Observation]) -> tuple[Judged, ...]:
    """Return every cell with its verdict."""
    pairs = zip(matrix, observed, strict=True)
    return tuple(Judged(cell, expected, seen, judge(expected, seen)) for (cell, expected), seen in pairs)


SEEN_AS = {"host unreachable": ("host unreachable", "timeout")}
"""What else a symptom may look like: the kernel reports a failed neighbour resolution only after some seconds."""


def same_symptom(expected: Expectation, observed: Observation) -> bool:
    """Tell whether a cell fails in the way that was predicted; true where nothing was predicted to fail."""
    if expected.reachable is not False or expected.symptom is None or observed.state != "unreachable":
        return True
    return observed.symptom in SEEN_AS.get(expected.symptom, (expected.symptom,))
