"""All hosts asked at once: who does not answer stops nobody, and nothing is read before its lock is had."""

import threading

import pytest

from dockerlab.errors import ConflictError, HostError
from dockerlab.hosts.fake import FakeHost
from dockerlab.survey import ask_all

HOSTS = {name: FakeHost(name, lambda *_: b"") for name in ("vm0", "vm1", "vm2")}


class Waiting:
    """Locks that are had at once, or never; `asked` are the hosts whose lock was waited for."""

    def __init__(self, error=None):
        self.asked = []
        self.error = error

    def wait(self, host):
        self.asked.append(host)
        if self.error is not None:
            raise self.error


def test_the_others_answer():
    """A host that fails is told apart from those that answer, which keep their order."""

    def ask(host):
        if host.name == "vm1":
            raise HostError("vm1", "no answer")
        return host.name.upper()

    found = ask_all(HOSTS, ask)
    assert list(found.answers.items()) == [("vm0", "VM0"), ("vm2", "VM2")]
    assert str(found.failures["vm1"]) == "vm1: no answer"


def test_all_at_once():
    """No host waits for another: each is asked while all the others are."""
    together = threading.Barrier(len(HOSTS), timeout=20)
    assert ask_all(HOSTS, lambda _: together.wait() >= 0).answers == dict.fromkeys(HOSTS, True)


def test_a_lock_that_is_lost_is_one_hosts():
    """Where a lock cannot be asked for, its host has failed, and is not read."""
    locks = Waiting(HostError("vm0", "cut off"))
    found = ask_all(HOSTS, lambda _: pytest.fail("read without its lock"), locks)
    assert (sorted(locks.asked), set(found.failures)) == (sorted(HOSTS), set(HOSTS))


def test_somebody_elses_lock_is_everybodys():
    """Where somebody else has the lock, nothing was found out about any host."""
    with pytest.raises(ConflictError):
        ask_all(HOSTS, lambda host: host, Waiting(ConflictError("somebody is changing it")))


def test_nobody_to_ask():
    """Without hosts there is no answer and no failure."""
    found = ask_all({}, lambda host: host)
    assert (found.answers, found.failures) == ({}, {})
