"""One change of a lab at a time: locks between processes of this machine, which stands for every host."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from dockerlab.errors import ConflictError, HostError, LockLost
from dockerlab.hosts.fake import FakeHost
from dockerlab.hosts.local import LocalHost
from dockerlab.lock import lock_name, locked

HOLDER = """
import sys, time
from dockerlab.hosts.local import LocalHost
from dockerlab.lock import locked
with locked({"elsewhere": LocalHost("elsewhere")}, sys.argv[1:]) as locks:
    locks.wait("elsewhere")
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def name():
    """A name that nobody else has."""
    return f"test-{os.getpid()}-{time.monotonic_ns()}"


@pytest.fixture
def hold():
    """Give a function that starts another process, which holds locks until its input ends."""
    running = []

    def start(*names):
        pipe = subprocess.PIPE
        process = subprocess.Popen([sys.executable, "-c", HOLDER, *names], stdin=pipe, stdout=pipe)
        running.append(process)
        assert process.stdout.readline() == b"held\n"
        return process

    yield start
    for process in running:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def take(*names, hosts=("here",)):
    """Take locks and let go of them at once."""
    with locked({host: LocalHost(host) for host in hosts}, names) as locks:
        for host in hosts:
            locks.wait(host)


def files(name):
    return [path for folder in ("/tmp", "/run/lock") for path in Path(folder).glob(f"dockerlab-{name}*")]


def test_one_after_the_other(name):
    """A lock can be taken again as soon as it was let go of, and no file is left."""
    for _ in range(3):
        take(name)
    assert not files(name)


def test_the_holder_is_named(name, hold):
    """Who comes second is refused, with the lab, the host, who has it, by which process, since when, and what to do."""
    process = hold(name)
    with pytest.raises(ConflictError) as caught:
        take(name)
    said = str(caught.value)
    assert f"nothing was changed, because lab {name} is being changed on here by " in said
    assert f"(process {process.pid}) since 2" in said
    assert "Wait until that has ended, or end that process" in said
    assert caught.value.exit_code == 4


def test_others_are_free(name, hold):
    """Another lab's lock, and another instance's, are others."""
    hold(name)
    take(lock_name(name, "s1"), name + "x")


def test_a_dead_holder(name, hold):
    """A holder that is killed has let go: whoever comes next is not kept out, and finds no file in the way."""
    hold(name).send_signal(signal.SIGKILL)
    take(name)
    assert not files(name)


def test_all_or_none(name, hold):
    """Of several labs all locks are had or none: what was had already is let go when one is refused."""
    hold(name + "b")
    with pytest.raises(ConflictError, match=f"lab {name}b is being changed"):
        take(name + "a", name + "b", name + "c")
    take(name + "a", name + "c")


def test_one_machine_under_two_names(name):
    """A machine that is two hosts of a lab does not keep itself out."""
    began = time.monotonic()
    take(name, hosts=("one", "two"))
    assert time.monotonic() - began < 60
    assert not files(name)


def test_exactly_one(name):
    """Of many that come at once exactly one gets the lock, whoever that is."""
    start, outcomes = threading.Barrier(5), []

    def run():
        start.wait()
        process = subprocess.run([sys.executable, "-c", HOLDER.replace("sys.stdin.read()", "time.sleep(6)"), name],
                                 capture_output=True, stdin=subprocess.DEVNULL, check=False)  # fmt: skip
        outcomes.append(process.returncode)

    threads = [threading.Thread(target=run) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [0, 1, 1, 1, 1]


def test_without_flock(name):
    """A host without the program says so, and how to get it."""
    with (
        pytest.raises(HostError, match=r"^x: flock is not installed.*apt-get install util-linux"),
        locked({"x": FakeHost("x", lambda _argv, _given: "missing flock\n")}, [name]) as locks,
    ):
        locks.wait("x")


def test_a_host_that_does_not_answer(name):
    """That one host cannot be asked is this host's error; on the others the locks are had."""

    def dead(_argv, _given):
        raise HostError("y", "no answer")

    with locked({"x": LocalHost("x"), "y": FakeHost("y", dead)}, [name]) as locks:
        locks.wait("x")
        with pytest.raises(HostError, match="y: no answer"):
            locks.wait("y")


def test_what_a_holder_says_is_shown_harmlessly(name):
    """Who holds a lock cannot send control characters to the terminal of who reads about it."""
    with (
        pytest.raises(ConflictError) as caught,
        locked({"x": FakeHost("x", lambda _argv, _given: f"held {name} evil\x1b[2J\x07\n")}, [name]) as locks,
    ):
        locks.wait("x")
    assert "by evil?[2J?\n" in str(caught.value)


def test_a_holder_that_is_gone(name):
    """Where the holder was a process of this machine that has ended, it is said how long its lock stays."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for process, words in ((ended.pid, "That process no longer runs on this machine"), (os.getpid(), "Wait until")):
        holder = f"ann@{socket.gethostname()} (process {process}) since 2027-01-31 18:00:00 UTC"
        host = FakeHost("far", lambda *_, said=holder: f"held {name} {said}\n")
        with pytest.raises(ConflictError) as refused, locked({"far": host}, [name]) as locks:
            locks.wait("far")
        assert words in str(refused.value)
        assert "ends by itself within 60 s: run the same command again then" in str(refused.value)


@pytest.mark.parametrize(
    ("lab", "instance", "file"), [("demo", None, "demo"), ("demo", "s1", "demo.s1"), ("../x", None, "..%2Fx")]
)
def test_names(lab, instance, file):
    """A label's value becomes the name of one file, whatever it contains."""
    assert lock_name(lab, instance) == file
    assert len(lock_name("x" * 500)) < 200


def test_confirmed(name):
    """A lock of which the host has not heard for too long is taken again, or lost to who has it now."""
    answers = iter(["granted\n", "granted\n", f"held {name} somebody else\n"])
    with locked({"x": FakeHost("x", lambda _argv, _given: next(answers, ""))}, [name]) as locks:
        locks.wait("x")
        locks.confirm("x")
        locks.confirm("x", silence=0)
        with pytest.raises(
            ConflictError, match=f"^this run stops, because lab {name} is being changed on x by somebody"
        ):
            locks.confirm("x", silence=0)


def test_too_long_a_silence(name):
    """After more than the minute that a host waits, the lock counts as lost, whoever has it now; the other is not."""
    moment = [100.0]
    fakes = {host: FakeHost(host, lambda _argv, _given: "granted\n") for host in "xy"}
    with locked(fakes, [name], clock=lambda: moment[0]) as locks:
        locks.wait("x")
        moment[0] += 50
        locks.confirm("y")
        moment[0] += 15
        with pytest.raises(LockLost, match=r"^x: dockerlab was suspended or cut off for longer than a minute"):
            locks.confirm("x")
        locks.confirm("y")
        assert len(fakes["x"].calls) < len(fakes["y"].calls)


def test_confirmed_by_itself(name):
    """A process finds its own lock still held after a lost connection, and goes on."""
    with locked({"x": LocalHost("x")}, [name]) as locks:
        locks.wait("x")
        locks.confirm("x", silence=0)
    assert not files(name)
