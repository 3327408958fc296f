"""Verdicts: what was expected against what was seen, and what could not be asked at all."""

from dataclasses import replace
from ipaddress import ip_interface

import pytest
from support.labs import lab, running
from support.reports import LOST, NO, SEEN, UNCLEAR, UNTOLD, YES, report, small
from support.worlds import looked, pretended

from dockerlab.probe import base as probe
from dockerlab.probe.meanings import judge_names
from dockerlab.reach import Cell, Expectation, matrix, worlds
from dockerlab.snapshot import EndpointState
from dockerlab.verify import judge, observe, place

CELL = Cell("a", "b", "10.0.0.2", "ping", "b")


@pytest.mark.parametrize(
    ("expected", "seen", "verdict"),
    [
        (YES, SEEN, "pass"),
        (YES, LOST, "fail"),
        (YES, UNTOLD, "unknown"),
        (NO, SEEN, "fail"),
        (NO, LOST, "pass"),
        (NO, UNTOLD, "unknown"),
        (UNCLEAR, SEEN, "unknown"),
        (UNCLEAR, LOST, "unknown"),
        (UNCLEAR, UNTOLD, "unknown"),
    ],
)
def test_judge(expected, seen, verdict):
    """Unknown on either side is unknown; else the two have to agree, and what was not tested never passes."""
    assert judge(expected, seen) == verdict


@pytest.mark.parametrize(
    ("pairs", "code"),
    [
        ([(YES, SEEN), (NO, LOST)], 0),
        ([(YES, SEEN), (YES, LOST)], 1),
        ([(YES, SEEN), (NO, UNTOLD)], 3),
        ([(YES, SEEN), (UNCLEAR, SEEN)], 3),
        ([(YES, LOST), (NO, UNTOLD)], 1),
        ([], 3),
    ],
    ids=["all pass", "one fails", "one untold", "no claim", "fails and untold", "no cells"],
)
def test_exit_code(pairs, code):
    """0 only when every cell passed; a failure counts more than an unknown; no cells prove nothing."""
    assert report(*((CELL, expected, seen) for expected, seen in pairs)).exit_code == code


def test_summary():
    """The summary counts every cell once and names all three verdicts."""
    assert small().summary() == {"pass": 3, "fail": 2, "unknown": 3}
    assert report().summary() == {"pass": 0, "fail": 0, "unknown": 0}


LAB = lab("""
    networks: {n: {subnet: 10.0.0.0/24}}
    containers:
      a: {networks: [n], expose: [80]}
      b: {networks: [n]}
      side: {network_mode: "container:a"}
      bare: {network_mode: host}
    """)


class Prober:
    """A prober that answers every question with what a function says."""

    name = "made up"

    def __init__(self, answer):
        self.asked = []
        self._answer = answer

    def observe(self, cells):
        self.asked += cells
        return {cell.number: found for cell in cells if (found := self._answer(cell)) is not None}


def observed(engines, answer=lambda _cell: SEEN):
    """Return each cell of the lab with its observation, and what the prober was asked."""
    world = worlds.defined(LAB, looked(engines))
    cells = [cell for cell, _ in matrix(world)]
    prober = Prober(answer)
    return list(zip(cells, observe(cells, world, engines.snapshots(), prober), strict=True)), prober


def test_observe():
    """Every cell is asked once, and its answer comes back in its place."""
    found, prober = observed(running(LAB), lambda cell: probe.reachable(float(cell.number)))
    assert [seen.rtt_ms for _, seen in found] == [float(n) for n in range(len(found))]
    assert [cell.number for cell in prober.asked] == list(range(len(found)))


def test_questions():
    """A cell is asked from the source's place, at the place of who has to answer, by its kind of probe."""
    found, prober = observed(running(LAB))
    asked = {(found[q.number][0].source, found[q.number][0].to, found[q.number][0].probe): q for q in prober.asked}
    ping, tcp, dns = asked["b", "a", "ping"], asked["b", "a", "tcp/80"], asked["b", "a", "dns"]
    assert (ping.probe, ping.address, ping.port) == ("ping", "10.0.0.2", None)
    assert (tcp.probe, tcp.address, tcp.port) == ("tcp", "10.0.0.2", 80)
    assert (dns.probe, dns.name, dns.expected) == ("dns", "a", ("10.0.0.2",))
    assert ping.source.container == "b"
    assert ping.target.container == "a"
    assert ping.source.pid > 0


