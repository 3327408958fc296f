"""What is neither plainly there nor plainly gone: small packets that pass alone, and answers that come now and then."""

from __future__ import annotations

import subprocess

import pytest
from support.lab_hosts import EXAMPLES, cells, write

from dockerlab.sandbox.layout import LINK, SWITCH_NS

PAIR = """\
name: pair
hosts: {vm0: ssh://root@192.168.22.61}
networks: {near: {subnet: 172.31.7.0/24}}
containers:
  one: {host: vm0, networks: {near: {ip: 172.31.7.11}}}
  other: {host: vm0, networks: {near: {ip: 172.31.7.12}}}
"""


def set_mtu(host: str, size: int) -> None:
    """Let the switch pass no larger packets to a host; our own connections then have smaller segments."""
    subprocess.run(["ip", "link", "set", LINK, "mtu", str(size)], check=True)
    subprocess.run(["ip", "-n", SWITCH_NS, "link", "set", host, "mtu", str(size)], check=True)


def test_a_small_mtu_under_an_overlay(lab):
    """Where the hosts' LAN takes less than VXLAN's packets, pings pass and full-size ones do not: it says MTU."""
    lab.skip_without_driver("overlay")
    overlay = EXAMPLES / "overlay.yaml"
    lab.up(overlay)
    try:
        set_mtu("vm1", 1400)
        verified = lab.call("verify", overlay, "--sandbox", "--format", "json")
    finally:
        set_mtu("vm1", 1500)
    assert verified.rc == 1
    found = {(cell["from"], cell["to"]): cell for cell in cells(verified.json, verdict="fail")}
    assert {("left", "right"), ("right", "left")} <= set(found)
    for pair in (("left", "right"), ("right", "left")):
        assert found[pair]["symptom"] == "mtu"
        assert "bytes" in found[pair]["detail"]
    assert lab.call("verify", overlay, "--sandbox").rc == 0
    lab.down(overlay)


def test_a_cell_that_is_answered_now_and_then(lab, tmp_path):
    """A target that hears every other question is called flaky: the cell is unknown, and so is the whole report."""
    path = write(tmp_path, PAIR)
    lab.up(path)
    pid = lab.inspect("vm0", "other")["State"]["Pid"]
    rule = "INPUT -s 172.31.7.11 -p icmp --icmp-type echo-request -m statistic --mode nth --every 2 --packet 0 -j DROP"
    inside = ["nsenter", "-t", str(pid), "-n", "iptables"]
    added = lab.run("vm0", *inside, "-A", *rule.split())
    if added.returncode:
        lab.down(path)
        pytest.skip(f"this kernel cannot drop every other packet (xt_statistic): {added.stderr.strip()}")
    verified = lab.call("verify", path, "--sandbox", "--format", "json")
    assert verified.rc == 3
    (cell,) = cells(verified.json, verdict="unknown")
    assert (cell["from"], cell["to"], cell["symptom"]) == ("one", "other", "flaky")
    assert "answered 2 of 4 tries" in cell["detail"]
    lab.run("vm0", *inside, "-F", "INPUT")
    assert lab.call("verify", path, "--sandbox").rc == 0
    lab.down(path)
