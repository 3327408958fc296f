"""An explanation has to name what really decides: take it away on a real host, and that cell changes, and no other."""

from __future__ import annotations

import re
from contextlib import nullcontext
from pathlib import Path

import pytest
from e2e.mechanisms import firewall, lans, links, overlay, passthru, proxyless, routes
from support.labs import read
from support.mechanisms import standing, word

from dockerlab.reach.rules import RULES
from dockerlab.verify import judge

LABS = Path(__file__).parent / "mechanisms"
PREPARED = {"passthru": passthru.prepared, "proxyless": proxyless.prepared, "routes": routes.prepared}


@pytest.fixture(scope="module")
def lab_up(request, lab_hosts):
    """Give a lab that is up; after its last case, every cell is as it was at first, and then the lab is gone."""
    why = links.unable(lab_hosts) if request.param == "links" else ""
    if why:
        pytest.skip(why)
    path = LABS / f"{request.param}.yaml"
    prepared = PREPARED.get(request.param, nullcontext)
    with prepared(lab_hosts), standing(path, read(path), lab_hosts) as lab:
        yield lab
        after = lab.observe()
        assert {cell: seen.state for cell, seen in after.items()} == {cell: s.state for cell, s in lab.before.items()}
    assert not lab_hosts.left()


def on(lab, cases):
    """Run a test on a lab once for each case."""

    def mark(function):
        function = pytest.mark.parametrize("case", cases, ids=str)(function)
        return pytest.mark.parametrize("lab_up", [lab], indirect=True)(function)

    return mark


@on("firewall", firewall.CASES)
def test_firewall(lab_up, case):
    """Without its mechanism in the host's firewall, routes or proxies a cell changes, and only its kind with it."""
    check(lab_up, case)


@on("lans", lans.CASES)
def test_lans(lab_up, case):
    """Without its mechanism in macvlan, ARP or the switch a cell changes, and only its kind with it."""
    check(lab_up, case)


@on("overlay", overlay.CASES)
def test_overlay(lab_up, case):
    """Without its mechanism in VXLAN or docker_gwbridge a cell changes, and only its kind with it."""
    check(lab_up, case)


@on("passthru", passthru.CASES)
def test_passthru(lab_up, case):
    """Without the child that takes what comes for its host a cell changes, and only its kind with it."""
    check(lab_up, case)


@on("proxyless", proxyless.CASES)
def test_proxyless(lab_up, case):
    """Without its mechanism on a host that runs no docker-proxy a cell changes, and only its kind with it."""
    check(lab_up, case)


@on("routes", routes.CASES)
def test_routes(lab_up, case):
    """Without what keeps another machine out, or its route, a cell changes, and only its kind with it."""
    check(lab_up, case)


@on("links", links.CASES)
def test_links(lab_up, case):
    """Without its mechanism in ipvlan or a dummy interface a cell changes, and only its kind with it."""
    check(lab_up, case)


ONE_ENGINE = {"forward-policy": 20, "direct-routing": 28, "publish-routed": 28, "ipvlan-flag": 28}
"""The rules that do not decide on both engines of the tests."""
ELSEWHERE = frozenset(
    (
        *("foreign-rule", "foreign-policy", "policy-route", "kernel-setting", "link-down", "bridge-port", "mtu"),
        *("overlay-encrypted", "proxy-for-nobody", "unseen-match", "no-namespace", "expect"),
        *("rp-filter", "unseen-forwarding", "no-address", "hosts-file"),
    )
)
"""The rules that decide where somebody has changed a host, and those that are no mechanism: they have unit tests."""


@pytest.mark.parametrize("engine", [20, 28])
def test_every_rule_has_its_case(engine):
    """No rule is explained without a case that shows it decide on an engine, or beside one that takes it away."""
    labs = (firewall.CASES, lans.CASES, overlay.CASES, passthru.CASES, proxyless.CASES, routes.CASES, links.CASES)
    here = [case for cases in labs for case in cases if case.engines[0] <= engine <= case.engines[1]]
    shown = {rule for case in here for rule in (case.rule, case.then) if rule}
    assert shown == {rule.id for rule in RULES if ONE_ENGINE.get(rule.id, engine) == engine} - ELSEWHERE


def check(lab_up, case):
    """Expect the rule to decide the case's cell, by prediction and observation, and by removal of its mechanism."""
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
        assert not case.besides or lab_up.predict(case)[1].rule == case.rule
        lab_up.do(case.gone)
        seen = lab_up.observe(cell)
        if case.cause:
            named = lab_up.named()
            assert any(all(map(re.fullmatch, case.cause, each)) for each in named), named
        if case.then:
            _, told = lab_up.predict(case)
            assert told.rule == case.then, told.because(cell)
            assert told.reachable is None or judge(told, seen[cell]) == "pass", (told.because(cell), seen[cell])
    assert word(seen[cell]) == case.now, seen[cell]
    assert word(seen[cell]) != word(before[cell])
    assert not strangers(lab_up, case, seen)
    after = lab_up.observe(cell, alone=True)[cell]
    if expected.reachable is False and expected.symptom is None:  # how it fails is up to what is remembered
        assert after.state == before[cell].state, f"it was not put back: {after}"
    else:
        assert word(after) == word(before[cell]), f"it was not put back: {after}"


def strangers(lab_up, case, seen):
    """Return the cells that changed and have nothing to do with the case's rule.

    How a cell fails does not count here: routers send their ICMP errors at a limited rate, and some are lost.
    """
    kin = {case.rule, *case.also}
    before, rules = lab_up.before, lab_up.rules
    changed = [cell for cell, now in seen.items() if cell in before and now.state != before[cell].state]
    return [(cell, rules[cell], word(seen[cell])) for cell in changed if not kin & {rules[cell], cell.source, cell.to}]
