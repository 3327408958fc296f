"""What kernels tell of a traced packet, put in order and held against a walk."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dockerlab.kernel.rules import Chain, Rule, Ruleset
from dockerlab.trace import netfilter
from dockerlab.trace.compare import compare, differences
from dockerlab.trace.follow import TRACER
from dockerlab.trace.hops import Heard, Hop, along, hops, lines, worded
from dockerlab.trace.signs import signs
from dockerlab.walk.outcome import Element, Outcome, SpaceId, Step

RECORDED = json.loads((Path(__file__).parent / "recorded/nftrace.json").read_text())
HERE = SpaceId("vm0", 7)


def heard(messages=RECORDED["messages"], place="host vm0", at=HERE) -> Heard:
    """Return what the kernel told, as the tracer reports it."""
    found = (one for data in messages for one in netfilter.messages_in(bytes.fromhex(data)))
    events = [netfilter.event(body) for kind, _, body in found if kind == netfilter.TRACE]
    handles = {}
    for family, table, chain, dump in RECORDED["rules"]:
        handles[family, table, chain] = [netfilter.rule_of(bytes.fromhex(body))[2] for body in dump]
    return Heard(at, place, events, handles, {1: "lo"})


def test_a_recorded_trace_reads_as_the_rules_that_were_met():
    """DNAT in a user chain, a return, a policy and an nftables rule that only counts: each with its number."""
    found = [hop for hop in hops(heard()) if hop.way == "request"]
    assert [(hop.rule, hop.verdict) for hop in found if hop.kind == "rule"] == [
        (("ip", "nat", "OUTPUT", 1), "jump DOCKER"),
        (("ip", "nat", "DOCKER", 1), "accept"),
        (("ip", "filter", "OUTPUT", 1), "jump USER"),
        (("ip", "filter", "USER", 1), "return"),
        (("inet", "fw", "in", 1), "continue"),
    ]
    assert [(hop.table, hop.chain, hop.verdict) for hop in found if hop.kind == "policy"] == [
        ("filter", "OUTPUT", "accept"),
        ("fw", "in", "accept"),
    ]


def test_the_addresses_are_those_that_the_packet_had_there():
    """Before DNAT it went to the published address, behind it to the container's."""
    found = {hop.rule: hop.destination for hop in hops(heard()) if hop.way == "request"}
    assert found["ip", "nat", "OUTPUT", 1] == "127.0.0.9"
    assert found["ip", "filter", "OUTPUT", 1] == "127.0.0.1"


def test_the_answer_is_told_apart():
    """It bears the number that confirms ours, and meets no rule of nat."""
    found = [hop for hop in hops(heard()) if hop.way == "answer"]
    assert found[0].kind == "came"
    assert {hop.table for hop in found if hop.kind == "rule"} == {"filter"}


def test_a_repeated_packet_is_left_out():
    """What begins a connection is sent again after a second: its way is told once."""
    once = hops(heard())
    assert hops(heard(RECORDED["messages"] * 2)) == once


def event(packet, chain, kind="rule", handle=1, table="dockerlab-trace-1", addresses=()):
    return netfilter.Event(packet, "inet", table, chain, kind, handle, "continue", 1, 2, list(addresses))


def test_what_nat_led_on_is_not_taken_for_a_proxys():
    """A request that DNAT leads to the container begins a connection to its port, as a proxy's own does."""
    both = [
        event(5, "request-prerouting"),
        event(5, "request-prerouting", "policy", 0),
        event(5, "proxied0-prerouting"),
    ]
    assert [hop.way for hop in hops(Heard(HERE, "web", both, {}, {}))] == ["request"]
    alone = [event(5, "proxied0-prerouting")]
    assert [hop.way for hop in hops(Heard(HERE, "web", alone, {}, {}))] == ["proxied"]


def test_a_way_leads_from_namespace_to_namespace_and_back():
    """No clock orders two namespaces: the request goes from the source on, the answer the other way."""
    one = Heard(HERE, "client", [event(1, "request-output"), event(2, "answer-prerouting")], {}, {})
    other = Heard(SpaceId("vm0", 8), "web", [event(3, "request-prerouting"), event(4, "answer-output")], {}, {})
    assert [(hop.place, hop.way) for hop in along([one, other])] == [
        ("client", "request"),
        ("web", "request"),
        ("web", "answer"),
        ("client", "answer"),
    ]


RULE = Rule("ip", "filter", "USER", 1, "-A USER -j RETURN")
SET = Ruleset((Chain("ip", "filter", "USER", rules=(RULE,)),))


