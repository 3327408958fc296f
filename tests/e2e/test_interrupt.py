"""`up` stopped by the user, or killed: nothing is left behind, or the next run makes it right."""

from __future__ import annotations

import os
import signal
import time

import pytest
from support.lab_hosts import wait_for, write

COUNT = 14


@pytest.fixture
def path(tmp_path):
    """A lab that takes long enough to be stopped in the middle."""
    containers = "".join(
        f"  c{number:02}: {{host: vm{number % 2}, image: dockerlab/node, networks: [net{number % 2}]}}\n"
        for number in range(COUNT)
    )
    return write(tmp_path, f"""\
name: many
hosts: {{vm0: ssh://root@192.168.22.61, vm1: ssh://root@192.168.22.62}}
networks: {{net0: {{subnet: 172.31.1.0/24}}, net1: {{subnet: 172.31.2.0/24}}}}
containers:
{containers}""")  # fmt: skip


def until(process, line):
    """Read what a run says up to its line of this number, as something is then half done."""
    for _ in range(line):
        said = process.stderr.readline()
        assert said, "it ended before that"


def stop(process, number):
    """Send a signal, wait for the end, and return what the run still said."""
    os.killpg(process.pid, number)
    said = process.stderr.read()  # not communicate(), which knows nothing of what readline() has read ahead
    assert process.stdout.read() == ""
    process.wait()
    return said


def joined(lab):
    """Return the programs that join an engine, on all hosts."""
    return [line for host in ("vm0", "vm1") for line in lab.run(host, "pgrep", "-f", "dial-stdio").stdout.split()]


@pytest.mark.parametrize("line", [1, 5])
def test_ctrl_c(lab, path, line):
    """Ctrl-C in the middle of `up`: it finishes what runs, removes all that it had made, says so, and ends with 130."""
    with lab.start("up", path, "--sandbox", "--no-verify") as process:
        until(process, line)
        said = stop(process, signal.SIGINT)
    assert process.returncode == 130
    assert said.endswith("dockerlab: stopped: everything that this run had created was removed again\n")
    assert lab.left() == []


def test_ctrl_c_twice(lab, path):
    """Ctrl-C again and again ends it at once, told how to see and remove what is there, and `down` finds all of it."""
    with lab.start("up", path, "--sandbox", "--no-verify") as process:
        until(process, 4)
        while process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
            time.sleep(0.2)
        said = process.stderr.read()
    assert process.returncode == 130
    assert said.endswith("dockerlab: stopped at once; 'dockerlab status' shows what is there, 'down' removes it\n")
    lab.down("many")


@pytest.mark.parametrize("line", [0, 1, 4, 10])
def test_killed(lab, path, line):
    """Killed at any step, `up` leaves no program on a host; the next `up` completes it, and `down` leaves nothing."""
    with lab.start("up", path, "--sandbox", "--no-verify") as process:
        until(process, line)
        if line == 0:  # while it talks to an engine, or as soon after that as there is something
            wait_for(lambda: joined(lab) != [] or lab.ids() != {})
        stop(process, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    wait_for(lambda: not joined(lab))
    again = lab.call("up", path, "--sandbox", "--no-verify")
    assert again.rc == 0, again.stderr
    assert "many: " in again.stderr
    assert len(lab.ids()) == COUNT
    third = lab.call("up", path, "--sandbox", "--no-verify")
    assert third.stderr == "many: no change: everything is as the definition says\n"
    lab.down("many")


def test_killed_and_taken_down(lab, path):
    """Killed in the middle, with a Swarm half made, `up` needs no other `up`: `down` alone leaves nothing."""
    text = path.read_text().replace("net1: {subnet: 172.31.2.0/24}", "net1: {driver: overlay, subnet: 10.70.0.0/24}")
    path.write_text(text)
    with lab.start("up", path, "--sandbox", "--no-verify") as process:
        until(process, 6)
        stop(process, signal.SIGKILL)
    lab.down("many")
