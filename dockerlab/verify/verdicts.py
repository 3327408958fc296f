"""Hold what was observed against what was expected: a verdict for every cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Literal

from dockerlab.errors import HostError
from dockerlab.facts import Facts
from dockerlab.probe import base as probe
from dockerlab.probe.base import Observation, Place, Prober
from dockerlab.reach import Cell, Expectation, World
from dockerlab.reach.cells import asked_at, published
from dockerlab.snapshot import GATEWAY_BRIDGE, Snapshot
from dockerlab.verify.cause import Cause

Verdict = Literal["pass", "fail", "unknown"]


ANSWERED = ("no route", "refused", probe.REFUSED_BEHIND, "no such name", "wrong answerer")
"""Symptoms that somebody tells: waiting for them may take longer, as routers send such errors at a limited rate."""


UNANSWERED = probe.unknown("the prober gave no answer for this cell")


@dataclass(frozen=True, slots=True)
class Judged:
    """One cell with what was expected of it, what was seen, and the verdict.

    `predicted` is what the hosts' kernels will do as they are, None where that was not worked out; `cause` is the one
    object by which the cell is otherwise than expected, None where that is not known or there is nothing to explain.
    """

    cell: Cell
    expected: Expectation
    observed: Observation
    verdict: Verdict
    predicted: Expectation | None = None
    cause: Cause | None = None

    @property
    def unexplained(self) -> bool:
        """Tell whether a cell was seen otherwise than the kernels' state predicts, in a way that both are sure of."""
        if self.predicted is None or self.predicted.reachable is None or self.observed.state == "unknown":
            return False
        return self.predicted.reachable != (self.observed.state == "reachable")

    @property
    def charged(self) -> bool:
        """Tell whether a cell counts for whoever made the lab: what a host is at fault for does not."""
        return self.verdict == "pass" or self.cause is None or self.cause.side != "host" or bool(self.cause.who)

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
    """All cells of a lab, judged. `engines` and `probers` (in words) are per host; `seconds` is what the probing took.

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
    """What the expectations follow from, for the formats that show more than the cells."""
    facts: Mapping[str, Facts] = field(default_factory=dict)
    """What is known of the machines, by host."""
    disturbed: tuple[str, ...] = ()
    """What changed on the hosts while the cells were asked; cells that it may have touched are unknown."""
    checks: tuple[Checked, ...] = ()
    """What the definition expects beside the cells."""
    causes: tuple[Cause, ...] = ()
    """What was found not to be as it should be, also where no cell shows it."""
    silent: Mapping[str, HostError] = field(default_factory=dict)
    """Why hosts of the lab could not be looked at; their cells are unknown."""

    @cached_property
    def told_causes(self) -> list[tuple[Cause, int]]:
        """Return every cause once, each with the number of its cells: the lab's before the hosts'.

        Networks come first: what is on one can only be put right once that is.
        """
        number = Counter(judged.cause for judged in self.cells if judged.cause is not None)
        found = dict.fromkeys((*self.causes, *number))
        ordered = sorted(found, key=lambda cause: (cause.side != "lab", cause.kind != "network"))
        return [(cause, number[cause]) for cause in ordered]

    @property
    def unexplained(self) -> int:
        """Return how many cells were seen otherwise than the kernels' state predicts."""
        return sum(judged.unexplained for judged in self.cells if judged.predicted is not None)

    def summary(self) -> dict[Verdict, int]:
        """Return how many cells and checks passed, failed, and could not be judged."""
        counts = Counter(judged.verdict for judged in self.cells) + Counter(check.verdict for check in self.checks)
        return {verdict: counts[verdict] for verdict in ("pass", "fail", "unknown")}

    def missing(self, host: str) -> tuple[str, ...]:
        """Return the facts of a host that could not be read, such as those that take root."""
        facts = self.facts.get(host)
        return facts.missing if facts is not None else ()

    @property
    def exit_code(self) -> int:
        """Return 0 when every cell passed, 1 when one failed, else 3; a report without cells proves nothing: 3.

        An object that is not as the definition has it is a failure of its own, whatever the cells say.
        """
        counts = self.summary()
        if counts["fail"] or any(cause.side == "lab" for cause in self.causes):
            return 1
        return 3 if counts["unknown"] or not self.cells or self.silent else 0


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
    found = [observed.get(number, UNANSWERED) for number in range(len(cells))]
    return recognised(cells, found, world, snapshots)


