"""Hosts' kernels held against how they were imagined: what differs, what undoes it, and the state without it."""

from __future__ import annotations

import shlex
from dataclasses import replace
from ipaddress import ip_address, ip_interface

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.changed_host import (
    GROUND,
    RULES,
    WEB,
    after,
    base,
    cableless,
    down,
    drop_all,
    foreign_link,
    imagined,
    minus,
    nft_table,
    plus,
    readdressed,
    route,
    ruled,
    surveyed,
    tuned,
    wired,
    with_link,
    with_space,
    without,
)

from dockerlab.drift.kernel import differences, mended
from dockerlab.kernel import iptables
from dockerlab.kernel.model import Listener
from dockerlab.kernel.routes import Neighbour, Selector
from dockerlab.kernel.rules import NamedSet, Ruleset

IN_WEB = "nsenter --net --target 1010"
MINE = "10.0.0.0/8 via 192.168.22.9 dev eth0"
TABLE = "default via 192.168.22.9 dev eth0 table 100"
RULE = Selector(4, 1000, table="100", mark=(1, 0xFFFFFFFF), text="1000: from all fwmark 0x1 lookup 100")
JUMP = "-A FORWARD -j DOCKER-USER"
ACCEPT = "-A FORWARD -i br-front ! -o br-front -j ACCEPT"

