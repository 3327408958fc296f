"""What changed while cells were asked, and which verdicts that takes back."""

from dataclasses import replace

import pytest
from support.labs import lab, running

from dockerlab.errors import EngineError
from dockerlab.probe.base import TIMEOUT, reachable, unknown, unreachable
from dockerlab.reach import Cell, Expectation
from dockerlab.verify.disturbance import disturbed, withdraw

LAB = lab("""
    hosts: {h: local, far: ssh://far}
    networks: {net: {subnet: 172.31.1.0/24}}
    containers:
      web: {host: h, image: dockerlab/node, networks: [net], ports: ["8080:80"]}
      peer: {host: h, image: dockerlab/node, networks: [net]}
      joiner: {image: dockerlab/node, network_mode: "container:web"}
""")
ENGINES = running(LAB)
BEFORE = {name: replace(each, containers=tuple(replace(c, started=1) for c in each.containers))
          for name, each in ENGINES.snapshots().items()}  # fmt: skip
WORLD = world_of(LAB, ENGINES, snapshots=BEFORE)


def after(**changes):
    """Return the engines with container web changed."""
    web = BEFORE["h"].container("web")
    rest = tuple(c for c in BEFORE["h"].containers if c.name != "web")
    return BEFORE | {"h": replace(BEFORE["h"], containers=(*rest, replace(web, **changes)))}


def moved():
    endpoint = BEFORE["h"].container("web").endpoints["net"]
    other = BEFORE["h"].container("peer").endpoints["net"]
    return {"net": replace(endpoint, addresses=other.addresses)}


def test_nothing():
    """Two equal looks tell of nothing."""
    assert disturbed(WORLD, BEFORE, BEFORE) == {}


@pytest.mark.parametrize(("now", "said"), [
    (after(running=False, status="exited", exit_code=9, pid=0), "web ended (exit code 9) while the cells were asked"),
    (after(pid=9), "web was restarted while the cells were asked"),
    (after(started=2), "web was restarted while the cells were asked"),
    (after(id="other", started=2), "web was made anew while the cells were asked"),
    (after(started=2, endpoints=moved()),
     "web was restarted, and its address changed from 172.31.1.2 to 172.31.1.3, while the cells were asked"),
    (BEFORE | {"h": replace(BEFORE["h"], containers=())}, "web was removed while the cells were asked"),
])  # fmt: skip
def test_a_container(now, said):
    """A container that ended, started anew, moved or is gone is called that."""
    assert disturbed(WORLD, BEFORE, now)["web"] == said


def test_an_engine():
    """An engine that started anew has another default bridge; one that does not answer has gone away."""
    bridge = replace(BEFORE["h"].network("bridge"), id="another")
    networks = tuple(n for n in BEFORE["h"].networks if n.name != "bridge")
    anew = BEFORE | {"h": replace(BEFORE["h"], networks=(*networks, bridge))}
    assert disturbed(WORLD, BEFORE, anew) == {"h": "the engine of h was restarted while the cells were asked"}
    gone = BEFORE | {"h": EngineError("h", "not running")}
    assert disturbed(WORLD, BEFORE, gone) == {"h": "the engine of h went away while the cells were asked"}


YES, NO, NO_CLAIM = (Expectation(claim, "rule", "because") for claim in (True, False, None))
SILENT = unreachable(TIMEOUT)


@pytest.mark.parametrize(("cell", "touched"), [
    (Cell("peer", "web", "172.31.1.2", "ping", "web"), True),
    (Cell("web", "peer", "172.31.1.3", "ping", "peer"), True),
    (Cell("joiner", "peer", "172.31.1.3", "ping", "peer"), True),
    (Cell("far", "h", "192.168.22.61", "tcp/8080", "h", 8080), True),
    (Cell("far", "h", "192.168.22.61", "ping", "h"), False),
    (Cell("peer", "h", "192.168.22.61", "tcp/22", "h", 22), False),
])  # fmt: skip
def test_cells_that_a_container_touches(cell, touched):
    """A cell is not judged where what happened is at an end of it, in its namespace, or behind a published port."""
    (seen,) = withdraw([(cell, YES)], [SILENT], WORLD, {"web": "web ended"})
    assert seen == (unknown("not judged: web ended") if touched else SILENT)


def test_cells_of_a_host():
    """An engine that was restarted takes back the verdicts of all that is on its host, and of nothing else."""
    cells = [(Cell("peer", "far", "192.168.22.62", "ping", "far"), YES),
             (Cell("far", "h", "192.168.22.61", "ping", "h"), YES)]  # fmt: skip
    assert withdraw(cells, [SILENT] * 2, WORLD, {"h": "restarted"}) == [unknown("not judged: restarted")] * 2
    assert withdraw(cells[1:], [SILENT], WORLD, {"peer": "ended"}) == [SILENT]


@pytest.mark.parametrize(("expected", "seen", "stands"), [
    (YES, reachable(), True), (YES, SILENT, False), (NO, SILENT, False), (NO, reachable(), False),
    (NO_CLAIM, reachable(), False),
])  # fmt: skip
def test_what_stands(expected, seen, stands):
    """Only what was reached as predicted stands: silence and leaks may both come from what happened."""
    (found,) = withdraw([(Cell("peer", "web", "172.31.1.2", "ping", "web"), expected)], [seen], WORLD, {"web": "ended"})
    assert (found == seen) is stands
    assert found.state == (seen.state if stands else "unknown")
