"""Causes found by undoing: the one object of a host without which a packet would fare as it is expected to."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest
from support.changed_host import (
    GROUND,
    RULES,
    WEB,
    after,
    base,
    cableless,
    down,
    drop_all,
    imagined,
    minus,
    nft_table,
    plus,
    readdressed,
    route,
    ruled,
    surveyed,
    tuned,
    with_link,
    with_space,
    without,
)

from dockerlab.drift.kernel import differences
from dockerlab.kernel import iptables
from dockerlab.kernel.routes import Neighbour, Selector
from dockerlab.verify.counterfactual import Mismatch, explained
from dockerlab.walk.compiled import Fabric
from dockerlab.walk.conversation import exchange
from dockerlab.walk.net import Net
from dockerlab.walk.outcome import SpaceId
from dockerlab.walk.packet import Flow

CELLS = {
    "web > db": ("web", "172.28.1.11", None),
    "db > web:80": ("db", "172.28.1.10", 80),
    "far > vm0:8080": ("vm1", "192.168.22.61", 8080),
    "db > vm0:8080": ("db", "192.168.22.61", 8080),
    "web > far": ("web", "192.168.22.62", None),
    "web > far:9000": ("web", "192.168.22.62", 9000),
    "web > vm0": ("web", "172.28.1.1", None),
    "vm0 > web": ("vm0", "172.28.1.10", None),
}


def outcome(fabric, side, cell):
    """Return what becomes of a cell."""
    source, target, port = CELLS[cell]
    home = side.homes.get(source, SpaceId(source, 1))
    flow = Flow(ip_address(target), "icmp" if port is None else "tcp", port)
    return exchange(fabric, home, flow, detail=True)


def causes_of(host):
    """Return the cause of each cell that is predicted otherwise than expected."""
    wanted, there = imagined(), surveyed(host)
    ours, theirs = (Fabric(Net(side.machines)) for side in (wanted, there))
    expected, predicted = ({c: outcome(f, s, c) for c in CELLS} for f, s in ((ours, wanted), (theirs, there)))
    assert all(each.reachable for each in expected.values()), expected
    wrong = [c for c in CELLS if predicted[c].reachable is not expected[c].reachable]
    found = explained(
        [Mismatch(c, [expected[c]], [predicted[c]]) for c in wrong],
        differences(wanted, there),
        there.machines,
        lambda machines: Fabric(Net(machines)),
        lambda fabric, cell: outcome(fabric, there, cell).reachable is expected[cell].reachable,
    )
    return {c: found[c].where if c in found else None for c in wrong}


def pings_refused(chain="INPUT"):
    """Return rules of which one drops pings."""
    return f"*filter\n:{chain} ACCEPT [0:0]\n-A {chain} -p icmp -j DROP\nCOMMIT\n"


MARKED = "*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -i br-front -j MARK --set-xmark 0x1/0xffffffff\nCOMMIT\n"
SELECTOR = Selector(4, 1000, table="100", mark=(1, 0xFFFFFFFF), text="1000: from all fwmark 0x1 lookup 100")


def policy_route():
    """Return the host with three things that only together lead the containers' packets into a hole."""
    host = ruled(MARKED + RULES)
    ground = host.ground
    hole = route("blackhole default table 100")
    return with_space(host, GROUND, selectors=(SELECTOR, *ground.selectors), routes=(*ground.routes, hole))


