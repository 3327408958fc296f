"""Who took a connection that a host accepted for somebody behind it."""

from __future__ import annotations

import pytest

from dockerlab.probe.base import Behind, Cell, Place
from dockerlab.probe.doors import MIXED, UNPROVEN
from dockerlab.probe.join import join
from dockerlab.probe.knocks import ANSWERED, ASKED, REFUSED, USED
from dockerlab.probe.reported import HostRecords

CLIENT = Place("vm1", "client", 11, "aa")
VM0 = Place("vm0", None, 1)
WEB = Place("vm0", "web", 12, "bb")
DOOR = (Behind(WEB, 80),)
NAMESPACES = {CLIENT: 101, VM0: 200, WEB: 201}

TAKEN = ASKED | ANSWERED | USED


def tcp(number=1, behind=DOOR, port=8080):
    return Cell(number, CLIENT, VM0, "192.0.2.1", "tcp", port, behind=behind)


def accepted(began: int | None = 1000, *, closed: bool = False):
    return {"outcome": "answered", "rtt": 0.5, "began": began, "closed": closed}


def look(*cells, records, knocks=(), last=True, proxies=(8080,), web=201, **more):
    """Join what vm1 asked with what vm0 saw at port 80 of web: `knocks` are numbers and what became of them."""
    asked = HostRecords(
        namespaces={CLIENT: 101},
        cells=records,
        numbers=frozenset(record["began"] for record in records.values() if record["began"] is not None),
    )
    seen = HostRecords(
        namespaces={VM0: 200, WEB: web},
        knocks=tuple((201, 80, number, what) for number, what in knocks),
        proxies=frozenset(proxies) if last else frozenset(),
        **more,
    )
    return join(cells, {"vm1": asked, "vm0": seen}, last=last)


@pytest.mark.parametrize("last", [False, True])
def test_what_nat_led_on_is_recognised_by_its_number(last):
    """The container's kernel answered the very connection that was asked for."""
    assert look(tcp(), records={1: accepted()}, knocks=[(1000, ASKED | ANSWERED)], last=last)[1].state == "reachable"


@pytest.mark.parametrize("last", [False, True])
def test_what_a_proxy_led_on_is_counted(last):
    """A proxy's own connection to the container was taken, once for each that it accepted."""
    assert look(tcp(), records={1: accepted()}, knocks=[(7, TAKEN)], last=last)[1].state == "reachable"


def test_what_was_not_seen_is_asked_again():
    """In the first round the far end may only have been late."""
    assert look(tcp(), records={1: accepted()}, last=False)[1] == UNPROVEN
    assert look(tcp(), records={1: accepted()}, knocks=[(7, ASKED | ANSWERED)], last=False)[1] == UNPROVEN


@pytest.mark.parametrize(
    ("knocks", "closed", "word"),
    [
        ([(7, ASKED | REFUSED)], True, "nothing listens at web on vm0 (port 80)"),
        ([(7, ASKED | ANSWERED)], False, "does not come back"),
        ([(7, ASKED)], False, "is not answered"),
        ([], True, "no connection of its own came to web"),
        ([], False, "no connection of its own came to web"),
    ],
)
def test_a_proxy_that_accepts_for_nobody_is_told(knocks, closed, word):
    """Refused, unanswered, or answered to no avail: the proxy accepted, and nobody took the connection."""
    seen = look(tcp(), records={1: accepted(closed=closed)}, knocks=knocks)[1]
    assert (seen.state, seen.symptom) == ("unreachable", "refused behind docker-proxy")
    assert word in seen.detail


def test_a_socket_that_nobody_serves_is_a_timeout():
    """Without a proxy, the engine keeps the port from others: the kernel accepts, and nothing ever comes."""
    seen = look(tcp(), records={1: accepted()}, proxies=())[1]
    assert (seen.state, seen.symptom) == ("unreachable", "timeout")
    assert "no program takes the connection" in seen.detail


def test_where_some_of_several_were_taken_it_is_not_told_which():
    """Two were accepted and one led on: each may have been that one."""
    cells, records = (tcp(1), tcp(2)), {1: accepted(1000), 2: accepted(2000)}
    seen = look(*cells, records=records, knocks=[(7, TAKEN)])
    assert [seen[1], seen[2]] == [MIXED, MIXED]
    assert {one.state for one in look(*cells, records=records, knocks=[(7, TAKEN), (8, TAKEN)]).values()} == {
        "reachable"
    }
    led = look(*cells, records=records, knocks=[(1000, ASKED | ANSWERED), (7, ASKED | REFUSED)])
    assert [led[1].state, led[2].symptom] == ["reachable", "refused behind docker-proxy"]


def test_two_doors_to_one_port_share_what_was_seen():
    """A connection of a proxy's does not say by which of two published ports it came."""
    cells, records = (tcp(1), tcp(2, port=8081)), {1: accepted(1000), 2: accepted(2000)}
    assert look(*cells, records=records, knocks=[(7, TAKEN)])[1] == MIXED


def test_nobody_in_the_lab_behind_the_port():
    """Whoever accepts for a container that does not run accepts for nobody."""
    seen = look(tcp(behind=()), records={1: accepted(closed=True)})[1]
    assert seen.symptom == "refused behind docker-proxy"


def test_what_cannot_be_seen_is_unknown():
    """A kernel that hides how a connection began, a namespace that cannot be watched or entered: each says why."""
    told = [
        look(tcp(), records={1: accepted(None)})[1],
        look(tcp(), records={1: accepted()}, deaf={201: "its packets cannot be watched"})[1],
        look(tcp(), records={1: accepted()}, web="no such process")[1],
    ]
    assert [one.state for one in told] == ["unknown"] * 3
    words = ("how a connection began", "cannot be watched", "no such process")
    assert all(word in one.detail for word, one in zip(words, told, strict=True))


def test_what_needs_nobody_behind_it_is_asked_of_the_host_itself():
    """A socket of the host's own namespace may answer for itself; what was led on to a container is not its."""
    assert look(tcp(behind=None), records={1: accepted()}, delivered=frozenset([(200, 1000)]))[1].state == "reachable"
    assert (
        look(tcp(behind=None), records={1: accepted()}, delivered=frozenset([(201, 1000)]))[1].symptom
        == "wrong answerer"
    )
