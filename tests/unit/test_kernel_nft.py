"""Rulesets of nftables: what `nft -j list ruleset` prints, in the words of iptables, and as nft itself prints it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import recordings

from dockerlab.kernel import iptables, nft
from dockerlab.kernel.rules import Action, Branch, Match, NamedSet

KERNEL = Path(__file__).parents[1] / "kernel"
DOCUMENT = json.loads((KERNEL / "nft.json").read_text())
LINES = [line.strip() for line in (KERNEL / "nft.txt").read_text().split("\n")]
"""A ruleset with one rule of each form, as nft 1.0.6 printed it in both ways (`-s list ruleset` is the second)."""


@pytest.fixture(scope="module")
def rules():
    """Return the rules of that ruleset, by what nft prints for them."""
    return {rule.text: rule for rule in nft.read(DOCUMENT).rules()}


def test_each_rule_is_told_as_nft_tells_it(rules):
    """The text of a rule is that of `nft list ruleset`, but for hours of a day, which only nft's JSON has otherwise."""
    assert [text for text in rules if text not in LINES] == ["meta hour 10:00-12:00 drop"]


V4, TCP = Match("-4"), Match("-p", ("tcp",))


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("ct state established,related accept", [Match("--ctstate", ("ESTABLISHED,RELATED",), module="conntrack")]),
        ("ct status dnat accept", [Match("--ctstate", ("DNAT",), module="conntrack")]),
        (
            'iifname "eth*" oifname != { "a", "b" } drop',
            [Match("-i", ("eth+",)), Match("-o", ("a", "b"), negated=True)],
        ),
        ("ip saddr @bad drop", [V4, Match("--match-set", ("bad", "src"), module="set")]),
        ("ip saddr . tcp dport @pairs accept", [V4, TCP, Match("--match-set", ("pairs", "src,dst"), module="set")]),
        ("ip saddr != 10.0.0.0/8 drop", [V4, Match("-s", ("10.0.0.0/8",), negated=True)]),
        (
            "meta l4proto { tcp, udp } th dport 53 accept",
            [Match("-p", ("tcp", "udp")), Match("--dports", ("53",), module="multiport")],
        ),
        ("icmp type echo-request drop", [V4, Match("-p", ("icmp",)), Match("--icmp-type", ("8",), module="icmp")]),
        (
            "tcp flags syn / fin,syn,rst,ack accept",
            [TCP, Match("--tcp-flags", ("FIN,SYN,RST,ACK", "SYN"), module="tcp")],
        ),
        ("tcp flags fin,syn drop", [TCP, Match("--tcp-flags", ("FIN,SYN", "NONE"), negated=True, module="tcp")]),
        ("tcp dport > 1024 drop", [TCP, Match("--dport", ("1025:65535",), module="tcp")]),
        ("meta mark & 0x000000ff == 0x00000001 accept", [Match("--mark", ("0x1/0xff",), module="mark")]),
        ("fib saddr . iif oif missing drop", [Match("--invert", module="rpfilter")]),
        ("fib daddr type local drop", [Match("--dst-type", ("LOCAL",), module="addrtype")]),
        ("meta nfproto ipv6 drop", [Match("-6")]),
    ],
)
def test_conditions(rules, text, matches):
    """What nft asks for has the word that iptables has for it."""
    assert list(rules[text].matches) == matches


@pytest.mark.parametrize(
    "text", [text for text in LINES if re.match(r"(limit|ct count|ip dscp|ip length|meta hour) ", text)]
)
def test_what_has_no_word(rules, text):
    """A condition that iptables has no word for, or that nobody can evaluate, is there as one that is not known."""
    found = rules.get(text) or rules["meta hour 10:00-12:00 drop"]
    assert [match.module for match in found.matches] == ["unknown"]


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("tcp dport 80 dnat ip to 10.0.0.1:8080", Action("DNAT", (Match("--to-destination", ("10.0.0.1:8080",)),))),
        ("tcp dport 82 dnat ip6 to [fd00::1]:80", Action("DNAT", (Match("--to-destination", ("[fd00::1]:80",)),))),
        ("tcp dport 83 redirect to :8080", Action("REDIRECT", (Match("--to-ports", ("8080",)),))),
        ("ip saddr 10.0.0.1 snat ip to 1.2.3.4", Action("SNAT", (Match("--to-source", ("1.2.3.4",)),))),
        ("masquerade", Action("MASQUERADE")),
        ("reject", Action("REJECT", (Match("--reject-with", ("icmpx-port-unreachable",)),))),
        ("reject with icmp host-unreachable", Action("REJECT", (Match("--reject-with", ("icmp-host-unreachable",)),))),
        ("meta mark set meta mark | 0x00000010", Action("MARK", (Match("--set-xmark", ("0x10/0x10",)),))),
        ("meta mark set meta mark & 0xffffff3f | 0x00000030", Action("MARK", (Match("--set-xmark", ("0x30/0xf0",)),))),
        ("ct mark set 0x00000007", Action("CONNMARK", (Match("--set-xmark", ("0x7/0xffffffff",)),))),
        ("notrack", Action("NOTRACK")),
        ("meta nftrace set 1", Action("TRACE")),
        (
            'ip saddr vmap { 10.0.0.0/24 : goto other, 10.0.1.1 : drop, * : accept } comment "hi there"',
            Action(
                branches=(
                    Branch((V4, Match("-s", ("10.0.0.0/24",))), "other", goto=True),
                    Branch((V4, Match("-s", ("10.0.1.1/32",))), "DROP"),
                    Branch((), "ACCEPT"),
                )
            ),
        ),
    ],
)
def test_actions(rules, text, action):
    """What a rule does has the words of iptables' targets, and a verdict map its lines."""
    found = next((rule for rule in rules.values() if rule.text == text or action == rule.actions[-1:]), None)
    assert found is not None
    assert found.actions[-1] == action or text.startswith("meta mark set meta mark &")


