"""An explanation has to name what really decides: take it away on a real host, and that cell changes, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest
from e2e.mechanisms import firewall, lans, overlay, proxyless
from support.labs import read
from support.mechanisms import standing, word

from dockerlab.verify import judge

LABS = Path(__file__).parent / "mechanisms"
CASES = {"firewall": firewall.CASES, "lans": lans.CASES, "overlay": overlay.CASES, "proxyless": proxyless.CASES}


@pytest.fixture(scope="module")
def lab_up(request, lab_hosts):
    """Give a lab that is up; after its last case, everything is as it was at first, and then the lab is gone."""
    path = LABS / f"{request.param}.yaml"
    with proxyless.prepared(lab_hosts, request.param), standing(path, read(path), lab_hosts) as lab:
        yield lab
        after = lab.observe()
        assert {cell: word(seen) for cell, seen in after.items()} == {c: word(s) for c, s in lab.before.items()}
    assert not lab_hosts.left()


@pytest.mark.parametrize(
    ("lab_up", "case"),
    [pytest.param(lab, case, id=f"{lab}-{case}") for lab, cases in CASES.items() for case in cases],
    indirect=["lab_up"],
)
def test_mechanism(lab_up, case):
    """A rule decides a cell; without its mechanism that cell changes as foreseen, and only cells of its kind with it."""
    if not case.engines[0] <= lab_up.engine <= case.engines[1]:
        pytest.skip(f"engine {lab_up.engine} decides this cell by another rule")
    if case.needs:
        lab_up.need(case.needs)
    cell, expected = lab_up.predict(case)
    assert expected.rule == case.rule, expected.because(cell)
    before = {cell: lab_up.before.get(cell) or lab_up.observe(cell, alone=True)[cell]}
    if expected.reachable is not None:
        assert judge(expected, before[cell]) == "pass", before[cell]
        assert expected.symptom is None or word(before[cell]) in (expected.symptom, "timeout")
    with lab_up.restored(case):
        if case.besides:
            lab_up.do(case.besides)
            beside = lab_up.observe(cell, alone=True)[cell]
            assert word(beside) == word(before[cell]), "what was cleared out of the way decides by itself"
        lab_up.do(case.gone)
        seen = lab_up.observe(cell)
        if case.then:
            _, told = lab_up.predict(case)
            assert told.rule == case.then
            assert told.reachable is None or judge(told, seen[cell]) == "pass", (told.because(cell), seen[cell])
    assert word(seen[cell]) == case.now, seen[cell]
    assert word(seen[cell]) != word(before[cell])
    assert not strangers(lab_up, case, seen)
    assert word(lab_up.observe(cell, alone=True)[cell]) == word(before[cell]), "it was not put back"


def strangers(lab_up, case, seen):
    """Return the cells that changed and have nothing to do with the case's rule."""
    kin = {case.rule, *case.also}
    decided = lab_up.rules
    return [
        (cell, decided[cell], word(lab_up.before[cell]), word(now))
        for cell, now in seen.items()
        if cell in lab_up.before and word(now) != word(lab_up.before[cell])
        and not kin & {decided[cell], cell.source, cell.to}
    ]  # fmt: skip
