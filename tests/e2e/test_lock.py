"""One change of a lab at a time: two `up` at once, a holder that died, and what is not kept out."""

from __future__ import annotations

import os
import signal
import time

import pytest
from support.lab_hosts import wait_for, write

MANY = 30
"""More containers than steps can run at once: who is frozen after the first one has something left to do."""

LAB = """\
name: many
hosts: {vm0: ssh://root@192.168.22.61, vm1: ssh://root@192.168.22.62}
networks: {net0: {subnet: 172.31.1.0/24}}
containers:
  net: {host: vm0, image: dockerlab/node, networks: [net0]}
"""
LAB += "".join(f"  c{n:02}: {{host: vm{n % 2}, image: dockerlab/node}}\n" for n in range(MANY - 1))


@pytest.fixture
def path(tmp_path):
    return write(tmp_path, LAB)


def held(lab, host):
    """Tell whether a lock is held on a host; looking takes none."""
    return bool(lab.sh(host, "find /tmp /run/lock -name 'dockerlab-*.lock'"))


@pytest.fixture
def frozen(lab, path):
    """Give an `up` that has stopped in the middle, alive, with the locks in its hands."""
    with lab.start("up", path, "--sandbox", "--no-verify") as process:
        first = process.stderr.readline()
        assert first.startswith("created"), first
        os.killpg(process.pid, signal.SIGSTOP)
        yield process
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.stdout.read()
        process.stderr.read()


def test_two_at_once(lab, path, tmp_path):
    """Of three `up` of one lab that start together, exactly one makes it; the others name it, or find it made."""
    # By an inventory, for with --sandbox they would wait for each other before they come to the lab.
    where = ("--inventory", lab.inventory(tmp_path, *lab.names))
    runs = [lab.start("up", path, *where, "--no-verify") for _ in range(3)]
    said = {run.pid: (run.stderr.read(), run.stdout.read(), run.wait()) for run in runs}
    for run in runs:
        run.stderr.close()
        run.stdout.close()
    (winner,) = [pid for pid, (error, _, _) in said.items() if error.endswith(" created\n")]
    for pid in said.keys() - {winner}:
        error, _, rc = said[pid]
        if rc == 0:  # it only came when the other one had ended
            assert error == "many: no change: everything is as the definition says\n"
            continue
        assert rc == 4
        assert "dockerlab: nothing was changed, because lab many is being changed on vm0 by " in error
        assert any(f"(process {other}) since " in error for other in said.keys() - {pid})
        assert "created" not in error
    assert said[winner][2] == 0
    assert len(lab.ids()) == MANY
    assert not any(held(lab, host) for host in lab.names)
    lab.down("many")


def test_who_is_kept_out(lab, path, frozen):
    """While an `up` lives, `up`, `down` and `down --all` are refused with its name; what only looks is not."""
    assert all(held(lab, host) for host in lab.names)
    before = lab.ids()
    for words in (["up", path], ["down", "many"], ["down", "--all"], ["down", "--all", "--everyone"]):
        outcome = lab.call(*words, "--sandbox")
        assert outcome.rc == 4, outcome.stderr
        assert (
            f"lab many is being changed on vm0 by teacher@{os.uname().nodename} (process {frozen.pid})"
            in outcome.stderr
        )
        assert "Wait until that has ended, or end that process" in outcome.stderr
    assert before.items() <= lab.ids().items()  # what was asked of an engine before still comes into being
    assert lab.call("status", "--sandbox").rc == 0
    assert lab.call("up", path, "--sandbox", "--dry-run").rc == 0
    text = "name: other\nhosts: {vm0: ssh://root@192.168.22.61}\ncontainers: {elsewhere: {host: vm0}}\n"
    other = write(path.parent, text, "other.yaml")
    assert lab.call("up", other, "--sandbox", "--no-verify").rc == 0
    lab.down("other")
    os.killpg(frozen.pid, signal.SIGKILL)
    frozen.wait()
    lab.down("many")


def test_a_dead_holder(lab, path, frozen):
    """A lock whose holder was killed is gone with it, on every host, and `up` goes on where it stopped."""
    os.killpg(frozen.pid, signal.SIGKILL)
    frozen.wait()
    again = lab.call("up", path, "--sandbox", "--no-verify")
    assert again.rc == 0, again.stderr
    assert len(lab.ids()) == MANY
    lab.down("many")


@pytest.mark.slow
def test_a_controller_that_vanishes(lab, path, frozen):
    """A controller that is cut off without a word has its lock for a minute; when it is back it does no harm."""
    assert held(lab, "vm0")
    # Its connection stays open, as that of a machine without power does: the host hears nothing more from it.
    began = time.monotonic()
    wait_for(lambda: not held(lab, "vm0"), 80)
    assert time.monotonic() - began > 30
    assert lab.call("up", path, "--sandbox", "--no-verify").rc == 0
    before = lab.ids()
    os.killpg(frozen.pid, signal.SIGCONT)
    said = frozen.stderr.read()
    assert frozen.wait() == 4
    assert "dockerlab was suspended or cut off for longer than a minute" in said
    assert "removed" not in said.replace("removes it", "")
    assert lab.ids() == before
    lab.down("many")


def test_file_of_another_user(lab, path):
    """A file that another user left behind keeps root out of nothing, and stays as it is: it is not ours."""
    left = "/tmp/dockerlab-many.lock"
    lab.sh("vm0", f"su -s /bin/sh nobody -c 'umask 0; echo somebody >{left}'")
    try:
        assert lab.call("up", path, "--sandbox", "--no-verify").rc == 0
        lab.down("many")
        assert lab.sh("vm0", f"stat -c %U {left}; cat {left}") == "nobody\nsomebody\n"
    finally:
        lab.sh("vm0", f"rm -f {left}")
    assert not held(lab, "vm0")