@pytest.mark.parametrize(
    ("host", "causes"),
    [
        (ruled(RULES.replace(":INPUT ACCEPT", ":INPUT DROP")),
         {"db > vm0:8080": "filter INPUT policy", "web > vm0": "filter INPUT policy",
          "vm0 > web": "filter INPUT policy"}),
        (ruled(after("-A FORWARD -j DOCKER-USER", "-A FORWARD -p tcp -m tcp --dport 80 -j DROP")),
         {"far > vm0:8080": "filter FORWARD 2"}),
        (ruled(RULES.replace("-A DOCKER -d", "-A FORWARD -j DROP\n-A DOCKER -d")), {}),
        (ruled(RULES, nft_table()), {"far > vm0:8080": "nft inet fw fwd 1"}),
        (ruled(without("-A FORWARD -i br-front ! -o br-front -j ACCEPT")),
         dict.fromkeys(("far > vm0:8080", "web > far", "web > far:9000"), "filter FORWARD 4")),
        (ruled(RULES.replace("172.28.1.10:80", "172.28.1.10:81")), {"far > vm0:8080": "nat DOCKER 1"}),
        (tuned("net/ipv4/ip_forward", "0"),
         dict.fromkeys(("far > vm0:8080", "web > far", "web > far:9000"), "net.ipv4.ip_forward")),
        (policy_route(), dict.fromkeys(("far > vm0:8080", "web > far", "web > far:9000"), "table 100")),
        (plus(GROUND, "routes", route("blackhole 172.28.1.11")), {"db > vm0:8080": "table main"}),
        (plus(GROUND, "routes", route("blackhole 192.168.22.62")),
         dict.fromkeys(("far > vm0:8080", "web > far", "web > far:9000"), "table main")),
        (minus(WEB, "routes", lambda each: each.destination.prefixlen),
         dict.fromkeys(("far > vm0:8080", "web > far", "web > far:9000"), "table main")),
        (with_link(with_link(base(), GROUND, "veth7", info={"isolated": "true"}), GROUND, "veth8",
                   info={"isolated": "true"}), {"web > db": "veth7", "db > web:80": "veth7"}),
        (with_space(base(), WEB, ruleset=iptables.read(pings_refused("OUTPUT"), "ip")),
         dict.fromkeys(("web > db", "web > far", "web > vm0", "vm0 > web"), "filter OUTPUT 1")),
        (plus(WEB, "neighbours", Neighbour(ip_address("172.28.1.11"), "eth0", "02:00:00:00:00:09")),
         {"web > db": "eth0", "db > web:80": "eth0"}),
        (replace(minus(GROUND, "listeners", lambda each: each.port != 8080), proxies=()),
         {"db > vm0:8080": "docker-proxy tcp 0.0.0.0:8080"}),
        (minus(WEB, "listeners", lambda each: each.port != 80),
         dict.fromkeys(("db > web:80", "far > vm0:8080", "db > vm0:8080"), "tcp :::80")),
        (ruled(RULES.replace("-A DOCKER-USER", "-A DOCKER-USER -s 203.0.113.0/24 -j DROP\n-A DOCKER-USER")), {}),
    ],
)  # fmt: skip
def test_the_cause_of_each_cell(host, causes):
    """Each cell that fares otherwise has the change as its cause, no other cell has one, and none is without."""
    assert causes_of(host) == causes


@pytest.mark.parametrize("host", [down(WEB, "eth0"), cableless(), readdressed()])
def test_a_container_that_is_cut_off(host):
    """Whatever a container's packets are not led by has the link or the address of the container as its cause."""
    causes = causes_of(host)
    assert causes.keys() == {cell for cell in CELLS if cell != "web" and ("web" in cell or "8080" in cell)}
    assert set(causes.values()) == {"eth0"}


def test_a_host_as_it_should_be_has_no_cause():
    """Where nothing was changed nothing is told."""
    assert causes_of(base()) == {}


def test_a_flushed_table_is_one_cause():
    """All that an engine keeps in a table is put back at once, and told once."""
    text = "\n".join(line for line in RULES.split("\n") if not line.startswith(("-A FORWARD", "-A DOCKER")))
    causes = causes_of(ruled(text.replace("*filter", "-A DOCKER ! -i br-front -p tcp -m tcp --dport 8080 -j DNAT "
                                          "--to-destination 172.28.1.10:80\n*filter")))  # fmt: skip
    assert set(causes.values()) == {"filter FORWARD"}, drop_all
