"""How an image gets to a host, and what is said where it cannot."""

from __future__ import annotations

import signal

import pytest
from support.lab_hosts import EXAMPLES, NODE, write

from dockerlab import sandbox

LAB = """\
name: pictures
hosts: {vm0: ssh://root@192.168.22.61, vm1: ssh://root@192.168.22.62}
networks: {front: {subnet: 172.31.1.0/24}}
containers:
  near: {host: vm0, image: dockerlab/node, networks: [front]}
  far: {host: vm1, image: centos}
"""


@pytest.fixture
def controller(lab):
    """Environment variables with which vm0's engine is the one of the machine that `dockerlab` runs on."""
    lab.need_node("vm0")
    lab.docker("vm0", "tag", NODE, "centos:latest")
    (target,) = [word for word in sandbox.inside_argv("vm0", []) if word.startswith("--target=")]
    yield {"DOCKER_HOST": f"unix:///proc/{target.partition('=')[2]}/root/run/docker.sock"}
    lab.docker("vm0", "rmi", "centos:latest")


def test_from_the_controller(lab, controller, tmp_path):
    """An image that a host lacks and this machine has is sent over the SSH connection, once."""
    lab.run("vm1", "docker", "rmi", "centos:latest")
    path = write(tmp_path, "name: sent\nhosts: {far: ssh://vm1}\n"
                 "containers: {box: {image: centos}, node: {image: dockerlab/node}}\n")  # fmt: skip
    inventory = write(tmp_path, f"hosts: {{far: ssh://root@{lab.state.host('vm1').address}}}\n"
                      f"identity_file: {lab.state.identity_file}\nknown_hosts: {lab.state.known_hosts}\n",
                      "inventory.yaml")  # fmt: skip
    words = ("up", path, "--inventory", inventory, "--format", "json")
    first = lab.call(*words, **controller)
    assert first.rc == 0, first.stderr
    assert "created    image centos on far" in first.stderr
    assert first.json["summary"] == {"pass": len(first.json["cells"]), "fail": 0, "unknown": 0, "unexplained": 0}
    same = [lab.docker(host, "image", "inspect", "--format", "{{.RootFS.Layers}}", "centos") for host in lab.names]
    assert same[0] == same[1]
    assert "image centos" not in lab.call(*words, **controller).stderr
    assert lab.call("down", path, "--inventory", inventory).rc == 0
    lab.docker("vm1", "rmi", "centos:latest")


def test_never(lab, tmp_path):
    """`--pull never` with a missing image names it and its host, and nothing is made anywhere."""
    outcome = lab.call("up", write(tmp_path, LAB), "--sandbox", "--pull", "never")
    assert outcome.rc == 4
    assert "vm1: image centos is missing\nnothing was created" in outcome.stderr
    assert lab.left() == []


def test_no_registry(lab, tmp_path):
    """Where no registry answers, the image, the host and the way around are named, and nothing is left."""
    outcome = lab.call("up", write(tmp_path, LAB), "--sandbox")
    assert outcome.rc == 4
    assert "image centos on vm1 failed" in outcome.stderr
    assert "no such host" in outcome.stderr
    assert "Get the image centos onto this machine, from where `up` sends it to vm1" in outcome.stderr
    assert "everything that this run had created was removed again" in outcome.stderr
    assert lab.left() == []


def test_always(lab):
    """`--pull always` asks the registry also for what is there; the lab's own image is made, never pulled."""
    lab.need_node("vm0")
    lab.docker("vm0", "tag", NODE, "centos:latest")
    plain = lab.call("up", EXAMPLES / "bridge.yaml", "--sandbox", "--pull", "always", "--format", "json")
    assert plain.rc == 0, plain.stderr
    assert "created    image dockerlab/node on vm0" in plain.stderr
    lab.down("bridge")
    other = lab.call("up", EXAMPLES / "bridge.yaml", "--set", "image=centos", "--sandbox", "--pull", "always")
    assert other.rc == 4
    assert "docker pull centos" in other.stderr
    lab.docker("vm0", "rmi", "centos:latest")
    assert lab.left() == []


def test_the_node_image(lab):
    """The image that is made from busybox has the tools that labs use, is small, and stops at once."""
    lab.up(EXAMPLES / "bridge.yaml")
    for tool in ("sh", "ping", "ip", "nc", "httpd", "wget", "nslookup", "nsenter"):
        assert lab.docker("vm0", "exec", "centos_v1", "which", tool) == f"/bin/{tool}"
    assert int(lab.docker("vm0", "image", "inspect", "--format", "{{.Size}}", NODE)) < 3_000_000
    lab.docker("vm0", "stop", "--time", "5", "centos_v1")
    assert lab.inspect("vm0", "centos_v1")["State"]["ExitCode"] == 128 + signal.SIGTERM
    lab.down("bridge")
