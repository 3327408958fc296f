"""The walk against real engines on changed hosts: a fixed part of what `scripts/differential --changes` runs."""

from __future__ import annotations

import pytest
from e2e.differential import changed, changes, labs
from e2e.differential.compare import links, session

SEED, COUNT, EACH = 53, 8, 2


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize("number", range(COUNT))
def test_a_random_lab_on_changed_hosts(number):
    """Every cell is what the hosts' kernels were predicted to do, and a change that shows is named as its cause.

    Each change is put in alone, then all of them together; in the end each host is as it was before, and the lab gone.
    """
    with session() as opened:
        lab = labs.from_seed(SEED, COUNT, links(opened))[number]
        picked = changes.from_seed(lab, f"{SEED} {number}", EACH, changes.tools(opened.hosts))
        outcome = changed.compare(lab, opened, picked)
    told = [f"{' + '.join(one.changes)}: {one.told()}" for one in outcome.rounds if not one.clean]
    scripts = [f"{each.host}: {each.do}" for each in picked]
    assert outcome.clean, "\n".join([outcome.refused, *told, *scripts, labs.text_of(lab)])
    assert all(one.cells for one in outcome.rounds)
    untouched, *touched = outcome.rounds
    if all(change.certain for change in picked):
        silent = sum(len(one.no_claim) - len(untouched.no_claim) for one in touched)
        assert silent <= 0.03 * sum(one.cells for one in touched), "the changes themselves can be evaluated"
