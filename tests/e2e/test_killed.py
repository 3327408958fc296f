"""Killed at any boundary between two steps: the next `up` converges, the next `down` leaves nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from support.lab_hosts import ROOT, write

HOSTS = """\
name: walk
hosts: {vm0: ssh://root@192.168.22.61, vm1: ssh://root@192.168.22.62}
"""

HERE = (
    HOSTS
    + """\
networks:
  app: {subnet: 172.31.5.0/24}
  back: {subnet: 172.31.7.0/24}
  lan: {driver: macvlan, subnet: 192.168.22.0/24, parent: eth0.50}
containers:
  web: {host: vm0, image: dockerlab/node, networks: [app, back], ports: ["8080:80"]}
  side: {host: vm0, image: dockerlab/node, network_mode: "container:web"}
  lan1: {host: vm1, image: dockerlab/node, networks: {lan: {ip: 192.168.22.220}}}
"""
)
"""One host's own networks, two networks of one container, a shared namespace, a LAN."""

WIDE = (
    HOSTS
    + """\
networks:
  wide: {driver: overlay, subnet: 10.71.0.0/24}
containers:
  near: {host: vm0, image: dockerlab/node, networks: [wide]}
  far: {host: vm1, image: dockerlab/node, networks: [wide]}
"""
)
"""A Swarm, made and joined, and a network on it."""

OTHER = HERE.replace("172.31.5.0/24", "172.31.6.0/24").replace(
    "node, networks: {lan:", "node, command: [sh], networks: {lan:"
)

LONGEST = 40
"""More commands than these labs need."""

pytestmark = pytest.mark.slow


def killed(lab, action, path, number):
    """Run a process that is killed before its command of this number; tell whether it had one."""
    environment = lab.environment(PYTHONPATH=f"{ROOT / 'tests'}{os.pathsep}{ROOT}")
    argv = [sys.executable, "-m", "support.killed", action, str(path), str(number)]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode != 0


def converge(lab, path, text):
    """Run `up`, which has to succeed at once, and look whether everything is there."""
    again = lab.call("up", path, "--sandbox", "--no-verify")
    assert again.rc == 0, again.stderr
    wanted = {line.split(":")[0].strip() for line in text.partition("containers:\n")[2].splitlines()}
    assert {name.split()[1] for name in lab.ids()} == wanted
    if "web" in wanted:
        assert lab.inspect("vm0", "web")["NetworkSettings"]["Networks"].keys() == {"app", "back"}


def every_second(lab):
    """Return the numbers of half the commands, the one half on one engine and the other on the other.

    What a killed process leaves is decided by the order of the commands, which is the same for both.
    """
    return range(1 if lab.engine == "machine" else 2, LONGEST, 2)


def prepare(lab):
    """Give the hosts the node image, and new engines where one has gone deaf from the Swarms before."""
    lab.renew_deaf()
    for host in lab.names:
        lab.need_node(host)


@pytest.fixture
def ready(lab):
    """Give the hosts with the node image on them."""
    prepare(lab)
    return lab


@pytest.mark.parametrize("text", [HERE, WIDE], ids=["here", "wide"])
def test_up_and_down(ready, tmp_path, text):
    """Killed before a command of a first `up`, and before one of `down`: what follows makes all of it right."""
    path = write(tmp_path, text)
    for number in every_second(ready):
        more = killed(ready, "up", path, number)
        converge(ready, path, text)
        killed(ready, "down", path, number)
        ready.down("walk")
        assert ready.left() == [], f"killed before command {number}"
        if not more:
            break
        prepare(ready)
    assert not more
    assert number > 9


@pytest.mark.parametrize("text", [HERE, WIDE], ids=["here", "wide"])
def test_down_alone(ready, tmp_path, text):
    """Killed before any third command of a first `up`, `down` alone leaves nothing."""
    path = write(tmp_path, text)
    for number in range(2, LONGEST, 3):
        more = killed(ready, "up", path, number)
        ready.down("walk")
        assert ready.left() == [], f"killed before command {number}"
        if not more:
            break
        prepare(ready)
    assert not more


def test_changing(ready, tmp_path):
    """Killed before a command of an `up` that recreates a network and containers: the next one completes it."""
    both = [(write(tmp_path, HERE, "one.yaml"), HERE), (write(tmp_path, OTHER, "other.yaml"), OTHER)]
    converge(ready, *both[0])
    for number in every_second(ready):
        path, text = both[(number + 1) // 2 % 2]
        more = killed(ready, "up", path, number)
        converge(ready, path, text)
        if not more:
            break
    assert not more
    assert number > 9
    third = ready.call("up", path, "--sandbox", "--no-verify")
    assert third.stderr == "walk: no change: everything is as the definition says\n"
    ready.down("walk")
