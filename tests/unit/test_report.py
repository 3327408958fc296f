"""Reports for people and for machines."""

import json
import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from support.labs import lab, running, who
from support.offline import world_of
from support.pretend import Engines
from support.reports import LOST, NO, SEEN, YES, report, small, with_causes

from dockerlab.facts import Facts
from dockerlab.plan.bringing_up import Situation, up
from dockerlab.reach import Cell, Expectation
from dockerlab.report import as_json, as_table, inventory

NOW = datetime(2027, 1, 31, 18, tzinfo=timezone.utc)
GOLDEN = Path(__file__).parents[1] / "golden" / "report"


@pytest.mark.parametrize("why", [False, True], ids=["short", "why"])
def test_table(golden, why):
    """A report with every kind of cell reads as it was read and recorded."""
    golden(GOLDEN / f"{'why' if why else 'short'}.txt", as_table.render(small(), 100, why=why))


def test_table_with_causes(golden):
    """Causes stand first, once each, and their cells are not told again."""
    golden(GOLDEN / "causes.txt", as_table.render(with_causes(), 100))


def test_causes_in_json():
    """Each cause is there once with its cells, each cell has its own, and what is predicted wrongly is counted."""
    found = json.loads(as_json.render(with_causes()))
    assert [(c["host"], c["side"], c["kind"], c["where"], c["cells"]) for c in found["causes"]] == [
        ("vm1", "lab", "network", "network vault", 0),
        ("vm0", "lab", "place", "container db", 2),
        ("vm0", "host", "policy", "filter INPUT policy", 1),
    ]
    assert found["causes"][1]["undo"] == "docker network connect front db"
    cells = found["cells"]
    assert {k: v for k, v in found["causes"][1].items() if k != "cells"} == cells[1]["cause"] == cells[5]["cause"]
    assert cells[0]["cause"] is None
    assert (cells[1]["predicted"], cells[1]["predicted_symptom"]) == ("unreachable", "timeout")
    assert (cells[2]["predicted"], cells[2]["predicted_symptom"]) == ("unknown", None)
    assert found["summary"]["unexplained"] == 1


def wide(columns):
    """Return a report of one source and many targets."""
    cells = (Cell("source", f"c{n}", f"10.0.0.{n}", "ping", f"c{n}") for n in range(columns))
    return report(*((cell, YES, LOST if n == 7 else SEEN) for n, cell in enumerate(cells)))


def test_folding():
    """Thirty columns fold at a width of 60, none is lost, and each letter is explained once."""
    text = as_table.render(wide(30), 60)
    rows = [line for line in text.splitlines() if line.startswith(("source ", "ping "))]
    assert len(rows) > 2
    assert all(len(row) <= 60 for row in rows)
    heads = [word for row in rows if row.startswith("ping ") for word in row.split()[1:]]
    marks = [word for row in rows if row.startswith("source ") for word in row.split()[1:]]
    assert heads == [*"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "AA", "AB", "AC", "AD"]
    assert marks == ["yes"] * 7 + ["no!"] + ["yes"] * 22
    keys = re.findall(r"^  ([A-Z]+) += (.*)$", text, re.MULTILINE)
    assert [letter for letter, _ in keys] == heads
    assert keys[29][1] == "c29 10.0.0.29"


def test_too_narrow():
    """Where not even one column fits, there is one a block all the same."""
    assert as_table.render(wide(3), 5).count("\nsource ") == 3


def test_no_colour():
    """Nothing is told by colour: there is no control character in the text, and each verdict has a mark of its own."""
    text = as_table.render(small(), 80, why=True)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text)
    for mark in ("yes", "no", "yes!", "no!", "?"):
        assert re.search(rf"(^|\s){re.escape(mark)}(\s|$)", text, re.MULTILINE), mark


def test_total():
    """The last line counts cells and verdicts."""
    assert as_table.render(small()).splitlines()[-1] == "8 cells: 3 pass, 2 fail, 3 unknown  (1.2 s); --why tells why"
    assert as_table.total(report()) == "0 cells: 0 pass, 0 fail, 0 unknown  (1.2 s)"


def test_json():
    """The object has the keys that scripts rely on, in words and numbers, and is one line's end from a file."""
    text = as_json.render(small())
    found = json.loads(text)
    assert text.endswith("}\n")
    assert {"schema", "lab", "instance", "hosts", "cells", "summary", "seconds"} <= set(found)
    assert (found["schema"], found["lab"], found["instance"], found["seconds"]) == (1, "demo", None, 1.235)
    assert {key: found["hosts"]["vm1"][key] for key in ("engine", "prober")} == {
        "engine": "20.10.24",
        "prober": "agent",
    }
    assert found["summary"] == {"pass": 3, "fail": 2, "unknown": 3, "unexplained": 0}
    wanted = {"from", "to", "target", "probe", "expected", "observed", "verdict", "because", "symptom", "rtt_ms"}
    assert all(wanted <= set(cell) for cell in found["cells"])
    first, second = found["cells"][:2]
    assert (first["from"], first["to"], first["target"], first["probe"]) == ("web", "db", "10.0.0.3", "ping")
    assert (first["expected"], first["observed"], first["verdict"]) == ("reachable", "reachable", "pass")
    assert (first["symptom"], first["rtt_ms"]) == (None, 0.123)
    assert (second["probe"], second["observed"], second["symptom"], second["rtt_ms"]) == (
        *("tcp/80", "unreachable", "timeout", None),
    )
    assert {cell["expected"] for cell in found["cells"]} == {"reachable", "unreachable", "unknown"}
    assert {cell["verdict"] for cell in found["cells"]} == {"pass", "fail", "unknown"}


