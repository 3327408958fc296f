"""The walk against real kernels: small networks, changed at random, and every packet's fate predicted and observed.

Two hosts on a LAN, with bridges, containers and macvlan children, are namespaces of this machine; no engine is needed.
What is asked before the first change shows that the network itself is understood. DOCKERLAB_WALKS says how many
networks are made, DOCKERLAB_WALKS_FROM with which seed they begin.
"""

from __future__ import annotations

import os
import random
import shutil
from ipaddress import ip_address

import pytest
from support.changes import SETS, Changes
from support.netns import Flight, Netns, Prober

from dockerlab.kernel.model import Machine
from dockerlab.walk.compiled import Fabric
from dockerlab.walk.conversation import exchange
from dockerlab.walk.net import Net
from dockerlab.walk.outcome import Outcome, SpaceId
from dockerlab.walk.packet import Flow

pytestmark = pytest.mark.skipif(
    any(shutil.which(name) is None for name in ("nft", "ipset", "conntrack", "iptables", "iptables-legacy")),
    reason="the programs of the packages nftables, ipset, conntrack and iptables are needed",
)
FIRST, COUNT = int(os.environ.get("DOCKERLAB_WALKS_FROM", "0")), int(os.environ.get("DOCKERLAB_WALKS", "6"))
CHANGES = 5
FLIGHTS = 110
PATIENCE = 1.8
QUIET = (
    "sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 net.ipv4.icmp_ratelimit=0 "
    "net.ipv6.icmp.ratelimit=0; sysctl -qw net.ipv4.icmp_msgs_per_sec=100000 net.ipv4.icmp_msgs_burst=100000 || true; "
    "ip link set lo up"
)
LATE = ("host unreachable", "no route")
"""What may show as silence: a neighbour is given up after seconds, and routers send errors at a limited rate."""


