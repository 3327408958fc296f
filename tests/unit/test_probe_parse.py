"""What ping, nc and nslookup printed on real networks, and what each output means."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerlab.probe.base import Cell, Place
from dockerlab.probe.parse import parse_nc, parse_nslookup, parse_ping

RECORDED = Path(__file__).parents[1] / "ping"
HERE = Place("vm0", "a", 1, "a")

MEANINGS = {
    "answered": ("reachable", None),
    "answered-ipv6": ("reachable", None),
    "open": ("reachable", None),
    "found": ("reachable", None),
    "timeout": ("unreachable", "timeout"),
    "no-route": ("unreachable", "no route"),
    "no-route-ipv6": ("unreachable", "no route"),
    "host-unreachable": ("unreachable", "host unreachable"),
    "prohibited": ("unreachable", "host unreachable"),
    "blocked": ("unreachable", "blocked"),
    "refused": ("unreachable", "refused"),
    "absent": ("unreachable", "no such name"),
    "unprivileged": ("unknown", None),
    "bad-address": ("unknown", None),
}

SAYS_LESS = {
    "iputils-blocked": ("unreachable", "timeout"),
    "busybox-prohibited": ("unreachable", "timeout"),
    "busybox-host-unreachable": ("unreachable", "timeout"),
}
"""These programs keep the cause to themselves."""


def name(**values) -> Cell:
    return Cell(**{"number": 1, "source": HERE, "target": None, "address": "", "probe": "dns", "name": "web"} | values)


@pytest.mark.parametrize("path", sorted(RECORDED.glob("*.txt")), ids=lambda path: path.stem)
def test_a_recorded_output_is_understood(path):
    """Every recorded output gives the state and the symptom that its file's name says."""
    text = path.read_text()
    make, _, meaning = path.stem.partition("-")
    if meaning.startswith("nslookup-"):
        seen = parse_nslookup(text, name(expected=("10.1.0.2",)))
    else:
        seen = parse_nc(text) if meaning.startswith("nc-") else parse_ping(text)
    meaning = meaning.removeprefix("nslookup-").removeprefix("nc-")
    assert (seen.state, seen.symptom) == SAYS_LESS.get(f"{make}-{meaning}", MEANINGS[meaning])


def test_there_are_recorded_outputs():
    """The parametrised test above would also pass on an empty folder."""
    assert len(list(RECORDED.glob("*.txt"))) >= 30


def test_round_trip_time_is_in_milliseconds():
    """The time is read as ping prints it."""
    assert parse_ping((RECORDED / "iputils-answered.txt").read_text()).rtt_ms == 0.05


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sh: ping: not found",
        "ping: socket: Operation not permitted",
        "0 packets transmitted, 0 received",
        "ping: sendto: No buffer space available",
        "ping: sendmsg: No buffer space available\n1 packets transmitted, 0 received, 100% packet loss",
    ],
)
def test_a_ping_that_was_not_sent_is_unknown(text):
    """What says nothing about the network is never unreachable, whatever the exit code was."""
    assert parse_ping(text).state == "unknown"


def test_one_answer_among_several_runs_is_enough():
    """A first request that was lost does not count where a later one was answered."""
    runs = (
        "1 packets transmitted, 0 received, 100% packet loss\n64 bytes: time=0.2 ms\n1 packets transmitted, 1 received"
    )
    assert parse_ping(runs).state == "reachable"


@pytest.mark.parametrize("make", ["busybox", "iputils"])
def test_a_reply_to_somebody_elses_ping_is_no_answer(make):
    """A reply from an address that was not asked is neither an answer nor the lack of one."""
    text = (RECORDED / f"{make}-answered.txt").read_text().replace("bytes from 10.1.0.2:", "bytes from 10.1.0.9:")
    assert parse_ping(text).state == "unknown"


@pytest.mark.parametrize(
    ("text", "symptom"), [("Network unreachable", "no route"), ("Host is unreachable", "host unreachable")]
)
def test_the_messages_of_musl_are_known(text, symptom):
    """Alpine's C library words the same errors differently."""
    assert parse_ping(f"PING 10.0.0.1 (10.0.0.1): 56 data bytes\nping: sendto: {text}").symptom == symptom


def test_a_name_with_another_address_is_a_wrong_answer():
    """An answer is compared with the addresses that the name may have."""
    text = (RECORDED / "busybox-nslookup-found.txt").read_text()
    assert parse_nslookup(text, name(expected=("10.1.0.9",))).symptom == "wrong answerer"


def test_only_the_expected_family_counts():
    """Where only IPv6 addresses are expected, an IPv4 answer is no answer."""
    text = (RECORDED / "busybox-nslookup-found.txt").read_text()
    assert parse_nslookup(text, name(expected=("fd00::2",))).symptom == "no such name"


def test_the_hosts_file_comes_first():
    """A name in the source's hosts file is found there, as a C library finds it."""
    seen = parse_nslookup("** server can't find web: NXDOMAIN", name(expected=("10.1.0.2",)), "10.1.0.2 c1 web\n")
    assert seen.state == "reachable"
