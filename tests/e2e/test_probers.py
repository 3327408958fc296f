"""Both probers on real engines: what an image, a user or a firewall takes from them is never read as unreachable."""

from __future__ import annotations

import math

import pytest
from support.lab_hosts import EXAMPLES, cells, write

from dockerlab.probe.neighbours import Netlink

HOSTS = "hosts: {vm0: ssh://root@192.168.22.61, vm1: ssh://root@192.168.22.62}\n"


def verify(lab, path, *words):
    """Verify a lab and return the exit code and the report."""
    outcome = lab.call("verify", path, "--sandbox", "--format", "json", *words)
    return outcome.rc, outcome.json


def bare_image(lab, host):
    """Make an image that holds one program which is not a shell: no ping, nothing to probe with."""
    lab.need_node(host)
    lab.sh(host, "dir=$(mktemp -d); mkdir $dir/bin; cp $(command -v busybox) $dir/bin/sleep; "
           "tar -C $dir -c . | docker import --change 'CMD [\"sleep\", \"9999\"]' - bare; rm -r $dir")  # fmt: skip


def test_an_image_without_tools(lab, tmp_path):
    """Without ping in the image, without CAP_NET_RAW, or as nobody: both probers still see every cell."""
    path = write(tmp_path, f"""\
name: poor
{HOSTS}networks: {{net: {{subnet: 172.31.1.0/24}}}}
containers:
  toolless: {{host: vm0, image: bare, networks: [net]}}
  powerless: {{host: vm0, image: dockerlab/node, networks: [net], cap_drop: [NET_RAW]}}
  nobody: {{host: vm0, image: dockerlab/node, networks: [net], user: "65534"}}
  neighbour: {{host: vm0, image: dockerlab/node, networks: [net]}}
""")  # fmt: skip
    bare_image(lab, "vm0")
    lab.up(path)
    rc, report = verify(lab, path, "--prober", "portable")
    assert {host["prober"] for host in report["hosts"].values()} == {"portable"}
    assert report["summary"]["fail"] == 0
    for name in ("toolless", "powerless", "nobody"):
        (cell,) = cells(report, source=name, to="neighbour", probe="ping")
        assert (cell["observed"], cell["verdict"]) == ("reachable", "pass")
    assert rc == 0, cells(report, verdict="unknown")
    lab.down("poor")
    lab.docker("vm0", "rmi", "bare")


def test_no_tools_and_no_helper(lab, tmp_path):
    """Where nothing can ask in a container's place, its cells are unknown, with the reason; the agent needs nothing."""
    path = write(tmp_path, f"""\
name: poor
{HOSTS}containers:
  toolless: {{host: vm0, image: bare}}
  friend: {{host: vm0, image: bare}}
""")  # fmt: skip
    bare_image(lab, "vm0")
    lab.up(path)
    lab.docker("vm0", "rmi", "dockerlab/node")
    rc, report = verify(lab, path, "--prober", "portable")
    assert cells(report, verdict="fail") == []
    assert rc == 3
    (cell,) = cells(report, source="toolless", to="friend", probe="ping")
    assert (cell["observed"], cell["verdict"]) == ("unknown", "unknown")
    assert "by a helper: " in cell["detail"]
    rc, report = verify(lab, path, "--prober", "agent")
    assert (rc, report["summary"]["unknown"]) == (0, 0)
    lab.down("poor")
    lab.docker("vm0", "rmi", "bare")


def test_without_python_the_other_prober_speaks(lab):
    """On a host without Python `auto` is ping and nc, which the report says; asking for the agent is refused there."""
    lab.up(EXAMPLES / "bridge.yaml")
    hidden = "for p in /usr/bin/python3*; do mount --bind /dev/null $p; done"
    lab.sh("vm0", hidden)
    try:
        rc, report = verify(lab, EXAMPLES / "bridge.yaml")
        assert (rc, report["hosts"]["vm0"]["prober"]) == (0, "portable")
        refused = lab.call("verify", EXAMPLES / "bridge.yaml", "--sandbox", "--prober", "agent")
        assert refused.rc == 4
        assert "the agent cannot run here" in refused.stderr
    finally:
        lab.sh("vm0", "for p in /usr/bin/python3*; do umount $p; done")
    lab.down("bridge")


@pytest.mark.slow
def test_more_neighbours_than_the_kernel_takes(lab, tmp_path):
    """Where everybody asks everybody, and the neighbour table holds fewer: paced, else unknown; no cell fails."""
    netlink = Netlink()
    number = math.isqrt(max(table.limit for table in netlink.tables())) + 2
    netlink.close()
    containers = "".join(f"  c{n:02}: {{host: vm0, image: dockerlab/node, networks: [net]}}\n" for n in range(number))
    text = f"name: crowd\n{HOSTS}networks: {{net: {{subnet: 172.31.0.0/16}}}}\ncontainers:\n{containers}"
    path = write(tmp_path, text)
    report = lab.call("up", path, "--sandbox", "--format", "json").json
    assert cells(report, verdict="fail") == []
    assert all("gc_thresh3" in cell["detail"] for cell in cells(report, verdict="unknown"))
    between = [cell for cell in cells(report, probe="ping") if {cell["from"][0], cell["to"][0]} == {"c"}]
    assert len(between) >= number * (number - 1)
    lab.down("crowd")


def test_rules_that_went(lab):
    """After `iptables -F` on a host a published port does not do what was predicted, and that is a fail, not a pass."""
    lab.up(EXAMPLES / "ports.yaml")
    lab.sh("vm0", "iptables-save > /run/rules; iptables -t nat -F; iptables -F; iptables -P FORWARD DROP")
    try:
        rc, report = verify(lab, EXAMPLES / "ports.yaml")
        assert rc == 1
        (cell,) = cells(report, source="client", to="vm1", probe="ping")
        assert (cell["expected"], cell["observed"], cell["verdict"]) == ("reachable", "unreachable", "fail")
    finally:
        lab.sh("vm0", "iptables-restore < /run/rules; rm /run/rules")
    rc, _ = verify(lab, EXAMPLES / "ports.yaml")
    assert rc == 0
    lab.down("ports")


def test_the_owner_of_a_namespace_is_restarted(lab):
    """After a restart of the owner, who joined it sits in a namespace of nobody else's, and `verify` does not pass."""
    path = EXAMPLES / "container.yaml"
    lab.up(path)
    lab.docker("vm0", "restart", "--time", "1", "nginx-web1")
    rc, report = verify(lab, path)
    assert rc != 0
    (cell,) = cells(report, source="client", to="nginx-web1", probe="tcp/9000")
    assert cell["observed"] == "unreachable"
    lab.docker("vm0", "rm", "--force", "php-server")
    lab.up(path)
    lab.down("container")
