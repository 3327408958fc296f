"""Faults: what is run to put each in and to take it out, and the facts by which its repair is known."""

import json
import re
import shlex

import pytest
from support.labs import lab, plan_up, running, who
from support.machinery import program_said

from dockerlab.errors import UsageError
from dockerlab.faults import FAULTS
from dockerlab.faults.fault import Break
from dockerlab.faults.injury import Act, Injury, perform, prepare, shown
from dockerlab.hosts.fake import FakeHost

DEMO = """
    hosts: {vm0: , vm1: }
    networks:
      front: {subnet: 172.28.1.0/24}
      lan: {driver: macvlan, subnet: 10.9.0.0/24, gateway: 10.9.0.1, parent: eth0.50}
    containers:
      web: {host: vm0, networks: {front: {ip: 172.28.1.10}}, ports: ["8080:80"]}
      side: {network_mode: "container:web"}
      other: {host: vm0, networks: {front: {ip: 172.28.1.11}}}
      far: {host: vm1, networks: {lan: {ip: 10.9.0.5}}}
      near: {host: vm0, networks: {lan: {ip: 10.9.0.6}}}
"""

PLACES = {
    "ip-forward-off": {"on": "vm0"},
    "forward-drop": {"on": "vm0"},
    "vxlan-blocked": {"on": "vm1"},
    "docker-user-drop": {"on": "front"},
    "missing-masquerade": {"on": "front"},
    "parent-down": {"on": "lan", "at": "vm1"},
    "wrong-gateway": {"on": "web"},
    "wrong-mask": {"on": "far"},
    "duplicate-address": {"on": "far", "using": "near"},
    "arp-poison": {"on": "web", "using": "other"},
    "link-down": {"on": "web"},
    "container-stopped": {"on": "web"},
    "joined-orphaned": {"on": "side"},
    "wrong-resolver": {"on": "web"},
    "port-taken": {"on": "web"},
    "mtu-mismatch": {"on": "web"},
    "wrong-parent": {"on": "lan", "using": "eth0"},
    "icc-off": {"on": "front"},
    "internal": {"on": "front"},
    "wrong-subnet": {"on": "front", "using": "172.28.9.0/24"},
    "missing-dnat": {"on": "web"},
    "wrong-network": {"on": "web"},
}
"""A place for each fault in the demo."""


def answer(argv, _given):
    """Answer as the hosts of the demo do, where a fault is prepared."""
    line = " ".join(argv)
    if line.endswith("cat /etc/resolv.conf"):
        return "nameserver 127.0.0.11\noptions ndots:0\n"
    held = ("172.28.1.10", "10.9.0.5", "172.28.1.11")
    links = [
        {"ifindex": n, "ifname": f"eth{n}", "mtu": 1450, "addr_info": [{"local": address, "prefixlen": 24}]}
        for n, address in enumerate(held)
    ]
    return json.dumps(program_said({pid: {"address": links} for pid in json.loads(argv[-1])["pids"]}))


def prepared(fault, **place):
    definition = lab(DEMO)
    hosts = {host: FakeHost(host, answer) for host in definition.hosts}
    broken = Break(fault=fault, **(place or PLACES[fault]))
    return prepare(broken, definition, running(definition).snapshots(), hosts, who(definition))


def argvs(acts):
    return [" ".join(act.argv) for act in acts]


def test_a_place_for_each():
    """The demo has a place for every fault, so that the tests here are about all of them."""
    assert PLACES.keys() == FAULTS.keys()
    assert len(FAULTS) >= 15


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault(name):
    """Each has commands or another definition, a sign of its repair, and says what changes; no value is left open."""
    fault, injury = FAULTS[name], prepared(name)
    assert injury.signs
    assert fault.title
    assert fault.changes.endswith(".")
    if fault.alter is not None:
        definition = lab(DEMO)
        engines = running(definition)
        assert plan_up(definition, engines).changes == ()
        wanted = plan_up(fault.alter(definition, injury.broken), engines)
        assert {step.action for step in wanted.changes} == {"recreate"}
        return
    assert injury.inject
    assert injury.undo
    for line in argvs((*injury.inject, *injury.undo)):
        assert not re.search(r"[{}#]", line), line
    assert Injury.model_validate_json(injury.model_dump_json()).undo == injury.undo


