"""What rules ask for and do: each match and target of iptables, on a packet that meets it and one that does not."""

from __future__ import annotations

import pytest
from support.kernels import Usual, told, where

from dockerlab.kernel import nft
from dockerlab.kernel.rules import NamedSet, Ruleset

SETS = Ruleset(
    sets=(
        NamedSet("ip", "", "hosts", ("ip",), frozenset({("10.1.0.11",), ("10.2.0.0/24",)})),
        NamedSet("ip", "", "doors", ("ip", "port"), frozenset({("10.1.0.12", "tcp:80")})),
        NamedSet("ip", "", "ports", ("port",), frozenset({("80",), ("1000-2000",)})),
        NamedSet("ip", "", "coming", ("ip",), whole=False),
    )
)

MET = [
    "-s 10.1.0.11/32",
    "! -s 10.1.0.12/32",
    "-d 10.2.0.0/24",
    "-i br0",
    "-i br+",
    "! -i eth0",
    "-o br1",
    "-i br0 -o br1",
    "-p tcp",
    "! -p udp",
    "-p tcp -m tcp --dport 80",
    "-p tcp -m tcp --dport 79:81",
    "-p tcp -m tcp ! --dport 81",
    "-p tcp -m tcp --sport 1024:65535",
    "-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN",
    "-p tcp -m tcp --syn",
    "-p tcp -m multiport --dports 22,80,443",
    "-p tcp -m multiport --ports 80",
    "-p tcp -m multiport ! --dports 22,443",
    "-m conntrack --ctstate NEW",
    "-m state --state NEW,RELATED",
    "-m conntrack ! --ctstate ESTABLISHED",
    "-m conntrack --ctproto tcp",
    "-m conntrack --ctorigsrc 10.1.0.0/24",
    "-m conntrack --ctorigdst 10.2.0.13",
    "-m conntrack --ctorigdstport 80",
    "-m conntrack --ctreplsrc 10.2.0.13",
    "-m conntrack --ctrepldst 10.1.0.11",
    "-m conntrack --ctdir ORIGINAL",
    "-m addrtype --dst-type UNICAST",
    "-m addrtype ! --src-type LOCAL",
    "-m iprange --src-range 10.1.0.10-10.1.0.12",
    "-m iprange ! --dst-range 10.1.0.10-10.1.0.12",
    "-m mark --mark 0x0/0x1",
    "-m mark ! --mark 0x1",
    "-m connmark --mark 0x0",
    "-m mac --mac-source {mac}",
    "-m set --match-set hosts src",
    "-m set --match-set hosts dst",
    "-m set --match-set ports dst",
    "-m set ! --match-set doors dst,dst",
    "-m pkttype --pkt-type unicast",
    "-m length --length 60",
    "-m ttl --ttl-eq 63",
    "-m ttl --ttl-lt 64",
    "-m tos --tos 0x00/0xff",
    "-m dscp --dscp 0x00",
    '-m comment --comment "said in passing"',
    "",
]

UNMET = [
    "-s 10.1.0.12/32",
    "! -d 10.2.0.0/24",
    "-i eth0",
    "-o br0",
    "-p udp",
    "-p icmp",
    "-f",
    "-p tcp -m tcp --dport 81:90",
    "-p tcp -m tcp --sport 80",
    "-p tcp -m tcp --tcp-flags SYN,ACK ACK",
    "-p tcp -m multiport --dports 22,443,8000:9000",
    "-m conntrack --ctstate RELATED,ESTABLISHED",
    "-m conntrack --ctstate INVALID",
    "-m conntrack --ctstate UNTRACKED",
    "-m conntrack --ctstate DNAT",
    "-m conntrack --ctstatus SEEN_REPLY",
    "-m conntrack --ctorigdstport 81",
    "-m conntrack --ctdir REPLY",
    "-m addrtype --dst-type LOCAL",
    "-m iprange --src-range 10.1.0.12-10.1.0.99",
    "-m mark --mark 0x1",
    "-m connmark --mark 0x1/0x1",
    "-m mac --mac-source 02:00:00:00:00:FE",
    "-m set --match-set doors dst,dst",
    "-m set ! --match-set hosts src",
    "-m physdev --physdev-is-bridged",
    "-m length --length 61:",
    "-m ttl --ttl-gt 63",
    "-m dscp --dscp 0x0a",
    "-s 10.1.0.11/32 -p tcp -m tcp --dport 443",
]

