"""What is wanted of each group, held against what came of it in each run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from bench import discovery
from bench.common import OURS, Group
from bench.macvlan import EVERY, PYINFRA
from bench.many import STABLE

COMPOSE = "Docker Compose, local socket"
SCRIPT = "ssh, shared connection, hosts at once"
PLAIN = "CLI over one SSH connection, 8 at once"
RAW = "one raw process"
EXEC = "docker exec for each pair"
LINEAR = 1.25
"""How many times its share the largest lab may take and still be called linear."""


class Absent(Exception):
    """What a bar is about was not measured."""


@dataclass(frozen=True)
class Bar:
    """One bar: of what work, what is wanted, a number from the medians, and whether the number meets it."""

    work: str
    wanted: str
    number: Callable[[Medians], float]
    met: Callable[[float], bool]
    unit: str = ""


class Medians:
    """The medians of a run, found by group, row and stage."""

    def __init__(self, groups: Sequence[Group]) -> None:
        self._groups: Mapping[str, Group] = {group.title: group for group in groups}

    def __call__(self, title: str, row: str, stage: str) -> float:
        """Return a median; raises Absent where there is none."""
        rows = self._groups[title].rows if title in self._groups else []
        found = next((one.median(stage) for one in rows if one.name == row), None)
        if found is None:
            raise Absent
        return found

    def ratio(self, title: str, stage: str, other: str) -> float:
        """Return how many times another's time ours is."""
        return self(title, OURS, stage) / self(title, other, stage)

    def growth(self, kind: str, small: int, large: int, stage: str, count: str = "") -> float:
        """Return the time of the large lab by that of the small one, by how many times as many there are of `count`."""
        one, other = (kind.format(size) for size in (small, large))
        share = self(other, OURS, count) / self(one, OURS, count) if count else large / small
        return self(other, OURS, stage) / self(one, OURS, stage) / share


HUNDRED, FORTY = "matrix of 100 containers", "40 containers"
ACROSS = "matrix of 2 x 20 macvlan containers on two hosts"
MACVLAN = "macvlan on two hosts over SSH"
FOUND = discovery.TITLE.format(discovery.SIZE)

