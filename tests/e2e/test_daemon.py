"""The engines' own settings: the tutorial's section on daemon.json as a lab, and all that can go wrong with it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from support.lab_hosts import EXAMPLES, ROOT, reached, wait_for, write

FILE = "/etc/docker/daemon.json"
OWN = '{"registry-mirrors": ["https://mirror.example"],\n\t"max-concurrent-downloads": 2 }'
"""What the host has of its own, written as no program would write it, without a newline at its end."""

HEAD = "name: {name}\nhosts: {{vm0: {{address: ssh://root@192.168.22.61, daemon: {daemon}}}}}\n"
ONE = "containers: {alone: {image: dockerlab/node}}\n"


TUTORIAL = """
name: tutorial
hosts:
  vm0:
    address: ssh://root@192.168.22.61
    daemon:
      bip: 192.168.1.5/24
      fixed-cidr: 192.168.1.5/25
      fixed-cidr-v6: 2001:db8::/64
      mtu: 1500
      default-gateway: 192.168.1.1
      default-gateway-v6: 2001:db8:abcd::89
      dns: [114.114.114.114, 100.100.2.138]
containers: {centos8: {image: dockerlab/node}}
"""
"""The tutorial's daemon.json, but for its mirror; without `ipv6` the engine does nothing with the IPv6 in it."""

MANY = """
containers:
  web: {host: vm0, image: dockerlab/node, ports: ["8080:80"], command: [httpd, -f, -p, "80"]}
  side: {host: vm0, image: dockerlab/node}
  pooled: {host: vm0, image: dockerlab/node, networks: [pool]}
networks: {pool: }
"""


def settings(folder, daemon, name="other", body=ONE):
    """Write a lab of one container with settings for the engine of vm0."""
    return write(folder, HEAD.format(name=name, daemon=daemon) + body, f"{name}.yaml")


def state(lab):
    """Return what must not change on vm0: its files with their modes and content, docker0, and which engine runs."""
    files = lab.sh("vm0", "cd /etc/docker; for f in *; do [ ! -e $f ] || { stat -c '%n %a' $f; sha256sum $f; }; done")
    bridge = lab.sh("vm0", "ip -o address show dev docker0 scope global | awk '{print $4}'")
    return files, bridge


def engine(lab):
    """Return the process number of vm0's engine."""
    return lab.sh("vm0", "cat /run/docker.pid").strip()


def killed(lab, path, number):
    """Run an `up` that is killed before its command of this number."""
    environment = lab.environment(PYTHONPATH=f"{ROOT / 'tests'}{os.pathsep}{ROOT}")
    argv = [sys.executable, "-m", "support.killed", "up", str(path), str(number)]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.fixture
def own(lab):
    """Give vm0 a daemon.json of its own, and take it away in the end."""
    lab.need_node("vm0")
    lab.run("vm0", "sh", "-c", f"cat >{FILE} && chmod 640 {FILE}", text=OWN)
    yield lab
    # an engine that is stopped while it starts leaves what its containerd was at
    lab.sh("vm0", f"rm -f {FILE} {FILE}.* /tmp/containerd.*.log; ip link delete taken type bridge 2>/dev/null; true")


def test_the_tutorials_section(own, tmp_path):
    """The tutorial's daemon.json runs as a lab and verifies, and `down` leaves every byte and docker0 as they were."""
    lab, before = own, state(own)
    path = write(tmp_path, TUTORIAL, "tutorial.yaml")
    report = lab.up(path)
    checks = {(check["subject"], check["rule"]): check for check in report["checks"]}
    assert {check["verdict"] for check in report["checks"]} == {"pass"}
    rules = {rule for subject, rule in checks if subject == "container centos8"}
    assert rules == {"fixed-cidr", "default-gateway", "mtu", "dns"}

    # the tutorial's own commands say the same
    routes = lab.docker("vm0", "exec", "centos8", "ip", "route")
    assert "default via 192.168.1.1 dev eth0" in routes
    assert "192.168.1.0/24 dev eth0" in routes
    assert " mtu 1500 " in lab.docker("vm0", "exec", "centos8", "ip", "link", "show", "eth0")
    resolver = lab.docker("vm0", "exec", "centos8", "cat", "/etc/resolv.conf")
    assert [line for line in resolver.splitlines() if line.startswith("nameserver")] == [
        "nameserver 114.114.114.114",
        "nameserver 100.100.2.138",
    ]
    written = json.loads(lab.sh("vm0", f"cat {FILE}"))
    assert {"registry-mirrors", "max-concurrent-downloads", "bip"} <= written.keys(), "the host's own keys are kept"
    assert lab.sh("vm0", f"stat -c %a {FILE}").strip() == "640"

    running = engine(lab)
    again = lab.call("up", path, "--sandbox", "--no-verify")
    assert "no change" in again.stderr
    other = lab.call("up", settings(tmp_path, "{mtu: 1300}"), "--sandbox", "--no-verify")
    assert other.rc == 4
    assert "vm0: lab tutorial of teacher@" in other.stderr
    assert "mtu would be others: 'dockerlab down tutorial'" in other.stderr
    assert engine(lab) == running

    removed = lab.call("down", "tutorial", "--sandbox")
    assert removed.rc == 0, removed.stderr
    assert state(lab) == before


