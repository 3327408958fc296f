"""Links, routes, rules, neighbours and sets: what the programs of iproute2 and ipset print, as data."""

from __future__ import annotations

import json
from ipaddress import ip_address, ip_interface, ip_network

import pytest
from support import recordings

from dockerlab.kernel import ipset, links, tables
from dockerlab.kernel.model import Forward
from dockerlab.kernel.routes import Hop, Neighbour, Selector
from dockerlab.kernel.rules import NamedSet


def link(**other):
    """Return one interface as `ip -details -json address show` prints it."""
    entry = {"ifindex": 2, "ifname": "eth0", "flags": ["UP", "LOWER_UP"], "mtu": 1500, "link_type": "ether"}
    return links.links([{**entry, "address": "02:00:00:00:00:01", **other}])[0]


def test_links():
    """An interface has its addresses, whether it is up and plugged in, and what it is plugged into."""
    found = link(link_index=7, link_netnsid=0, addr_info=[{"local": "10.0.0.2", "prefixlen": 24}], operstate="UP")
    assert found.addresses == (ip_interface("10.0.0.2/24"),)
    assert (found.up, found.carrier, found.peer, found.away) == (True, True, 7, True)
    assert not link(flags=["NO-CARRIER", "UP"]).carrier
    assert not link(flags=["BROADCAST"]).up


def test_the_other_end_in_the_same_namespace():
    """What `ip` names instead of counting has its index all the same."""
    first = {"ifindex": 2, "ifname": "a", "mtu": 1500, "link": "b"}
    found = links.links([first, {"ifindex": 3, "ifname": "b", "mtu": 1500, "link": "a"}])
    assert [(each.peer, each.away, each.info) for each in found] == [
        (3, False, {"parent": "b"}),
        (2, False, {"parent": "a"}),
    ]


def test_ports_of_a_bridge():
    """What of a port and its bridge is otherwise than usual is kept."""
    port = {"info_kind": "veth", "info_slave_kind": "bridge"}
    data = {"state": "forwarding", "isolated": True, "hairpin": False}
    assert link(master="br0", linkinfo={**port, "info_slave_data": data}).info == {"isolated": "true"}
    assert link(linkinfo={"info_kind": "bridge", "info_data": {"vlan_filtering": 1}}).info == {"vlan_filtering": "1"}
    assert link(linkinfo={"info_kind": "macvlan", "info_data": {"mode": "bridge"}}, link="eth1").info == {
        "mode": "bridge",
        "parent": "eth1",
    }


def test_neighbours_and_forwards():
    """Only what somebody fixed is kept of neighbours, and only what goes to another host of a bridge's table."""
    fixed = {"dst": "10.0.0.7", "dev": "eth0", "lladdr": "02:00:00:00:00:07", "state": ["PERMANENT"]}
    learnt = {"dst": "10.0.0.9", "dev": "eth0", "lladdr": "02:00:00:00:00:09", "state": ["REACHABLE"]}
    proxy = {"dst": "10.0.0.8", "dev": "eth0", "proxy": None}
    assert links.neighbours([fixed, learnt, {}, proxy]) == (
        Neighbour(ip_address("10.0.0.7"), "eth0", "02:00:00:00:00:07"),
        Neighbour(ip_address("10.0.0.8"), "eth0", proxy=True),
    )
    entries = [
        {"mac": "02:00:00:00:00:07", "ifname": "vxlan0", "dst": "10.1.0.2"},
        {"mac": "33:33:00:00:00:01", "ifname": "a"},
    ]
    assert links.forwards(entries) == (Forward("02:00:00:00:00:07", "vxlan0", "10.1.0.2"),)


def only(version=4, **entry):
    """Return what the only route is read as."""
    (found,), odd = tables.routes([entry], version)
    assert not odd
    return found


def test_routes():
    """A route has its table, its next hops and its text; a default route is the whole of its IP version."""
    found = only(dst="default", gateway="10.0.0.1", dev="eth0", protocol="dhcp", metric=100, flags=[])
    assert found.destination == ip_network("0.0.0.0/0")
    assert (found.table, found.hops, found.metric) == ("main", (Hop("eth0", ip_address("10.0.0.1")),), 100)
    assert found.text == "default via 10.0.0.1 dev eth0 proto dhcp metric 100"
    assert only(6, dst="default", dev="eth0").destination == ip_network("::/0")
    assert only(type="blackhole", dst="6.0.0.0/8", table="100").text == "blackhole 6.0.0.0/8 table 100"
    assert only(dst="1.2.3.4", via={"family": "inet6", "host": "fe80::1"}, dev="a").hops[0].via == ip_address("fe80::1")
    assert only(dst="1.2.3.4", dev="a", flags=["onlink"], gateway="9.9.9.9").text == "1.2.3.4 via 9.9.9.9 dev a onlink"


def test_details_that_go_without_saying():
    """What only `ip -details` prints of every route is no part of it."""
    plain = {"dst": "default", "gateway": "10.0.0.1", "dev": "eth0"}
    assert only(**plain, type="unicast", table="main", protocol="boot", scope="global") == only(**plain)


