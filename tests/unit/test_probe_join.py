"""What the records of all agents mean together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dockerlab.probe.base import Cell, Place
from dockerlab.probe.join import join
from dockerlab.probe.records import Arrival
from dockerlab.probe.reported import HostRecords

A = Place("vm0", "a", 11, "aa")
B = Place("vm1", "b", 12, "bb")
TWIN = Place("vm0", "twin", 13, "cc")
VM1 = Place("vm1", None, 1)
NAMESPACES = {A: 101, B: 201, TWIN: 102, VM1: 200}

ANSWERED = {"outcome": "answered", "rtt": 0.5, "attempt": 0}
CONNECTED = {"outcome": "answered", "rtt": 0.5}
SILENT = {"outcome": "silent", "server": "127.0.0.11"}


def ping(number=1, source=A, target=B, address="10.0.0.2"):
    return Cell(number, source, target, address, "ping")


def tcp(number=2, source=A, target=B, address="10.0.0.2"):
    return Cell(number, source, target, address, "tcp", 80)


def dns(number=3, expected=("10.0.0.2",)):
    return Cell(number, A, B, "", "dns", name="b", expected=expected)


def look(*cells, records, arrivals=(), overflows=0, namespaces=NAMESPACES, failures=(), missed=None):
    """Join what vm0 and vm1 say: `records` by cell number, `arrivals` as (cell, try, place), each by its mark."""
    marks = {(number, attempt): f"mark {attempt}" for number in records for attempt in range(16)}
    hosts = {}
    for host in ("vm0", "vm1"):
        seen = {
            Arrival(n, attempt, NAMESPACES[at], f"mark {attempt}") for n, attempt, at in arrivals if at.host == host
        }
        hosts[host] = HostRecords(
            namespaces={place: found for place, found in namespaces.items() if place.host == host},
            cells=records if host == "vm0" else {},
            marks=marks if host == "vm0" else {},
            arrivals=frozenset(seen),
            missed=missed or {},
            overflows=overflows if host == "vm1" else 0,
        )
    hosts |= {host: HostRecords(failure="it died") for host in failures}
    return join(cells, hosts)


def test_answered_and_arrived_at_the_target_is_reachable():
    """Both halves of the proof are there, though two agents hold them."""
    seen = look(ping(), records={1: ANSWERED}, arrivals=[(1, 0, B)])[1]
    assert (seen.state, seen.rtt_ms) == ("reachable", 0.5)


def test_answered_by_another_namespace_is_a_wrong_answerer():
    """The one that answered is named."""
    seen = look(ping(), records={1: ANSWERED}, arrivals=[(1, 0, TWIN)])[1]
    assert (seen.state, seen.symptom) == ("unreachable", "wrong answerer")
    assert "twin on vm0" in seen.detail


def test_the_try_that_was_answered_decides():
    """A first try that went astray does not matter where the second one, which was answered, arrived."""
    second = ANSWERED | {"attempt": 1}
    assert look(ping(), records={1: second}, arrivals=[(1, 0, TWIN), (1, 1, B)])[1].state == "reachable"
    assert look(ping(), records={1: second}, arrivals=[(1, 0, B), (1, 1, TWIN)])[1].symptom == "wrong answerer"


@pytest.mark.parametrize("missed", [{}, {201: 3}])
def test_answered_without_any_arrival_is_unknown(missed):
    """The target may have got it all the same where its sockets missed something, or did not say."""
    seen = look(ping(), records={1: ANSWERED}, missed=missed)[1]
    assert seen.state == "unknown"
    assert "identity not seen" in seen.detail


def test_answered_while_nothing_came_is_a_wrong_answerer():
    """The target listened, missed nothing and got nothing: somebody outside the lab has its address."""
    seen = look(ping(), records={1: ANSWERED}, missed={201: 0})[1]
    assert (seen.state, seen.symptom) == ("unreachable", "wrong answerer")


def test_an_outside_target_needs_no_identity():
    """A router or an outside target is in no namespace of the lab."""
    assert look(ping(target=None), records={1: ANSWERED})[1].state == "reachable"


def test_who_answers_in_an_outside_targets_place_is_a_wrong_answerer():
    """Rules may lead what goes to the outside to a namespace of the lab; one that bears the address by now is right."""
    outside = replace(ping(target=None), bearers=())
    seen = look(outside, records={1: ANSWERED}, arrivals=[(1, 0, TWIN)])[1]
    assert (seen.state, seen.symptom) == ("unreachable", "wrong answerer")
    assert seen.detail == "answered by twin on vm0, which does not have this address"
    for bearers in ((TWIN,), None):  # it has been given the address; who has it was not looked at
        borne = replace(outside, bearers=bearers)
        assert look(borne, records={1: ANSWERED}, arrivals=[(1, 0, TWIN)])[1].state == "reachable"


def test_silence_after_arrival_is_a_lost_reply():
    """The request got through on any try; only the way back is broken."""
    seen = look(ping(), records={1: SILENT}, arrivals=[(1, 2, B)])[1]
    assert (seen.state, seen.symptom) == ("unreachable", "reply lost")


def test_silence_without_arrival_is_a_timeout():
    """It was really sent and nobody saw it."""
    assert look(ping(), records={1: SILENT})[1].symptom == "timeout"


def test_silence_after_arrival_elsewhere_is_a_timeout_that_says_where():
    """Nobody answered, so nobody is a wrong answerer; where it went helps all the same."""
    seen = look(ping(), records={1: SILENT}, arrivals=[(1, 0, TWIN)])[1]
    assert seen.symptom == "timeout"
    assert "twin on vm0" in seen.detail


@pytest.mark.parametrize("cell", [ping(), tcp(number=1)])
def test_silence_while_a_neighbour_table_was_full_is_unknown(cell):
    """A full table on any host loses packets without an error, at either end."""
    seen = look(cell, records={1: SILENT}, overflows=3)[1]
    assert seen.state == "unknown"
    assert "gc_thresh3" in seen.detail
    assert look(cell, records={1: SILENT}, arrivals=[(1, 0, B)], overflows=3)[1].state == "unknown"


@pytest.mark.parametrize("cell", [ping(target=TWIN), tcp(number=1, target=TWIN), ping(target=None)])
def test_what_a_host_says_of_its_table_is_about_itself(cell):
    """Of a cell between others, no third host's word takes the failure away."""
    assert look(cell, records={1: SILENT}, overflows=3)[1].symptom == "timeout"


