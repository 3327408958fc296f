"""A ping and its reply, a connection and its three packets, through small kernels."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_interface, ip_network

import pytest
from support.kernels import Usual, told, where

from dockerlab.walk.compiled import Fabric
from dockerlab.walk.conversation import exchange
from dockerlab.walk.packet import Flow

MASQUERADE = "nat -A POSTROUTING -s 10.1.0.0/24 ! -o br0 -j MASQUERADE"


def test_neighbours_on_a_bridge_reach_each_other():
    """Two containers on one bridge need nothing but the bridge."""
    lab = Usual()
    found = lab.ping(lab.one, "10.1.0.12")
    assert told(found) == (True, None)
    assert found.arrived == lab.two.id
    assert [step.what for step in found.steps] == ["route", "neighbour", "route", "delivered"]


def test_a_connection_needs_a_listener():
    """Where nobody listens on the port, the connection is refused."""
    lab = Usual()
    assert told(lab.connect(lab.one, "10.1.0.12")) == (True, None)
    assert told(lab.connect(lab.one, "10.1.0.12", 81)) == (False, "refused")


def test_a_host_routes_between_its_bridges_and_the_lan():
    """A host that forwards brings a packet to the other bridge, and from the LAN to a container."""
    lab = Usual()
    lab.routed_back()
    assert told(lab.ping(lab.one, "10.2.0.13")) == (True, None)
    assert told(lab.ping(lab.b, "10.1.0.11")) == (True, None)


def test_without_a_way_back_the_reply_is_lost():
    """A host that does not know the sender's subnet answers into nowhere: its router knows no container."""
    lab = Usual()
    lab.b.route("default via 192.168.9.254")
    found = lab.ping(lab.one, "192.168.9.2")
    assert told(found) == (False, "reply lost")
    assert (found.arrived, found.answered, found.seen_from) == (lab.b.id, False, lab.one.links[1].addresses[0].ip)
    assert told(lab.connect(lab.one, "192.168.9.2", 22)) == (False, "timeout")


def test_masquerade_brings_the_reply_back():
    """Behind MASQUERADE the other host sees this host's address, and the reply is translated back."""
    lab = Usual()
    lab.a.iptables(MASQUERADE)
    lab.b.listen(22)
    found = lab.ping(lab.one, "192.168.9.2")
    assert told(found) == (True, None)
    assert str(found.seen_from) == "192.168.9.1"
    assert told(lab.connect(lab.one, "192.168.9.2", 22)) == (True, None)


def test_a_published_port_is_translated():
    """DNAT sends what comes for a port of the host to a container, and the answer bears the host's address."""
    lab = Usual()
    lab.a.iptables("nat -A PREROUTING -p tcp --dport 8080 -j DNAT --to-destination 10.1.0.11:80")
    found = lab.connect(lab.b, "192.168.9.1", 8080)
    assert told(found) == (True, None)
    assert found.arrived == lab.one.id
    assert [step.element.where for step in found.steps if step.what == "translated"] == ["nat PREROUTING 1"]


def test_a_container_that_calls_its_own_published_port():
    """It needs hairpin at the port of the bridge or a router in between, and a source that is not its own."""
    lab = Usual()
    dnat = "nat -A PREROUTING -p tcp --dport 8080 -j DNAT --to-destination 10.1.0.11:80"
    lab.a.iptables(dnat, "nat -A POSTROUTING -s 10.1.0.11 -d 10.1.0.11 -p tcp --dport 80 -j MASQUERADE")
    assert told(lab.connect(lab.one, "192.168.9.1", 8080)) == (True, None)
    lab = Usual()
    lab.a.iptables(dnat)
    assert lab.connect(lab.one, "192.168.9.1", 8080).reachable is False


def test_what_is_translated_to_its_own_bridge_stays_there():
    """With br_netfilter it is bridged from PREROUTING on; no bridge sends a frame back by the port that it came by."""
    for hairpin, expected in (("false", (False, "timeout")), ("true", (True, None))):
        lab = Usual()
        lab.a.sysctl("net.bridge.bridge-nf-call-iptables", 1)
        dnat = "nat -A PREROUTING -p tcp --dport 8080 -j DNAT --to-destination 10.1.0.11:80"
        lab.a.iptables(dnat, "nat -A POSTROUTING -s 10.1.0.11 -d 10.1.0.11 -p tcp --dport 80 -j MASQUERADE")
        lab.a.change(f"v{lab.one.number}eth0", info={"hairpin": hairpin})
        assert told(lab.connect(lab.one, "192.168.9.1", 8080)) == expected
        assert told(lab.connect(lab.two, "192.168.9.1", 8080)) == (True, None)