CASES = [
    (ruled(RULES.replace("-A DOCKER-USER -j", "-A DOCKER-USER -s 10.0.0.0/8 -j DROP\n-A DOCKER-USER -j")),
     "foreign", "rule", "filter DOCKER-USER 1", "iptables -D DOCKER-USER -s 10.0.0.0/8 -j DROP"),
    (ruled(after(JUMP, '-A FORWARD -m comment --comment "it\'s $(reboot)" -j DROP')),
     "foreign", "rule", "filter FORWARD 2",
     "iptables -D FORWARD -m comment --comment 'it'\"'\"'s $(reboot)' -j DROP"),
    (ruled(after(JUMP, "-A FORWARD -p tcp -j DROP", "-A FORWARD -p tcp -j DROP")),
     "foreign", "rule", "filter FORWARD 2", "iptables -D FORWARD 2"),
    (ruled(RULES, iptables.read(drop_all("FORWARD"), "ip", "iptables-legacy")),
     "foreign", "rule", "filter FORWARD 1", "iptables-legacy -D FORWARD -j DROP"),
    (ruled(RULES, nft_table()), "foreign", "rule", "nft inet fw fwd 1", "nft delete rule inet fw fwd handle 9"),
    (ruled(RULES, nft_table("drop")), "foreign", "policy", "nft inet fw fwd policy",
     "nft chain inet fw fwd '{ policy accept ; }'"),
    (ruled(without(JUMP)), "missing", "rule", "filter FORWARD 1", "iptables -I FORWARD 1 -j DOCKER-USER"),
    (ruled(without(ACCEPT)), "missing", "rule", "filter FORWARD 4",
     "iptables -I FORWARD 4 -i br-front '!' -o br-front -j ACCEPT"),
    (ruled(without("-A POSTROUTING -s 172.28.1.0/24 ! -o br-front -j MASQUERADE")),
     "missing", "rule", "nat POSTROUTING 1",
     "iptables -t nat -A POSTROUTING -s 172.28.1.0/24 '!' -o br-front -j MASQUERADE"),
    (ruled(RULES.replace("172.28.1.10:80", "172.28.1.10:81")), "changed", "rule", "nat DOCKER 1",
     "iptables -t nat -R DOCKER 1 '!' -i br-front -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.28.1.10:80"),
    (ruled(RULES.replace("-o br-front -j ACCEPT\n-A DOCKER -d", "-o br-front -j DROP\n-A DOCKER -d")),
     "changed", "rule", "filter FORWARD 5", "iptables -R FORWARD 5 -i br-front -o br-front -j ACCEPT"),
    (ruled(RULES.replace(":INPUT ACCEPT", ":INPUT DROP")), "changed", "policy", "filter INPUT policy",
     "iptables -P INPUT ACCEPT"),
    (ruled("\n".join(line for line in RULES.split("\n") if not line.startswith("-A "))),
     "missing", "rule", "nat PREROUTING", "systemctl restart docker"),
    (plus(GROUND, "routes", route(MINE)), "foreign", "route", "table main", f"ip route del {MINE}"),
    (plus(GROUND, "routes", route("blackhole 172.28.1.11", kind="blackhole")), "foreign", "route", "table main",
     "ip route del blackhole 172.28.1.11"),
    (plus(GROUND, "routes", route(TABLE)), "foreign", "route", "table 100", f"ip route del {TABLE}"),
    (plus(GROUND, "selectors", RULE), "foreign", "ip-rule", "ip rule 1000",
     "ip rule del pref 1000 from all fwmark 0x1 lookup 100"),
    (minus(GROUND, "selectors", lambda each: each.table != "main"), "missing", "ip-rule", "ip rule 32766",
     "ip rule add pref 32766 from all lookup main"),
    (minus(WEB, "routes", lambda each: each.destination.prefixlen), "missing", "route", "table main",
     f"{IN_WEB} ip route add default via 172.28.1.1 dev eth0"),
    (with_space(minus(WEB, "routes", lambda each: each.destination.prefixlen), WEB,
                routes=(*base().space(WEB).routes[1:], route("default via 172.28.1.9 dev eth0"))),
     "changed", "route", "table main", f"{IN_WEB} ip route replace default via 172.28.1.1 dev eth0"),
    (tuned("net/ipv4/ip_forward", "0"), "changed", "sysctl", "net.ipv4.ip_forward", "sysctl -w net.ipv4.ip_forward=1"),
    (tuned("net/ipv4/conf/eth0.50/rp_filter", "1"), "changed", "sysctl", "net/ipv4/conf/eth0.50/rp_filter",
     "sysctl -w net/ipv4/conf/eth0.50/rp_filter=2"),
    (down(WEB, "eth0"), "changed", "link", "eth0",
     f"{IN_WEB} ip link set eth0 up && {IN_WEB} ip route replace default via 172.28.1.1 dev eth0"),
    (down(GROUND, "br-front"), "changed", "link", "br-front", "ip link set br-front up"),
    (with_link(base(), WEB, "eth0", mtu=1280), "changed", "link", "eth0", f"{IN_WEB} ip link set eth0 mtu 1500"),
    (with_link(base(), WEB, "eth0", mac="02:42:00:00:00:66"), "changed", "link", "eth0",
     f"{IN_WEB} ip link set eth0 address 02:42:ac:1c:01:10"),
    (with_link(base(), GROUND, "veth7", master=""), "changed", "link", "veth7", "ip link set veth7 master br-front"),
    (with_link(base(), GROUND, "veth8", info={"isolated": "true"}), "changed", "link", "veth8",
     "bridge link set dev veth8 isolated off"),
    (with_link(base(), WEB, "eth0", info={"arp": "false"}), "changed", "link",
     "eth0", f"{IN_WEB} ip link set eth0 arp on"),
    (with_link(base(), GROUND, "eth0", carrier=False), "changed", "link", "eth0", ""),
    (tuned("net/ipv4/conf/br-front/forwarding", "0"), "changed", "sysctl", "net.ipv4.conf.br-front.forwarding",
     "sysctl -w net.ipv4.conf.br-front.forwarding=1"),
    (tuned("net/ipv4/conf/eth0/arp_ignore", "1"), "changed", "sysctl", "net.ipv4.conf.eth0.arp_ignore",
     "sysctl -w net.ipv4.conf.eth0.arp_ignore=0"),
    (foreign_link(), "foreign", "link", "shim", "ip link del shim"),
    (cableless(), "missing", "link", "eth0", "docker restart web"),
    (wired(), "foreign", "link", "eth9", "nsenter --net --target 1011 ip link del eth9"),
    (readdressed(), "missing", "address", "eth0",
     f"{IN_WEB} ip address add 172.28.1.10/24 dev eth0 && {IN_WEB} ip route replace default via 172.28.1.1 dev eth0"),
    (with_link(base(), WEB, "eth0", addresses=(ip_interface("172.28.1.10/24"), ip_interface("172.28.1.11/24"))),
     "foreign", "address", "eth0", f"{IN_WEB} ip address del 172.28.1.11/24 dev eth0"),
    (plus(WEB, "neighbours", Neighbour(ip_address("172.28.1.11"), "eth0", "02:00:00:00:00:09")), "foreign",
     "neighbour", "eth0", f"{IN_WEB} ip neighbour del 172.28.1.11 dev eth0"),
    (replace(minus(GROUND, "listeners", lambda each: each.port != 8080), proxies=()), "missing", "proxy",
     "docker-proxy tcp 0.0.0.0:8080", "docker restart web"),
    (minus(WEB, "listeners", lambda each: each.port != 80), "missing", "socket", "tcp :::80", "docker restart web"),
    (plus(WEB, "listeners", Listener("tcp", "0.0.0.0", 9999, ((4321, "nc"),))), "foreign", "socket",
     "tcp 0.0.0.0:9999", "kill 4321"),
    (with_space(base(), WEB, ruleset=iptables.read(drop_all("OUTPUT"), "ip")),
     "foreign", "rule", "filter OUTPUT 1", f"{IN_WEB} iptables -D OUTPUT -j DROP"),
]  # fmt: skip


