"""`up` and `verify` while things break: each thing is called what it is, and no cell gets a false verdict."""

from __future__ import annotations

import re
import time

import pytest
from support.faults import docker_replaced, python_replaced
from support.lab_hosts import EXAMPLES, cells, wait_for, write

HOSTS = "hosts: {vm0: ssh://root@192.168.22.61, vm1: ssh://root@192.168.22.62}\n"
LAB = f"""\
name: fire
{HOSTS}networks: {{net: {{}}, far: {{}}}}
containers:
  near1: {{host: vm0, image: dockerlab/node, networks: [net]}}
  far1: {{host: vm1, image: dockerlab/node, networks: [far]}}
  far2: {{host: vm1, image: dockerlab/node, networks: [far], ports: ["8080:80"], command: [httpd, -f, -p, "80"]}}
"""


@pytest.fixture
def path(tmp_path):
    return write(tmp_path, LAB)


def verify(lab, path, *words):
    """Verify a lab and return the exit code and the report."""
    outcome = lab.call("verify", path, "--sandbox", "--format", "json", *words)
    return outcome.rc, outcome.json


def test_engine_restarts_during_up(lab, path):
    """An engine that is restarted under the second `docker run`: that one is done again, and so is what it stopped."""
    script = """
if [ "$1" = run ] && ! mkdir /run/at.first 2>/dev/null && mkdir /run/at.second 2>/dev/null; then
    kill -9 $(cat /run/docker.pid)
fi
exec /run/docker.real "$@"
"""
    with docker_replaced(lab, "vm1", script):
        outcome = lab.call("up", path, "--sandbox", "--format", "json")
    assert "vm1 was restarted meanwhile: looking at the lab again" in outcome.stderr
    assert outcome.rc == 0, outcome.stderr + outcome.stdout
    assert outcome.json["summary"]["pass"] == len(outcome.json["cells"]) > 0
    running = lab.docker("vm1", "ps", "--format", "{{.Names}}").split()
    assert sorted(running) == ["far1", "far2"]
    lab.down("fire")


def test_engine_restarts_during_verify(lab, path):
    """An engine that is restarted while cells are asked: theirs are unknown and say so, no cell fails, others stand."""
    lab.up(path)
    for pause in (6, 0):  # long enough to be back before the first probe, or gone under it
        with python_replaced(lab, "vm1", f"kill -9 $(cat /run/docker.pid); sleep {pause}"):
            rc, report = verify(lab, path)
            wait_for(lambda: lab.run("vm1", "docker", "version").returncode == 0, 60)
        assert (rc, report["summary"]["fail"]) == (3, 0), cells(report, verdict="fail")
        said = " ".join(report["notes"])
        assert "the engine of vm1 was restarted while the cells were asked" in said
        assert re.search(r"far1 ended \(exit code \d+\) while the cells were asked", said)
        assert {cell["verdict"] for cell in cells(report, source="near1", to="vm0")} == {"pass"}
        assert {cell["verdict"] for cell in cells(report, source="near1", to="far1")} == {"unknown"}
        assert lab.call("up", path, "--sandbox", "--no-verify").rc == 0
    lab.down("fire")


DEEDS = (
    ("docker kill far1", "far1 ended (exit code 137) while the cells were asked"),
    ("docker network disconnect far far1; docker network connect --ip 172.29.7.7 far far1; docker restart -t0 far1",
     "far1 was restarted, and its address changed from 172.29.7."),
    ("docker rm --force far1", "far1 was removed while the cells were asked"),
)  # fmt: skip


def test_container_dies_between_two_probes(lab, path):
    """A container that ends, starts anew, moves or goes while cells are asked is called that; no cell of it fails."""
    path.write_text(path.read_text().replace("far: {}", "far: {subnet: 172.29.7.0/24}"))
    lab.up(path)
    for deed, said in DEEDS:
        with python_replaced(lab, "vm1", f"{{ {deed}; }} >/dev/null"):
            rc, report = verify(lab, path)
        assert (rc, report["summary"]["fail"]) == (3, 0), cells(report, verdict="fail")
        assert any(said in note for note in report["notes"]), (said, report["notes"])
        touched = cells(report, to="far1", source="far2", probe="ping")
        assert all(cell["verdict"] == "unknown" or cell["observed"] == "reachable" for cell in touched)
        assert lab.call("up", path, "--sandbox", "--no-verify").rc == 0
    lab.down("fire")