def test_a_proxy_makes_a_connection_of_its_own():
    """A docker-proxy accepts, and the connection counts where somebody listens behind it."""
    lab = Usual()
    lab.proxy(lab.a, 8080, "10.1.0.11", 80)
    lab.proxy(lab.a, 8081, "10.1.0.11", 81)
    found = lab.connect(lab.b, "192.168.9.1", 8080)
    assert told(found) == (True, None)
    assert found.arrived == lab.one.id
    found = lab.connect(lab.b, "192.168.9.1", 8081)
    assert (found.end, *told(found)) == ("refused", False, "refused behind docker-proxy")


def test_later_packets_of_a_connection_count():
    """A rule that drops what belongs to connections that are known lets the SYN pass, and no more."""
    lab = Usual()
    lab.a.iptables("filter -A FORWARD -m conntrack --ctstate ESTABLISHED -j DROP")
    lab.routed_back()
    found = lab.connect(lab.b, "10.1.0.11")
    assert told(found) == (False, "timeout")
    assert found.by is not None
    assert found.by.where == "filter FORWARD 1"
    lab = Usual()
    lab.one.iptables("filter -A INPUT -p tcp --tcp-flags SYN,ACK ACK -j DROP")
    assert told(lab.connect(lab.two, "10.1.0.11")) == (False, "timeout")


def test_who_does_not_answer_pings():
    """With icmp_echo_ignore_all the request arrives, and nothing comes back."""
    lab = Usual()
    lab.two.sysctl("net.ipv4.icmp_echo_ignore_all", 1)
    found = lab.ping(lab.one, "10.1.0.12")
    assert (*told(found), where(found)) == (False, "reply lost", "net.ipv4.icmp_echo_ignore_all")


def test_listeners_that_are_not_known():
    """Where nobody knows who listens, nothing is claimed."""
    lab = Usual()
    lab.two.space = replace(lab.two.space, listeners=(), deaf="its process has ended")
    found = lab.connect(lab.one, "10.1.0.12")
    assert found.reachable is None
    assert "its process has ended" in found.doubt


@pytest.mark.parametrize(
    ("address", "device", "reached"),
    [
        ("0.0.0.0", "", True),
        ("::", "", True),
        ("10.1.0.12", "", True),
        ("::ffff:10.1.0.12", "", True),
        ("127.0.0.1", "", False),
        ("10.1.0.99", "", False),
        ("0.0.0.0", "eth0", True),
        ("0.0.0.0", "eth9", False),
    ],
)
def test_what_a_listener_is_bound_to(address, device, reached):
    """A listener takes what is sent to its address, or to any; one of IPv6 that takes all takes IPv4 too."""
    lab = Usual()
    lab.two.listen(90, address, device)
    assert lab.connect(lab.one, "10.1.0.12", 90).reachable is reached


def test_a_router_that_only_a_route_names():
    """Who is no host's way out may be nobody: what is sent there is not said to arrive, nor to be lost."""
    lab = Usual()
    lab.beyond["203.0.113.10"] = frozenset({80})
    lab.b.route("default via 192.168.9.254")
    assert told(lab.ping(lab.b, "203.0.113.10")) == (True, None)
    lab.b.route("203.0.113.0/24 via 192.168.9.77")
    assert told(lab.ping(lab.b, "203.0.113.10")) == (None, None)


def test_what_is_beyond_a_router():
    """An address beyond is reached where the router can answer: the source has to be of the LAN."""
    lab = Usual()
    lab.a.route("default via 192.168.9.254")
    lab.beyond["203.0.113.10"] = frozenset({80})
    assert told(lab.ping(lab.a, "203.0.113.10")) == (True, None)
    assert told(lab.connect(lab.a, "203.0.113.10", 80)) == (True, None)
    assert told(lab.connect(lab.a, "203.0.113.10", 81)) == (False, "refused")
    found = lab.ping(lab.one, "203.0.113.10")
    assert (found.end, found.answered, found.reachable) == ("left", False, False)
    lab.a.iptables(MASQUERADE)
    assert told(lab.ping(lab.one, "203.0.113.10")) == (True, None)


