"""Cells that were observed on engines that are not at hand, held against what is expected and predicted of them."""

from collections import Counter

import pytest
from support.recorded import FILES, looked, recorded
from support.recordings import needed

from dockerlab.imagined.refusals import refusals
from dockerlab.reach.matrix import beside
from dockerlab.reach.worlds import defined, surveyed
from dockerlab.versions import Engine, numbers
from dockerlab.walk.conversation import BEHIND_PROXY

TENTATIVE = ("25.0.3", "cases/ipv6-without-route.yaml", "vm1", "fd00:0:0:4::2", "tcp/80")
"""Asked while the address was still tentative: the ping after it was answered, as the cell is on other engines."""
UNTOLD = 0.04
"""So large a share of the cells may be without a claim: what stands beyond the hosts, on their LAN."""


def compared(each):
    """Yield each cell that was observed, with whether it was reached, and what is expected and predicted."""
    seen = looked(each)
    rows, predicted = beside(defined(each.lab, seen), surveyed(each.lab, seen))
    told = {
        (cell.source, cell.to, cell.target, cell.probe): (before, after)
        for (cell, before), after in zip(rows, predicted, strict=True)
    }
    for saw in each.cells:
        key = (saw["from"], saw["to"], saw["target"], saw["probe"])
        if saw["observed"] != "unknown" and (each.engine, each.name, key[0], *key[2:]) != TENTATIVE:
            yield key, saw, told.pop(key)


@needed
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name.partition(".json")[0])
def test_what_is_predicted_was_observed(path):
    """No cell is predicted wrongly, and few are without a claim; expected wrongly is what nobody listens to alone."""
    counts, wrong = Counter(), []
    for each in recorded(path):
        for key, saw, (expected, predicted) in compared(each) if not each.refused else ():
            # The recordings took a docker-proxy that accepts for the container that it leads to, which nobody does now.
            accepted = predicted.symptom == BEHIND_PROXY
            reached = saw["observed"] == "reachable" and not accepted
            counts["cells"] += 1
            counts["untold"] += predicted.reachable is None
            if predicted.reachable not in (reached, None):
                wrong.append(f"{each.name} {key}: {saw['observed']} {saw['symptom']}, predicted {predicted}")
            if expected.reachable not in (reached, None) and saw["symptom"] != "refused" and not accepted:
                wrong.append(f"{each.name} {key}: {saw['observed']} {saw['symptom']}, expected {expected}")
    assert wrong == []
    assert counts["cells"] > 2500
    assert counts["untold"] < UNTOLD * counts["cells"]


@needed
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name.partition(".json")[0])
def test_what_an_engine_refused_is_refused_beforehand(path):
    """Each definition that an engine refused would be refused before anything is made, and no other one."""
    wrong = []
    for each in recorded(path):
        # A recording of what was refused has no hosts; they did not forward IPv6.
        engine = Engine(numbers(each.engine), each.backend)
        forwards = not each.name.endswith("#refused") if each.refused else None
        found = [why for host in each.lab.hosts for why in refusals(each.lab, host, engine, forwards_ipv6=forwards)]
        if bool(found) != bool(each.refused):
            wrong.append(f"{each.name}: {each.refused[-100:]!r}, {found}")
    assert wrong == []
