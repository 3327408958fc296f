"""What is refused of an engine's settings by what its host is like: every reason, and none where there is none."""

from dataclasses import replace
from ipaddress import ip_network

import pytest
from support.facts import facts_of, nic
from support.labs import lab, who

from dockerlab.daemon import DaemonFile, Kept
from dockerlab.daemon.refusals import Place, refusals
from dockerlab.facts import Facts
from dockerlab.snapshot import LABEL_LAB, LABEL_OWNER, ContainerState, NetworkState, Snapshot, SwarmState

OTHER = Kept({LABEL_LAB: "first", LABEL_OWNER: "student@desk"}, None)
MINE = Kept({LABEL_LAB: "demo", LABEL_OWNER: "teacher@desk"}, None)
STRANGER = ContainerState("1", "stranger", "nginx", running=True)
OF_A_LAB = ContainerState("2", "web", "nginx", {LABEL_LAB: "first", LABEL_OWNER: "student@desk"}, running=True)
OWN = ContainerState("3", "aa", "nginx", {LABEL_LAB: "demo", LABEL_OWNER: "teacher@desk"}, running=True)
BRIDGE = NetworkState("b", "bridge", "bridge", subnets=(ip_network("172.17.0.0/16"),))
APP = NetworkState("a" * 64, "app", "bridge", subnets=(ip_network("192.168.1.0/26"),))


def told(daemon, engine="28.5.2", file=None, facts=None, **snapshot):
    """Return why a section is refused on a host."""
    made = lab(f"hosts: {{vm0: {{daemon: {daemon}}}}}\ncontainers: {{aa: {{}}}}\n")
    there = Snapshot("vm0", engine, **{"networks": (BRIDGE,), **snapshot})
    place = Place(file or FILE, there, (facts or Facts("vm0")).ground)
    return refusals(place, made.daemons["vm0"], who(made))


FILE = DaemonFile("vm0", bridge=("172.17.0.1/16",))


@pytest.mark.parametrize(
    "case",
    [
        {},
        {"containers": (OWN,)},
        {"containers": (replace(STRANGER, running=False),)},
        {"file": replace(FILE, kept=MINE)},
        {"file": replace(FILE, text=b'{"mtu": 1300}', kept=OTHER)},
        {"file": replace(FILE, text=b'{"mtu": 1300}', root=False), "containers": (STRANGER,)},
        {"file": replace(FILE, flags=("dockerd", "--bip=10.0.0.1/24", "--mtuu=5"))},
        {"containers": (STRANGER,), "daemon": "{dns: [1.1.1.1]}", "live_restore": True},
    ],
    ids=["nothing", "own container", "stopped", "changed before", "as another lab has it", "as it is", "flags", "live"],
)
def test_no_refusal(case):
    """What is right, or is so already, is not refused."""
    assert told(**{"daemon": "{mtu: 1300}", **case}) == []


@pytest.mark.parametrize(
    ("daemon", "case", "words"),
    [
        ("{mtu: 1300}", {"containers": (STRANGER, OF_A_LAB)}, "stop container stranger, container web of lab first"),
        ("{mtu: 1300}", {"containers": (STRANGER,), "live_restore": True}, "leaves docker0 as it is"),
        ("{mtu: 1300}", {"file": replace(FILE, root=False)}, "is root's, and the login is not"),
        ("{mtu: 1300}", {"file": replace(FILE, text=b"{")}, "is not what the engine can read"),
        ("{mtu: 1300}", {"file": replace(FILE, text=b"[]")}, "it is no JSON object"),
        ("{mtu: 1300}", {"file": replace(FILE, text=b'{"mtu": 9000}', kept=OTHER)}, "lab first of student@desk"),
        ("{mtu: 1300}", {"file": replace(FILE, text=b'{"mtu": 9000}', kept=MINE)}, "changed by somebody else"),
        ("{mtu: 1300}", {"file": replace(FILE, flags=("dockerd", "--mtu", "1400"))}, "started with --mtu,"),
        ("{bip: 192.168.1.5/24}", {"file": replace(FILE, flags=("dockerd", "-b", "br0"))}, "started with --bridge"),
        (
            "{default-address-pools: [{base: 10.0.0.0/8, size: 24}]}",
            {"file": replace(FILE, flags=("--default-address-pool=base=10.0.0.0/8,size=24",))},
            "started with --default-address-pool,",
        ),
        ("{mtu: 1300}", {"file": replace(FILE, text=b'{"bridge": "br0"}')}, "there is no docker0 to set anything of"),
        ("{icc: false}", {"file": replace(FILE, text=b'{"iptables": false}')}, "keeps no firewall rules"),
        ("{icc: false}", {"file": replace(FILE, flags=("dockerd", "--iptables=false"))}, "keeps no firewall rules"),
        ("{live-restore: true}", {"swarm": SwarmState("active")}, "`live-restore` and a Swarm exclude each other"),
        ("{ipv6: true}", {"engine": "20.10.24"}, "engine 20.10.24 wants `fixed-cidr-v6`"),
        ("{fixed-cidr: 10.0.0.0/24}", {"engine": "20.10.24"}, "`fixed-cidr` 10.0.0.0/24 is not in 172.17.0.0/16"),
        ("{default-gateway: 10.0.0.1}", {}, "`default-gateway` 10.0.0.1 is not in 172.17.0.0/16"),
        (
            "{default-gateway: 172.17.0.9}",
            {"file": replace(FILE, text=b'{"bip": "10.0.0.1/24"}')},
            "172.17.0.9 is not in 10.0.0.0/24",
        ),
        ("{bip: 192.168.1.5/24}", {"networks": (BRIDGE, APP)}, "overlaps with network app (192.168.1.0/26)"),
        (
            "{bip: 192.168.1.5/24}",
            {"facts": facts_of("vm0", nics=[nic("eth0", "192.168.1.77/25")])},
            "the host's own network 192.168.1.0/25 on eth0",
        ),
    ],
)  # fmt: skip
def test_refusal(daemon, case, words):
    """What would fail on this host, or would harm somebody, is refused in one sentence that says why."""
    (said,) = told(daemon, **case)
    assert words in said


@pytest.mark.parametrize("daemon", ["{ipv6: true}", "{fixed-cidr: 10.0.0.0/24}", "{bip: 172.17.0.1/24}"])
def test_right_on_a_later_engine(daemon):
    """What a later engine can do is not refused there."""
    docker0 = nic("docker0", "172.17.0.1/16")
    assert told(daemon, "28.5.2", facts=facts_of("vm0", nics=[docker0])) == []
