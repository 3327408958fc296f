"""The end of an exercise held against its beginning: what has come, gone or changed on a host, and what mends it."""

import json
from dataclasses import replace
from ipaddress import ip_interface

import pytest
from support.facts import facts_of, nic, way
from support.machinery import program_said

from dockerlab.daemon import DaemonFile
from dockerlab.exercise import loader
from dockerlab.exercise.changes import changes
from dockerlab.exercise.remains import Holdings, held, held_by
from dockerlab.hosts.fake import FakeHost
from dockerlab.kernel import iptables
from dockerlab.snapshot import LABEL_LAB, ContainerState, EndpointState, ImageState, NetworkState, Snapshot
from dockerlab.survey import Seen

DROP = "-A FORWARD -j DROP"
MASQUERADE = "-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE"
SAVED = """*nat
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A POSTROUTING -s 172.17.0.4/32 -d 172.17.0.4/32 -p tcp -m tcp --dport 80 -j MASQUERADE
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.4:80
COMMIT
*filter
:FORWARD DROP [0:0]
-A FORWARD -i br-0123 ! -o br-0123 -j ACCEPT
-A FORWARD -i yard -o yard -j ACCEPT
COMMIT
"""
BY_HAND = {
    "nat -A POSTROUTING -s 10.77.0.0/24 ! -o yard0 -j MASQUERADE": "as Docker has it, for a bridge of one's own",
    "filter -A FORWARD -i yard0 -j ACCEPT": "as 20.10 has it for a network of its own",
    "filter -A FORWARD -o yard0 -j ACCEPT": "as no engine has it",
    "raw -A PREROUTING -i yard0 -j ACCEPT": "as no engine has it",
    "nat -A DOCKER ! -i docker0 -p tcp -m tcp --dport 8081 -j DNAT --to-destination 172.17.0.9:80": "to nobody",
    "nat -A POSTROUTING -s 172.17.0.9/32 -d 172.17.0.9/32 -p tcp -m tcp --dport 80 -j MASQUERADE": "of nobody",
}
"""Rules that somebody types and no engine takes away, and what they look like."""

WAY, DEFAULT = "172.28.2.0/24 via 192.168.22.61 dev eth0", "default via 192.168.22.1 dev eth0"
ROUTES = (
    way(None, "192.168.22.1", "eth0"),
    way("172.17.0.0/16", None, "docker0"),
    way("fe80::/64", None, "eth0"),
)
SYSCTLS = {
    "net/ipv4/ip_forward": "1",
    "net/ipv4/conf/all/forwarding": "1",
    "net/ipv4/conf/eth0/forwarding": "1",
    "net/ipv4/conf/eth0.50/rp_filter": "2",
    "net/ipv4/conf/docker0/route_localnet": "0",
    "net/ipv4/conf/veth1/rp_filter": "2",
    "net/bridge/bridge-nf-call-iptables": "1",
}


def snapshot(*images):
    place = EndpointState("bridge", (ip_interface("172.17.0.4/16"),))
    return Snapshot(
        "vm0",
        containers=(
            ContainerState("1", "web", "x", {LABEL_LAB: "demo"}),
            ContainerState("2", "guest", "x", endpoints={"bridge": place}),
        ),
        networks=(
            NetworkState("3", "bridge", "bridge"),
            NetworkState("4", "docker_gwbridge", "bridge"),
            NetworkState("5", "court", "bridge", options={"com.docker.network.bridge.name": "yard"}),
        ),
        image_states=images,
    )


def seen(saved=SAVED, **more):
    nics = (nic("eth0", "192.168.22.61/24", "fe80::1/64"), nic("docker0", up=False), nic("veth1"), nic("br-1"))
    ground = facts_of("vm0", nics=nics, routes=ROUTES).ground
    ground = replace(ground, ruleset=iptables.read(saved, "ip"), sysctls=SYSCTLS)
    return held_by(snapshot(), ground, DaemonFile("vm0")).model_copy(update=more)


def answer(argv, _given):
    """Answer as a host does that is looked at, on which a network namespace has a name."""
    if argv[:2] == ("ip", "netns"):
        return "alone (id: 0)\n"
    return json.dumps(program_said({})) if "python3" in " ".join(argv) else "id 0\nflags \ndocker0 \nend\n"


def told(before, now):
    return [str(change).removeprefix("vm0: ") for change in changes("vm0", before, now)]


def test_what_a_host_holds():
    """What comes and goes with labs and networks is left out."""
    assert seen() == Holdings(
        containers={"guest"}, networks={"bridge", "court"}, links={"eth0 up", "docker0 down"}, policy="DROP",
        ip_forward=True, rules={f"nat {MASQUERADE}"}, routes={DEFAULT}, addresses={"192.168.22.61/24 dev eth0"},
        kernel={"net.ipv4.conf.eth0.forwarding=1", "net/ipv4/conf/eth0.50/rp_filter=2"},
    )  # fmt: skip


def test_nothing_has_changed():
    """Two looks at one host that is as it was have no difference; docker0 may go up."""
    assert changes("vm0", seen(), seen(links=frozenset({"eth0 up", "docker0 up"}))) == []


@pytest.mark.parametrize("rule", BY_HAND)
def test_a_rule_that_was_typed(rule):
    """A rule of somebody's own is told with what takes it out, also where an engine would write the same elsewhere."""
    table, _, text = rule.partition(" ")
    assert table in {"nat", "filter", "raw"}
    (change,) = changes("vm0", seen(), seen(f"{SAVED}*{table}\n{text}\nCOMMIT\n"))
    assert change.what == f"the rule `{rule}` was not there at the beginning"
    assert change.undo == ("iptables", "-w", "-t", table, "-D", *text.split()[1:])
    assert change.come


