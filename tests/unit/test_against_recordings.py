"""What `--against` says of two engines, held against what hosts with these engines showed of the same labs."""

from functools import cache
from itertools import combinations, count

import pytest
from support.recorded import FILES, looked, recorded
from support.recordings import needed

from dockerlab.reach import sides
from dockerlab.reach.asked import expected
from dockerlab.reach.matrix import beside
from dockerlab.reach.worlds import defined, surveyed
from dockerlab.versions import named
from dockerlab.walk.conversation import BEHIND_PROXY

LABS = {
    path.name.partition(".json")[0]: {
        each.name: each for each in recorded(path) if each.name.startswith("examples/") and "#" not in each.name
    }
    for path in FILES
}


def numbered(cells):
    """Return each cell with its number among those of the same ends and probe: addresses differ between two runs."""
    seen = {}
    for cell in cells:
        key = (cell.source, cell.to, cell.probe)
        yield (*key, next(seen.setdefault(key, count()))), cell


@cache
def observed(engine, name):
    """Return whether each cell was reached, as far as that was seen.

    What is expected counts on somebody who listens, so that a refusal says nothing. The recordings took a docker-proxy
    that accepts for the container that it leads to, which nobody does now.
    """
    each = LABS[engine][name]
    seen = looked(each)
    rows, predicted = beside(defined(each.lab, seen), surveyed(each.lab, seen))
    said = {(saw["from"], saw["to"], saw["target"], saw["probe"]): saw for saw in each.cells}
    found = {}
    for (key, cell), told in zip(numbered(cell for cell, _ in rows), predicted, strict=True):
        saw = said.get((cell.source, cell.to, cell.target, cell.probe))
        if saw is not None and saw["observed"] != "unknown" and saw["symptom"] != "refused":
            found[key] = saw["observed"] == "reachable" and told.symptom != BEHIND_PROXY
    return found


def engine_of(each):
    return named(each.engine + ("-nftables" if each.backend == "nftables" else ""))


@needed
@pytest.mark.parametrize(("one", "other"), [*combinations(LABS, 2)])
def test_differences_are_those_of_the_recorded_matrices(one, other):
    """Of every example, the list of what differs is the difference of what was observed with the two engines."""
    wrong, cells = [], 0
    for name in LABS[one].keys() & LABS[other].keys():
        before, after = LABS[one][name], LABS[other][name]
        found = sides.engines(before.lab, engine_of(before), engine_of(after))
        if before.refused or after.refused:
            if bool(found.refused) != bool(after.refused and not before.refused):
                wrong.append(f"{name}: refused {after.refused[-80:]!r}, told {found.refused}")
            continue
        keys = {cell: key for key, cell in numbered(cell for cell, _ in expected(found.after.world).rows)}
        told = {keys[each.cell]: (each.before, each.after) for each in found.differences}
        was, now = observed(one, name), observed(other, name)
        for key in was.keys() & now.keys():
            cells += 1
            reached = tuple(side.reachable for side in told[key]) if key in told else None
            if reached != ((was[key], now[key]) if was[key] != now[key] else None):
                wrong.append(f"{name} {key}: {was[key]}, {now[key]}; told {reached}")
    assert wrong == []
    assert cells > 100
