"""Every example on real engines: up, the facts that it teaches, up again, the other prober, down."""

from __future__ import annotations

import pytest
from support.console import alike, on_host
from support.lab_hosts import EXAMPLES, NAMES, ROOT, cells, reached
from support.recorded import differences, look

THROUGH_VM0 = {"vm0", "vm1", "bare", "gateway:bridge@vm0", "gateway:app", "gateway:lan50", "internet"}
THROUGH_VM1 = {"vm0", "vm1", "bare", "gateway:bridge@vm1", "gateway:lan50", "internet"}

PINGS = {
    "bridge": {
        "centos_v1": {"centos_v2", "vm0", "gateway:bridge"},
        "centos_v2": {"centos_v1", "vm0", "gateway:bridge"},
        "vm0": {"centos_v1", "centos_v2", "gateway:bridge"},
    },
    "docker0": {
        "centos8": {"centos9 192.168.1", "centos9 "},  # by IPv4 and IPv6, and no way to anybody else
        "centos9": {"centos8 192.168.1", "centos8 "},
        "vm0": {"centos8 192.168.1", "centos8 ", "centos9 192.168.1", "centos9 "},
    },
    "firewall": {  # pings are let in; what INPUT drops are connections
        "web": {"db", "vm0", "vm1", "gateway:front"},
        "db": {"web", "vm0", "vm1", "gateway:front"},
        "far": {"db", "vm0", "vm1", "gateway:bridge"},
        "vm0": {"web", "db", "vm1", "gateway:front"},
        "vm1": {"db", "far", "vm0", "gateway:bridge"},
    },
    "layers": {
        "site": {"client", "vm0", "gateway:front"},
        "client": {"site", "vm0", "gateway:front"},
        "vm0": {"site", "client", "gateway:front"},
    },
    "user-bridge": {
        "web": {"both 172.28.1", "vm0", "gateway:front", "gateway:back", "gateway:vault"},
        "both": {"web", "db", "vm0", "gateway:front", "gateway:back", "gateway:vault"},
        "db": {"both 172.28.2", "vm0", "gateway:front", "gateway:back", "gateway:vault"},
        "vm0": {"web", "both 172.28.1", "both 172.28.2", "db", "hidden"}
        | {"gateway:front", "gateway:back", "gateway:vault"},
    },
    "ports": {
        "nginx": {"admin", "client", "vm0", "vm1", "gateway:bridge@vm0"},
        "admin": {"nginx", "client", "vm0", "vm1", "gateway:bridge@vm0"},
        "client": {"nginx", "admin", "vm0", "vm1", "gateway:bridge@vm0"},
        "remote": {"vm0", "vm1", "gateway:bridge@vm1"},
        "vm0": {"nginx", "admin", "client", "vm1", "gateway:bridge@vm0"},
        "vm1": {"remote", "vm0", "gateway:bridge@vm1"},
    },
    "host": {
        "centos_host": {"neighbour", "vm0", "vm1", "gateway:bridge@vm0"},
        "neighbour": {"centos_host", "vm0", "vm1", "gateway:bridge@vm0"},
        "remote": {"centos_host", "vm0", "vm1", "gateway:bridge@vm1"},
        "vm0": {"centos_host", "neighbour", "vm1", "gateway:bridge@vm0"},
        "vm1": {"centos_host", "remote", "vm0", "gateway:bridge@vm1"},
    },
    "none": {
        "alone": set(),
        "neighbour": {"vm0", "gateway:bridge"},
        "vm0": {"neighbour", "gateway:bridge"},
    },
    "container": {
        "nginx-web1": {"php-server", "client", "vm0", "gateway:bridge"},
        "php-server": {"nginx-web1", "client", "vm0", "gateway:bridge"},
        "client": {"nginx-web1", "php-server", "vm0", "gateway:bridge"},
        "vm0": {"nginx-web1", "php-server", "client", "gateway:bridge"},
    },
    "macvlan": {
        "centos_vm0_v1": {"centos_vm1_v1"},
        "centos_vm1_v1": {"centos_vm0_v1"},
        "vm0": {"vm1", "gateway:macvlan50"},
        "vm1": {"vm0", "gateway:macvlan50"},
    },
    "ipvlan": {
        "left": {"right"},
        "right": {"left"},
        "vm0": {"vm1", "gateway:ipvlan50"},
        "vm1": {"vm0", "gateway:ipvlan50"},
    },
    "overlay": {
        "left": {"right", "vm0", "vm1"},
        "right": {"left", "vm0", "vm1"},
        "vm0": {"vm1"},
        "vm1": {"vm0"},
    },
    "mixed": {
        "plain0": THROUGH_VM0,
        "plain1": THROUGH_VM1,
        "web": THROUGH_VM0 | {"side"},
        "side": THROUGH_VM0 | {"web"},
        "bare": THROUGH_VM1 - {"bare"} | {"plain1"},
        "alone": set(),
        "lan0": {"lan1"},
        "lan1": {"lan0"},
        "wide0": THROUGH_VM0 | {"wide1"},
        "wide1": THROUGH_VM1 | {"wide0"},
        "vm0": THROUGH_VM0 - {"vm0"} | {"plain0", "web", "side"},
        "vm1": THROUGH_VM1 - {"vm1"} | {"plain1"},
    },
}
"""Who is answered by whom: all of it, so that nothing else is."""

HIDDEN = {"vm0", "gateway:front", "gateway:back", "gateway:vault"}
"""What an internal network's containers may reach: the host at most. Engines before 23 do not close its other doors."""