UNTOLD = [
    "-m limit --limit 1/second",
    "-m recent --rcheck --name bad --rsource",
    "-m statistic --mode random --probability 0.5",
    "-m string --string secret --algo bm",
    "-m u32 --u32 0x0=0x0",
    "-m time --timestart 08:00:00",
    "-m quota --quota 1000",
    "-m connlimit --connlimit-above 3",
    "-m hashlimit --hashlimit-above 1/sec --hashlimit-name a",
    '-m bpf --bytecode "1,6 0 0 1"',
    "-m set --match-set coming src",
    "-m set --match-set missing src",
    "-m socket",
    "-m nobodyknows --that",
]


def dropped_by(match: str):
    """Return what becomes of a connection where a rule with the conditions drops it, in FORWARD of the host."""
    lab = Usual()
    lab.a.add(SETS)
    lab.a.iptables(f"filter -A FORWARD {match.format(mac=lab.one.links[1].mac.upper())} -j DROP")
    return lab.connect(lab.one, "10.2.0.13")


@pytest.mark.parametrize("match", MET)
def test_conditions_that_hold(match):
    """The first packet of a connection from 10.1.0.11 by br0 to port 80 of 10.2.0.13 by br1 meets the rule."""
    found = dropped_by(match)
    assert (*told(found), where(found)) == (False, "timeout", "filter FORWARD 1")


@pytest.mark.parametrize("match", UNMET)
def test_conditions_that_do_not_hold(match):
    """The packet passes by the rule, and so do the others of its connection."""
    lab = Usual()
    lab.a.add(SETS)
    lab.a.iptables(f"filter -A FORWARD {match} -p tcp --syn -j DROP" if "SYN,ACK" in match
                   else f"filter -A FORWARD {match} -m conntrack --ctstate NEW -j DROP")  # fmt: skip
    assert told(lab.connect(lab.one, "10.2.0.13")) == (True, None)


@pytest.mark.parametrize("match", UNTOLD)
def test_conditions_that_nobody_can_tell(match):
    """What depends on such a rule is not claimed, and the rule is named; what does not, is."""
    found = dropped_by(match)
    assert found.reachable is None
    assert "filter FORWARD 1" in found.doubt
    lab = Usual()
    lab.a.add(SETS)
    lab.a.iptables(f"filter -A FORWARD {match} -j ACCEPT")
    assert told(lab.connect(lab.one, "10.2.0.13")) == (True, None)


REJECTS = [
    ("", "refused"),
    ("--reject-with icmp-port-unreachable", "refused"),
    ("--reject-with icmp-host-unreachable", "host unreachable"),
    ("--reject-with icmp-net-unreachable", "no route"),
    ("--reject-with icmp-net-prohibited", "no route"),
    ("--reject-with icmp-host-prohibited", "host unreachable"),
    ("--reject-with icmp-admin-prohibited", "host unreachable"),
    ("--reject-with tcp-reset", "refused"),
]


@pytest.mark.parametrize(("how", "symptom"), REJECTS)
def test_rejections(how, symptom):
    """What a host says with REJECT shows as another symptom of a connection; a ping sees one of them all."""
    lab = Usual()
    lab.a.iptables(f"filter -A FORWARD -p tcp -j REJECT {how}", "filter -A FORWARD -p icmp -j REJECT")
    found = lab.connect(lab.one, "10.2.0.13")
    assert (found.end, *told(found)) == ("rejected", False, symptom)
    assert told(lab.ping(lab.one, "10.2.0.13")) == (False, "host unreachable")


def test_a_rejection_that_does_not_come_back():
    """The error is a packet like others: where it is dropped on its way, the sender waits."""
    lab = Usual()
    lab.a.iptables("filter -A FORWARD -j REJECT")
    lab.one.iptables("filter -A INPUT -p icmp -m conntrack --ctstate INVALID,RELATED -j DROP")
    assert told(lab.connect(lab.one, "10.2.0.13")) == (False, "timeout")


def test_what_a_host_drops_of_its_own():
    """A ping that one's own rules drop is told at once; a connection is tried again and again."""
    lab = Usual()
    lab.one.iptables("filter -A OUTPUT -j DROP")
    assert told(lab.ping(lab.one, "10.1.0.12")) == (False, "blocked")
    assert told(lab.connect(lab.one, "10.1.0.12")) == (False, "timeout")


