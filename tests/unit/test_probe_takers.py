"""Who took a connection: what is delivered where, and what follows from it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.packets import filtered, tcp_packet

from dockerlab.probe.base import Cell, Place
from dockerlab.probe.deliveries import FIRST_PACKETS, begins_with
from dockerlab.probe.join import join
from dockerlab.probe.knocks import ACK, FIN, RST, SYN
from dockerlab.probe.reported import HostRecords

A, B, TWIN = Place("vm0", "a", 11, "aa"), Place("vm1", "b", 12, "bb"), Place("vm0", "twin", 13, "cc")
CELL = Cell(1, A, B, "10.0.0.2", "tcp", 80)
OUTSIDE = Cell(1, A, None, "192.0.2.1", "tcp", 80, bearers=())


def look(*given, began=1000, unseen=None, b=201, cell=CELL):
    """Join what a asked and what was given to b (201, on vm1) and to its twin (102, on vm0)."""
    record = {"outcome": "answered", "rtt": 0.5, "began": began}
    here = frozenset(one for one in given if one[0] < 200)
    asked = HostRecords(namespaces={A: 101, TWIN: 102}, cells={1: record}, delivered=here)
    seen = HostRecords(namespaces={B: b}, delivered=frozenset(given) - here, unseen=unseen or {})
    return join([cell], {"vm0": asked, "vm1": seen})[1]


def test_whose_kernel_was_given_the_connection_took_it():
    """The number that only who began it knows came to the target, whose host is a witness then."""
    seen = look((201, 1000))
    assert (seen.state, seen.rtt_ms, seen.witness) == ("reachable", 0.5, "vm1")


def test_who_else_took_it_is_named():
    """A connection that rules lead to another container is accepted, and not by whom it was meant for."""
    seen = look((102, 1000), (201, 7))
    assert (seen.symptom, seen.detail) == ("wrong answerer", "connected, but twin on vm0 took the connection")
    assert look((201, 7)).detail == "connected, but it never came to b on vm1"


def test_who_takes_what_goes_to_the_outside_is_named():
    """Who is given the connection and does not have the address took it in the outside's place; its bearer may."""
    seen = look((102, 1000), cell=OUTSIDE)
    assert (seen.symptom, seen.detail) == ("wrong answerer", "connected, but twin on vm0 took the connection")
    assert look((102, 7), cell=OUTSIDE).state == "reachable"
    assert look((102, 1000), cell=replace(OUTSIDE, bearers=(TWIN,))).state == "reachable"
    assert look((102, 1000), cell=replace(OUTSIDE, bearers=None)).state == "reachable"


def test_what_the_kernels_do_not_tell_is_no_wrong_answerer():
    """Without the number, or an ear at the target, the ping decides; a target that cannot be entered is unknown."""
    assert look(began=None).state == "reachable"
    assert look(unseen={201: "it cannot be seen"}).state == "reachable"
    assert look(b="no such process").state == "unknown"


@pytest.mark.parametrize(("source", "target"), [("10.0.0.1", "10.0.0.2"), ("fd00::1", "fd00::2")])
def test_only_first_packets_are_noted(source, target):
    """The filter passes what opens a connection and nothing else; IPv6 begins behind the IP header."""
    version = 6 if ":" in source else 4
    start = 40 if version == 6 else 0
    passed = {}
    for flags in (SYN, SYN | ACK, ACK, FIN | ACK, RST, 0xC0 | SYN):
        packet = tcp_packet(source, target, (4000, 80), flags, 77)[start:]
        passed[flags] = begins_with(packet, version)
        assert filtered(FIRST_PACKETS[version], packet) == (passed[flags] is not None)
    assert {flags for flags, number in passed.items() if number == 77} == {SYN, 0xC0 | SYN}


def test_a_packet_that_is_cut_short_begins_nothing():
    """Nothing is read where nothing is."""
    assert begins_with(b"", 4) is None
    assert begins_with(tcp_packet("10.0.0.1", "10.0.0.2", (1, 2), SYN)[:30], 4) is None
    assert begins_with(bytes(13), 6) is None