@pytest.mark.parametrize(
    ("number", "symptom"),
    [
        ("ENETUNREACH", "no route"),
        ("EHOSTUNREACH", "host unreachable"),
        ("ECONNREFUSED", "refused"),
        ("EPERM", "blocked"),
        ("ETIMEDOUT", "timeout"),
    ],
)
def test_a_system_error_is_a_symptom(number, symptom):
    """The kernel's word on why it did not send."""
    record = {"outcome": "errno", "errno": number, "server": ""}
    seen = look(tcp(number=1), records={1: record})[1]
    assert (seen.state, seen.symptom) == ("unreachable", symptom)


def test_an_unforeseen_system_error_is_unknown():
    """What is not understood does not count as unreachable."""
    assert look(ping(), records={1: {"outcome": "errno", "errno": "EIO"}})[1].state == "unknown"


def test_an_icmp_error_names_who_sent_it():
    """A router or a firewall said so."""
    record = {"outcome": "icmp", "kind": "unreachable", "code": 1, "version": 4, "by": "10.0.0.1"}
    seen = look(ping(), records={1: record})[1]
    assert (seen.symptom, seen.detail) == ("host unreachable", "10.0.0.1 says: host unreachable")


def test_what_was_not_tested_is_unknown():
    """No room to send, a source that is gone, no record, an agent that died: each says why."""
    gone = NAMESPACES | {A: "no such process"}
    assert "ENOBUFS" in look(ping(), records={1: {"outcome": "untested", "error": "ENOBUFS"}})[1].detail
    assert "no such process" in look(ping(), records={}, namespaces=gone)[1].detail
    assert "no record" in look(ping(), records={})[1].detail
    assert "it died" in look(ping(), records={}, failures=["vm0"])[1].detail
    assert all(look(ping(), records={}, **how)[1].state == "unknown" for how in ({}, {"failures": ["vm0"]}))


def test_an_answer_from_a_host_that_nobody_listens_on_is_unknown():
    """Without the target's agent nobody can say who answered; silence stays silence."""
    assert look(ping(), records={1: ANSWERED}, failures=["vm1"])[1].state == "unknown"
    assert look(ping(), records={1: SILENT}, failures=["vm1"])[1].symptom == "timeout"


def test_a_connection_alone_is_enough():
    """A published port may be tested where ping is not."""
    assert look(tcp(), records={2: CONNECTED})[2].state == "reachable"


def test_a_connection_to_the_wrong_answerer_does_not_count():
    """The ping to the same address tells who has it for this source."""
    seen = look(ping(), tcp(), records={1: ANSWERED, 2: CONNECTED}, arrivals=[(1, 0, TWIN)])
    assert seen[2].symptom == "wrong answerer"


def test_a_connection_to_a_published_port_goes_by_the_ping_to_the_host():
    """The host holds the address and is the target of both, whoever serves the port behind it."""
    cells = ping(target=VM1, address="192.0.2.1"), tcp(target=VM1, address="192.0.2.1")
    seen = look(*cells, records={1: ANSWERED, 2: CONNECTED}, arrivals=[(1, 0, VM1)])
    assert [seen[1].state, seen[2].state] == ["reachable", "reachable"]


