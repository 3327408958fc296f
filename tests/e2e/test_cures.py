"""A cause that is named has to be one: what it says is done on the host, and every cell is as the definition has it."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
import yaml
from e2e.differential import changes
from e2e.differential.compare import running, session
from e2e.differential.site import Site
from support.labs import read
from support.predicted import causes

from dockerlab.verify import on_hosts

LAB = Path(__file__).parent / "cures.yaml"
TOOLS = frozenset({"nft", "ipset", "iptables-legacy"})

DRAWS = {
    "packet_filters.user_chain": 1,
    "packet_filters.forgotten": 10,
    "packet_filters.legacy_rule": 3,
    "nft_tables.table": 8,
    "ground.bridge_port": 1,
    "ground.address": 2,
    "ground.sysctl": 2,
    "within.rule": 1,
    "within.policy": 1,
    "within.setting": 1,
}
"""Which draw of a maker shows in a cell of the lab on every engine of the tests, where it is not the first one."""

UNSEEN = {
    "packet_filters.forward_policy",
    "packet_filters.doubtful_rule",
    "ground.mtu",
    "ground.listener",
    "within.address",
}
"""Makers of changes that no cell may show, or of which nothing can be said."""


@pytest.fixture(scope="module")
def up(lab_hosts):
    """Give the hosts on which the lab is up, and what is seen of each cell there; in the end it is gone."""
    with session() as opened, running(read(LAB), opened):
        report = on_hosts.verify_new(read(LAB), opened.hosts)
        assert not [each for each in report.cells if each.verdict != "pass"]
        yield opened.hosts, seen(report)
    assert not lab_hosts.left()


def makers():
    """Return each maker of changes that may show, by a name."""
    named = {f"{maker.__module__.rpartition('.')[2]}.{maker.__name__}": maker for maker in changes.MAKERS}
    return {name: maker for name, maker in named.items() if name not in UNSEEN}


@pytest.mark.parametrize("name", makers())
def test_the_cure_of_a_cause_brings_the_cells_back(up, name):
    """A change shows in cells of the lab; what its cause says takes it out, and every cell is as it was."""
    hosts, before = up
    change = drawn(name, DRAWS.get(name, 0))
    with changes.applied(change, hosts, cured=True):
        report = on_hosts.verify(read(LAB), hosts)
        assert otherwise(report, before), change.do
        assert any(change.names(cause) for cause in causes(report)), causes(report)
        for cause in causes(report):
            cured(hosts, cause)
        assert not otherwise(settled(hosts), before), [cause.undo for cause in causes(report)]
    assert not otherwise(settled(hosts), before)


def drawn(name, draw):
    """Return a draw of a maker for the lab's first host."""
    lab = yaml.safe_load(LAB.read_text())
    change = makers()[name](Site(lab, "vm0", changes.Random(f"{name} {draw}"), TOOLS))
    assert change is not None
    return change


def cured(hosts, cause):
    """Do on its host what a cause says would mend it, exactly as it says it."""
    assert cause.undo, cause
    done = hosts[cause.host].run(["sh", "-c", cause.undo], timeout=60)
    assert done.ok, f"{shlex.quote(cause.undo)}: {done.error}"


def settled(hosts):
    """Return the report of the lab as it is now, some moments after something was put back."""
    return on_hosts.verify_new(read(LAB), hosts)


def seen(report):
    """Return what is observed of each cell; how it fails does not count, for errors are sent at a limited rate."""
    return {each.cell: each.observed.state for each in report.cells}


def otherwise(report, before):
    """Return the cells that are not seen as before, or not seen at all."""
    now = seen(report)
    return [cell for cell, what in before.items() if now.get(cell) != what]