BARS = (
    Bar("verify 100 containers on one bridge, by the raw process", "≤ 3 x",
        lambda m: m.ratio(HUNDRED, "probing", RAW), lambda n: n <= 3, "x"),
    Bar("verify them, the whole call: times faster than `docker exec` for each pair", "≥ 100 x",
        lambda m: m(HUNDRED, EXEC, "probing") / m(HUNDRED, OURS, "total"), lambda n: n >= 100, "x"),
    Bar("verify 2 x 20 macvlan containers on two hosts", "< 2 s", lambda m: m(ACROSS, OURS, "total"),
        lambda n: n < 2, "s"),
    Bar("up, 40 containers over SSH, by Compose on the local socket", "≤ 1.25 x",
        lambda m: m.ratio(FORTY, "up", COMPOSE), lambda n: n <= 1.25, "x"),
    Bar("down, 40 containers over SSH, by Compose `down -t 0` on the local socket", "≤ 1.0 x",
        lambda m: m.ratio(FORTY, "down", COMPOSE), lambda n: n <= 1, "x"),
    Bar("up, 40 containers, the same with Debian's stable engine", "≤ 1.25 x",
        lambda m: m.ratio(STABLE.format(40), "up", COMPOSE), lambda n: n <= 1.25, "x"),
    Bar("down, 40 containers, the same with Debian's stable engine", "≤ 1.0 x",
        lambda m: m.ratio(STABLE.format(40), "down", COMPOSE), lambda n: n <= 1, "x"),
    Bar("up, verify and down of `examples/macvlan.yaml`, by the script with shared connections", "≤ 1.0 x",
        lambda m: m.ratio(MACVLAN, "total", SCRIPT), lambda n: n <= 1, "x"),
    Bar("the same, by pyinfra, which pings two cells", "≤ 1.0 x",
        lambda m: m.ratio(MACVLAN, "total", PYINFRA), lambda n: n <= 1, "x"),
    Bar("the same, by the script that asks every cell at once", "≤ 0.7 x",
        lambda m: m.ratio(MACVLAN, "total", EVERY), lambda n: n <= 0.7, "x"),
    Bar("verify of that lab alone, every cell, by all that the script with shared connections does", "≤ 0.5 x",
        lambda m: m(MACVLAN, OURS, "verify") / m(MACVLAN, SCRIPT, "total"), lambda n: n <= 0.5, "x"),
    Bar("up, 2 containers over SSH, by the same `docker run` over one connection", "≤ 1.5 x",
        lambda m: m.ratio("2 containers", "up", PLAIN), lambda n: n <= 1.5, "x"),
    Bar("up of 40 over SSH, by plain `docker run`, eight at once", "≤ 1.05 x",
        lambda m: m.ratio(FORTY, "up", PLAIN), lambda n: n <= 1.05, "x"),
    Bar("up again, 100 containers, nothing to do", "< 1 s", lambda m: m("100 containers", OURS, "again"),
        lambda n: n < 1, "s"),
    Bar("up, 200 containers, by five times 40", f"≤ {LINEAR} x",
        lambda m: m.growth("{} containers", 40, 200, "up"), lambda n: n <= LINEAR, "x"),
    Bar("down, 200 containers, by five times 40", f"≤ {LINEAR} x",
        lambda m: m.growth("{} containers", 40, 200, "down"), lambda n: n <= LINEAR, "x"),
    Bar("verify, a cell of 200 containers, by one of 40", f"≤ {LINEAR} x",
        lambda m: m.growth("matrix of {} containers", 40, 200, "probing", "cells"), lambda n: n <= LINEAR, "x"),
    Bar("discover of 200 containers over SSH, by `docker inspect` of them over a shared connection", "≤ 3 x",
        lambda m: m.ratio(FOUND, "total", discovery.INSPECT), lambda n: n <= 3, "x"),
    Bar("memory, verify of 200 containers", "< 300 MiB", lambda m: m("matrix of 200 containers", OURS, "MiB"),
        lambda n: n < 300, "MiB"),
    Bar("`--help`", "< 0.15 s", lambda m: m("start", "dockerlab --help", "start"), lambda n: n < 0.15, "s"),
    Bar("completion of an option", "< 0.15 s", lambda m: m("start", "dockerlab, completing an option", "start"),
        lambda n: n < 0.15, "s"),
    Bar("`render`", "< 0.3 s", lambda m: m("start", "dockerlab render", "start"), lambda n: n < 0.3, "s"),
    Bar("`explain --offline`", "< 0.3 s", lambda m: m("start", "dockerlab explain --offline", "start"),
        lambda n: n < 0.3, "s"),
)  # fmt: skip


def judged(groups: Sequence[Group]) -> Iterator[list[str]]:
    """Yield a line for each bar: the work, what is wanted, what each run measured, and in how many it met that.

    A group that was measured in several runs is there once for each of them, the latest last.
    """
    medians = [Medians(run) for run in runs(groups)]
    for bar in BARS:
        yield [bar.work, bar.wanted, *_measured(bar, medians)]


def runs(groups: Sequence[Group]) -> list[list[Group]]:
    """Return the groups by run, the latest last: each run has a group at most once, and may lack some."""
    titles: dict[str, list[Group]] = {}
    for group in groups:
        titles.setdefault(group.title, []).append(group)
    most = max(map(len, titles.values()), default=0)
    return [[each[-back] for each in titles.values() if len(each) >= back] for back in range(most, 0, -1)]


def _measured(bar: Bar, medians: Sequence[Medians]) -> tuple[str, str]:
    numbers = []
    for run in medians:
        with suppress(Absent):
            numbers.append(bar.number(run))
    if not numbers:
        return "not measured", "-"
    held = sum(map(bar.met, numbers))
    shown = ", ".join(f"{number:,.2f}" for number in numbers)
    met = {len(numbers): "yes", 0: "**no**"}.get(held, f"**in {held} of {len(numbers)} runs**")
    return f"{shown} {bar.unit}", met
