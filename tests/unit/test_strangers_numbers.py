"""Numbers of more digits than Python reads, in the words of strangers: each is no number, and ends nothing."""

import socket
import sys

import pytest

from dockerlab.errors import ConflictError, UsageError
from dockerlab.exercise.readme import sections
from dockerlab.hosts.fake import FakeHost
from dockerlab.lock import locked
from dockerlab.probe.parse import parse_ping
from dockerlab.provision.beneath import _settings
from dockerlab.snapshot import Snapshot
from dockerlab.students import roster
from dockerlab.verify.evidence import _counters
from dockerlab.versions import numbers

LONG = "9" * 5000


def test_python_reads_none():
    """It is so: whatever reads them as they are raises an error that nobody takes for a host's."""
    with pytest.raises(ValueError, match="integer string conversion"):
        int(LONG)
    assert sys.get_int_max_str_digits() < len(LONG)


@pytest.mark.parametrize("text", [f"{LONG}.1.1", f"1.{LONG}.1", f"{LONG}.{LONG}"])
def test_versions(text):
    """A version of them is none of an engine, or one of a line that there will never be."""
    assert max(*numbers(text), *Snapshot("h", engine_version=text).engine) < 10**9


@pytest.mark.parametrize("process", [LONG, "9" * 12])
def test_the_holder_of_a_lock(process):
    """What holds a lock there may call itself a process of this machine that no machine has."""
    said = f"held lab ann@{socket.gethostname()} (process {process}) since 2027-01-31 18:00:00 UTC\n"
    with (
        pytest.raises(ConflictError, match="Wait until that has ended"),
        locked({"far": FakeHost("far", lambda *_: said)}, ["lab"]) as locks,
    ):
        locks.wait("far")


def test_counters():
    """A rule whose counter is one of them has counted nothing that can be told."""
    said = f"*nat\n[{LONG}:1] -A DOCKER -j RETURN\n[1:1] -A OUTPUT -j RETURN\n"
    assert _counters(FakeHost("h", lambda *_: said)) == {("nat", "-A OUTPUT -j RETURN"): 1}


def test_settings_of_a_kernel():
    """A port that is none is not known."""
    assert _settings(FakeHost("h", lambda *_: f"end {LONG}\n"), ()) == ({}, None)
    assert _settings(FakeHost("h", lambda *_: "end 22\n"), ()) == ({}, 22)


def test_pings():
    """A ping of a container's own that counts in them has not told anything."""
    assert parse_ping(f"{LONG} packets transmitted, {LONG} received\n").state == "unknown"


def test_a_readme():
    """A section's number is one that a person would write; any other is a part of its title."""
    _, (section,) = sections(f"# A\n\n## {LONG} · One\n\nDo it.\n")
    assert section.number == 0


def test_a_roster():
    """So many students are the name of a file that is not there."""
    with pytest.raises(UsageError, match="a number, or a CSV file"):
        roster.read(LONG)
