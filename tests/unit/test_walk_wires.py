"""Who hears whom: bridges and their ports, cables, children of a parent, LANs, neighbours."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.kernels import Lab, Usual, told, where

from dockerlab.kernel.model import Forward
from dockerlab.kernel.rules import Ruleset


def test_isolated_ports_hear_only_the_others():
    """Two isolated ports of a bridge never meet; each hears what is not isolated."""
    lab = Usual()
    other = lab.container(lab.a)
    lab.cable(lab.a, "br0", other, "10.1.0.14/24")
    for box in (lab.one, lab.two):
        lab.a.change(f"v{box.number}eth0", info={"isolated": "true"})
    found = lab.ping(lab.one, "10.1.0.12")
    assert (found.end, *told(found)) == ("lost on the wire", False, "host unreachable")
    assert told(lab.ping(lab.one, "10.1.0.14")) == (True, None)
    assert told(lab.ping(lab.one, "10.1.0.1")) == (True, None)


def test_a_port_that_does_not_forward():
    """What the spanning tree holds back hears nothing."""
    lab = Usual()
    lab.a.change(f"v{lab.two.number}eth0", info={"state": "blocking"})
    assert told(lab.ping(lab.one, "10.1.0.12")) == (False, "host unreachable")


@pytest.mark.parametrize("which", ["mine", "its port", "theirs", "the bridge", "no carrier"])
def test_links_that_are_down(which):
    """With any of the links on the way down, nobody answers for the address."""
    lab = Usual()
    port = f"v{lab.one.number}eth0"
    {
        "mine": lambda: lab.one.change("eth0", carrier=False),
        "its port": lambda: lab.a.change(port, up=False),
        "theirs": lambda: lab.two.change("eth0", up=False),
        "the bridge": lambda: lab.a.change("br0", up=False),
        "no carrier": lambda: lab.two.change("eth0", carrier=False) or lab.a.change(port, up=False),
    }[which]()
    found = lab.ping(lab.one, "10.1.0.12")
    assert told(found) == (False, "host unreachable")
    assert found.end in ("lost on the wire", "no neighbour")


def test_the_own_link_down():
    """Where the only interface is down its routes are gone with it."""
    lab = Usual()
    lab.one.change("eth0", up=False)
    assert told(lab.ping(lab.one, "10.1.0.12")) == (False, "no route")


def test_bridged_packets_pass_iptables():
    """With br_netfilter FORWARD drops what stays on a bridge; without it iptables has no say there."""
    lab = Usual()
    lab.a.iptables("filter -A FORWARD -i br0 -o br0 -m physdev --physdev-is-bridged -j DROP")
    assert told(lab.ping(lab.one, "10.1.0.12")) == (True, None)
    lab.a.sysctl("net.bridge.bridge-nf-call-iptables", 1)
    found = lab.ping(lab.one, "10.1.0.12")
    assert (*told(found), where(found)) == (False, "timeout", "filter FORWARD 1")
    assert told(lab.ping(lab.one, "10.1.0.1")) == (True, None)


def test_ports_of_a_bridge_by_name():
    """`physdev` asks by which port a bridged packet came in and goes out."""
    for match, dropped in (
        ("--physdev-in {one}", True),
        ("--physdev-in {two}", False),
        ("--physdev-is-bridged --physdev-out {two}", True),
        ("! --physdev-is-bridged", False),
    ):
        lab = Usual()
        lab.a.sysctl("net.bridge.bridge-nf-call-iptables", 1)
        names = {"one": f"v{lab.one.number}eth0", "two": f"v{lab.two.number}eth0"}
        lab.a.iptables(f"filter -A FORWARD -m physdev {match.format(**names)} -p icmp --icmp-type 8 -j DROP")
        assert (lab.ping(lab.one, "10.1.0.12").reachable is False) is dropped


def test_translated_on_a_bridge():
    """What is translated on its way through a bridge is routed by the host, to a neighbour there or elsewhere."""
    for to in ("10.1.0.12", "10.2.0.13"):
        lab = Usual()
        lab.a.sysctl("net.bridge.bridge-nf-call-iptables", 1)
        lab.a.iptables(f"nat -A PREROUTING -d 10.1.0.99 -j DNAT --to-destination {to}")
        other = lab.container(lab.a)
        lab.cable(lab.a, "br0", other, "10.1.0.99/24")
        found = lab.ping(lab.one, "10.1.0.99")
        assert told(found) == (True, None)
        assert found.arrived == (lab.two if to == "10.1.0.12" else lab.three).id


def test_ipv6_asks_through_the_firewall():
    """The question for a neighbour of IPv6 is a packet: where FORWARD drops it on a bridge, nobody is found."""
    lab = Usual()
    assert told(lab.ping(lab.one, "fd00:1::12")) == (True, None)
    lab.a.iptables("filter -A FORWARD -i br0 -o br0 -j DROP", family="ip6")
    assert told(lab.ping(lab.one, "fd00:1::12")) == (True, None)
    lab.a.sysctl("net.bridge.bridge-nf-call-ip6tables", 1)
    found = lab.ping(lab.one, "fd00:1::12")
    assert (found.end, *told(found), where(found)) == ("no neighbour", False, "host unreachable", "filter FORWARD 1")


def test_rules_of_family_bridge_are_not_understood():
    """What chains of family bridge do with frames is not claimed."""
    lab = Usual()
    found = lab.ping(lab.one, "10.1.0.12")
    assert found.reachable is True
    chain = Ruleset().chains
    assert chain == ()
    lab.a.iptables("filter -A FORWARD -j DROP")
    strange = replace(lab.a.space.ruleset.chains[0], family="bridge", hook="forward", policy="DROP")
    lab.a.add(Ruleset((strange,)))
    assert lab.ping(lab.one, "10.1.0.12").reachable is None


def children(mode="bridge"):
    """Return hosts with two macvlan children of eth0 on host a."""
    lab = Usual()
    first, second = lab.container(lab.a), lab.container(lab.a)
    lab.child(lab.a, "eth0", first, "192.168.9.31/24", mode=mode)
    if mode != "passthru":
        lab.child(lab.a, "eth0", second, "192.168.9.32/24", mode=mode)
    return lab, first, second


@pytest.mark.parametrize(("mode", "meet"), [("bridge", True), ("private", False), ("vepa", None)])
def test_children_of_one_parent(mode, meet):
    """In mode bridge they meet, in private never, in vepa a switch decides; the other host is reached in each."""
    lab, first, _ = children(mode)
    assert lab.ping(first, "192.168.9.32").reachable is meet
    assert told(lab.ping(first, "192.168.9.2")) == (True, None)
    assert told(lab.ping(lab.b, "192.168.9.31")) == (True, None)


def test_a_child_and_its_parent_never_meet():
    """What the child sends leaves by the parent, and is not handed back to the host there."""
    lab, first, _ = children()
    for source, address in ((first, "192.168.9.1"), (lab.a, "192.168.9.31")):
        found = lab.ping(source, address)
        assert (found.end, *told(found)) == ("lost on the wire", False, "host unreachable")
        assert "never meet" in (found.by.text if found.by else "")


def test_a_shim_is_a_child_like_others():
    """A child of the parent in the host's own namespace meets the others, if the host's route leads by it."""
    lab, first, _ = children()
    lab.child(lab.a, "eth0", lab.a, "192.168.9.3/32", name="shim", mode="bridge")
    assert told(lab.ping(lab.a, "192.168.9.31")) == (False, "host unreachable")
    lab.a.route("192.168.9.31/32 dev shim")
    assert told(lab.ping(lab.a, "192.168.9.31")) == (True, None)
    assert told(lab.ping(first, "192.168.9.3")) == (True, None)
    found = lab.ping(first, "192.168.9.1")
    assert told(found) == (True, None)


def test_passthru_takes_everything():
    """The child in mode passthru gets every frame that comes for its parent, and what the host asks is not answered."""
    lab, first, _ = children("passthru")
    assert told(lab.ping(lab.b, "192.168.9.31")) == (True, None)
    found = lab.ping(lab.b, "192.168.9.1")
    assert (found.reachable, found.at) == (False, first.id)
    assert told(lab.ping(lab.a, "192.168.9.2")) == (False, None)


def test_ipvlan():
    """Children in mode l2 meet; with the flag private they do not; what l3 sends elsewhere the host routes, unseen."""
    for flags, meet in (("bridge", True), ("private", False), ("vepa", None)):
        lab = Usual()
        first, second = lab.container(lab.a), lab.container(lab.a)
        for box, address in ((first, "192.168.9.31/24"), (second, "192.168.9.32/24")):
            lab.child(lab.a, "eth0", box, address, kind="ipvlan", mode="l2", flags=flags)
        assert lab.ping(first, "192.168.9.32").reachable is meet
        assert told(lab.ping(first, "192.168.9.2")) == (True, None)
    lab = Usual()
    first, second = lab.container(lab.a), lab.container(lab.a)
    for box, address in ((first, "10.9.0.31/24"), (second, "10.9.1.32/24")):
        lab.child(lab.a, "eth0", box, address, kind="ipvlan", mode="l3")
        box.route("default dev eth0")
    assert told(lab.ping(first, "10.9.1.32")) == (True, None)
    assert lab.ping(first, "192.168.9.2").reachable is None


@pytest.mark.parametrize(("mode", "reached"), [("l2", True), ("l3", None), ("l3s", None)])
def test_ipvlan_takes_what_comes_for_its_children(mode, reached):
    """What comes to the parent for a child never meets the host's FORWARD; how l3 answers, and all of l3s, is open."""
    lab = Usual()
    child = lab.container(lab.a)
    lab.child(lab.a, "eth0", child, "192.168.9.31/24", kind="ipvlan", mode=mode)
    lab.a.iptables("filter -P FORWARD DROP")
    lab.b.route("192.168.9.31/32 via 192.168.9.1")
    if mode != "l2":
        child.route("default dev eth0")
    found = lab.ping(lab.b, "192.168.9.31")
    assert found.reachable is reached
    assert (found.arrived == child.id) is (mode != "l3s")
    child.change("eth0", up=False)
    assert lab.ping(lab.b, "192.168.9.31").arrived != child.id