def test_a_connection_to_an_address_of_two_needs_a_ping():
    """Two namespaces with one address: the connection alone does not tell which it was."""
    cells = tcp(), tcp(number=4, target=TWIN)
    assert look(*cells, records={2: CONNECTED, 4: CONNECTED})[2].state == "unknown"
    with_ping = look(ping(), *cells, records={1: ANSWERED, 2: CONNECTED, 4: CONNECTED}, arrivals=[(1, 0, B)])
    assert with_ping[2].state == "reachable"


def test_the_twin_of_an_address_does_not_spoil_the_right_one():
    """Two cells ask one address and mean different namespaces: each connection goes by the ping of its own target."""
    cells = ping(), ping(number=5, target=TWIN), tcp(), tcp(number=4, target=TWIN)
    records = {1: ANSWERED, 5: ANSWERED, 2: CONNECTED, 4: CONNECTED}
    seen = look(*cells, records=records, arrivals=[(1, 0, B), (5, 0, B)])
    assert [seen[2].state, seen[4].state] == ["reachable", "unreachable"]


@pytest.mark.parametrize(
    ("rcode", "addresses", "state", "symptom"),
    [
        (0, ["10.0.0.2"], "reachable", None),
        (0, ["10.0.0.3"], "unreachable", "wrong answerer"),
        (0, ["10.0.0.2", "10.0.0.3"], "unreachable", "wrong answerer"),
        (0, [], "unreachable", "no such name"),
        (3, [], "unreachable", "no such name"),
        (2, [], "unreachable", "timeout"),
        (5, [], "unreachable", "refused"),
        (4, [], "unknown", None),
    ],
)
def test_a_name_is_judged_by_the_code_and_the_addresses(rcode, addresses, state, symptom):
    """Only addresses that the name may have count as found."""
    record = {"outcome": "answered", "rcode": rcode, "addresses": addresses, "server": "127.0.0.11"}
    seen = look(dns(), records={3: record})[3]
    assert (seen.state, seen.symptom) == (state, symptom)


def test_a_silent_name_server_is_named():
    """The query was sent and nothing came back."""
    seen = look(dns(), records={3: SILENT})[3]
    assert (seen.symptom, "127.0.0.11" in seen.detail) == ("timeout", True)


def test_a_name_server_without_a_route_is_named():
    """The system error is about the way to the name server, not to the target."""
    seen = look(dns(), records={3: {"outcome": "errno", "errno": "ENETUNREACH", "server": "9.9.9.9"}})[3]
    assert (seen.symptom, "9.9.9.9" in seen.detail) == ("no route", True)


def test_a_lost_first_packet_is_no_verdict():
    """While ARP is under way a packet may be lost: what answers from then on is reachable."""
    record = ANSWERED | {"attempt": 1, "lost": [0], "tries": 3}
    assert look(ping(), records={1: record}, arrivals=[(1, 1, B)])[1].state == "reachable"


@pytest.mark.parametrize("lost", [[0, 1], [0, 2], [2]])
def test_a_flaky_cell_is_neither_reachable_nor_unreachable(lost):
    """More than the first packet was lost: it is told how many tries were answered."""
    record = ANSWERED | {"attempt": 3, "lost": lost, "tries": 4}
    seen = look(ping(), records={1: record}, arrivals=[(1, 3, B)])[1]
    assert (seen.state, seen.symptom) == ("unknown", "flaky")
    assert f"answered {4 - len(lost)} of 4 tries" in seen.detail


def test_a_wrong_answerer_stays_one_however_flaky():
    """Who answered matters more than how often."""
    record = ANSWERED | {"attempt": 2, "lost": [0, 1], "tries": 4}
    assert look(ping(), records={1: record}, arrivals=[(1, 2, TWIN)])[1].symptom == "wrong answerer"


@pytest.mark.parametrize("full", ["silent", "EMSGSIZE", {"kind": "too big", "code": 0, "version": 6, "by": "fd00::1"}])
def test_what_passes_small_packets_only_is_told_as_mtu(full):
    """The size that did not pass is named, and who said so."""
    record = ANSWERED | {"full": full, "size": 1450}
    seen = look(ping(), records={1: record}, arrivals=[(1, 0, B)])[1]
    assert (seen.state, seen.symptom) == ("unreachable", "mtu")
    assert "1450 bytes" in seen.detail
    assert "fd00::1" in seen.detail or isinstance(full, str)


def test_what_passes_full_size_is_reachable():
    """Small and large packets were answered."""
    record = ANSWERED | {"full": "answered", "size": 1450}
    assert look(ping(), records={1: record}, arrivals=[(1, 0, B)])[1].state == "reachable"


def test_a_connection_of_which_only_the_first_packet_arrived():
    """It was answered, and nothing that followed was acknowledged: nobody has it."""
    seen = look(tcp(), records={2: CONNECTED | {"unheard": True}})[2]
    assert (seen.state, seen.symptom) == ("unreachable", "timeout")
    assert "nothing after it" in seen.detail