class Town:
    """Hosts `a` and `b` on one LAN; c1 to c4 on bridges of a, d1 and d2 on one of b, m1 and m2 children of a's eth0."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        hosts = {
            "a": "A",
            **dict.fromkeys(("c1", "c2", "c3", "c4", "m1", "m2"), "A"),
            **dict.fromkeys(("b", "d1", "d2"), "B"),
        }
        self.spaces = {
            name: Netns(name, host, 1 if name in "ab" else 100 + number, is_host=name in "ab")
            for number, (name, host) in enumerate(hosts.items())
        }
        self.switch = Netns("switch", "", 0, is_host=False)
        self.addresses: dict[str, list[str]] = {}
        self.prober: Prober | None = None
        self.sets: set[str] = set()

    def build(self) -> None:
        """Make all links, addresses and routes."""
        for space in (*self.spaces.values(), self.switch):
            space.sh(QUIET)
        unseen = "net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0"
        self.switch.sh(f"ip link add lan type bridge; ip link set lan up; sysctl -qw {unseen}")
        for number, name in enumerate("ab", 1):
            self._cable(self.switch, "lan", name, "eth0", f"192.168.9.{number}/24", f"fd00:9::{number}/64")
            self.spaces[name].sh("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
        for host, bridge, number in (("a", "br0", 1), ("a", "br1", 2), ("b", "br0", 3)):
            self.spaces[host].sh(f"ip link add {bridge} type bridge")
            self._up(host, bridge, f"10.{number}.0.1/24", f"fd00:{number}::1/64")
        for name, device, number in (("c1", "eth0", 1), ("c2", "eth0", 1), ("c3", "eth0", 2), ("c4", "eth0", 1),
                                     ("c4", "eth1", 2), ("d1", "eth0", 3), ("d2", "eth0", 3)):  # fmt: skip
            host, bridge = ("b" if name[0] == "d" else "a"), ("br1" if number == 2 else "br0")
            place = f"1{name[1]}"
            self._cable(
                self.spaces[host], bridge, name, device, f"10.{number}.0.{place}/24", f"fd00:{number}::{place}/64"
            )
            if device == "eth0":
                self.spaces[name].sh(
                    f"ip route add default via 10.{number}.0.1; ip -6 route add default via fd00:{number}::1"
                )
        mode = self.chance.choice(["bridge"] * 4 + ["private", "vepa", "passthru"])
        for number in (1, 2) if mode != "passthru" else (1,):
            self.spaces["a"].sh(f"ip link add link eth0 name mv{number} type macvlan mode {mode}; "
                                f"ip link set mv{number} netns {self.spaces[f'm{number}'].pid} name eth0")  # fmt: skip
            self._up(f"m{number}", "eth0", f"192.168.9.3{number}/24", f"fd00:9::3{number}/64")
        if self.chance.random() < 0.6:
            self.spaces["a"].sh("ip route add 10.3.0.0/24 via 192.168.9.2; ip -6 route add fd00:3::/64 via fd00:9::2")
        if self.chance.random() < 0.6:
            self.spaces["b"].sh("ip route add 10.1.0.0/24 via 192.168.9.1; ip route add 10.2.0.0/24 via 192.168.9.1; "
                                "ip -6 route add fd00:1::/64 via fd00:9::1")  # fmt: skip

    def _up(self, name: str, device: str, *addresses: str) -> None:
        adds = "; ".join(f"ip addr add {address} dev {device}" for address in addresses)
        self.spaces[name].sh(f"ip link set {device} up; {adds}")
        self.addresses.setdefault(name, []).extend(address.partition("/")[0] for address in addresses)

    def _cable(self, host: Netns, bridge: str, name: str, device: str, *addresses: str) -> None:
        far = self.spaces[name].pid
        host.sh(f"ip link add v{name}{device} type veth peer name {device} netns {far}; "
                f"ip link set v{name}{device} master {bridge} up")  # fmt: skip
        self._up(name, device, *addresses)

    def serve(self) -> None:
        """Let programs listen, bound to this and that."""
        self.prober = Prober(list(self.spaces.values()))
        for name, space in self.spaces.items():
            for port in (80, 8080):
                if name in self.addresses and self.chance.random() < 0.8:
                    self.prober.serve(space, self.chance.choice(["0.0.0.0", "::", self.addresses[name][0]]), port)

    def change(self, changes: Changes) -> tuple[str, str]:
        """Change something, and let neighbours and connections be forgotten; return what was changed."""
        name, text = changes.next()
        if "match-set" in text and name not in self.sets:
            self.sets.add(name)
            self.spaces[name].sh(SETS)
        self.spaces[name].sh(text, check=False)
        for space in self.spaces.values():
            space.sh("conntrack -F; ip neigh flush all", check=False)
        return name, text

    def net(self) -> Net:
        """Return what the kernels have."""
        seen = {space: (space.host, space.read()) for space in self.spaces.values()}
        machines = {
            host: Machine(host, True, "", tuple(read for at, read in seen.values() if at == host)) for host in "AB"
        }
        return Net(machines, {("A", "eth0"): "lan", ("B", "eth0"): "lan"})

    def flights(self) -> list[Flight]:
        """Return questions, each once."""
        places = [a for own in self.addresses.values() for a in own] + [
            "10.1.0.77",
            "10.77.0.5",
            "10.9.9.9",
            "192.168.9.3",
        ]
        asked = {
            (self.chance.choice(["a", "c1", "c2", "c3", "c4", "d1", "b", "m1"]), self.chance.choice(places),
             self.chance.choice([None, None, None, 80, 8080, 90]))
            for _ in range(FLIGHTS)
        }  # fmt: skip
        return [Flight(*each) for each in sorted(asked, key=str)]

    def close(self) -> None:
        """Let it all go."""
        if self.prober is not None:
            self.prober.close()
        for space in (*self.spaces.values(), self.switch):
            space.close()


def differs(town: Town, flight: Flight, outcome: Outcome) -> str:
    """Return how an observation differs from what was predicted, empty where it does not."""
    reached, symptom = flight.seen
    if outcome.reachable is None:
        return ""
    if outcome.reachable is not reached:
        return "reached" if reached else "not reached"
    if outcome.symptom is not None and outcome.symptom != symptom:
        return "" if symptom == "timeout" and outcome.symptom in LATE else f"symptom {symptom}"
    names = {SpaceId(each.host, each.number): name for name, each in town.spaces.items()}
    if reached and flight.where and outcome.arrived is not None and names[outcome.arrived] not in flight.where:
        return f"came to {sorted(flight.where)}"
    return ""


def disagreements(town: Town) -> tuple[list[str], int, int]:
    """Return what was observed otherwise than predicted, how many were not claimed, and how many were asked."""
    assert town.prober is not None
    fabric, flights = Fabric(town.net()), town.flights()
    town.prober.ask(flights, PATIENCE)
    found, unclaimed = [], 0
    for flight in flights:
        space, address = town.spaces[flight.source], ip_address(flight.address)
        flow = Flow(address) if flight.port is None else Flow(address, "tcp", flight.port)
        outcome = exchange(fabric, SpaceId(space.host, space.number), flow)
        unclaimed += outcome.reachable is None
        how = differs(town, flight, outcome)
        if how:
            by = (outcome.by.where, outcome.by.text) if outcome.by is not None else None
            asked = f"{flight.source} to {flight.address} {flight.port or 'ping'}"
            found.append(f"{asked}: {how}; predicted {outcome.reachable} {outcome.symptom} {outcome.end} {by}")
    return found, unclaimed, len(flights)


@pytest.mark.parametrize("seed", range(FIRST, FIRST + COUNT))
def test_kernels_do_what_the_walk_says(seed):
    """In a network of namespaces, after each of several changes, every packet fares as predicted, symptom included."""
    chance = random.Random(seed)
    town = Town(chance)
    try:
        town.build()
        town.serve()
        macs = [town.spaces[name].sh("ip -br link show eth0").split()[2] for name in ("c1", "b")]
        changes, made, unclaimed, asked = Changes(chance, macs), list[tuple[str, str]](), 0, 0
        for number in range(CHANGES + 1):
            if number:
                made.append(town.change(changes))
            found, unknown, all_ = disagreements(town)
            told = [f"  {name}: {text}" for name, text in made]
            assert not found, "\n".join(["", *found, "after", *told])
            unclaimed, asked = unclaimed + unknown, asked + all_
        assert asked > 400
        assert unclaimed < asked / 4
    finally:
        town.close()