@pytest.mark.parametrize(("host", "how", "kind", "where", "undo"), CASES)
def test_one_change_is_found_and_undone(host, how, kind, where, undo):
    """What was changed by hand is the first difference that is told, with the command, and undone nothing is left."""
    found = differences(imagined(), surveyed(host))
    assert (found[0].how, found[0].kind, found[0].where, found[0].undo) == (how, kind, where, undo)
    assert not differences(imagined(), replace(surveyed(host), machines=mended({"vm0": host}, found)))


@pytest.mark.parametrize("host", [case[0] for case in CASES])
def test_one_change_is_one_difference(host):
    """What goes with something is not told for itself; what is not one thing is told for each."""
    kinds = [each.kind for each in differences(imagined(), surveyed(host))]
    assert len(kinds) == 1 or set(kinds) == {"rule"} or set(kinds) == {"rule", "policy"}


def test_what_an_engine_chooses_is_no_difference():
    """Numbers of namespaces and links, names of cables' ends and processes are an engine's own affair."""
    assert not differences(imagined(), surveyed())


def test_the_order_between_networks_is_no_difference():
    """An engine that made its networks in another order has its rules in another order."""
    lines = RULES.split("\n")
    here = lines.index("-A FORWARD -i br-front ! -o br-front -j ACCEPT")
    lines[here], lines[here + 1] = lines[here + 1], lines[here]
    assert not differences(imagined(), surveyed(ruled("\n".join(lines))))


def test_forwarding_is_one_setting():
    """What the kernel sets for all interfaces with one setting is told once, and set back for all of them."""
    host = with_space(base(), GROUND, sysctls={"net/ipv4/ip_forward": "0", "net/ipv4/conf/eth0/forwarding": "0"})
    (found,) = differences(imagined(), surveyed(host))
    assert found.where == "net.ipv4.ip_forward"
    assert set(mended({"vm0": host}, [found])["vm0"].ground.sysctls.values()) == {"1"}


def test_a_rule_that_does_something_else_elsewhere():
    """A rule that asks for the same and does something else is one changed rule, wherever it stands."""
    text = RULES.replace("-A FORWARD -i br-front -o br-front -j ACCEPT\n", "")
    text = after("-A FORWARD -j DOCKER-USER", "-A FORWARD -i br-front -o br-front -j DROP", text=text)
    (found,) = differences(imagined(), surveyed(ruled(text)))
    assert (found.how, found.where) == ("changed", "filter FORWARD 2")


def test_a_translation_that_is_wider_elsewhere():
    """A translation that leads to the same port and lost a condition is one changed rule, in whatever order."""
    first = "-A DOCKER -d 127.0.0.1/32 ! -i br-front -p tcp -m tcp --dport 8081 -j DNAT --to-destination 172.28.1.10:80"
    ours = after("-A DOCKER ! -i br-front -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.28.1.10:80", first)
    wanted = imagined()
    machine = with_space(wanted.machines["vm0"], GROUND, ruleset=iptables.read(ours, "ip"))
    theirs = RULES.replace(
        ":DOCKER - [0:0]\n-A PRE", ":DOCKER - [0:0]\n" + first.replace("-d 127.0.0.1/32 ", "") + "\n-A PRE"
    )
    (found,) = differences(replace(wanted, machines={"vm0": machine}), surveyed(ruled(theirs)))
    assert (found.how, found.where) == ("changed", "nat DOCKER 1")
    assert found.undo.startswith("iptables -t nat -R DOCKER 1 -d 127.0.0.1/32")