def test_what_has_changed():
    """What came, went or changed is told with what mends it."""
    now = seen(
        saved=f"*filter\n{DROP}\n",
        containers=frozenset({"guest", "mine"}),
        networks=frozenset({"court", "own"}),
        links=frozenset({"eth0 down", "docker0 up", "veil0 up"}),
        policy="ACCEPT",
        ip_forward=False,
        routes=frozenset({WAY, "10.77.0.0/24 dev veil0"}),
    )
    assert told(seen(), now) == [
        "container mine was not there at the beginning; 'docker rm --force mine' mends it",
        "network own was not there at the beginning; 'docker network rm own' mends it",
        "network bridge is gone",
        "the interface eth0 was up, is down; 'ip link set eth0 up' mends it",
        "the interface veil0 was not there at the beginning; 'ip link delete veil0' mends it",
        f"the route `{WAY}` was not there at the beginning; 'ip route delete {WAY}' mends it",
        f"the route `{DEFAULT}` is gone; 'ip route add {DEFAULT}' mends it",
        "the policy of chain FORWARD was DROP and is ACCEPT; 'iptables -w -P FORWARD DROP' mends it",
        "net.ipv4.ip_forward was 1 and is 0; 'sysctl -w net.ipv4.ip_forward=1' mends it",
        f"the rule `filter {DROP}` was not there at the beginning; 'iptables -w -t filter -D {DROP[3:]}' mends it",
        f"the rule `nat {MASQUERADE}` is gone; 'iptables -w -t nat {MASQUERADE}' mends it",
    ]


def test_addresses():
    """An address is told, and not the route that it brings along; what leads by it goes before it."""
    own, by_it = "10.77.0.1/24 dev eth0", "10.78.0.0/24 via 10.77.0.2 dev eth0"
    before = seen()
    now = seen(
        addresses=before.addresses | {own, "10.5.0.1/24 dev veil0"}, links=before.links | {"veil0 up"},
        routes=before.routes | {"10.77.0.0/24 dev eth0", by_it},
    )  # fmt: skip
    link, *ways = changes("vm0", before, now)
    assert link.name == "veil0"
    assert [each.undo for each in ways] == [
        ("ip", "route", "delete", *by_it.split()),
        ("ip", "address", "delete", *own.split()),
    ]
    assert [each.undo[:3] for each in changes("vm0", now, before) if each.kind != "link"] == [
        ("ip", "address", "add"), ("ip", "route", "add"),
    ]  # fmt: skip


def test_settings_of_the_kernel():
    """A setting of an interface is told; what the kernel sets along with ip_forward is not told for itself."""
    before = seen()
    alone = seen(kernel=frozenset({"net.ipv4.conf.eth0.forwarding=0", "net/ipv4/conf/eth0.50/rp_filter=0"}))
    assert [each.undo[-1] for each in changes("vm0", before, alone)] == [
        "net.ipv4.conf.eth0.forwarding=1", "net/ipv4/conf/eth0.50/rp_filter=2",
    ]  # fmt: skip
    both = alone.model_copy(update={"ip_forward": False})
    assert [each.name for each in changes("vm0", before, both)] == [
        "net.ipv4.ip_forward", "net/ipv4/conf/eth0.50/rp_filter",
    ]  # fmt: skip


def test_a_name_of_a_namespace_and_an_image():
    """What an exercise has somebody name is told: a network namespace, and an image that was made by hand."""
    before = seen(spaces=frozenset(), images=frozenset())
    now = seen(spaces=frozenset({"alone"}), images=frozenset({"node_nginx:v1"}))
    assert told(before, now) == [
        "image node_nginx:v1 was not there at the beginning; 'docker rmi node_nginx:v1' mends it",
        "namespace alone was not there at the beginning; 'ip netns delete alone' mends it",
    ]
    unknown = seen(spaces=None, images=None)
    assert told(unknown, now) == told(now, unknown) == []


@pytest.mark.parametrize(
    ("image", "counts"),
    [
        (ImageState("1", ("node_nginx:v1",), {}, "0"), True),
        (ImageState("1", ("node_nginx:v1",), {}), True),  # an engine whose images are containerd's tells no parent
        (ImageState("1", ("other:v1",), {}, "0"), True),
        (ImageState("1", ("other:v1",), {}), False),  # from a registry, for another lab
        (ImageState("1", ("other:v1",), {LABEL_LAB: "demo"}, "0"), False),
        (ImageState("1", (), {}, "0"), False),
    ],
)
def test_images_that_were_made(image, counts):
    """An image counts that was made on the host, or that the exercise asks for; not one that a lab has brought."""
    folder = loader.load(loader.find("10"))
    assert folder.images_to_make == {"node_nginx:v1"}
    host = FakeHost("vm0", answer)
    now = held(Seen({"vm0": snapshot(image)}, {}), {"vm0": host}, folder.images_to_make)["vm0"]
    assert now.images == (set(image.names) if counts else set())
    assert now.spaces == {"alone"}


def test_an_engine_has_changed():
    """A Swarm and changed settings are told; the networks go with the Swarm, and docker0 gets its address back."""
    before = seen(bridge="172.17.0.1/16")
    now = seen(swarm=True, wide=frozenset({"wide"}), settings='{"bip": "192.168.1.5/24"}', bridge="192.168.1.5/24")
    swarm, settings = changes("vm0", before, now)
    assert swarm.undo == ("docker", "swarm", "leave", "--force")
    assert settings.undo[-3:] == ("", "/etc/docker/daemon.json", '{"bip": "172.17.0.1/16"}')
    assert "write back what it was" in str(settings)
    (network,) = changes("vm0", seen(swarm=True), seen(swarm=True, wide=frozenset({"wide"})))
    assert network.undo == ("docker", "network", "rm", "wide")