def test_the_model_knows_them(own, tmp_path):
    """With icc, the userland proxy and the pools as the lab wants them, every cell and check is as expected."""
    lab, before = own, state(own)
    pools = "default-address-pools: [{base: 10.66.0.0/16, size: 24}]"
    wanted = "{icc: false, userland-proxy: false, live-restore: true, " + pools + "}"
    report = lab.up(settings(tmp_path, wanted, "many", MANY))
    assert reached(report, "ping")["web"] == {"vm0", "gateway:bridge", "gateway:pool"}
    assert {check["rule"]: check["verdict"] for check in report["checks"]} == {
        "icc": "pass",
        "live-restore": "pass",
        "default-address-pools": "pass",
    }
    lab.down("many")
    assert state(lab) == before


def test_refused_before_anything_is_touched(own, tmp_path):
    """What cannot work, is not allowed or would stop a stranger's container leaves the host alone, and says why."""
    lab, before, running = own, state(own), engine(own)
    bad = settings(tmp_path, "{bip: 192.168.1.5/24, default-gateway: 192.168.2.1}", "bad")
    outcome = lab.call("up", bad, "--sandbox")
    assert outcome.rc == 2
    assert "bad.yaml:2:97: hosts.vm0.daemon.default-gateway: 192.168.2.1 is not in 192.168.1.0/24" in outcome.stderr

    wanted = settings(tmp_path, "{mtu: 1300}")
    outcome = lab.call("up", wanted, "--inventory", lab.inventory(tmp_path, "vm0"))
    assert outcome.rc == 2
    assert "--allow-daemon-changes" in outcome.stderr
    assert f'+++ vm0:{FILE} (wanted)\n+{{\n+  "mtu": 1300\n+}}' in outcome.stderr
    assert "registry-mirrors" not in outcome.stderr, "the host's own settings are nobody's business"

    taken = lab.call("up", settings(tmp_path, "{bip: 192.168.22.5/24}", "lan"), "--sandbox")
    assert taken.rc == 4
    assert "overlaps with the host's own network 192.168.22.0/24 on eth0" in taken.stderr

    lab.docker("vm0", "run", "--detach", "--name", "stranger", "dockerlab/node")
    outcome = lab.call("up", wanted, "--sandbox")
    lab.docker("vm0", "rm", "--force", "stranger")
    assert outcome.rc == 4
    assert "would stop container stranger" in outcome.stderr
    assert (state(lab), engine(lab)) == (before, running)


def test_an_engine_that_does_not_come_up(own, tmp_path):
    """Settings that keep the engine from starting are taken back, the engine runs as before, and it is said why."""
    lab, before = own, state(own)
    # Nothing in the definition can tell that somebody has the only subnet of the pool.
    lab.sh("vm0", "ip link add taken type bridge; ip address add 10.66.0.7/24 dev taken; ip link set taken up")
    pool = settings(tmp_path, "{default-address-pools: [{base: 10.66.0.0/24, size: 24}]}")
    outcome = lab.call("up", pool, "--sandbox")
    assert outcome.rc == 4
    assert f"the engine did not come up with the new {FILE}: " in outcome.stderr
    assert "failed to start daemon" in outcome.stderr
    assert "was put back, and the engine runs with it again" in outcome.stderr
    assert "everything that this run had created was removed again" in outcome.stderr
    assert state(lab) == before
    assert lab.docker("vm0", "ps", "--all", "--quiet") == ""


def test_killed_between_file_and_restart(own):
    """Killed with the file written and the engine not restarted, `up` goes on from there, and so does `down`."""
    lab, before, running = own, state(own), engine(own)
    for action in ("up", "down"):
        killed(lab, EXAMPLES / "docker0.yaml", 5)
        assert '"bip"' in lab.sh("vm0", f"cat {FILE}")
        assert engine(lab) == running
        if action == "down":  # and the engine does not run at all: what is kept beside the file is enough
            lab.sh("vm0", "touch /run/dockerlab/dockerd.stopped; kill $(cat /run/docker.pid)")
            wait_for(lambda: lab.run("vm0", "test", "-e", "/run/docker.pid").returncode != 0)
        if action == "up":
            lab.up(EXAMPLES / "docker0.yaml")
            assert "192.168.1.5/24" in state(lab)[1]
        lab.down("docker0")
        assert state(lab) == before
        wait_for(lambda: lab.run("vm0", "docker", "version").returncode == 0)
        running = engine(lab)
