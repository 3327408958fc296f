"""What `doctor` says of real hosts: whole ones, broken ones, and ones that were mended as it said."""

from contextlib import contextmanager

import pytest
from support.lab_hosts import wait_for, write

LAB = """
name: ward
hosts: {vm0: , vm1: }
networks:
  lan: {driver: macvlan, parent: eth0.50, subnet: 192.168.50.0/24}
  front: {subnet: 10.9.1.0/24}
  behind: {subnet: 10.77.0.0/16}
  apart: {subnet: 10.78.0.0/24, driver_opts: {com.docker.network.bridge.enable_icc: "false"}}
containers:
  web: {host: vm0, networks: [front, behind], ports: ["8080:80"]}
  child0: {host: vm0, networks: {lan: {ip: 192.168.50.2}}}
  child1: {host: vm1, networks: {lan: {ip: 192.168.50.3}}}
  other: {host: vm1, networks: [apart]}
"""

HARM = r"""
docker network create --subnet 10.9.0.0/16 theirs >/dev/null  # later engines turn forwarding on with it
echo 0 >/proc/sys/net/ipv4/ip_forward
iptables -F FORWARD
ip link set eth0.50 down
ip route add 10.77.5.0/24 via 192.168.22.1
python3 -c 'import socket, time
listener = socket.create_server(("0.0.0.0", 8080))
time.sleep(300)' >/dev/null 2>&1 &
"""

HIDDEN = r"""
touch /run/date.real
printf '#!/bin/sh\nexec /run/date.real -d "+1 hour" "$@"\n' >/run/date.fake
chmod 755 /run/date.fake
mount --bind "$(command -v date)" /run/date.real
mount --bind /run/date.fake "$(command -v date)"
mount --bind "$(readlink -f /bin/false)" "$(readlink -f "$(command -v python3)")"
"""

SHOWN = r"""
umount --lazy "$(command -v date)" /run/date.real "$(readlink -f "$(command -v python3)")"
rm -f /run/date.real /run/date.fake
"""


@pytest.fixture
def ward(lab, tmp_path):
    """Give the definition, with the hosts' firewalls and interfaces whole again in the end."""
    yield write(tmp_path, LAB)
    lab.sh("vm0", "ip link set eth0.50 up; ip route del 10.77.5.0/24 2>/dev/null; iptables -P FORWARD DROP")


@contextmanager
def hidden(lab, host):
    """Let a host have neither Python nor the right time."""
    lab.sh(host, HIDDEN)
    try:
        yield
    finally:
        lab.sh(host, SHOWN)


def doctor(lab, *words):
    """Return the exit code, and the findings that are not ok by host and subject."""
    done = lab.call("doctor", *words, "--format", "json")
    report = done.json
    assert report["summary"]["ok"] == sum(one["status"] == "ok" for one in report["findings"])
    return done, {(one["host"], one["subject"]): one for one in report["findings"] if one["status"] != "ok"}


def apply(lab, finding):
    """Run the commands of a remedy on its host, as they are printed."""
    assert finding["remedy"]["commands"], finding
    for command in finding["remedy"]["commands"]:
        done = lab.run(finding["host"], *command)
        assert done.returncode == 0, (command, done.stderr)


def test_whole_hosts(lab, tmp_path):
    """Of whole hosts nothing but good is said, of a lab that fits there as well, also while that lab runs."""
    path = write(tmp_path, LAB)
    for words in (["--sandbox"], [path, "--sandbox"]):
        done, found = doctor(lab, *words)
        assert (done.rc, found) == (0, {})
    assert lab.left() == []
    assert lab.call("up", path, "--sandbox", "--no-verify").rc == 0
    done, found = doctor(lab, path, "--sandbox")
    assert (done.rc, found) == (0, {})
    lab.down(path)