def recognised(
    cells: Sequence[Cell], observed: Sequence[Observation], world: World, snapshots: Mapping[str, Snapshot]
) -> list[Observation]:
    """Return the observations; whoever answers in the place of a container that does not run is somebody else."""
    places = {name: place(name, world, snapshots) for name in world.lab.containers}
    if all(isinstance(at, Place) for at in places.values()):
        return list(observed)
    found = []
    for cell, seen in zip(cells, observed, strict=True):
        at = places.get(cell.holder) if cell.holder is not None and cell.probe != "dns" else None
        if isinstance(at, str) and seen.state == "reachable":
            found.append(probe.unreachable(probe.WRONG_ANSWERER, f"{at}, and yet {cell.target} answered"))
        else:
            found.append(seen)
    return found


def questions(
    cells: Sequence[Cell],
    world: World,
    snapshots: Mapping[str, Snapshot],
    expectations: Sequence[Expectation] = (),
    first: int = 0,
) -> tuple[dict[int, Observation], list[probe.Cell]]:
    """Return the cells that cannot be probed at all, as unknown, and what is to be asked for the others.

    They are numbered from `first` on. What does not run asks nothing. It can be asked for all the same: its address is
    known, and who answers there is nobody of the lab.
    """
    places = {name: place(name, world, snapshots) for name in (*world.lab.containers, *world.lab.hosts)}
    tunnelled = _tunnelled(snapshots) if expectations else frozenset()
    own = {name: _own(name, world, snapshots) for name in world.lab.containers}
    observed: dict[int, Observation] = {}
    askable: list[probe.Cell] = []
    for number, cell in enumerate(cells, first):
        source = places[cell.source]
        target = places[cell.holder] if cell.holder is not None else None
        if isinstance(source, str):
            observed[number] = probe.unknown(source)
        elif not cell.target:
            observed[number] = probe.unknown(f"no address of {cell.to} is known")
        else:
            expected = expectations[number - first] if expectations else None
            answerer = target if isinstance(target, Place) else None
            same = cell.holder is not None and world.people.of[cell.holder] == world.people.of[cell.source]
            full = cell.port is None and cell.probe != "dns" and not same and _within(cell.target, tunnelled)
            if cell.probe == "dns" and not cell.answers:
                # Nobody is expected to know the name. Who knows it all the same may mean somebody else by it.
                cell = cell._replace(answers=own[cell.to])  # noqa: PLW2901 - as it is asked
            askable.append(_question(number, cell, (source, answerer, _behind(cell, world, places)), expected, full))
    return observed, askable


def _own(name: str, world: World, snapshots: Mapping[str, Snapshot]) -> tuple[str, ...]:
    """Return a container's addresses: those of the definition, and those that its engine says it has by now."""
    snapshot = snapshots.get(world.lab.host_of(name))
    there = snapshot.container(world.people.of[name]) if snapshot is not None else None
    ends = [end for end in there.endpoints.values() if end.network != GATEWAY_BRIDGE] if there is not None else []
    now = (str(address.ip) for end in ends for address in end.addresses)
    return tuple(dict.fromkeys((*map(str, asked_at(world, name)), *now)))


def _behind(cell: Cell, world: World, places: Mapping[str, Place | str]) -> tuple[probe.Behind, ...] | None:
    """Return the containers' ports that a host's published port leads to, None where nobody has to be behind it."""
    inside = (spec for name, spec in world.lab.containers.items() if world.people.of[name] == cell.to)
    if cell.port is None or cell.to not in world.lab.hosts or any(cell.port in spec.listens for spec in inside):
        return None
    ports = [(port, name) for port, name in published(world, cell.to) if port.published == cell.port]
    found = ((places[name], port.target) for port, name in ports)
    return tuple(probe.Behind(where, port) for where, port in found if isinstance(where, Place)) if ports else None