FLUSHED = {"iptables -F": ("filter ", "FORWARD"), "iptables -t nat -F": ("nat ", "DOCKER")}


def test_flushed_rules(lab):
    """After `iptables -F` the failed cells are explained by the table whose rules are missing, and the remedy."""
    path = EXAMPLES / "ports.yaml"
    lab.up(path)
    for flush, (table, chain) in FLUSHED.items():
        lab.sh("vm0", f"iptables-save > /run/rules; {flush}")
        try:
            rc, report = verify(lab, path)
        finally:
            lab.sh("vm0", "iptables-restore < /run/rules; rm /run/rules")
        assert (rc, report["summary"]["unknown"]) == (1, 0)
        (cause,) = report["causes"]
        assert f"rules are missing in table {table}" in cause["text"]
        assert chain in cause["text"]
        assert (cause["host"], cause["side"], cause["undo"]) == ("vm0", "host", "systemctl restart docker")
    rc, report = verify(lab, path)
    assert (rc, report["notes"], report["causes"]) == (0, [], [])
    lab.down("ports")


def test_one_subnet_on_both_hosts(lab, tmp_path):
    """Where both hosts have a bridge of one subnet, an answer from the near namesake is not taken for the far one's."""
    path = write(tmp_path, f"""\
name: twins
{HOSTS}networks: {{left: {{subnet: 172.31.1.0/24}}, right: {{subnet: 172.31.1.0/24}}}}
containers:
  one: {{host: vm0, image: dockerlab/node, networks: {{left: {{ip: 172.31.1.2}}}}}}
  asker: {{host: vm0, image: dockerlab/node, networks: {{left: {{ip: 172.31.1.9}}}}}}
  two: {{host: vm1, image: dockerlab/node, networks: {{right: {{ip: 172.31.1.2}}}}}}
""")  # fmt: skip
    report = lab.up(path)
    (cell,) = cells(report, source="asker", to="two", probe="ping")
    assert (cell["expected"], cell["observed"], cell["symptom"]) == ("unreachable", "unreachable", "wrong answerer")
    assert cell["detail"] == "one on vm0 has this address too, and answered"
    _, report = verify(lab, path, "--prober", "portable")
    (cell,) = cells(report, source="asker", to="two", probe="ping")
    assert cell["observed"] == "unknown"
    assert "may have done so" in cell["detail"]
    lab.down("twins")


def test_an_image_that_nobody_has(lab, tmp_path):
    """An image that is on no host, and no registry to ask: its name, its host and the remedy, and nothing is left."""
    path = write(tmp_path, f"""\
name: absent
{HOSTS}networks: {{net: {{}}}}
containers:
  web: {{host: vm0, image: nobody/has-this:1, networks: [net]}}
  far: {{host: vm1, image: dockerlab/node}}
""")  # fmt: skip
    lab.need_node("vm0")
    outcome = lab.call("up", path, "--sandbox")
    assert outcome.rc == 4
    assert "image nobody/has-this:1 on vm0 failed" in outcome.stderr
    assert "Get the image nobody/has-this:1 onto this machine" in outcome.stderr
    assert [left for left in lab.left() if "container" in left or "network" in left] == []


def test_late_listener(lab, tmp_path):
    """A port that is only listened on after ten seconds is waited for: no cell fails."""
    path = write(tmp_path, f"""\
name: late
{HOSTS}networks: {{net: {{}}}}
containers:
  web:
    host: vm0
    image: dockerlab/node
    networks: [net]
    ports: ["8080:80"]
    command: [sh, -c, "sleep 10; exec httpd -f -p 80 -h /www"]
  client: {{host: vm0, image: dockerlab/node, networks: [net]}}
""")  # fmt: skip
    outcome = lab.call("up", path, "--sandbox", "--format", "json")
    assert outcome.rc == 0, outcome.stdout
    assert "cells are not reachable yet; asking again" in outcome.stderr
    (cell,) = cells(outcome.json, source="client", to="web", probe="tcp/80")
    assert (cell["observed"], cell["verdict"]) == ("reachable", "pass")
    lab.down("late")


