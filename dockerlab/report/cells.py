"""The cells of a report as compact data for the page: every text once, and numbers for the rest.

A lab of two hundred containers has eighty thousand cells, most of which share their reasons.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from dockerlab.modes import for_container
from dockerlab.reach import World
from dockerlab.verify import Judged

KINDS = {"ping": 0, "tcp": 1, "dns": 2}
STATES = {True: 1, False: 0, None: -1, "reachable": 1, "unreachable": 0, "unknown": -1}


class Numbers(dict[Hashable, int]):
    """Things by number, in the order in which they are first met."""

    def __missing__(self, key: Hashable) -> int:
        self[key] = len(self)
        return self[key]


def data(cells: Sequence[Judged], world: World | None, nodes: Mapping[str, str]) -> dict[str, Any]:
    """Return the page's data.

    `ends` are names with host and mode, `columns` what is asked for, `expectations` and `observations` what was said
    of cells. A row has for each column the number of its expectation (`e`) and observation (`o`), -1 where nothing was
    asked, its verdict (`v`, a letter each) and its round trip in microseconds (`t`).
    """
    keys = _keys(cells)
    columns = _columns(cells, keys)
    expectations, observations = Numbers(), Numbers()
    rows: dict[str, dict[str, Any]] = {}
    for judged, column in zip(cells, keys, strict=True):
        cell, expected, observed = judged.cell, judged.expected, judged.observed
        row = rows.get(cell.source)
        if row is None:
            row = rows[cell.source] = {name: [-1] * len(columns) for name in "eo"}
            row |= {"v": ["-"] * len(columns), "t": [0] * len(columns)}
        at = columns[column]
        row["e"][at] = expectations[(STATES[expected.reachable], expected.rule, expected.text, expected.symptom or "")]
        row["o"][at] = observations[(STATES[observed.state], observed.symptom or "", observed.detail)]
        row["v"][at] = judged.verdict[0]
        row["t"][at] = round((observed.rtt_ms or 0) * 1000)
    ends = Numbers()
    return {
        "rows": [{"s": ends[source], **row, "v": "".join(row["v"])} for source, row in rows.items()],
        "columns": [(ends[to], target, probe) for to, target, probe, _ in columns],
        "expectations": list(expectations),
        "observations": list(observations),
        "ends": [(name, *_about(str(name), world)) for name in ends],
        "nodes": dict(nodes),
        "total": len(cells),
    }


Key = tuple[str, str, str, int]
"""What a column is about: whom, at which address or name, by which probe; and a number where that is not unique."""


def _keys(cells: Sequence[Judged]) -> list[Key]:
    met = Counter[tuple[str, ...]]()
    keys = []
    for judged in cells:
        question = judged.cell[:4]
        keys.append((*question[1:], met[question]))
        met[question] += 1
    return keys


def _columns(cells: Sequence[Judged], keys: Sequence[Key]) -> dict[Key, int]:
    """Return the number of each column: pings first, then ports, then names, each in the order of the sources."""
    order = {source: n for n, source in enumerate(dict.fromkeys(judged.cell.source for judged in cells))}
    found = dict.fromkeys(keys)
    kinds = {key: KINDS[key[2].partition("/")[0]] for key in found}
    ordered = sorted(found, key=lambda key: (kinds[key], order.get(key[0], len(order))))
    return {key: number for number, key in enumerate(ordered)}


def _about(name: str, world: World | None) -> tuple[str, str]:
    """Return the host and the mode of an end, empty where it has none; a host's mode is to be a host."""
    if world is None:
        return "", ""
    if name in world.lab.containers:
        return world.lab.host_of(name), for_container(world.lab, world.lab.containers[name]).name
    if name in world.lab.hosts:
        return name, "(the hosts)"
    return "", "(gateways)" if name.startswith("gateway:") else "(outside)"