CONNECTIONS = {
    ("ports", "tcp/80"): {
        "nginx": {"admin", "vm0"},
        "admin": {"nginx", "vm0"},
        "client": {"nginx", "admin", "vm0"},
        "remote": {"vm0"},
        "vm0": {"nginx", "admin"},
        "vm1": {"vm0"},
    },
    ("ports", "tcp/81"): {name: set() for name in ("nginx", "admin", "client", "remote", "vm1")},
    ("container", "tcp/80"): {"php-server": {"nginx-web1"}, "client": {"nginx-web1"}, "vm0": {"nginx-web1"}},
    ("container", "tcp/9000"): {"php-server": {"nginx-web1"}, "client": {"nginx-web1"}, "vm0": {"nginx-web1"}},
    ("container", "tcp/81"): {name: {"vm0"} for name in ("nginx-web1", "php-server", "client")},
    ("mixed", "tcp/80"): {
        name: {"web"} if name in ("side", "vm0") else set() for name in PINGS["mixed"] if name != "web"
    },
    ("mixed", "tcp/8080"): {
        name: set() if name in ("alone", "lan0", "lan1") else {"vm0"} for name in PINGS["mixed"] if name != "vm0"
    },
}

NAMES_FOUND = {
    "bridge": {"centos_v1": set(), "centos_v2": set()},
    "user-bridge": {"web": {"both"}, "both": {"web", "db"}, "db": {"both"}, "hidden": set()},
    "macvlan": {"centos_vm0_v1": set(), "centos_vm1_v1": set()},
    "overlay": {"left": {"right"}, "right": {"left"}},
    "container": {"nginx-web1": set(), "php-server": set(), "client": set()},
    "mixed": {
        **{name: set() for name in ("plain0", "plain1", "web", "bare", "alone", "lan0", "lan1")},
        "side": {"web"},
        "wide0": {"wide1"},
        "wide1": {"wide0"},
    },
}


@pytest.mark.parametrize("name", NAMES)
def test_example(lab, name):
    """An example comes up with every cell as expected and as the tutorial has it, stays, and goes without a trace.

    What the engine makes for it is what is imagined: rule by rule, link by link, route by route.
    """
    lab.skip_without_driver(name)
    report = lab.up(EXAMPLES / f"{name}.yaml")
    assert differences(look(lab, name, (EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8"))) == []
    assert {host["prober"] for host in report["hosts"].values()} == {"agent"}
    assert all(cell["because"] and cell["rule"] for cell in report["cells"])
    pings = reached(report, "ping")
    if name == "user-bridge":
        assert {"gateway:vault"} <= pings.pop("hidden") <= HIDDEN
    assert pings == PINGS[name]
    for (example, probe), connections in CONNECTIONS.items():
        if example == name:
            assert reached(report, probe) == connections
    assert reached(report, "dns") == NAMES_FOUND.get(name, reached(report, "dns"))

    if lab.engine == "machine":
        _as_the_pages_show(lab, name)
    before = lab.ids()
    again = lab.call("up", EXAMPLES / f"{name}.yaml", "--sandbox", "--prober", "portable", "--format", "json")
    assert again.stderr.startswith(f"{name}: no change: everything is as the definition says\n")
    assert lab.ids() == before
    _knows_its_limits(again)

    assert lab.down(name).splitlines()[-1].endswith(" removed")


def _as_the_pages_show(lab, name):
    """Expect of the commands that the modes' pages show for this lab, typed on vm0, what stands below them."""
    for path in sorted((ROOT / "docs/modes").glob("*.md")):
        for example, typed in on_host(path.read_text("utf-8"), path.stem, NAMES):
            if example == name:
                printed = lab.sh("vm0", typed.command)
                assert alike(typed.printed, printed), f"{path.name}: $ {typed.command}\n{printed}"


def _knows_its_limits(outcome):
    """Expect of ping and nc that they contradict no prediction, and that they know what they cannot know."""
    report = outcome.json
    assert {host["prober"] for host in report["hosts"].values()} == {"portable"}
    assert report["summary"]["fail"] == 0, cells(report, verdict="fail")
    unsure = cells(report, verdict="unknown")
    for cell in unsure:
        assert cell["target"].startswith("172.17.0."), cell  # docker0's addresses are every host's
        assert f"may have done so: {cell['target']} is theirs too" in cell["detail"]
    assert outcome.rc == (3 if unsure else 0)


def test_wrong_answerer(lab):
    """Two containers of one address on two hosts: what one answers in the other's place does not count for it."""
    report = lab.up(EXAMPLES / "mixed.yaml")
    (there,) = cells(report, source="plain0", to="plain1", probe="ping")
    assert (there["target"], there["observed"], there["symptom"]) == ("172.17.0.2", "unreachable", "wrong answerer")
    assert there["detail"] == "plain0 on vm0 has this address too, and answered"
    (at_home,) = cells(report, source="vm0", to="plain0", probe="ping")
    (abroad,) = cells(report, source="vm0", to="plain1", probe="ping")
    assert at_home["target"] == abroad["target"] == "172.17.0.2"
    assert (at_home["observed"], abroad["observed"]) == ("reachable", "unreachable")
    assert abroad["symptom"] == "wrong answerer"
    lab.down("mixed")


def test_the_tutorials_image(lab):
    """With `--set` an example runs the tutorial's image, where the hosts have it."""
    for host in lab.names:
        lab.need_node(host)
        lab.docker(host, "tag", "dockerlab/node", "centos:latest")
    report = lab.up(EXAMPLES / "macvlan.yaml", "--set", "image=centos")
    assert reached(report, "ping") == PINGS["macvlan"]
    assert lab.inspect("vm1", "centos_vm1_v1")["Config"]["Image"] == "centos"
    lab.down("macvlan")
    for host in lab.names:
        lab.docker(host, "rmi", "centos:latest")