def test_what_is_run():
    """Values come from what is on the hosts: the bridge, the subnet, the gateway, the interface inside."""
    bridge = "br-" + running(lab(DEMO)).snapshots()["vm0"].network("front").id[:12]
    masquerade = prepared("missing-masquerade")
    assert argvs(masquerade.inject) == [
        f"iptables -w -t nat -D POSTROUTING -s 172.28.1.0/24 ! -o {bridge} -j MASQUERADE"
    ]
    assert masquerade.signs[0].look.has == ("-s 172.28.1.0/24", "MASQUERADE")
    gateway = prepared("wrong-gateway")
    assert argvs(gateway.inject) == ["ip route replace default via 172.28.1.254"]
    assert argvs(gateway.undo) == ["ip route replace default via 172.28.1.1"]
    assert (gateway.inject[0].inside, gateway.signs[0].inside) == ("web", ("web",))
    assert argvs(prepared("wrong-mask").inject)[-1].startswith("ip route delete default via "), (
        "or all goes by the gateway"
    )
    down = prepared("parent-down")
    assert (down.inject[0].host, argvs(down.inject)) == ("vm1", ["ip link set eth0.50 down"])
    twice = prepared("duplicate-address")
    assert argvs(twice.inject) == ["ip address add 10.9.0.6/24 dev eth1"]
    resolver = prepared("wrong-resolver")
    assert resolver.undo[0].argv[-1] == "nameserver 127.0.0.11\noptions ndots:0\n"
    taken = prepared("port-taken")
    assert "--label dockerlab.lab=demo" in argvs(taken.inject)[1]
    assert argvs(taken.inject)[1].endswith("httpd -f -p 8080 -h /tmp")
    assert taken.signs[0].look.on == "vm0"


def test_what_more_than_the_lab_feels():
    """Faults of a host, and of docker0, touch more than the lab; those of its own objects do not."""
    wide = {name for name in FAULTS if prepared(name).wide}
    assert wide == {"ip-forward-off", "forward-drop", "vxlan-blocked", "parent-down"}
    assert prepared("missing-masquerade", on="bridge", at="vm0").wide


@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if fault.inside])
def test_what_is_typed_inside_a_container(name):
    """What `solution` prints for a container's namespace asks the engine for the process, whose number nobody knows."""
    injury = prepared(name)
    pid = f"$(docker inspect --format {{{{.State.Pid}}}} {injury.broken.on})"
    lines = [shlex.join(shown(act)) for act in injury.undo]
    assert lines
    for act, line in zip(injury.undo, lines, strict=True):
        assert not re.search(r"--target[ =]\d", line), line
        assert shlex.split(line) == ["sh", "-c", f"nsenter --net --target {pid} {shlex.join(act.argv)}"]


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ({"fault": "icc-of", "on": "front"}, "icc-of is no fault: did you mean icc-off?"),
        ({"fault": "link-down", "on": "front"}, "the lab has no container front; it has web, side, other, far, near"),
        ({"fault": "parent-down", "on": "front"}, "front has no parent that could be broken"),
        ({"fault": "parent-down", "on": "lan", "at": "vm9"}, "network lan is not on vm9, but on vm0, vm1"),
        ({"fault": "port-taken", "on": "other"}, "other has no published port that could be broken"),
        ({"fault": "joined-orphaned", "on": "web"}, "web has no owner with an address that could be broken"),
        ({"fault": "arp-poison", "on": "web"}, "`using` is missing: the container whose address it gets wrong"),
        (
            {"fault": "arp-poison", "on": "web", "using": "far"},
            "web has no neighbour of that name that could be broken",
        ),
    ],
)
def test_nothing_to_break(place, said):
    """A place that has nothing of the kind is refused, with what is missing."""
    with pytest.raises(UsageError, match=re.escape(said)):
        prepared(**place)


def test_a_namespace_that_is_gone():
    """What was changed in the namespace of a container that has started anew is gone with it: nothing is run."""
    snapshots = running(lab(DEMO)).snapshots()
    hosts = {host: FakeHost(host, lambda *_: "") for host in snapshots}
    same = Act(host="vm0", argv=("ip", "route"), inside="web", life=0)
    assert len(perform([same], snapshots, hosts)) == 1
    assert hosts["vm0"].calls[0] == ("nsenter", "--target=1000", "--net", "--", "ip", "route")
    # What is typed finds the process out: its number is another one each time.
    assert shown(same) == (
        "sh", "-c", "nsenter --net --target $(docker inspect --format {{.State.Pid}} web) ip route",
    )  # fmt: skip
    assert perform([same.model_copy(update={"life": 7})], snapshots, hosts) == []


def test_a_command_that_fails():
    """The commands after one that failed are run all the same, and why it failed is told."""
    snapshots = running(lab(DEMO)).snapshots()
    hosts = {
        host: FakeHost(host, lambda argv, _: (1, "", "no such rule") if argv[0] == "a" else "") for host in snapshots
    }
    first, second = perform([Act(host="vm0", argv=("a",)), Act(host="vm0", argv=("b",))], snapshots, hosts)
    assert (first.failure, second.failure) == ("no such rule", "")