def test_nobody_answers():
    """On a wire that is all seen nobody has the address; on a LAN an unseen machine may have it."""
    lab = Usual()
    found = lab.ping(lab.one, "10.1.0.77")
    assert (found.end, *told(found)) == ("no neighbour", False, "host unreachable")
    found = lab.ping(lab.a, "192.168.9.77")
    assert (found.end, found.reachable, found.lan) == ("no neighbour", None, "eth0")


def test_an_address_that_is_elsewhere():
    """Where one of the hosts has the address on another wire, nobody on the LAN is taken to have it."""
    lab = Usual()
    lab.b.route("10.1.0.0/24 dev eth0")
    assert told(lab.ping(lab.b, "10.1.0.11")) == (False, "host unreachable")


def test_a_machine_answers_for_all_its_addresses():
    """Asked on the LAN for the address of its bridge, a host answers, unless arp_ignore tells it not to."""
    lab = Usual()
    lab.b.route("10.1.0.1/32 dev eth0")
    assert told(lab.ping(lab.b, "10.1.0.1")) == (True, None)
    for level in (1, 2, 8):
        lab.a.sysctl("net.ipv4.conf.eth0.arp_ignore", level)
        assert told(lab.ping(lab.b, "10.1.0.1")) == (False, "host unreachable")