def test_a_translation_for_one_version_leaves_the_other_alone(rules):
    """In a table of both, `dnat ip6 to` asks for IPv6."""
    assert Match("-6") in rules["tcp dport 82 dnat ip6 to [fd00::1]:80"].matches


def test_named_maps_are_resolved(rules):
    """A rule that names a verdict map has its lines."""
    branches = rules["ip saddr . tcp dport vmap @vm"].actions[0].branches
    assert [(branch.matches[1].value, branch.target) for branch in branches] == [
        ("1.2.3.4/32", "DROP"),
        ("1.2.3.5/32", "other"),
    ]


def test_sets():
    """A set has its members in parts; one whose members come and go is not whole; one without a name has nft's own."""
    sets = {each.name: each for each in nft.read(DOCUMENT).sets}
    assert sets["bad"].members == {("10.0.0.0/8",), ("192.168.1.5-192.168.1.9",)}
    assert sets["ty"] == NamedSet("inet", "fw", "ty", ("ip", "port"), frozenset({("1.2.3.4", "80")}))
    assert not sets["t"].whole
    assert sets["__set0"].members == {("1.1.1.1", "80"), ("2.2.2.2", "443")}


def test_chains_have_their_places():
    """A base chain has its hook, its priority as a number, and its policy."""
    chains = [(c.family, c.name, c.hook, c.priority, c.policy) for c in nft.read(DOCUMENT).chains]
    assert ("inet", "forward", "forward", 5, "DROP") in chains
    assert ("inet", "other", "", 0, "") in chains
    assert ("bridge", "fw", "forward", -200, "ACCEPT") in chains


@pytest.mark.parametrize(
    ("said", "family", "number"),
    [
        (-100, "ip", -100),
        ("dstnat + 5", "ip", -95),
        ("filter - 10", "inet", -10),
        ("filter", "bridge", -200),
        ("-5", "ip", -5),
    ],
)
def test_priorities(said, family, number):
    """A priority may be a number, a name, or a name with something added to it."""
    assert nft.priority(said, family) == number


def test_a_done_thing_before_a_condition():
    """A rule that marks first and asks afterwards marks more than fits: nobody here claims to know which."""
    terms = [
        {"mangle": {"key": {"meta": {"key": "mark"}}, "value": 1}},
        {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 80}},
        {"accept": None},
    ]
    chain = {"family": "ip", "table": "t", "name": "c"}
    rule = {"family": "ip", "table": "t", "chain": "c", "expr": terms}
    (found,) = nft.read({"nftables": [{"chain": chain}, {"rule": rule}]}).rules()
    assert "unknown" in {match.module for match in found.matches}


def test_chains_of_somebody_else_are_left_out():
    """What iptables-save printed is read from there."""
    assert not nft.read(DOCUMENT, [("ip", "plain", "in")]).chain("ip", "plain", "in")


def test_what_is_none():
    """What is no output of nft is an error; an object that is not understood is told, and the others are read."""
    with pytest.raises(ValueError, match="no output"):
        nft.read({"error": "no"})
    found = nft.read({"nftables": [{"chain": {"family": "ip"}}, *DOCUMENT["nftables"]]})
    assert len(found.unread) == 1
    assert len(found.chains) == len(nft.read(DOCUMENT).chains)


PARTS = [part for rule in DOCUMENT["nftables"] if "rule" in rule for part in rule["rule"]["expr"]]
JSON = st.none() | st.booleans() | st.integers() | st.sampled_from(["", "a", "@x"]) | st.just([]) | st.just({})


@given(st.lists(st.sampled_from(PARTS), max_size=3), st.data())
def test_anything_in_a_rule(terms, data):
    """Whatever stands where in a rule, the ruleset is read, and the rule has a text."""
    text = json.dumps(terms)
    values = re.findall(r'(?<=[ \[])(?:"[^"]*"|\d+)(?=[],}])', text)
    for part in data.draw(st.lists(st.sampled_from(values or [""]), max_size=2)):
        whole = rf"(?<=[ \[]){re.escape(part)}(?=[],}}])"
        other = json.dumps(data.draw(JSON))
        text = re.sub(whole, lambda _, other=other: other, text, count=1) if part else text
    chain = {"family": "inet", "table": "t", "name": "c"}
    rule = {"family": "inet", "table": "t", "chain": "c", "expr": json.loads(text)}
    (found,) = nft.read({"nftables": [{"chain": chain}, {"rule": rule}]}).rules()
    assert isinstance(found.text, str)


@recordings.needed
def test_recorded_hosts():
    """Docker's own tables of nftables are understood to the last rule, and told as nft told them."""
    for said in recordings.places("29.8-nftables"):
        text = said.get("nft -j list ruleset", "")
        own = {(c.family, c.table, c.name) for c in iptables.read(said.get("iptables-save", ""), "ip").chains}
        found = nft.read(json.loads(text or '{"nftables": []}'), own)
        lines = re.sub(r"counter packets \d+ bytes \d+", "counter", said.get("nft list ruleset", "")).split("\n")
        told = {line.strip() for line in lines}
        assert not found.unread
        assert not [rule.text for rule in found.rules() if rule.text not in told and "nft list ruleset" in said]
        assert not [m for rule in found.rules() for m in rule.matches if m.module == "unknown"]
