"""Exercises on machines that are not the sandbox's own: nothing but what is theirs is touched, whatever happens."""

import signal
import subprocess
import sys

import pytest
from support.lab_hosts import ROOT
from support.student import Student

RULE = "-A FORWARD -j DROP"


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

        lab.sh("vm0", "ip link add veil0 type bridge")
        ended = student.call("stop", "02")
        assert "the fault is taken out: forward-drop on vm0" in ended.stderr
        assert RULE not in lab.sh("vm0", "iptables -S FORWARD")
        assert (ended.rc, "'ip link delete veil0' mends it" in ended.stderr) == (1, True), "it is not ours to remove"
        assert lab.docker("vm0", "ps", "--format", "{{.Names}}") == "centos_v1"
        lab.sh("vm0", "ip link delete veil0")
        again = student.call("stop", "02")
        assert again.rc == 0, again.stderr
    finally:
        last = student.call("stop", "01")
    assert last.rc == 0, last.stderr
    assert lab.docker("vm0", "ps", "--all", "--quiet") == ""


def _killed(lab, state):
    """Break something in a process that is killed right after its first command."""
    return subprocess.run(
        [sys.executable, "-m", "support.killed_fault", "02", "forward-drop", "vm0", str(state / "dockerlab/exercises")],
        env=lab.environment(PYTHONPATH=str(ROOT / "tests")), cwd=ROOT, check=False, timeout=60,
    )  # fmt: skip