@pytest.mark.parametrize(
    ("members", "undo"),
    [
        (
            {"172.28.2.0/24"},
            "ipset del docker-ext-bridges-v4 172.28.2.0/24 && ipset add docker-ext-bridges-v4 172.28.1.0/24",
        ),
        (None, "systemctl restart docker"),
    ],
)
def test_sets_of_the_engine(members, undo):
    """What an engine's own set lacks or holds beside is told; a set that is gone the engine makes anew."""
    own = NamedSet("", "", "docker-ext-bridges-v4", ("ip",), frozenset({("172.28.1.0/24",)}))
    wanted = imagined()
    ours = with_space(wanted.machines["vm0"], GROUND, ruleset=replace(base().ground.ruleset, sets=(own,)))
    other = () if members is None else (replace(own, members=frozenset((each,) for each in members)),)
    host = with_space(base(), GROUND, ruleset=replace(base().ground.ruleset, sets=other))
    side = replace(wanted, machines={"vm0": ours})
    (found,) = differences(side, surveyed(host))
    assert found.undo == undo
    assert not differences(side, surveyed(mended({"vm0": host}, [found])["vm0"]))


def test_a_port_of_the_engines_name_server_is_no_difference():
    """Each container's name server has a port that the kernel chose."""
    lines = (
        "*nat\n:DOCKER_OUTPUT - [0:0]",
        "-A DOCKER_OUTPUT -d 127.0.0.11/32 -p udp -m udp --dport 53 -j DNAT --to-destination 127.0.0.11:{0}",
        "-A DOCKER_OUTPUT -s 127.0.0.11/32 -p udp -m udp --sport {0} -j SNAT --to-source :53\nCOMMIT\n",
    )
    text = "\n".join(lines)
    wanted = imagined()
    ours = with_space(wanted.machines["vm0"], 100, ruleset=iptables.read(text.format(1), "ip"))
    theirs = with_space(base(), WEB, ruleset=iptables.read(text.format(40123), "ip"))
    assert not differences(replace(wanted, machines={"vm0": ours}), surveyed(theirs))


def test_a_stopped_container_is_not_told_of():
    """A namespace that is not there is for those to tell who hold objects against the definition."""
    gone = replace(base(), namespaces=base().namespaces[:2])
    there = replace(surveyed(gone), homes={"web": surveyed().homes["web"]})
    assert not differences(imagined(), there)


def test_what_could_not_be_read_is_no_difference():
    """Rules, routes and settings that nobody could read may be as they should."""
    unread = {"rules": "no root", "routes": "no root", "sysctls": "no root"}
    host = with_space(base(), GROUND, ruleset=Ruleset(), routes=(), sysctls={"net/ipv4/ip_forward": ""}, unread=unread)
    assert not differences(imagined(), surveyed(host))


def test_commands_are_words_for_a_shell():
    """What a stranger wrote into a rule stays one word of the command that takes it out."""
    nasty = '-A FORWARD -m comment --comment "; rm -rf $HOME `id` \\"x\\"" -j DROP'
    (found,) = differences(imagined(), surveyed(ruled(after(JUMP, nasty))))
    assert shlex.split(found.undo)[6:8] == ['; rm -rf $HOME `id` "x"', "-j"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(range(len(CASES))), min_size=2, max_size=4, unique=True), st.data())
def test_mended_of_all_has_no_differences(numbers, data):
    """Whatever was changed together, the state without all differences has none; without one, it has the others."""
    host = base()
    for number in numbers:
        changed = CASES[number][0]
        for space in changed.namespaces:
            for part in ("routes", "selectors", "neighbours", "sysctls", "ruleset", "listeners"):
                if getattr(space, part) != getattr(base().space(space.id), part):
                    host = with_space(host, space.id, **{part: getattr(space, part)})
    found = differences(imagined(), surveyed(host))
    assert not differences(imagined(), surveyed(mended({"vm0": host}, found)["vm0"]))
    if found:
        one = data.draw(st.sampled_from(found))
        rest = differences(imagined(), surveyed(mended({"vm0": host}, [one])["vm0"]))
        assert len(rest) < len(found)