def test_chains_of_ones_own():
    """A jump comes back, RETURN too; a goto goes on where the jump before it came from."""
    lab = Usual()
    lab.a.iptables(
        "filter -A FORWARD -j OWN",
        "filter -A FORWARD -j ACCEPT",
        "filter -P FORWARD DROP",
        "filter -A OWN -p icmp -j RETURN",
        "filter -A OWN -p tcp -g LAST",
        "filter -A OWN -j DROP",
        "filter -A LAST -p tcp --dport 81 -j DROP",
    )
    lab.three.listen(81)
    assert told(lab.ping(lab.one, "10.2.0.13")) == (True, None)
    assert told(lab.connect(lab.one, "10.2.0.13")) == (True, None)
    found = lab.connect(lab.one, "10.2.0.13", 81)
    assert where(found) == "filter LAST 1"
    assert [step.element.where for step in found.steps if step.what == "jump"] == ["filter FORWARD 1", "filter OWN 2"]


def test_policies():
    """What no rule decides, the policy does."""
    lab = Usual()
    lab.a.iptables("filter -P FORWARD DROP", "filter -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT")
    found = lab.ping(lab.one, "10.2.0.13")
    assert (*told(found), where(found)) == (False, "timeout", "filter FORWARD policy")
    assert found.by is not None
    assert found.by.text == "-P FORWARD DROP"


def test_marks_choose_a_route():
    """A mark from mangle PREROUTING is what a rule of `ip rule` asks for; a connection keeps it with CONNMARK."""
    lab = Usual()
    lab.a.iptables("mangle -A PREROUTING -i br0 -j MARK --set-xmark 0x1/0xffffffff")
    lab.a.rule(100, table="100", mark=(1, 0xFFFFFFFF))
    lab.a.route("blackhole 10.2.0.0/24 table 100")
    found = lab.ping(lab.one, "10.2.0.13")
    assert (*told(found), where(found)) == (False, "timeout", "table 100")
    lab = Usual()
    lab.a.iptables(
        "mangle -A PREROUTING -i br0 -j CONNMARK --set-xmark 0x1/0xffffffff",
        "filter -A FORWARD -m connmark --mark 0x1 -o br0 -j DROP",
    )
    assert told(lab.ping(lab.one, "10.2.0.13")) == (False, "reply lost")


def test_a_mark_in_output_looks_for_a_route_again():
    """Table mangle of OUTPUT may send a packet another way than that by which its source was chosen."""
    lab = Usual()
    lab.one.iptables("mangle -A OUTPUT -p icmp -j MARK --set-xmark 0x2/0xffffffff")
    lab.one.rule(10, table="7", mark=(2, 0xFFFFFFFF))
    lab.one.route("unreachable default table 7")
    assert told(lab.ping(lab.one, "10.1.0.12")) == (False, "host unreachable")
    assert told(lab.connect(lab.one, "10.1.0.12")) == (True, None)


def test_untracked_packets_are_not_translated():
    """NOTRACK in raw PREROUTING keeps connection tracking away, and DNAT with it."""
    dnat = "nat -A PREROUTING -p tcp --dport 8080 -j DNAT --to-destination 10.1.0.11:80"
    for raw in ("raw -A PREROUTING -p tcp -j CT --notrack", "raw -A PREROUTING -p tcp -j NOTRACK"):
        lab = Usual()
        lab.a.iptables(dnat, raw)
        assert told(lab.connect(lab.b, "192.168.9.1", 8080)) == (False, "refused")


@pytest.mark.parametrize(
    ("target", "port"),
    [
        ("DNAT --to-destination 10.1.0.11", 80),
        ("DNAT --to-destination 10.1.0.11:80", 8080),
        ("REDIRECT --to-ports 8081", 80),
        ("REDIRECT --to-ports 8081", 8080),
        ("NETMAP --to 10.1.0.10/32", 80),
    ],
)
def test_translations_of_destinations(target, port):
    """DNAT, REDIRECT and NETMAP each lead a connection to another socket."""
    lab = Usual()
    lab.a.listen(8081)
    lab.a.iptables(f"nat -A PREROUTING -i eth0 -p tcp -j {target}")
    expected = (False, "host unreachable") if "NETMAP" in target else (True, None)
    assert told(lab.connect(lab.b, "192.168.9.1", port)) == expected


