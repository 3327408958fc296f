"""Exercises on machines that are not the sandbox's own: nothing but what is theirs is touched, whatever happens."""

import json
import signal
import subprocess
import sys

import pytest
from support.lab_hosts import ROOT
from support.student import Student

from dockerlab.exercise import loader

RULE = "-A FORWARD -j DROP"
OWN = "POSTROUTING -s 10.77.0.0/24 ! -o veil0 -j MASQUERADE"
"""What Docker has for each of its bridges, for one that is not Docker's."""
TYPED = r"""
ip netns list
sysctl net.ipv4.ip_forward
docker images --format '{{.Repository}}:{{.Tag}}' | grep -v '^dockerlab/node:'
true
"""
"""What a host has that an exercise has one type: names of namespaces, a setting of the kernel, images."""


def test_two_exercises_and_a_crash(lab, tmp_path):
    """What everybody would feel is broken only when asked for, a crash does not keep it, and the other one stays."""
    if lab.engine != "machine":
        pytest.skip("which engine it is makes no difference to what an exercise remembers")
    student, inventory = Student(lab, tmp_path), lab.inventory(tmp_path, "vm0", "vm1")
    try:
        for number in ("02", "01"):
            begun = student.call("start", number, "--inventory", inventory)
            assert begun.rc == 0, begun.stderr
        lab.docker("vm0", "run", "--detach", "--interactive", "--tty", "--name", "centos_v1", "dockerlab/node")
        which = student.call("check")
        assert (which.rc, "2 exercises are on, say which" in which.stderr) == (2, True)

        refused = student.call("fault", "02", "--which", "forward-drop")
        assert (refused.rc, "--host-wide does it all the same" in refused.stderr) == (2, True)
        assert RULE not in lab.sh("vm0", "iptables -S FORWARD")
        assert _killed(lab, tmp_path).returncode == -signal.SIGKILL
        assert RULE in lab.sh("vm0", "iptables -S FORWARD")
        seen = student.call("check", "02", "--why")
        assert (seen.rc, RULE in seen.stdout) == (1, True), seen.stdout

        lab.sh("vm0", f"ip link add veil0 type bridge; iptables -t nat -A {OWN}")
        ended = student.call("stop", "02")
        assert "the fault is taken out: forward-drop on vm0" in ended.stderr
        assert RULE not in lab.sh("vm0", "iptables -S FORWARD")
        assert (ended.rc, "'ip link delete veil0' mends it" in ended.stderr) == (4, True), "it is not ours to remove"
        assert f"'iptables -w -t nat -D {OWN}' mends it" in ended.stderr
        assert lab.docker("vm0", "ps", "--format", "{{.Names}}") == "centos_v1"
        lab.sh("vm0", f"ip link delete veil0; iptables -t nat -D {OWN}")
        again = student.call("stop", "02")
        assert again.rc == 0, again.stderr
    finally:
        last = student.call("stop", "01")
    assert last.rc == 0, last.stderr
    assert lab.docker("vm0", "ps", "--all", "--quiet") == ""


def test_a_lost_sandbox(lab, tmp_path):
    """Where the sandbox is another one than at the beginning, that is said, and start sets all up to the step again."""
    if lab.engine != "machine":
        pytest.skip("which engine it is makes no difference to what an exercise remembers")
    student, file = Student(lab, tmp_path), tmp_path / "dockerlab/exercises/01-default-bridge.json"
    try:
        assert student.call("start", "01", "--sandbox").rc == 0
        for block in loader.load(ROOT / "labs/01-default-bridge").sections[0].blocks:
            student.does(block.text)
        student.passes()
        lab.docker("vm0", "rm", "--force", "centos_v1", "centos_v2")
        known = json.loads(file.read_text())
        known["machines"] = dict.fromkeys(known["machines"], "the key of a host that is no more")
        file.write_text(json.dumps(known))
        for words in (["task"], ["check"], ["fault"]):
            said = student.call(*words)
            assert (said.rc, "'dockerlab exercise start 01-default-bridge' sets it up again" in said.stderr) == (
                4,
                True,
            )
        again = student.call("start", "01")
        assert (again.rc, "Step 2 of 4" in again.stdout) == (0, True), again.stderr
        names = lab.docker("vm0", "ps", "--format", "{{.Names}}").split()
        assert sorted(names) == ["centos_v1", "centos_v2"]
        assert student.call("task").rc == 0
    finally:
        ended = student.call("stop")
    assert ended.rc == 0, ended.stderr


@pytest.mark.parametrize(
    ("number", "step", "gone"),
    [
        ("02", 4, "vm0: net.ipv4.ip_forward was 1 and is 0; mended"),
        ("07", 4, "vm0: namespace alone was not there at the beginning; removed"),
        ("10", 3, "vm0: image node_nginx:v1 was not there at the beginning; removed"),
    ],
)
def test_what_was_typed_on_a_host_goes(lab, tmp_path, number, step, gone):
    """Who stops in the middle leaves nothing of what the steps so far had typed, and is told what was taken away."""
    student = Student(lab, tmp_path)
    before = lab.sh("vm0", TYPED)
    try:
        begun = student.call("start", number, "--sandbox", "--step", step)
        assert begun.rc == 0, begun.stderr
        assert lab.sh("vm0", TYPED) != before
    finally:
        ended = student.call("stop")
    assert ended.rc == 0, ended.stderr
    assert gone in ended.stderr.splitlines()
    assert lab.sh("vm0", TYPED) == before


def _killed(lab, state):
    """Break something in a process that is killed right after its first command."""
    return subprocess.run(
        [sys.executable, "-m", "support.killed_fault", "02", "forward-drop", "vm0", str(state / "dockerlab/exercises")],
        env=lab.environment(PYTHONPATH=str(ROOT / "tests")), cwd=ROOT, check=False, timeout=60,
    )  # fmt: skip