def test_json_is_of_the_cell():
    """A reason is told in the cell's own names."""
    cell = json.loads(as_json.render(report((Cell("web", "db", "10.0.0.3", "ping"), NO, LOST))))["cells"][0]
    assert cell["because"] == "another bridge: iptables drops web's packets to db"


def test_instance_in_json():
    """An instance is named."""
    assert json.loads(as_json.render(report(instance="s1")))["instance"] == "s1"


def test_inventory():
    """What exists is listed by lab, host and kind, of one lab or of all; what nobody labelled is not."""
    engines = running(lab("networks: {n: {subnet: 10.0.0.0/24}}\ncontainers: {b: {networks: [n]}, a: {networks: [n]}}"))
    engines["local"].run(("docker", "run", "--name", "mine", "image"))
    found = inventory.rows(engines.snapshots(), None, NOW)
    assert [(row["kind"], row["name"], row["addresses"]) for row in found] == [
        ("container", "a", "10.0.0.3"),
        ("container", "b", "10.0.0.2"),
        ("network", "n", "10.0.0.0/24"),
    ]
    assert inventory.rows(engines.snapshots(), "demo", NOW) == found
    assert inventory.rows(engines.snapshots(), "other", NOW) == []
    assert inventory.table(found) == (
        "LAB   HOST   KIND       NAME  STATE    ADDRESSES    OWNER\n"
        "demo  local  container  a     running  10.0.0.3     teacher@desk\n"
        "demo  local  container  b     running  10.0.0.2     teacher@desk\n"
        "demo  local  network    n     bridge   10.0.0.0/24  teacher@desk\n"
    )
    assert inventory.table([]) == "nothing that dockerlab made\n"


def test_inventory_of_a_swarm():
    """A note on the host says what of it is still to be undone."""
    text = """
        hosts: {vm0: }
        networks: {w: {driver: overlay, subnet: 10.0.0.0/24}}
        containers: {a: {host: vm0, networks: [w]}}
        """
    found = inventory.rows(running(lab(text)).snapshots(), "demo", NOW)
    assert [(row["kind"], row["state"]) for row in found if row["kind"] == "receipt"] == [
        ("receipt", "swarm to be undone")
    ]


def test_inventory_of_a_lease():
    """What is leased says until when; what is nearly over is told with how to go on, what has time left is not."""
    definition = lab("containers: {a: {}}")
    engines = Engines(definition.hosts)
    until = NOW + timedelta(hours=3, minutes=50)
    engines.carry_out(up(definition, who(definition), Situation(engines.snapshots(), {}), {}, until))
    (row,) = (row for row in inventory.rows(engines.snapshots(), "demo", NOW) if row["kind"] == "lease")
    assert (row["state"], row["expires"]) == ("expires in 3 h 50 min", "2027-01-31T21:50:00Z")
    assert inventory.expiring(engines.snapshots(), "demo", NOW) == []
    assert inventory.expiring(engines.snapshots(), None, until - timedelta(minutes=9)) == [
        "demo: expires in 9 min; 'dockerlab up --ttl TIME' gives it longer"
    ]
    assert inventory.expiring(engines.snapshots(), None, until + timedelta(days=1, hours=2)) == [
        "demo: expired 1 d 2 h ago; 'dockerlab down --expired' removes it"
    ]
    assert inventory.expiring(engines.snapshots(), "other", until) == []


def test_what_could_not_be_read():
    """Facts that a host did not tell stand in the JSON, and in the table where some cell has no prediction."""
    definition = lab("hosts: {vm1: }\ncontainers: {a: {host: vm1}}")
    facts = {"vm1": Facts("vm1", missing=("forward_policy",))}
    told = replace(small(), world=world_of(definition), facts=facts)
    assert json.loads(as_json.render(told))["hosts"]["vm1"]["missing"] == ["forward_policy"]
    line = "note: vm1: could not be read: forward_policy; root on the host may be needed"
    unclaimed = any(judged.expected.reachable is None for judged in told.cells)
    assert (line in as_table.render(told)) is unclaimed
    cell, unknown = told.cells[0].cell, Expectation(None, "unseen-forwarding", "no claim: it could not be read")
    assert line in as_table.render(replace(report((cell, unknown, SEEN)), world=told.world, facts=facts))