def test_what_is_broken_and_mended(lab, ward):
    """Each thing that was broken is named with its remedy, and is gone once the remedy was applied as printed."""
    lab.sh("vm0", HARM)
    engine = lab.sh("vm0", "cat /run/docker.pid").strip()
    try:
        wait_for(lambda: ":8080 " in lab.sh("vm0", "ss -Hlnt"))
        with hidden(lab, "vm1"):
            done, found = doctor(lab, ward, "--sandbox")
        assert done.rc == 1
        assert {key: one["status"] for key, one in found.items()} == {
            ("vm0", "ip_forward"): "problem",
            ("vm0", "firewall"): "problem",
            ("vm0", "parent"): "problem",
            ("vm0", "subnet"): "problem",
            ("vm0", "port"): "problem",
            ("vm1", "agent"): "warning",
            ("vm1", "firewall"): "unknown",
            ("vm1", "clock"): "problem",
        }
        assert "rules are missing in table filter (chains FORWARD): " in found["vm0", "firewall"]["told"]
        assert "iptables -P FORWARD ACCEPT" in found["vm0", "firewall"]["remedy"]["words"]
        assert "8080/tcp of web is taken by python3" in found["vm0", "port"]["told"]
        assert "3600 s ahead of ours" in found["vm1", "clock"]["told"]
        both = [
            one["told"] for one in done.json["findings"] if one["subject"] == "subnet" and one["status"] == "problem"
        ]
        assert any("overlaps with network theirs (10.9.0.0/16)" in told for told in both)
        assert any("overlaps with the route to 10.77.5.0/24 via 192.168.22.1" in told for told in both)
        for one in done.json["findings"]:
            if one["host"] == "vm0" and one["remedy"]["commands"]:
                apply(lab, one)
                if one["subject"] == "firewall":
                    wait_for(lambda: lab.run("vm0", "pgrep", "-F", "/run/docker.pid").stdout.split() != [engine])
                    wait_for(lambda: lab.run("vm0", "docker", "version").returncode == 0, 60)
        lab.sh("vm0", "ip route del 10.77.5.0/24")
        done, found = doctor(lab, ward, "--sandbox")
        assert (done.rc, found) == (0, {})
    finally:
        lab.run("vm0", "sh", "-c", "docker network rm theirs; pkill -f socket.create_server")


def test_fix(lab, ward):
    """`--fix` runs what can be taken back and says each command; the firewall it leaves as it is."""
    lab.sh("vm0", "echo 0 >/proc/sys/net/ipv4/ip_forward; ip link set eth0.50 down; iptables -P FORWARD ACCEPT")
    policy = lab.sh("vm0", "iptables-save")
    done, found = doctor(lab, ward, "--sandbox", "--fix")
    assert (done.rc, found) == (0, {})
    ran = [line for line in done.stderr.splitlines() if line.startswith("vm0: ran ")]
    assert ran == [
        "vm0: ran 'sysctl -w net.ipv4.ip_forward=1'; 'sysctl -w net.ipv4.ip_forward=0' takes it back",
        "vm0: ran 'ip link set eth0.50 up'; 'ip link set eth0.50 down' takes it back",
    ]
    counted = [line for line in policy.splitlines() if line.startswith(("-", ":FORWARD"))]
    assert [
        line for line in lab.sh("vm0", "iptables-save").splitlines() if line.startswith(("-", ":FORWARD"))
    ] == counted


def test_an_engine_that_does_not_run(lab, tmp_path):
    """A stopped engine is a problem of its host alone, and starts as it is said; an unknown key is exit code 4."""
    inventory = lab.inventory(tmp_path, "vm0", "vm1")
    lab.sh("vm0", "touch /run/dockerlab/dockerd.stopped; kill $(cat /run/docker.pid)")
    wait_for(lambda: lab.run("vm0", "docker", "version").returncode != 0)
    done, found = doctor(lab, "--inventory", inventory)
    assert (done.rc, list(found)) == (1, [("vm0", "engine")])
    assert found["vm0", "engine"]["told"] == "it is not running"
    apply(lab, found["vm0", "engine"])
    wait_for(lambda: lab.run("vm0", "docker", "version").returncode == 0, 60)
    done, found = doctor(lab, "--inventory", inventory)
    assert (done.rc, found) == (0, {})
    nobody = write(tmp_path, "", "known_hosts")
    done, found = doctor(lab, "--inventory", lab.inventory(tmp_path, "vm0", "vm1", known_hosts=nobody))
    assert (done.rc, list(found)) == (4, [("vm0", "connection"), ("vm1", "connection")])
    assert "ssh-keyscan" in found["vm0", "connection"]["told"]
