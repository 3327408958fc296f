"""Rulesets of iptables: what iptables-save prints, read as it is meant and written as iptables-restore takes it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import recordings

from dockerlab.kernel import iptables
from dockerlab.kernel.rules import Action, Chain, Match, Rule, Ruleset


def saved(*lines, table="filter"):
    """Return the rules of one table, as they would be printed."""
    chains = [":INPUT DROP [1:60]", ":FORWARD ACCEPT [0:0]", ":MINE - [0:0]"]
    return "\n".join([f"*{table}", *chains, *lines, "COMMIT", ""])


def only(line):
    """Return what the only rule of a ruleset is read as."""
    (rule,) = iptables.read(saved(line), "ip").rules()
    return rule


@pytest.mark.parametrize(
    ("options", "matches"),
    [
        ("-s 10.0.0.1 ! -i eth0", [Match("-s", ("10.0.0.1/32",)), Match("-i", ("eth0",), negated=True)]),
        ("-p tcp -m tcp --dport 80", [Match("-p", ("tcp",)), Match("--dport", ("80",), module="tcp")]),
        ("-p tcp --dport 80", [Match("-p", ("tcp",)), Match("--dport", ("80",), module="tcp")]),
        (
            "-p ipv6-icmp --icmpv6-type 128",
            [Match("-p", ("ipv6-icmp",)), Match("--icmpv6-type", ("128",), module="icmp6")],
        ),
        ("-m set ! --match-set bad src,dst", [Match("--match-set", ("bad", "src,dst"), negated=True, module="set")]),
        ('-m comment --comment "say \\"-j DROP\\""', [Match("--comment", ('say "-j DROP"',), module="comment")]),
        ("-m comment --comment -j", [Match("--comment", ("-j",), module="comment")]),
        ("-m socket", [Match("-m", ("socket",), module="socket")]),
        ("-p tcp -m tcp", [Match("-p", ("tcp",))]),
        ("-s ! 10.0.0.0/8", [Match("-s", ("10.0.0.0/8",), negated=True)]),
        ("-s 0.0.0.0/0", []),
        ("-m mark --mark 0x1/0xff", [Match("--mark", ("0x1/0xff",), module="mark")]),
        ("gibberish", [Match("", ("gibberish",), module="unknown")]),
    ],
)
def test_conditions(options, matches):
    """Each condition has its values, whether it is negated, and the module that it belongs to."""
    rule = only(f"-A INPUT {options} -j ACCEPT")
    assert list(rule.matches) == matches
    assert rule.actions == (Action("ACCEPT"),)


def test_chains_have_their_places():
    """A chain of the kernel's own has a hook and a priority, the later ones of nat another, and a user's has none."""
    text = "*nat\n:PREROUTING ACCEPT\n:INPUT ACCEPT\n:POSTROUTING ACCEPT\n:MINE -\nCOMMIT\n"
    places = [(c.name, c.hook, c.priority, c.policy, c.kind) for c in iptables.read(text, "ip").chains]
    assert places == [
        ("PREROUTING", "prerouting", -100, "ACCEPT", "nat"),
        ("INPUT", "input", 100, "ACCEPT", "nat"),
        ("POSTROUTING", "postrouting", 100, "ACCEPT", "nat"),
        ("MINE", "", 0, "", "nat"),
    ]


def test_targets_and_their_options():
    """What comes after a target belongs to it; a rule without one only counts; and a goto is told from a jump."""
    text = "-A INPUT -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.2:8080 --random"
    assert only(text).actions == (Action("DNAT", (Match("--to-destination", ("10.0.0.2:8080",)), Match("--random"))),)
    assert only("-A INPUT -g MINE").actions == (Action("MINE", goto=True),)
    assert only("-A INPUT -s 10.0.0.1/32").actions == ()


def test_counters_are_no_part_of_a_rule():
    """A listing with counters has the same rules as one without."""
    assert only("[12:3456] -A INPUT -i lo -j ACCEPT") == only("-A INPUT -i lo -j ACCEPT")


def test_what_cannot_be_read_is_named():
    """A table that only nft understands, a listing that is cut off and strange lines are told, and break nothing."""
    told = iptables.read("# Table `filter' is incompatible, use 'nft' tool.\n", "ip")
    assert told.unread == ("ip table filter: is incompatible for iptables, only nft can read it",)
    assert "cut off" in iptables.read("*filter\n:INPUT ACCEPT\n-A INPUT -j DROP", "ip").unread[0]
    assert "not understood: what" in iptables.read(saved("what is this?"), "ip").unread[0]
    (told,) = iptables.read(saved('-A "FOR WARD" -j DROP'), "ip").unread
    assert 'not understood: -A "FOR WARD" -j DROP' in told, "no chain has such a name"
    assert iptables.read("", "ip6").read == {"ip6"}


def test_no_listing_at_all():
    """What no program of the kind ever printed is an error."""
    with pytest.raises(ValueError, match="Permission denied"):
        iptables.read("iptables-save: Permission denied", "ip")


WORDS = st.text("ab-!\"'\\ /.,:", max_size=6)
MATCHES = st.one_of(
    st.builds(Match, st.sampled_from(["-i", "-o"]), st.tuples(st.sampled_from(["eth0", "br-+"])), st.booleans()),
    st.builds(Match, st.just("--comment"), st.tuples(WORDS), st.booleans(), st.just("comment")),
    st.builds(
        Match,
        st.just("--ctstate"),
        st.tuples(st.sampled_from(["NEW", "NEW,INVALID"])),
        st.booleans(),
        st.just("conntrack"),
    ),
    st.builds(Match, st.just("--match-set"), st.tuples(st.just("a"), st.just("src")), st.booleans(), st.just("set")),
    st.builds(
        Match,
        st.just("--mark"),
        st.tuples(st.sampled_from(["0x1", "0x1/0xff"])),
        st.booleans(),
        st.sampled_from(["mark", "connmark"]),
    ),
)
ACTIONS = st.lists(
    st.builds(Action, st.sampled_from(["ACCEPT", "MINE"]), st.just(()), st.booleans())
    | st.builds(Action, st.just("LOG"), st.tuples(st.builds(Match, st.just("--log-prefix"), st.tuples(WORDS)))),
    max_size=1,
).map(tuple)


@given(st.lists(st.tuples(st.lists(MATCHES, max_size=4).map(tuple), ACTIONS), max_size=4))
def test_what_is_written_is_read_again(parts):
    """Whatever a ruleset holds, it is the same after it was written and read."""
    rules = [Rule("ip", "filter", "FORWARD", n, "", *part) for n, part in enumerate(parts, 1)]
    whole = [Rule("ip", "filter", "FORWARD", r.number, iptables.spelled(r), r.matches, r.actions) for r in rules]
    chain = Chain("ip", "filter", "FORWARD", hook="forward", policy="DROP", rules=tuple(whole))
    before = Ruleset((chain, Chain("ip", "filter", "MINE")), read=frozenset({"ip"}))
    assert iptables.read(iptables.write(before), "ip") == before


@given(st.lists(st.text(max_size=40) | st.from_regex(r"-A [A-Z]+( !? ?--?[a-z]+( \S+)?)*"), max_size=4))
def test_any_line_can_stand_in_a_table(lines):
    """No line of a table makes the whole of it unread."""
    found = iptables.read(saved(*(line.replace("\n", " ").replace("*", "") for line in lines)), "ip")
    assert {chain.name for chain in found.chains} >= {"INPUT", "FORWARD"}
    assert iptables.read(iptables.write(found), "ip").chains == found.chains


@recordings.needed
@pytest.mark.parametrize("engine", recordings.ENGINES)
def test_recorded_hosts(engine):
    """What real hosts printed is read without a remark, and written as it was, each rule from its parts, too."""
    for said in recordings.places(engine):
        for command, family in (("iptables-save", "ip"), ("ip6tables-save", "ip6")):
            text = said.get(command, "")
            found = iptables.read(text, family)
            assert not found.unread
            plain = re.sub(r"\[\d+:\d+\]", "[0:0]", re.sub(r"(?m)^#.*\n?", "", text))
            assert iptables.write(found).split() == plain.split()
            assert all(iptables.spelled(rule) == rule.text for rule in found.rules())