def test_data_plane(lab):
    """Where UDP 4789 is dropped the overlay fails, and the report says: the Swarm is whole, the data plane is not."""
    path = EXAMPLES / "overlay.yaml"
    lab.up(path)
    lab.sh("vm1", "iptables -I INPUT -p udp --dport 4789 -j DROP")
    try:
        rc, report = verify(lab, path)
    finally:
        lab.sh("vm1", "iptables -D INPUT -p udp --dport 4789 -j DROP")
    assert rc == 1
    (note,) = [note for note in report["notes"] if note.startswith("overlay network ")]
    assert "data plane: no packet passes between vm0 and vm1, though the control plane is there" in note
    assert "sees vm0 ready, vm1 ready" in note
    assert "UDP port 4789" in note
    lab.down("overlay")


def test_late_swarm(lab):
    """Where the manager is not reached for a while the engine gives a container up half made: it is made again."""
    path = EXAMPLES / "overlay.yaml"
    lab.up(path)  # which of the two is the worker is known, and the Swarm is whole
    worker = next(h for h in lab.names if lab.docker(h, "info", "--format", "{{.Swarm.ControlAvailable}}") == "false")
    names = lab.docker(worker, "ps", "--filter", "label=dockerlab.lab", "--format", "{{.Names}}").split()
    lab.docker(worker, "rm", "--force", *names)
    script = """
block="OUTPUT -p tcp --dport 2377 -j DROP"
if [ "$1" = run ] && mkdir /run/at.late 2>/dev/null; then
    iptables -I $block
    (sleep 22; iptables -D $block) >/dev/null 2>&1 &
fi
exec /run/docker.real "$@"
"""
    with docker_replaced(lab, worker, script):
        outcome = lab.call("up", path, "--sandbox", "--format", "json")
    assert "the Swarm took too long: docker: Error response from daemon: " in outcome.stderr, outcome.stderr
    assert outcome.rc == 0, outcome.stderr
    assert outcome.json["summary"]["pass"] == len(outcome.json["cells"]) > 0
    lab.down("overlay")


def test_gossip_port(lab):
    """Where something has the port of the Swarm's gossip, an overlay is refused before anything is created."""
    program = "import socket, time; s = socket.create_server(('', 7946)); print(flush=True); time.sleep(600)"
    lab.sh("vm1", f'{{ python3 -c "{program}" 2>/dev/null & echo $! >/run/gossip; }} | head -n 1')
    try:
        outcome = lab.call("up", EXAMPLES / "overlay.yaml", "--sandbox")
        assert outcome.rc == 4, outcome.stderr
        assert "vm1: TCP port 7946" in outcome.stderr
        assert "vm0: TCP port 7946" not in outcome.stderr
        assert lab.left() == []
    finally:
        lab.sh("vm1", "kill $(cat /run/gossip)")


def wait_until_settled(lab, host, seconds=3.0):
    """Wait until an engine has made the last link of the Swarm that it joined.

    One of 20.10 that leaves a Swarm within a second of joining it, with a container on its overlay, may keep the
    ingress network: its worker for that network hangs ("timeout while waiting for ingress network removal").
    """
    links, since = "", time.monotonic()

    def quiet():
        nonlocal links, since
        now = lab.sh(host, "ls /sys/class/net; docker network inspect --format '{{.Containers}}' ingress")
        if now != links:
            links, since = now, time.monotonic()
        return time.monotonic() - since > seconds

    wait_for(quiet)


def test_control_plane(lab):
    """Where a worker has left the Swarm the report says so, as the control plane's matter; `up` brings it back.

    `down` removes all of it, though the Swarm still believes in the nodes that have left.
    """
    path = EXAMPLES / "overlay.yaml"
    lab.up(path)
    worker = next(h for h in lab.names if lab.docker(h, "info", "--format", "{{.Swarm.ControlAvailable}}") == "false")
    lab.docker(worker, "swarm", "leave", "--force")
    rc, report = verify(lab, path)
    assert rc in {1, 3}
    (note,) = [note for note in report["notes"] if note.startswith("overlay network ")]
    assert f"control plane: not every host is in the Swarm ({worker} is inactive)" in note
    lab.up(path)
    wait_until_settled(lab, worker)
    lab.docker(worker, "swarm", "leave", "--force")
    lab.down("overlay")
