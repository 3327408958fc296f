"""Made-up reports."""

from dataclasses import replace

from dockerlab.probe import base as probe
from dockerlab.reach import Cell, Expectation
from dockerlab.verify import Cause, Report, judge_all

YES = Expectation(True, "same-bridge", "both are on one bridge")
NO = Expectation(False, "bridge-isolation", "another bridge: iptables drops {source}'s packets to {to}", "timeout")
UNCLEAR = Expectation(None, "unseen-lan", "no claim: the LAN cannot be seen")
SEEN = probe.reachable(0.1234567, "answered")
LOST = probe.unreachable("timeout", "3 packets sent, none came back")
UNTOLD = probe.unknown("web does not run (exited, exit code 1)")


def report(*entries, **more):
    """Return a report of (cell, expectation, observation)."""
    cells = judge_all([(cell, expected) for cell, expected, _ in entries], [seen for _, _, seen in entries])
    fixed = {
        "lab": "demo",
        "title": "A small lab",
        "engines": {"vm0": "28.5.2", "vm1": "20.10.24"},
        "probers": {"vm0": "agent", "vm1": "agent"},
        "seconds": 1.23456,
    }
    return Report(cells=cells, **{**fixed, **more})


def small():
    """Return a report with every kind of cell and every verdict."""
    return report(
        (Cell("web", "db", "10.0.0.3", "ping", "db"), YES, SEEN),
        (Cell("web", "db", "10.0.0.3", "tcp/80", "db", 80), YES, LOST),
        (Cell("web", "db", "db", "dns", "db", answers=("10.0.0.3",)), YES, SEEN),
        (Cell("web", "vm0", "192.168.22.61", "ping", "vm0"), NO, LOST),
        (Cell("db", "web", "10.0.0.2", "ping", "web"), NO, SEEN),
        (Cell("db", "vm0", "192.168.22.61", "ping", "vm0"), NO, UNTOLD),
        (Cell("vm0", "web", "10.0.0.2", "ping", "web"), UNCLEAR, SEEN),
        (Cell("vm0", "db", "", "ping", "db"), UNCLEAR, UNTOLD),
    )


PLACE = Cause("vm0", "lab", "place", "container db", "container db is on back, and the lab wants it on back, front",
              "docker network connect front db")  # fmt: skip
OPTION = Cause("vm1", "lab", "network", "network vault", "network vault is not internal, and the lab wants it internal")
POLICY = Cause("vm0", "host", "policy", "filter INPUT policy", "filter INPUT policy DROP drops packets <b>",
               "iptables -P INPUT ACCEPT")  # fmt: skip


def with_causes():
    """Return the small report with a cause of each side, one of them of no cell, and a prediction that was wrong."""
    made = small()
    cells = list(made.cells)
    cells[1] = replace(cells[1], cause=PLACE, predicted=NO)
    cells[4] = replace(cells[4], cause=POLICY)
    cells[5] = replace(cells[5], cause=PLACE)
    cells[0] = replace(cells[0], predicted=NO)
    return replace(made, cells=tuple(cells), causes=(PLACE, OPTION))