def test_a_rule_is_told_in_its_own_words():
    """Table, chain, number, verdict and text, as iptables-save prints it; what is not found keeps its handle."""
    found = worded(hops(heard()), {HERE: SET})
    told = lines(found)
    assert "    filter USER 1: return  -A USER -j RETURN" in told
    assert "    inet fw in 1: continue" in told
    assert told[0] == "request in host vm0: 127.0.0.1 -> 127.0.0.9"
    assert (
        lines([Hop(HERE, "x", "request", "rule", "ip", "filter", "A", 0, 9, "drop")])[1].strip()
        == "filter A handle 9: drop"
    )


def step(rule: Rule, what: str = "met") -> Step:
    return Step(HERE, what, "", Element("rule", "", rule.text, rule))


def met(rule: Rule) -> Hop:
    return Hop(HERE, "x", "request", "rule", rule.family, rule.table, rule.chain, rule.number, 3, "accept", rule.text)


def rule(number: int, chain: str = "FORWARD") -> Rule:
    return Rule("ip", "filter", chain, number, f"-A {chain} # {number}")


def test_a_walk_that_meets_the_kernels_rules_does_not_differ():
    """That a rule is met and what it decides are two steps of one rule; policies and arrivals are no rules."""
    steps = [Step(HERE, "route", "", None), step(rule(1)), step(rule(3)), step(rule(3), "dropped")]
    told = [Hop(HERE, "x", "request", "came"), met(rule(1)), met(rule(3)), Hop(HERE, "x", "request", "policy")]
    assert compare(steps, told) == []


def test_each_rule_on_which_they_differ_is_named():
    """What the model meets and the kernel does not, and the other way round, and where one meets none."""
    found = compare([step(rule(1)), step(rule(2))], [met(rule(1)), met(rule(3))])
    assert [(one.what, one.where) for one in found] == [("walked", "filter FORWARD 2"), ("told", "filter FORWARD 3")]
    assert str(found[0]) == "vm0: the model meets filter FORWARD 2, the kernel did not: -A FORWARD # 2"
    assert [one.what for one in compare([], [met(rule(1))])] == ["told"]
    assert [one.what for one in compare([step(rule(1)), step(rule(2))], [met(rule(2)), met(rule(1))])] != []


def test_the_signs_of_a_packet_leave_its_addresses_alone():
    """NAT changes those: a ping is known by its nonce, a connection by its number, which the answer confirms."""
    ping = {"address": "fd00::1", "port": None, "nonce": "ab" * 16}
    assert {sign.data for _, some in signs(ping) for sign in some} == {b"\x3a", b"\x80", b"\x81", b"\xab" * 16}
    tcp = {"address": "10.0.0.1", "port": 80, "began": 0xFFFFFFFF, "behind": [["172.17.0.2", 8080]]}
    ways = dict(signs(tcp))
    assert list(ways) == ["request", "answer", "proxied0"]
    assert [ways[way][1].data for way in ("request", "answer")] == [b"\xff" * 4, b"\0" * 4]
    assert ways["proxied0"][3].data == bytes([172, 17, 0, 2])


@pytest.mark.parametrize("owned", [True, False])
def test_the_marking_table_is_one_batch(owned):
    """All of it is there or nothing, and whoever made it is its owner where the kernel knows owners."""
    job = {"address": "10.0.0.1", "port": None, "nonce": "00" * 16}
    made = netfilter.messages_in(netfilter.marking("dockerlab-trace-1", signs(job), owned))
    assert [kind for kind, _, _ in made] == [
        netfilter.BATCH_BEGIN,
        netfilter.NEW_TABLE,
        *[netfilter.NEW_CHAIN, netfilter.NEW_RULE] * 4,
        netfilter.BATCH_END,
    ]
    assert netfilter.table_of(made[1][2]) == ("dockerlab-trace-1", netfilter.OWNED if owned else 0)


def test_messages_that_are_cut_short_are_no_messages():
    """What a kernel could not send whole is not read."""
    whole = bytes.fromhex(RECORDED["messages"][0])
    assert netfilter.messages_in(whole[:10]) == []
    assert netfilter.addresses_of(whole[:12]) == []


def test_the_program_needs_the_standard_library_alone():
    """Every module that it imports of ours is sent with it, before it is needed."""
    sent = [name for name, _ in json.loads(TRACER.source())]
    assert sent[0] == "dockerlab"
    assert sent.index("dockerlab.probe.connections") < sent.index("dockerlab.trace.signs")


def test_a_proxys_connection_is_held_against_its_own_packet():
    """What a walk says after the proxy took the connection is about what that sent on."""
    steps = (step(rule(1)), Step(HERE, "proxied", "", None), step(rule(2)))
    outcome = Outcome(True, "delivered", HERE, steps=steps, back=(step(rule(3)),))
    ways = [replace(met(rule(number)), way=way) for number, way in ((1, "request"), (2, "proxied"), (3, "answer"))]
    assert differences(outcome, ways) == []
    assert [one.where for one in differences(outcome, ways[1:])] == ["filter FORWARD 1"]
