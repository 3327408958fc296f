"""The rules that an engine 29 writes for nftables, in a real kernel, beside the policy that iptables has left there.

No engine is needed: what is imagined of the lab of a case, links and rules, is made in namespaces of this machine.
"""

from __future__ import annotations

import shutil
from ipaddress import ip_address

import pytest
from support.field import case_of, with_addresses
from support.netns import Flight, Netns, Prober

from dockerlab.kernel import nft
from dockerlab.kernel.model import Machine
from dockerlab.kernel.rules import Ruleset
from dockerlab.reach.worlds import offline
from dockerlab.versions import named
from dockerlab.walk.compiled import Fabric
from dockerlab.walk.conversation import exchange
from dockerlab.walk.net import Net
from dockerlab.walk.outcome import SpaceId
from dockerlab.walk.packet import Flow

pytestmark = pytest.mark.skipif(
    any(shutil.which(name) is None for name in ("nft", "iptables")),
    reason="the programs of the packages nftables and iptables are needed",
)
PATIENCE = 3.0
TABLE = "docker-bridges"


class Made:
    """The hosts and containers of a world as namespaces, each with its links, addresses and default routes."""

    def __init__(self, world) -> None:
        self.world = world
        self.spaces: dict[str, Netns] = {}
        self.switch = Netns("switch", "", 0, is_host=False)
        self.prober: Prober | None = None

    def build(self) -> None:
        """Make all links, addresses and routes, and the rules that the hosts' engines would write for nftables."""
        self.switch.sh("ip link add lan type bridge; ip link set lan up")
        self.switch.sh("sysctl -qw net.bridge.bridge-nf-call-iptables=0")
        for at, name in self.world.names.items():
            self.spaces[name] = Netns(name, at.host, at.space, is_host=name == at.host)
        for name, space in self.spaces.items():
            space.sh("sysctl -qw net.ipv6.conf.default.disable_ipv6=1; ip link set lo up")
            if space.is_host:
                space.sh("sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1")
                self._bridges(name)
        for name, space in self.spaces.items():
            self._cable(name, self.switch if space.is_host else self.spaces[space.host])
            if space.is_host:
                self._rules(name)
        self.prober = Prober(list(self.spaces.values()))

    def _bridges(self, host: str) -> None:
        for link in self.world.space(host).links:
            if link.kind == "bridge":
                self.spaces[host].sh(f"ip link add {link.name} type bridge")
                self._up(host, link)

    def _cable(self, name: str, there: Netns) -> None:
        """Plug the interface eth0 of a namespace into the LAN, or into its bridge on its host."""
        own, space = self.world.space(name), self.spaces[name]
        link, far = own.link("eth0"), f"v{name}"
        ends = {each.index: each.master for each in self.world.space(space.host).links}
        bridge = "lan" if space.is_host else ends[link.peer]
        there.sh(f"ip link add {far} type veth peer name eth0 netns {space.pid}; ip link set {far} master {bridge} up")
        self._up(name, link)
        (way,) = (route.hops[0] for route in own.routes if not route.destination.prefixlen)
        space.sh(f"ip route add default via {way.via}")

    def _up(self, name: str, link) -> None:
        adds = "; ".join(f"ip addr add {address} dev {link.name}" for address in link.addresses if address.version == 4)
        self.spaces[name].sh(f"ip link set {link.name} up; {adds}")

    def _rules(self, host: str) -> None:
        """Put in the table of IPv4; an empty one refers to maps without anything in them, which are not written out."""
        rules = self.world.space(host).ruleset
        table = tuple(chain for chain in rules.chains if (chain.family, chain.table) == ("ip", TABLE))
        kept = Ruleset(table, tuple(each for each in rules.sets if each.family == "ip"))
        self.spaces[host].sh(f"nft -f - <<'END'\n{nft.write(kept)}\nEND\n")

    def observed(self, cells) -> dict[str, tuple[bool, str | None]]:
        """Return whether each cell was reached, and else the symptom."""
        for space in self.spaces.values():
            space.sh("ip neigh flush all")
        flights = {cell: Flight(source, str(address), port) for cell, source, address, port in map(parts, cells)}
        self.prober.ask(list(flights.values()), PATIENCE)
        return {cell: flight.seen for cell, flight in flights.items()}

    def predicted(self, cells) -> dict[str, tuple[bool | None, str | None]]:
        """Return what the walk says of each cell, by the kernels as they are."""
        seen = [(space.host, space.read()) for space in self.spaces.values()]
        hosts = dict.fromkeys(host for host, _ in seen)
        machines = {host: Machine(host, True, "", tuple(read for at, read in seen if at == host)) for host in hosts}
        fabric = Fabric(Net(machines, {(host, "eth0"): "lan" for host in hosts}))
        found = {}
        for cell, source, address, port in map(parts, cells):
            space = self.spaces[source]
            flow = Flow(address) if port is None else Flow(address, "tcp", port)
            outcome = exchange(fabric, SpaceId(space.host, space.number), flow)
            found[cell] = (outcome.reachable, outcome.symptom)
        return found

    def close(self) -> None:
        """Let it all go."""
        if self.prober is not None:
            self.prober.close()
        for space in (*self.spaces.values(), self.switch):
            space.close()


def parts(cell: str):
    """Return a case's cell, who asks, which address, and the port, None for a ping."""
    source, _, _, address, probe = cell.split()
    return cell, source, ip_address(address), None if probe == "ping" else int(probe.removeprefix("tcp/"))


def test_a_policy_of_iptables_beside_the_rules_of_nftables():
    """What nftables of an engine 29 accepts is reached, unless FORWARD's policy of iptables drops it, as foreseen."""
    case = case_of("a-policy-left-by-iptables")
    made = Made(offline(with_addresses(case), named("29.8-nftables")))
    try:
        made.build()
        made.prober.serve(made.spaces["web"], "0.0.0.0", 80)
        before, after = case["steps"]
        drop, accept = after["do"]["vm0"], after["undo"]["vm0"]
        for step, script in ((before, accept), (after, drop), (before, accept)):
            made.spaces["vm0"].sh(script)
            wanted = {cell: (True, None) if word is True else (False, word) for cell, word in step["cells"].items()}
            assert made.observed(wanted) == wanted, script
            assert made.predicted(wanted) == wanted, script
    finally:
        made.close()