def test_nobody_knows_what_a_router_leads_to():
    """What is handed to a router for an address of which nobody has said anything is not claimed."""
    lab = Usual()
    lab.a.route("default via 192.168.9.254")
    found = lab.ping(lab.a, "198.51.100.7")
    assert (found.reachable, found.end, str(found.router), found.lan) == (None, "left", "192.168.9.254", "eth0")


def test_a_router_whose_address_somebody_has_elsewhere():
    """Who has a router's address on another wire, as the gateway of a network of his own, is not that router."""
    lab = Usual()
    lab.a.route("default via 192.168.9.254")
    lab.beyond["203.0.113.10"] = frozenset()
    lab.cable(lab.a, "br0", lab.container(lab.a), "192.168.9.254/24")
    assert told(lab.ping(lab.a, "203.0.113.10")) == (True, None)
    assert told(lab.ping(lab.a, "192.168.9.254")) == (False, "host unreachable")


def test_an_address_on_a_loopback_may_be_others_as_well():
    """Whether a router knows another one with an address that somebody has put on his loopback is not said."""
    lab = Usual()
    lab.a.route("default via 192.168.9.254")
    lab.b.change("lo", addresses=(ip_interface("127.0.0.1/8"), ip_interface("203.0.113.10/32")))
    assert told(lab.ping(lab.a, "203.0.113.10")) == (None, None)


def test_packets_that_do_not_fit():
    """A packet that is larger than the next link and must not be cut is told of, whoever has that link."""
    lab = Usual()
    lab.routed_back()
    lab.a.change("eth0", mtu=1400)
    assert told(lab.ping(lab.one, "192.168.9.2")) == (True, None)
    found = lab.ping(lab.one, "192.168.9.2", size=1500)
    assert (found.end, *told(found), where(found)) == ("too big", False, "mtu", "eth0")


def test_a_reply_that_another_kernel_takes():
    """The reply goes to whoever has the sender's address where it is sent, which need not be the sender."""
    lab = Usual()
    lab.b.link("dm0", "10.1.0.11/24", kind="dummy")
    lab.a.sysctl("net.ipv4.ip_forward", 1)
    found = lab.ping(lab.one, "192.168.9.2")
    assert told(found) == (False, "timeout")
    assert (found.end, where(found)) == ("martian", "net.ipv4.conf.eth0.accept_local")


def test_an_error_about_a_translated_packet_finds_its_sender():
    """What another host says about a packet behind MASQUERADE is translated back to whoever sent it."""
    lab = Usual()
    lab.a.iptables(MASQUERADE)
    lab.a.route("10.9.0.0/24 via 192.168.9.2")
    assert told(lab.ping(lab.one, "10.9.0.1")) == (False, "host unreachable")
    assert told(lab.connect(lab.one, "10.9.0.1")) == (False, "no route")


def test_a_second_request_is_no_longer_the_first():
    """A ping whose reply is lost asks again, and what is then known of its connection may have it dropped at home."""
    lab = Usual()
    lab.one.iptables("filter -A INPUT -p icmp -m conntrack --ctdir REPLY -j DROP")
    assert told(lab.ping(lab.one, "10.1.0.12")) == (False, "reply lost")
    lab.one.iptables("filter -A OUTPUT -p icmp -m conntrack --ctstate ESTABLISHED -j DROP")
    assert told(lab.ping(lab.one, "10.1.0.12")) == (False, "blocked")


def test_a_program_s_datagram_is_routed_again_by_its_source():
    """A connected socket's way is asked for again once its source is known (`ip_route_connect`); a ping's is not."""
    lab = Usual()
    lab.b.rule(50, source=ip_network("192.168.9.0/24"), action="unreachable")
    flow = Flow(ip_address("192.168.9.1"), "udp", 53)
    assert told(exchange(Fabric(lab.net()), lab.b.id, flow)) == (False, "no route")
    assert told(lab.ping(lab.b, "192.168.9.1")) == (True, None)


def test_nobody_answers_from_an_address_that_is_not_theirs():
    """A route by loopback leads packets to the namespace itself, which has not got the address and says nothing."""
    lab = Usual()
    lab.one.route("203.0.113.9 dev lo")
    assert told(lab.ping(lab.one, "203.0.113.9")) == (False, "reply lost")
    assert told(lab.connect(lab.one, "203.0.113.9", 81)) == (False, "timeout")
    lab.one.route("local 203.0.113.10 dev lo table local")
    assert told(lab.ping(lab.one, "203.0.113.10")) == (True, None)
    assert told(lab.connect(lab.one, "203.0.113.10", 81)) == (False, "refused")
