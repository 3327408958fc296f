"""Grades and their formats: what they count, and that no value is anything but text in them."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import datetime, timezone
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import xmlschema
from rich.cells import cell_len
from support.lab_hosts import EXAMPLES
from support.labs import read
from support.offline import observed, world_of

from dockerlab.probe.base import reachable, unknown
from dockerlab.serve.board import Board
from dockerlab.students import as_csv, as_html, as_json, as_junit, as_table
from dockerlab.students.grades import Grade, not_charged, total, worst
from dockerlab.students.instance import instance
from dockerlab.students.roster import Student, one, parse
from dockerlab.students.subnets import Source
from dockerlab.survey import Seen
from dockerlab.verify import Cause, asking, judging

NASTY = "=cmd|' /C calc'!A0</td><script>alert(1)</script>\x00"
ROSTER = f'name,group\nAda,A\n"{NASTY}",+1\nBob,-2\nEve,@x\n'
SCHEMA = Path(__file__).parents[1] / "support/junit.xsd"


@pytest.fixture(scope="module")
def grades():
    """A class of which one passes, one fails, one cannot be told, and one is on a host that does not answer."""
    definition = read(EXAMPLES / "user-bridge.yaml")
    made = [instance(definition, student, {"local": "vm0"}, Source()) for student in parse(ROSTER, "r")]
    return [
        Grade(made[0], observed(made[0].lab)),
        Grade(made[1], observed(made[1].lab, wrong={3, 4}, untold={5})),
        Grade(made[2], observed(made[2].lab, untold={0})),
        Grade(made[3], None, "vm0: no answer\n<b>at all</b>"),
    ]


def test_outcomes(grades):
    """A failed cell is a fail, one that could not be told is none, and no report is no grade; the worst counts."""
    assert [grade.outcome for grade in grades] == ["pass", "fail", "unknown", "error"]
    assert [worst(grades[:n]) for n in range(5)] == [3, 0, 1, 1, 4]
    assert worst([grades[0], grades[2]]) == 3
    assert total(grades) == "4 students: 1 pass, 1 fail, 1 unknown, 1 not to be graded"
    assert grades[1].problem.startswith("web -> hidden ping: reachable; expected unreachable, for ")
    assert grades[2].problem.startswith("web -> both ping: unknown; not tested")


def test_csv_has_no_formula(grades):
    """A value that a spreadsheet would calculate has an apostrophe before it; numbers stay numbers.

    The file is known for UTF-8 by its mark, and has the separator of the roster.
    """
    text = as_csv.render(grades, ";")
    assert text.startswith(f"{as_csv.MARK}id;number;name;group;")
    rows = list(csv.DictReader(StringIO(text.removeprefix(as_csv.MARK)), delimiter=";"))
    assert [row["verdict"] for row in rows] == ["pass", "fail", "unknown", "error"]
    assert [row["group"] for row in rows] == ["A", "'+1", "'-2", "'@x"]
    assert rows[1]["name"].startswith("'=cmd")
    assert (rows[0]["percent"], rows[1]["percent"]) == ("100", "95")
    assert not any(str(v).lstrip(" ").startswith(as_csv.FORMULA) for row in rows for v in row.values())


def test_html_is_text(grades):
    """No value is markup, nothing is loaded or run, and each student with something amiss has a section."""
    page = as_html.render("user-bridge", grades)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "script-src &#39;none&#39;" in page
    assert "<b>at all</b>" not in page
    assert page.count("<section") == 3


def test_junit_is_valid(grades):
    """The XML fits the schema that CI servers go by; a suite for each student."""
    text = as_junit.render("user-bridge", grades)
    xmlschema.validate(text, SCHEMA)
    suites = ET.fromstring(text).findall("testsuite")
    assert [(s.get("failures"), s.get("errors")) for s in suites] == [("0", "0"), ("2", "1"), ("0", "1"), ("0", "1")]


def test_json_has_what_is_amiss(grades):
    """Each student with the counts, and the cells that did not pass with their reasons."""
    students = json.loads(as_json.render("user-bridge", grades))["students"]
    assert [len(each["amiss"]) for each in students] == [0, 3, 1, 0]
    assert students[1]["amiss"][0]["because"]
    assert students[3]["error"].startswith("vm0: no answer")


@pytest.mark.parametrize("width", [60, 80, 160, 300])
def test_table_fits(grades, width):
    """The table has a row for each student, is no wider than the terminal, and cuts nothing of what is wrong."""
    text = as_table.render(grades, width)
    assert max(map(cell_len, text.splitlines())) <= width
    assert [line.split()[0][:3] for line in text.splitlines() if line.startswith("s0")] == ["s01", "s02", "s03", "s04"]
    assert all(" ".join(grade.problem.split()) in " ".join(text.split()) for grade in grades)
    assert "vm0: no answer <b>" in text


def test_what_is_wrong_is_called_so(grades):
    """Table and page have the same plain words above what is wrong with each student."""
    assert "WHAT IS WRONG" in as_table.render(grades, 300).splitlines()[0]
    assert '<th scope="col">What is wrong</th>' in as_html.render("user-bridge", grades)


class Prober:
    """One that observes what is expected, and counts how often it is called."""

    name = "agent"

    def __init__(self):
        self.calls = 0

    def observe(self, cells):
        self.calls += 1
        assert len({cell.number for cell in cells}) == len(cells)
        return {cell.number: unknown("silent") if cell.silent else reachable(detail=str(cell.source)) for cell in cells}


def test_all_are_asked_at_once():
    """The cells of all students go into one run of the prober, and each answer comes back to its own cell."""
    definition = read(EXAMPLES / "bridge.yaml")
    made = [instance(definition, one(f"s0{n}"), {"local": "vm0"}, Source()) for n in (1, 2, 3)]
    trials = []
    for each in made:
        world = world_of(each.lab)
        trials.append(judging.trial(each.lab, Seen(world.books, {}, world.fabric.net.machines)))
    prober = Prober()
    asking.all_at_once(trials, prober)
    assert prober.calls == 1
    for each in trials:
        for cell, seen in zip(each.cells, each.observed, strict=True):
            assert cell.source in seen.detail or seen.detail == "silent"


POLICY = Cause("vm0", "host", "policy", "filter INPUT policy", "filter INPUT policy DROP drops packets",
               "iptables -P INPUT ACCEPT")  # fmt: skip


@pytest.fixture
def faulty():
    """A class on a faulty host: of three, one fails by it alone, one else, one has a lab made otherwise."""
    definition = read(EXAMPLES / "user-bridge.yaml")
    made = [instance(definition, one(f"s0{n}"), {"local": "vm0"}, Source()) for n in (1, 2, 3)]
    wrong = Cause(
        "vm0", "lab", "place", "container s03-both", "container s03-both is on no network <b>", "docker network …"
    )
    reports = [observed(made[0].lab, wrong={0, 1}), observed(made[1].lab, wrong={0, 1, 2}), observed(made[2].lab)]
    found = []
    for each, report in zip(made, reports, strict=True):
        cells = [replace(c, cause=POLICY) if n < 2 and c.verdict != "pass" else c for n, c in enumerate(report.cells)]
        found.append(Grade(each, replace(report, cells=tuple(cells))))
    found[2] = replace(found[2], report=replace(found[2].report, causes=(wrong,)))
    return found


def test_a_host_is_charged_to_nobody(faulty):
    """What a host is at fault for is no failure of a student, is told once above them, and lowers no percentage."""
    assert [grade.outcome for grade in faulty] == ["pass", "fail", "fail"]
    assert [grade.spared for grade in faulty] == [2, 2, 0]
    rows = list(csv.DictReader(StringIO(as_csv.render(faulty, ","))))
    assert [(row["percent"], row["not charged"], row["fail"]) for row in rows] == [
        ("100", "2", "0"), ("98", "2", "1"), ("100", "0", "0"),
    ]  # fmt: skip
    line = (
        "vm0: filter INPUT policy DROP drops packets: 4 cells; not charged to the students; "
        "right would be: iptables -P INPUT ACCEPT"
    )
    assert not_charged(faulty) == [line]
    assert as_table.render(faulty, 200).splitlines()[0] == line
    assert as_html.render("user-bridge", faulty).count(line) == 1
    document = json.loads(as_json.render("user-bridge", faulty))
    assert [(c["where"], c["cells"]) for c in document["causes"]] == [("filter INPUT policy", 4)]
    assert [s["not_charged"] for s in document["students"]] == [2, 2, 0]
    text = as_junit.render("user-bridge", faulty)
    xmlschema.validate(text, SCHEMA)
    suites = ET.fromstring(text).findall("testsuite")
    assert [(s.get("failures"), s.get("skipped")) for s in suites] == [("0", "2"), ("1", "2"), ("1", "0")]
    board = Board("user-bridge")
    board.publish(faulty, datetime.now(timezone.utc), 1.0)
    assert board.summary()["hosts"] == [line]
    assert [s["verdict"] for s in board.summary()["students"]] == ["pass", "fail", "fail"]


def test_what_is_not_as_defined_is_named_first(faulty):
    """An object that is not as the definition has it fails a student whose every cell passes."""
    assert faulty[2].counts["fail"] == 0
    assert faulty[2].problem == "container both is on no network <b>"
    assert json.loads(as_json.render("x", faulty))["students"][2]["causes"][0]["kind"] == "place"
    assert "container both is on no network &lt;b&gt;" in as_html.render("x", faulty)


def test_a_name_alone_is_a_student():
    """A student of whom only the ID is known has it for a name."""
    assert one("s07-ada") == Student(7, "s07-ada", "s07-ada")
