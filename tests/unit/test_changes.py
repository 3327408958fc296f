"""The generator of changed hosts: the same changes for the same seed, each as plain data that can be read back."""

import json
import re
from types import SimpleNamespace

import pytest
import yaml
from e2e.differential import changes
from e2e.differential.site import ADDRESSES, Site
from support.lab_hosts import ROOT

LAB = yaml.safe_load((ROOT / "tests/e2e/cures.yaml").read_text())
KINDS = {
    *("rule", "policy", "route", "ip-rule", "link", "address", "neighbour", "sysctl", "socket", "proxy", "engine"),
    *("network", "container", "place", "port", "alias", "command", "image", "none"),
}
TOOLS = frozenset({"nft", "ipset", "iptables-legacy"})


def drawn(maker, number, tools=TOOLS):
    """Return a change that a maker draws for the lab's first host."""
    return maker(Site(LAB, "vm0", changes.Random(f"test {number}"), tools))


def test_a_seed_gives_the_same_changes_each_time():
    """A seed, a count and the hosts' programs decide the changes, and another seed gives others."""
    first = changes.from_seed(LAB, "7 1", 12, TOOLS)
    assert first == changes.from_seed(LAB, "7 1", 12, TOOLS)
    assert first != changes.from_seed(LAB, "7 2", 12, TOOLS)
    assert len(first) == 12
    assert len({change.name for change in first}) > 6


@pytest.mark.parametrize(
    "maker", changes.MAKERS, ids=lambda maker: f"{maker.__module__.split('.')[-1]}.{maker.__name__}"
)
def test_a_change_is_plain_data_with_its_undo(maker):
    """Every maker's change survives JSON, says how it is undone, and what kind of cause it would be."""
    for number in range(40):
        change = drawn(maker, number)
        assert changes.read(json.loads(json.dumps(changes.written(change)))) == change
        assert change.host in ADDRESSES
        assert change.undo
        assert change.undo != change.do
        assert set(change.kind.split("|")) <= KINDS
        re.compile(change.where)
        assert "None" not in change.do


def test_a_program_that_the_host_lacks_is_not_called():
    """Without nft, ipset and legacy iptables no change needs them."""
    for maker in changes.MAKERS:
        for number in range(20):
            change = drawn(maker, number, frozenset())
            assert change is None or not re.search(r"\b(nft|ipset|iptables-legacy)\b", change.do)


def test_a_cause_is_known_again():
    """A change is named by a cause of its host, side, kind and place alone."""
    change = drawn(next(maker for maker in changes.MAKERS if maker.__name__ == "policy"), 1)
    chain = change.where.split()[1]
    cause = {"host": "vm0", "side": "host", "kind": "policy", "where": f"filter {chain} policy"}
    assert change.names(SimpleNamespace(**cause))
    for name, other in (("host", "vm1"), ("side", "lab"), ("kind", "rule"), ("where", f"filter {chain} 1")):
        assert not change.names(SimpleNamespace(**{**cause, name: other}))
