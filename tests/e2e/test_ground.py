"""The hosts themselves as part of a lab: made with it, judged with it, and left by `down` as they were."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from support.lab_hosts import ROOT, cells, write

LAB = """\
name: ground
hosts:
  vm0:
    address: ssh://root@192.168.22.61
    interfaces:
      shim: {kind: macvlan, parent: eth0, addresses: 192.168.22.250/32, mtu: 1400}
      eth0: {addresses: 192.168.22.99/24}
    routes: [192.168.22.200/32 dev shim, {to: 10.8.0.0/16, via: 192.168.22.62, table: 100}, 10.5.0.0/16 via 172.31.5.10]
    rules: [from 192.168.50.61 lookup 100]
    firewall:
      preset: ufw
      allow: [9001]
      iptables: [-N OWN, -A OWN -p tcp --dport 9000 -j DROP, -I INPUT 1 -j OWN, -t mangle -A OUTPUT -j RETURN]
      nft: {late: {hook: input, priority: 20, rules: [tcp dport 9002 drop]}}
    sysctls: {net.ipv4.conf.all.rp_filter: 2}
  vm1: {address: ssh://root@192.168.22.62, firewall: {preset: firewalld}}
networks:
  app: {subnet: 172.31.5.0/24}
  lan: {driver: macvlan, parent: eth0, subnet: 192.168.22.0/24, gateway: 192.168.22.1}
containers:
  web: {host: vm0, networks: {app: {ip: 172.31.5.10}}, command: httpd -f -p 80 -h /www, ports: ["8080:80"],
        routes: [10.6.0.0/16 via 172.31.5.1], after: [touch "/tmp/it is"]}
  m0: {host: vm0, networks: {lan: {ip: 192.168.22.200}}}
  shy: {host: vm0, network_mode: host, command: httpd -f -p 9000 -h /www, expose: [9000]}
  far: {host: vm1, network_mode: host, command: httpd -f -p 9000 -h /www, expose: [9000]}
"""

SMALL = """\
name: ground
hosts:
  vm0:
    interfaces: {shim: {kind: macvlan, parent: eth0, addresses: 192.168.22.250/32}, eth0: {mtu: 1400}}
    routes: [192.168.22.200/32 dev shim]
    rules: [from 192.168.50.61 lookup 100]
    firewall:
      iptables: [-A INPUT -p tcp --dport 22 -j ACCEPT, -P INPUT DROP]
      nft: {late: {hook: input, rules: [tcp dport 9002 drop]}}
    sysctls: {net.ipv4.conf.all.rp_filter: 2}
containers:
  web: {host: vm0, routes: [10.6.0.0/16 via 172.17.0.1]}
"""

STATE = r"""
for save in iptables-save ip6tables-save; do
    $save | awk -v where=$save '/^\*/ { table = $1 } /^-A/ { print where, table, $0 }
                                /^:/ && $2 != "ACCEPT" { print where, table, $1, $2 }'
done
nft list tables | grep -vE '^table ip6? (raw|mangle|nat|filter|security)$'
for version in 4 6; do
    ip -j -$version rule; ip -$version route show table all | grep -vE 'fe80::|ff00::' | sed 's, linkdown,,'
done
ip -o address show | grep -v fe80:: | sed 's/ *valid_lft.*//'
ip -o link show | grep -v veth | grep -oE '^[0-9]+: [^ ]+ .* mtu [0-9]+'
cat /proc/sys/net/ipv4/conf/all/rp_filter
"""
"""What must be after a lab as it was before: a chain of iptables without rules is as good as none."""

LONGEST = 30


def state(lab, host="vm0"):
    """Return a host's own part of its kernel, as lines."""
    return lab.sh(host, STATE).splitlines()


@pytest.fixture
def ready(lab):
    """Give the hosts with the node image on them."""
    for host in lab.names:
        lab.need_node(host)
    return lab


def test_made_judged_and_undone(ready, tmp_path):
    """All cells are as expected with it; what somebody takes away is the lab's cause; `down` leaves what was there."""
    lab, path = ready, write(tmp_path, LAB)
    before = {host: state(lab, host) for host in lab.names}
    refused = lab.call("up", path, "--inventory", lab.inventory(tmp_path, "vm0", "vm1"))
    assert refused.rc == 2
    assert "Allow it with --allow-host-changes" in refused.stderr
    assert "vm0: iptables --wait --table filter --policy INPUT DROP" in refused.stderr
    assert {host: state(lab, host) for host in lab.names} == before

    report = lab.up(path)

    def seen(source, to, probe):
        return {cell["observed"] for cell in cells(report, source=source, to=to, probe=probe)}

    assert seen("m0", "vm0", "ping") == {"reachable"}
    assert {cell["symptom"] for cell in cells(report, source="far", to="shy", probe="tcp/9000")} == {"timeout"}
    assert seen("far", "vm0", "tcp/8080") == {"reachable"}
    assert {cell["symptom"] for cell in cells(report, source="shy", to="far", probe="tcp/9000")} == {"host unreachable"}
    assert lab.docker("vm0", "exec", "web", "ls", "/tmp") == "it is"
    assert "10.6.0.0/16 via 172.31.5.1" in lab.docker("vm0", "exec", "web", "ip", "route")
    again = lab.call("up", path, "--sandbox", "--no-verify")
    assert again.stderr == "ground: no change: everything is as the definition says\n"

    lab.sh("vm0", "iptables -P INPUT ACCEPT; iptables -D INPUT 1; ip route del 192.168.22.200/32 dev shim")
    told = lab.call("verify", path, "--sandbox", "--format", "json").json
    causes = {(cause["side"], cause["kind"]): cause["undo"] for cause in told["causes"]}
    assert "ip -4 route add 192.168.22.200/32 dev shim" in causes["lab", "route"]
    assert any(side == "lab" and kind in ("policy", "rule") for side, kind in causes)
    mended = lab.call("up", path, "--sandbox", "--no-verify")
    assert mended.rc == 0, mended.stderr
    assert lab.call("verify", path, "--sandbox").rc == 0

    lab.down("ground")
    assert {host: state(lab, host) for host in lab.names} == before


def killed(lab, action, path, number):
    """Run a process that is killed before its command of this number; tell whether it had one."""
    environment = lab.environment(PYTHONPATH=f"{ROOT / 'tests'}{os.pathsep}{ROOT}")
    argv = [sys.executable, "-m", "support.killed", action, str(path), str(number)]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode != 0


@pytest.mark.slow
@pytest.mark.parametrize("lab_hosts", ["machine"], indirect=True)
def test_killed(ready, tmp_path):
    """Killed before any command of `up`, and of `down`, the next `down` leaves the host as it was; on one engine."""
    lab, path = ready, write(tmp_path, SMALL)
    before = state(lab)
    for number in range(1, LONGEST):
        more = killed(lab, "up", path, number)
        if number % 3 == 0:
            killed(lab, "down", path, number // 3)
        lab.down("ground")
        assert state(lab) == before, f"killed before command {number}"
        assert lab.left() == [], f"killed before command {number}"
        if not more:
            break
    assert not more
    assert number > 12