def test_a_name_that_nobody_should_know():
    """Whoever answers for it all the same counts only with an address of the container that is asked for."""

    def says(address):
        return lambda cell: judge_names(cell, 0, [address], "9.9.9.9", 1.0) if cell.probe == "dns" else SEEN

    def seen(address):
        found, _ = observed(running(LAB), says(address))
        (told,) = (seen for cell, seen in found if (cell.source, cell.to, cell.probe) == ("bare", "a", "dns"))
        return told.state, told.symptom

    assert seen("10.0.0.2") == ("reachable", None)
    assert seen("203.0.113.7") == ("unreachable", "wrong answerer")


def test_a_name_on_one_network_more():
    """Also an address that a container has by now, on a network that its definition does not know, is its own."""
    engines = running(LAB)
    (host, there), *_ = engines.snapshots().items()
    more = EndpointState("more", (ip_interface("10.9.0.2/24"),))
    changed = [replace(c, endpoints={**c.endpoints, "more": more}) if c.name == "a" else c for c in there.containers]
    world = worlds.defined(LAB, looked(engines))
    cells = [cell for cell, _ in matrix(world) if (cell.source, cell.to, cell.probe) == ("bare", "a", "dns")]
    prober = Prober(lambda _: SEEN)
    observe(cells, world, {host: replace(there, containers=tuple(changed))}, prober)
    assert [question.expected for question in prober.asked] == [("10.0.0.2", "10.9.0.2")]


@pytest.mark.parametrize(
    ("reachable", "symptom", "silent"),
    [(False, "timeout", True), (False, "reply lost", True), (False, "no route", False), (True, None, False)],
)
def test_predicted_silence(reachable, symptom, silent):
    """Silence is believed sooner only where it is predicted: for errors that somebody tells, one waits."""
    engines, prober = running(LAB), Prober(lambda _cell: SEEN)
    world = pretended(LAB, engines)
    observe([Cell("b", "a", "10.0.0.2", "ping", "a")], world, engines.snapshots(), prober,
            [Expectation(reachable, "rule", "because", symptom)])  # fmt: skip
    assert [cell.silent for cell in prober.asked] == [silent]


def test_shared_namespaces():
    """Who joins another's namespace is probed as one with it; host mode and the host are one too."""
    engines = running(LAB)
    world = pretended(LAB, engines)
    places = {name: place(name, world, engines.snapshots()) for name in (*LAB.containers, *LAB.hosts)}
    assert places["side"].namespace == places["a"].namespace
    assert places["bare"].namespace == places["local"].namespace
    assert places["a"].namespace != places["b"].namespace
    assert (places["local"].container, places["side"].container) == (None, "side")


def test_joiner_of_a_host_mode_container():
    """Who joins a container in host mode is in the host's namespace."""
    both = lab("containers: {bare: {network_mode: host}, side: {network_mode: 'container:bare'}}")
    engines = running(both)
    world = pretended(both, engines)
    assert world.people.of["side"] == "local"
    assert place("side", world, engines.snapshots()).shares == "host"


@pytest.mark.parametrize(
    ("alter", "reason"),
    [
        (
            lambda there, b: there.update(b=replace(b, running=False, status="exited", exit_code=137)),
            "b does not run (exited, exit code 137)",
        ),
        (lambda there, _: there.pop("b"), "b does not exist on local"),
    ],
    ids=["stopped", "missing"],
)
def test_what_cannot_be_asked(alter, reason):
    """What a container that is stopped or missing would ask is unknown, with the reason; it is asked for all the same.

    Whoever answers there is somebody else.
    """
    engines = running(LAB)
    alter(engines["local"].containers, engines["local"].containers["b"])
    found, prober = observed(engines)
    own = [seen for cell, seen in found if cell.source == "b"]
    assert {(seen.state, seen.detail) for seen in own} == {("unknown", reason)}
    asked = [seen for cell, seen in found if cell.source != "b" and cell.holder == "b" and cell.probe != "dns"]
    assert {(seen.symptom, seen.detail) for seen in asked} == {
        ("wrong answerer", f"{reason}, and yet 10.0.0.3 answered")
    }
    assert all(seen is SEEN for cell, seen in found if "b" not in (cell.source, cell.holder))
    assert len(prober.asked) == len(found) - len(own)


def test_prober_without_an_answer():
    """A cell for which the prober has no answer is unknown: silence is no proof."""
    found, _ = observed(running(LAB), lambda cell: None if cell.number == 0 else LOST)
    assert found[0][1].state == "unknown"
    assert "no answer" in found[0][1].detail
    assert all(seen is LOST for _, seen in found[1:])