def held(world: World, snapshots: Mapping[str, Snapshot]) -> dict[str, set[Place]]:
    """Return who holds each address in the lab, its hosts' own bridges included."""
    found: dict[str, set[Place]] = {}
    for home, name in world.names.items():
        at = place(name, world, snapshots)
        if isinstance(at, Place):
            for address in world.fabric.spaces[home].own:
                found.setdefault(str(address), set()).add(at)
    return found


def place(name: str, world: World, snapshots: Mapping[str, Snapshot]) -> Place | str:
    """Return where a container or host is probed from, or why it cannot be."""
    host = name if name in world.lab.hosts else world.lab.host_of(name)
    if host not in snapshots:
        return f"{host} could not be looked at"
    if name in world.lab.hosts:
        return Place(name, None, 1)
    state = snapshots[host].container(name)
    if state is None:
        return f"{name} does not exist on {host}"
    if not state.running:
        return f"{name} does not run ({state.status}, exit code {state.exit_code})"
    box = world.people.of[name]
    owner = snapshots[host].container(box)
    shares = "host" if box in world.lab.hosts else owner.id if owner is not None and box != name else ""
    return Place(host, name, state.pid, state.id, shares)


def _tunnelled(snapshots: Mapping[str, Snapshot]) -> frozenset[IPv4Network | IPv6Network]:
    """Return the subnets of what travels inside other packets, and so has to be asked in full size as well.

    It does not follow from what is expected: a question is not to tell that.
    """
    networks = (network for snapshot in snapshots.values() for network in snapshot.networks)
    return frozenset(subnet for network in networks if network.driver == "overlay" for subnet in network.subnets)


def _within(address: str, subnets: Collection[IPv4Network | IPv6Network]) -> bool:
    return bool(subnets) and any(ip_address(address) in subnet for subnet in subnets)


def _question(
    number: int,
    cell: Cell,
    who: tuple[Place, Place | None, tuple[probe.Behind, ...] | None],
    expected: Expectation | None,
    full: bool,
) -> probe.Cell:
    """Return what is asked for a cell; `who` is who asks, who has to answer, and who is behind a published port."""
    source, target, behind = who
    silent = expected is not None and expected.reachable is False and expected.symptom not in ANSWERED
    if cell.port is None and cell.probe == "dns":
        return probe.Cell(number, source, target, "", "dns", name=cell.target, expected=cell.answers, silent=silent)
    kind: probe.Probe = "ping" if cell.port is None else "tcp"
    return probe.Cell(
        number, source, target, cell.target, kind, port=cell.port, silent=silent, full=full, behind=behind
    )


def judge_all(
    matrix: Sequence[tuple[Cell, Expectation]],
    observed: Sequence[Observation],
    predicted: Sequence[Expectation | None] = (),
) -> tuple[Judged, ...]:
    """Return every cell with its verdict, and what is predicted of it where that was worked out."""
    triples = zip(matrix, observed, predicted or [None] * len(matrix), strict=True)
    return tuple(
        Judged(cell, expected, seen, judge(expected, seen), foreseen) for (cell, expected), seen, foreseen in triples
    )


SEEN_AS = {"host unreachable": ("host unreachable", "timeout")}
"""What else a symptom may look like: the kernel reports a failed neighbour resolution only after some seconds."""


def same_symptom(expected: Expectation, observed: Observation) -> bool:
    """Tell whether a cell fails in the way that was predicted; true where nothing was predicted to fail."""
    if expected.reachable is not False or expected.symptom is None or observed.state != "unreachable":
        return True
    return observed.symptom in SEEN_AS.get(expected.symptom, (expected.symptom,))