def test_who_answers_nobody_may_be_known():
    """A host that answers for none of its addresses is known to whomever it has asked itself: that cannot be told."""
    lab = Usual()
    lab.a.sysctl("net.ipv4.conf.br0.arp_ignore", 8)
    found = lab.ping(lab.one, "10.1.0.1")
    assert told(found) == (None, None)
    assert "(arp_ignore is 8)" in found.doubt


def test_without_arp():
    """An interface whose ARP is off neither finds anybody nor is found, whoever else may be on the wire."""
    lab = Usual()
    lab.one.change("eth0", info={"arp": "false"})
    assert told(lab.ping(lab.two, "10.1.0.11")) == (False, "host unreachable")
    found = lab.ping(lab.one, "10.1.0.12")
    assert (*told(found), where(found)) == (False, "timeout", "eth0")


def test_proxy_arp():
    """A host that forwards answers for addresses that it has a route to by another interface, if it is told so."""
    lab = Usual()
    lab.b.route("10.1.0.0/24 dev eth0")
    lab.a.sysctl("net.ipv4.conf.eth0.proxy_arp", 1)
    lab.a.route("192.168.9.2/32 dev eth0")
    assert told(lab.ping(lab.b, "10.1.0.11")) == (True, None)
    lab.a.sysctl("net.ipv4.conf.eth0.proxy_arp", 0)
    lab.a.neighbour("10.1.0.11", "eth0", proxy=True)
    assert told(lab.ping(lab.b, "10.1.0.11")) == (True, None)