def test_translations_of_sources():
    """SNAT gives a source that is told, MASQUERADE that of the interface, NETMAP one of the same place."""
    for target, seen in (
        ("SNAT --to-source 192.168.9.77", "192.168.9.77"),
        ("MASQUERADE", "192.168.9.1"),
        ("NETMAP --to 192.168.9.0/24", "192.168.9.11"),
    ):
        lab = Usual()
        lab.a.iptables(f"nat -A POSTROUTING -o eth0 -j {target}")
        assert str(lab.ping(lab.one, "192.168.9.2").seen_from) == seen


def test_raw_sees_replies_too():
    """What raw PREROUTING drops by address hits the answer of another's connection as well."""
    lab = Usual()
    lab.a.iptables("raw -A PREROUTING -d 10.1.0.11/32 ! -i br0 -j DROP")
    found = lab.ping(lab.one, "10.2.0.13")
    assert (*told(found), where(found)) == (False, "reply lost", "raw PREROUTING 1")
    assert told(lab.ping(lab.one, "10.1.0.12")) == (True, None)


def test_legacy_and_nft_rules_side_by_side():
    """Both sets of tables are asked; either can drop."""
    lab = Usual()
    lab.a.iptables("filter -A FORWARD -j ACCEPT")
    lab.a.iptables("filter -A FORWARD -p tcp -j DROP", backend="iptables-legacy")
    assert told(lab.ping(lab.one, "10.2.0.13")) == (True, None)
    assert told(lab.connect(lab.one, "10.2.0.13")) == (False, "timeout")


def chain(hook, priority, *rules, policy="accept", kind="filter", name="c"):
    """Return a base chain of nft with its rules, each a list of statements."""
    base = {"family": "inet", "table": "t", "name": name, "type": kind, "hook": hook, "prio": priority}
    found = [{"chain": {**base, "policy": policy}}]
    found += [{"rule": {"family": "inet", "table": "t", "chain": name, "expr": expr}} for expr in rules]
    return found


def nftables(*parts):
    """Return what `nft -j list ruleset` prints of one table."""
    table = {"table": {"family": "inet", "name": "t"}}
    return nft.read({"nftables": [table, *(each for part in parts for each in part)]})


def test_accept_of_nft_ends_its_own_chain_alone():
    """A chain at a later priority still drops what an earlier one accepted, and the other way round."""
    drop = [{"match": {"left": {"meta": {"key": "l4proto"}}, "op": "==", "right": "tcp"}}, {"drop": None}]
    lab = Usual()
    lab.a.add(nftables(chain("forward", -10, [{"accept": None}]), chain("forward", 10, drop, name="d")))
    assert told(lab.ping(lab.one, "10.2.0.13")) == (True, None)
    found = lab.connect(lab.one, "10.2.0.13")
    assert (*told(found), where(found)) == (False, "timeout", "nft inet t d 1")
    assert found.by is not None
    assert found.by.text == "meta l4proto tcp drop"


def test_verdict_maps():
    """The line of a verdict map that is met decides; where none is, the chain goes on."""
    vmap = {"vmap": {"key": {"payload": {"protocol": "tcp", "field": "dport"}},
                     "data": {"set": [[80, {"drop": None}], [81, {"accept": None}]]}}}  # fmt: skip
    lab = Usual()
    lab.three.listen(81)
    lab.three.listen(82)
    lab.a.add(nftables(chain("forward", 0, [vmap])))
    assert told(lab.connect(lab.one, "10.2.0.13")) == (False, "timeout")
    assert told(lab.connect(lab.one, "10.2.0.13", 81)) == (True, None)
    assert told(lab.connect(lab.one, "10.2.0.13", 82)) == (True, None)


def test_policy_of_nft():
    """A base chain of nft with policy drop drops what none of its rules accepts."""
    lab = Usual()
    lab.a.add(nftables(chain("forward", 0, policy="drop")))
    assert where(lab.ping(lab.one, "10.2.0.13")) == "nft inet t c policy"


def test_unread_rules():
    """Rules that could not be read may do anything: nothing is claimed of what meets them."""
    lab = Usual()
    lab.a.space = type(lab.a.space)(**{f: getattr(lab.a.space, f) for f in lab.a.space.__slots__ if f != "ruleset"})
    found = lab.ping(lab.one, "10.2.0.13")
    assert found.reachable is None
    assert "could not be read" in found.doubt
    assert told(lab.ping(lab.one, "10.1.0.12")) == (True, None)
