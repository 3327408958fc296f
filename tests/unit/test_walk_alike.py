"""Kinds: namespaces and addresses that fare alike are walked once, and whoever fares otherwise is no kin of theirs."""

from __future__ import annotations

import random
from collections import defaultdict
from ipaddress import ip_address

import pytest
from support.kernels import Lab

from dockerlab.walk import alike
from dockerlab.walk.compiled import Fabric
from dockerlab.walk.conversation import exchange
from dockerlab.walk.packet import Flow

PORTS = (8080, 8081, 8082)


class Many(Lab):
    """A host with two bridges of several containers each, some of them published, and a second host."""

    def __init__(self, each: int = 4) -> None:
        super().__init__()
        self.a, self.b = self.host("a", "192.168.9.1/24"), self.host("b", "192.168.9.2/24")
        self.b.route("10.0.0.0/8 via 192.168.9.1")
        self.inside = []
        for number in (1, 2):
            self.a.link(f"br{number}", f"10.{number}.0.1/24", kind="bridge")
            for place in range(each):
                made = self.container(self.a)
                self.cable(self.a, f"br{number}", made, f"10.{number}.0.{11 + place}/24")
                made.route(f"default via 10.{number}.0.1")
                made.listen(80)
                self.inside.append(made)
        drops = [f"raw -A PREROUTING -d {self.address(box)}/32 ! -i {self.bridge(box)} -j DROP" for box in self.inside]
        opened = [
            f"nat -A PREROUTING -p tcp -m tcp --dport {port} -j DNAT --to-destination {self.address(box)}:80"
            for port, box in zip(PORTS, self.inside, strict=False)
        ]
        self.usual = (*drops, *opened, "nat -A POSTROUTING -s 10.1.0.0/24 ! -o br1 -j MASQUERADE")

    def address(self, box) -> str:
        return str(box.links[1].addresses[0].ip)

    def bridge(self, box) -> str:
        return "br1" if self.address(box).startswith("10.1.") else "br2"


def targets_of(lab):
    """Return every address with a ping and port 80, and the published ports."""
    inside = [(ip_address(lab.address(box)), port) for box in lab.inside for port in (None, 80)]
    return inside + [(ip_address("192.168.9.1"), port) for port in (None, *PORTS)]


def test_containers_of_one_bridge_are_of_one_kind():
    """Of many containers those that are published are one kind, and the others another; so are their ports."""
    lab = Many(20)
    lab.a.iptables(*lab.usual)
    fabric = Fabric(lab.net())
    assert len(set(alike.sources(fabric).values())) == 4
    found = alike.targets(fabric, targets_of(lab))
    assert len({found[ip_address("192.168.9.1"), port] for port in PORTS}) == 1
    assert len(set(found.values())) == 6


def test_a_rule_about_one_address_makes_a_kind_more():
    """Whoever is spoken of alone is of a kind of its own, and nobody else is."""
    lab = Many()
    lab.a.iptables("filter -A FORWARD -s 10.1.0.12/32 -j DROP", *lab.usual)
    kinds = alike.sources(Fabric(lab.net()))
    assert kinds[lab.inside[0].id] == kinds[lab.inside[2].id] == kinds[lab.inside[3].id]
    assert kinds[lab.inside[1].id] not in [kinds[box.id] for box in lab.inside if box is not lab.inside[1]]


def some_rule(lab, chance):
    """Return a rule of any kind about some of the lab."""
    box, other = chance.choice(lab.inside), chance.choice(lab.inside)
    ends = [f"-s {lab.address(box)}/32", f"-d {lab.address(other)}/32", f"! -s {lab.address(box)}/32", "-s 10.1.0.0/28"]
    ends += [
        f"-d 10.{chance.choice((1, 2))}.0.0/24",
        "-i br1",
        "! -o br2",
        "-m iprange --src-range 10.1.0.11-10.1.0.13",
    ]
    ends += [
        f"-m mac --mac-source {box.links[1].mac}",
        "-p tcp -m tcp --dport 80",
        "-p tcp -m tcp --dport 70:90",
        "-p icmp",
    ]
    ends += [
        f"-m physdev --physdev-in v{box.number}eth0",
        "-m conntrack --ctorigdstport 8081",
        "-p tcp -m tcp --dport 8082",
    ]
    ends += [f"-m conntrack --ctorigdst {lab.address(other)}", "-m limit --limit 1/s", ""]
    words = " ".join(chance.sample(ends, chance.choice((1, 1, 2))))
    if words.count("-p ") > 1 or words.count("-s ") > 1 or words.count("-d ") > 1:
        words = "-p tcp"
    table, chain = chance.choice(
        (("filter", "FORWARD"), ("filter", "FORWARD"), ("mangle", "FORWARD"), ("raw", "PREROUTING"))
    )
    words = words.replace("! -o br2", "").replace("-o ", "-i ") if table == "raw" else words
    words = "-p icmp" if table == "raw" and "conntrack" in words else words
    return f"{table} -A {chain} {words} -j {chance.choice(('DROP', 'ACCEPT', 'DROP'))}"


@pytest.mark.parametrize("seed", range(12))
def test_kin_fare_alike(seed):
    """Under whatever rules, what becomes of a packet is the same for all of two kinds."""
    lab, chance = Many(), random.Random(seed)
    lab.a.sysctl("net.bridge.bridge-nf-call-iptables", chance.choice((0, 1)))
    rules = [some_rule(lab, chance) for _ in range(chance.choice((1, 2, 4)))] + list(lab.usual)
    chance.shuffle(rules)
    lab.a.iptables(*rules)
    fabric = Fabric(lab.net())
    kinds, asked = alike.sources(fabric), alike.targets(fabric, targets_of(lab))
    found = defaultdict(set)
    for box in (*lab.inside, lab.b):
        for (address, port), kind in asked.items():
            if box.id in alike.aside(fabric, (address, port)):
                continue
            end = exchange(fabric, box.id, Flow(address) if port is None else Flow(address, "tcp", port))
            found[kinds[box.id], kind].add((end.reachable, end.symptom, end.end, end.answered))
    assert {pair: ends for pair, ends in found.items() if len(ends) > 1} == {}
    assert len(found) < 9 * len(asked)


def test_whoever_a_ping_is_led_to_is_walked_alone():
    """A translation that is not bound to a port leads pings too: who is behind it does not reach what others reach."""
    lab = Many()
    lab.a.iptables("nat -A PREROUTING -d 192.168.9.0/24 -p icmp -j DNAT --to-destination 10.1.0.12", *lab.usual)
    fabric = Fabric(lab.net())
    for port in (None, 80):
        assert lab.inside[1].id in alike.aside(fabric, (ip_address("192.168.9.1"), port))
    assert lab.inside[0].id not in alike.aside(fabric, (ip_address("192.168.9.1"), None))
