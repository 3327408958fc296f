"""What is different between two states of a kernel."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_interface, ip_network

from hypothesis import given
from hypothesis import strategies as st

from dockerlab.kernel import difference, iptables
from dockerlab.kernel.model import Link, Machine, Namespace
from dockerlab.kernel.routes import Hop, Route

RULES = (
    "-A FORWARD -i a -j DROP",
    "-A FORWARD -o b -m conntrack --ctstate NEW -j ACCEPT",
    "-A FORWARD -j MINE",
    '-A FORWARD -s 10.0.0.1/32 -m comment --comment "x y" -j DROP',
)


def ruleset(*rules, policy="ACCEPT"):
    """Return a ruleset of one table with rules in FORWARD."""
    return iptables.read("\n".join(["*filter", f":FORWARD {policy} [0:0]", ":MINE - [0:0]", *rules, "COMMIT"]), "ip")


def told(first, second):
    """Return the differences as words."""
    found = difference.spaces(first, second)
    return [(d.kind, d.key, "missing" if d.missing else "foreign" if d.foreign else "changed") for d in found]


def space(**what):
    """Return a namespace with that in it."""
    return Namespace(1, host=True, **what)


def test_rules_are_compared_as_they_are_understood():
    """The order of conditions, the comments and the place of a rule make no difference; what it does, does."""
    first = ruleset("-A FORWARD -p tcp -m tcp --dport 80 -i a -j DROP", "-A FORWARD -j MINE")
    second = ruleset("-A FORWARD -j MINE", "-A FORWARD -i a -p tcp -m comment --comment x -m tcp --dport 80 -j DROP")
    assert told(space(ruleset=first), space(ruleset=second)) == []
    third = ruleset("-A FORWARD -j MINE", "-A FORWARD -i a -p tcp -m tcp --dport 80 -j ACCEPT", policy="DROP")
    assert told(space(ruleset=first), space(ruleset=third)) == [
        ("policy", "ip filter FORWARD", "changed"),
        ("rule", "ip filter FORWARD", "foreign"),
        ("rule", "ip filter FORWARD", "missing"),
    ]


@given(st.lists(st.sampled_from(RULES)), st.lists(st.sampled_from(RULES)))
def test_rules_as_multisets(first, second):
    """As many rules are missing and foreign as would make one ruleset the other, and none of a ruleset and itself."""
    found = list(difference.rulesets(ruleset(*first), ruleset(*second)))
    kept = list(first)
    for each in found:
        if each.missing:
            kept.remove(each.first.text)
    kept += [each.second.text for each in found if each.foreign]
    assert sorted(kept) == sorted(second)
    assert not list(difference.rulesets(ruleset(*first), ruleset(*reversed(first))))


def test_links_addresses_and_routes():
    """A link that changed, an address that is missing and a route that is foreign are three things."""
    eth0 = Link(2, "eth0", mtu=1500, addresses=(ip_interface("10.0.0.1/24"),))
    route = Route(ip_network("10.0.0.0/8"), hops=(Hop("eth0"),), text="10.0.0.0/8 dev eth0")
    first = space(links=(eth0,), sysctls={"net/ipv4/ip_forward": "1"})
    second = space(
        links=(replace(eth0, mtu=1400, addresses=()),), routes=(route,), sysctls={"net/ipv4/ip_forward": "0"}
    )
    assert told(first, second) == [
        ("link", "eth0", "changed"),
        ("address", "eth0", "missing"),
        ("route", "4 main 10.0.0.0/8 dev eth0", "foreign"),
        ("sysctl", "net/ipv4/ip_forward", "changed"),
    ]


def test_what_could_not_be_read_is_not_different():
    """Where one side does not know, nothing is missing and nothing is foreign."""
    first = space(links=(Link(2, "eth0"),), ruleset=ruleset(*RULES))
    second = space(unread={"links": "no ip", "rules": "no root"})
    assert told(first, second) == []
    legacy = replace(first, ruleset=replace(first.ruleset, read=frozenset()))
    assert told(legacy, space(links=first.links)) == []


def test_machines_pair_their_namespaces():
    """A namespace that came or went is told, and a link that has another name now has changed."""
    first = Machine("vm0", namespaces=(Namespace(1, host=True, links=(Link(2, "a"),)), Namespace(2)))
    second = Machine("vm0", namespaces=(Namespace(1, host=True, links=(Link(2, "b"),)), Namespace(3)))
    assert [(d.kind, d.key, d.missing, d.foreign) for d in difference.machines(first, second)] == [
        ("link", "b", False, False),
        ("namespace", "2", True, False),
        ("namespace", "3", False, True),
    ]