def test_fixed_neighbours():
    """A fixed neighbour gets the frame, whoever has the address; a MAC that nobody has swallows it."""
    lab = Usual()
    lab.one.neighbour("10.1.0.12", "eth0", "02:00:00:00:99:99")
    found = lab.ping(lab.one, "10.1.0.12")
    assert (*told(found), found.by and found.by.kind) == (False, "timeout", "neighbour")
    lab = Usual()
    lab.one.neighbour("10.1.0.12", "eth0", next(link.mac for link in lab.a.links if link.name == "br0"))
    assert told(lab.ping(lab.one, "10.1.0.12")) == (True, None)


def test_two_machines_with_one_address():
    """Where two on a wire answer, nobody can tell which one is believed, and so who gets the packet."""
    lab = Usual()
    twin = lab.container(lab.a)
    lab.cable(lab.a, "br0", twin, "10.1.0.12/24")
    found = lab.ping(lab.one, "10.1.0.12")
    assert found.reachable is None
    assert "2 machines answer for 10.1.0.12" in found.doubt


def overlay():
    """Return two hosts, each with a hidden bridge and a VXLAN to the other, and a container on it."""
    lab = Lab()
    boxes = {}
    for name, own, other, inside in (
        ("a", "192.168.9.1", "192.168.9.2", "10.5.0.11"),
        ("b", "192.168.9.2", "192.168.9.1", "10.5.0.12"),
    ):
        host = lab.host(name, f"{own}/24")
        host.listen(4789)
        host.space = replace(host.space, listeners=(replace(host.space.listeners[0], protocol="udp"),))
        hidden, inner = lab.container(host), lab.container(host)
        hidden.link("br0", "10.5.0.1/24", kind="bridge")
        hidden.link("vxlan0", kind="vxlan", master="br0", info={"id": "4097", "port": "4789"})
        lab.cable(hidden, "br0", inner, f"{inside}/24")
        boxes[name] = (host, hidden, inner, other)
    for name, far in (("a", "b"), ("b", "a")):
        _, hidden, _, other = boxes[name]
        link = next(link for link in boxes[far][2].links if link.name == "eth0")
        hidden.neighbour(str(link.addresses[0].ip), "vxlan0", link.mac)
        hidden.space = replace(hidden.space, forwards=(Forward(link.mac, "vxlan0", other),))
    return lab, boxes


def test_a_vxlan_carries_frames():
    """What a VXLAN is told of another host's container comes there, as long as the datagrams between hosts do."""
    lab, boxes = overlay()
    assert told(lab.ping(boxes["a"][2], "10.5.0.12")) == (True, None)
    boxes["b"][0].iptables("filter -A INPUT -p udp --dport 4789 -j DROP")
    found = lab.ping(boxes["a"][2], "10.5.0.12")
    assert (*told(found), where(found)) == (False, "timeout", "filter INPUT 1")
    lab, boxes = overlay()
    boxes["a"][0].iptables("filter -A INPUT -p udp --dport 4789 -j DROP")
    found = lab.ping(boxes["a"][2], "10.5.0.12")
    assert (*told(found), where(found)) == (False, "reply lost", "filter INPUT 1")  # what comes back is carried, too
    lab, boxes = overlay()
    boxes["a"][1].space = replace(boxes["a"][1].space, forwards=())
    assert lab.ping(boxes["a"][2], "10.5.0.12").reachable is False


def test_where_a_cable_leads_is_not_seen():
    """A cable into a namespace that nobody could look into may lead anywhere."""
    lab = Usual()
    lab.one.link("eth1", "10.7.0.2/24", kind="veth", away=True, peer=999)
    found = lab.ping(lab.one, "10.7.0.9")
    assert found.reachable is None
    assert "cannot be seen" in found.doubt