def test_several_hops():
    """A route of several hops has them all, and knows which the kernel leaves out."""
    hops = [
        {"gateway": "10.0.0.2", "dev": "a", "weight": 1, "flags": []},
        {"dev": "b", "weight": 2, "flags": ["dead", "linkdown"]},
    ]
    found = only(dst="5.0.0.0/8", nexthops=hops)
    assert found.hops == (Hop("a", ip_address("10.0.0.2")), Hop("b", alive=False))
    assert found.text == "5.0.0.0/8 nexthop via 10.0.0.2 dev a weight 1 nexthop dev b weight 2"


def test_routes_for_some_packets_alone():
    """A route for a type of service or for one source is told, for no walk may take it for all packets."""
    found, odd = tables.routes([{"dst": "7.0.0.0/8", "tos": "0x10", "dev": "a"}], 4)
    assert (found, odd) == ((), ("7.0.0.0/8 tos 0x10 dev a",))


@pytest.mark.parametrize(
    ("entry", "selector"),
    [
        (
            {"priority": 0, "src": "all", "table": "local"},
            Selector(4, 0, table="local", text="0: from all lookup local"),
        ),
        (
            {
                "priority": 5,
                "src": "10.0.0.0",
                "srclen": 8,
                "dst": "1.2.3.4",
                "fwmark": "0x1",
                "fwmask": "0xff",
                "iif": "v0",
                "table": "100",
            },
            Selector(
                4,
                5,
                table="100",
                source=ip_network("10.0.0.0/8"),
                destination=ip_network("1.2.3.4/32"),
                mark=(1, 255),
                incoming="v0",
                text="5: from 10.0.0.0/8 to 1.2.3.4 fwmark 0x1/0xff iif v0 lookup 100",
            ),
        ),
        (
            {
                "priority": 6,
                "not": None,
                "src": "10.0.0.1",
                "uid_start": 1,
                "uid_end": 100,
                "ipproto": "tcp",
                "sport": 5,
                "dport_start": 80,
                "dport_end": 90,
                "action": "unreachable",
            },
            Selector(
                4,
                6,
                "unreachable",
                table="",
                source=ip_network("10.0.0.1/32"),
                protocol="tcp",
                ports=(80, 90),
                source_ports=(5, 5),
                negated=True,
                strict=("uidrange 1-100",),
                text="6: not from 10.0.0.1 uidrange 1-100 ipproto tcp sport 5 dport 80-90 unreachable",
            ),
        ),
        ({"priority": 4, "src": "all", "goto": 6}, Selector(4, 4, "goto", table="", goto=6, text="4: from all goto 6")),
        ({"priority": 8, "src": "all", "nop": None}, Selector(4, 8, "nop", table="", text="8: from all nop")),
        (
            {"priority": 10, "src": "all", "table": "main", "suppress_prefixlen": 0},
            Selector(4, 10, suppress=0, text="10: from all lookup main suppress_prefixlength 0"),
        ),
        (
            {"priority": 5, "src": "all", "tos": "0x10", "table": "7"},
            Selector(4, 5, table="7", strict=("tos 0x10",), text="5: from all tos 0x10 lookup 7"),
        ),
    ],
)
def test_selectors(entry, selector):
    """A rule of `ip rule` has its conditions, those that nobody can evaluate among the strict ones, and its text."""
    assert tables.selectors([entry], 4) == (selector,)


SETS = """create a hash:net family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x1f1140f6
add a 10.0.0.0/8
create b hash:ip,port family inet hashsize 1024 maxelem 65536 counters bucketsize 12 initval 0x2a62de1b
add b 1.2.3.4,tcp:80 packets 0 bytes 0
create c hash:net family inet6 hashsize 1024 maxelem 65536 bucketsize 12 initval 0x1
add c 2001:db8::/32 nomatch
create d bitmap:port range 0-1000
add d 22
create e hash:ip family inet hashsize 1024 maxelem 65536 timeout 100 comment
add e 10.0.0.1 timeout 99 comment "nomatch"
create f list:set size 8
add f a
"""


def test_sets():
    """A set has its members in parts; where they come and go, or some are exceptions, it is not whole."""
    assert ipset.read(SETS) == (
        NamedSet("ip", "", "a", ("ip",), frozenset({("10.0.0.0/8",)})),
        NamedSet("ip", "", "b", ("ip", "port"), frozenset({("1.2.3.4", "tcp:80")})),
        NamedSet("ip6", "", "c", ("ip",), frozenset({("2001:db8::/32",)}), whole=False),
        NamedSet("ip", "", "d", ("port",), frozenset({("22",)})),
        NamedSet("ip", "", "e", ("ip",), frozenset({("10.0.0.1",)}), whole=False),
        NamedSet("ip", "", "f", ("set",), frozenset({("a",)})),
    )
    with pytest.raises(ValueError, match="Operation not permitted"):
        ipset.read("ipset: Operation not permitted")


@recordings.needed
@pytest.mark.parametrize("engine", recordings.ENGINES)
def test_recorded_hosts(engine):
    """What real hosts printed is read, and no route of theirs is left out."""
    count = 0
    for said in recordings.places(engine):
        found = {
            command: json.loads(text or "[]")
            for command, text in said.items()
            if command.startswith("ip -j") and not text.startswith("!")
        }
        assert links.links(found["ip -j -d link"])
        for version in (4, 6):
            routes, odd = tables.routes(found[f"ip -j -{version} route show table all"], version)
            assert not odd
            count += len(routes)
        assert not any(each.strict for each in tables.selectors(found["ip -j rule"], 4))
    assert count > 100
