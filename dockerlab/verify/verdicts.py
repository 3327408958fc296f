"""Hold what was observed against what was expected: a verdict for every cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from dockerlab.probe import base as probe
from dockerlab.probe.base import Observation, Place, Prober
from dockerlab.reach import Cell, Expectation, World
from dockerlab.reach.cells import published
from dockerlab.snapshot import Snapshot

Verdict = Literal["pass", "fail", "unknown"]


ANSWERED = ("no route", "refused", probe.REFUSED_BEHIND, "no such name", "wrong answerer")
"""Symptoms that somebody tells: waiting for them may take longer, as routers send such errors at a limited rate."""


UNANSWERED = probe.unknown("the prober gave no answer for this cell")


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
class Checked:
    """What a definition expects beside the cells: of what on which host, what was seen, the verdict, and why.

    `subject` is an object, such as `image web`; `rule` is a short name for what was looked at, such as `layers`.
    """

    host: str
    subject: str
    rule: str
    expected: str
    observed: str
    verdict: Verdict
    because: str = ""


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
    made: datetime | None = None
    """When it was verified."""
    world: World | None = None
    """What the predictions were made from, for the formats that show more than the cells."""
    disturbed: tuple[str, ...] = ()
    """What changed on the hosts while the cells were asked; cells that it may have touched are unknown."""
    checks: tuple[Checked, ...] = ()
    """What the definition expects beside the cells."""

    def summary(self) -> dict[Verdict, int]:
        """Return how many cells and checks passed, failed, and could not be judged."""
        counts = Counter(judged.verdict for judged in self.cells) + Counter(check.verdict for check in self.checks)
        return {verdict: counts[verdict] for verdict in ("pass", "fail", "unknown")}

    def missing(self, host: str) -> tuple[str, ...]:
        """Return the facts of a host that could not be read, such as those that take root."""
        facts = self.world.facts.get(host) if self.world is not None else None
        return facts.missing if facts is not None else ()

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
    cells: Sequence[Cell],
    world: World,
    snapshots: Mapping[str, Snapshot],
    prober: Prober,
    expectations: Sequence[Expectation] = (),
) -> list[Observation]:
    """Return an observation for every cell, in order: what cannot be probed at all is unknown, and says why.

    The `expectations` of the cells, if given, only tell the prober how to ask.
    """
    observed, askable = questions(cells, world, snapshots, expectations)
    observed |= prober.observe(askable)
    return [observed.get(number, UNANSWERED) for number in range(len(cells))]


def questions(
    cells: Sequence[Cell],
    world: World,
    snapshots: Mapping[str, Snapshot],
    expectations: Sequence[Expectation] = (),
    first: int = 0,
) -> tuple[dict[int, Observation], list[probe.Cell]]:
    """Return the cells that cannot be probed at all, as unknown, and what is to be asked for the others.

    They are numbered from `first` on.
    """
    places = {name: place(name, world, snapshots) for name in (*world.lab.containers, *world.lab.hosts)}
    observed: dict[int, Observation] = {}
    askable: list[probe.Cell] = []
    for number, cell in enumerate(cells, first):
        source = places[cell.source]
        target = places[cell.holder] if cell.holder is not None else None
        stopped = next((each for each in (source, target) if isinstance(each, str)), None)
        if stopped is not None or isinstance(source, str) or isinstance(target, str):
            observed[number] = probe.unknown(str(stopped))
        elif not cell.target:
            observed[number] = probe.unknown(f"no address of {cell.to} is known")
        else:
            expected = expectations[number - first] if expectations else None
            behind = _behind(cell, world, places)
            question = _question(number, cell, source, target, expected)
            askable.append(question if behind is None else replace(question, behind=behind))
    return observed, askable


def _behind(cell: Cell, world: World, places: Mapping[str, Place | str]) -> tuple[probe.Behind, ...] | None:
    """Return the containers' ports that a host's published port leads to, None where nobody has to be behind it."""
    if cell.port is None or cell.to not in world.lab.hosts or cell.port in world.sandboxes[cell.to].listens:
        return None
    ports = [(port, name) for port, name in published(world, cell.to) if port.published == cell.port]
    found = ((places[name], port.target) for port, name in ports)
    return tuple(probe.Behind(where, port) for where, port in found if isinstance(where, Place)) if ports else None


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


TUNNELLED = "same-overlay"
"""The rule of what travels inside other packets, and so has to be asked in full size as well."""


def _question(number: int, cell: Cell, source: Place, target: Place | None, expected: Expectation | None) -> probe.Cell:
    silent = expected is not None and expected.reachable is False and expected.symptom not in ANSWERED
    full = expected is not None and expected.rule == TUNNELLED
    kind: probe.Probe = "tcp" if cell.port is not None else "dns" if cell.probe == "dns" else "ping"
    if kind == "dns":
        return probe.Cell(number, source, target, "", kind, name=cell.target, expected=cell.answers, silent=silent)
    return probe.Cell(number, source, target, cell.target, kind, port=cell.port, silent=silent, full=full)


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
