"""The benchmark's own logic: rounds, failures, and what is shown of them."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from bench.bars import BARS, judged
from bench.bars import runs as known_runs
from bench.common import Conditions, Contender, Failed, Group, Row, compete, timed
from bench.over_ssh import Tally
from bench.report import BEGIN, END, as_json, from_json, in_order, into_page, picture, text


def failing():
    raise Failed("no such thing")


def test_who_fails_or_is_missing_is_named():
    """A contender that fails does not run again; one that is not there never runs; both are in the result."""
    cleaned = []
    contenders = [
        Contender("ours", lambda: {"up": 1.0}),
        Contender("broken", failing),
        Contender("absent", dict, missing="not installed"),
    ]
    group = compete("work", contenders, 3, clean=lambda: cleaned.append(True))
    assert [len(row.stages.get("up", [])) for row in group.rows] == [3, 0, 0]
    assert "no such thing" in group.rows[1].note
    assert group.rows[2].note == "not installed"
    assert cleaned == [True]


def test_failed_rounds_are_counted():
    """Of what failed over SSH it is said how often, by what, and how long the server then let nobody in."""
    assert Tally(Row("x"), 3).note() == "3 of 3 came up"
    failed = Tally(Row("x"), 3, ["no more logins", "again"], [24.6, 3.0]).note()
    assert failed == "failed 2 of 3: no more logins; then sshd let this address in again after up to 25 s"
    assert Tally(Row("x"), 3, ["broken"], [0.2]).note() == "failed 1 of 3: broken"


def test_a_program_is_judged_by_its_exit_code():
    """Output and time are there after success; a failure tells the words that say why."""
    assert timed(["sh", "-c", "cat"], text="hello").output == "hello"
    assert timed(["false"], accepted=(1,)).seconds > 0
    with pytest.raises(Failed, match="ended with 3: an error"):
        timed(["sh", "-c", "echo an error >&2; exit 3"])


GROUP = Group("a <title>", [Row("dockerlab", {"up": [3.0, 1.0, 2.0]}), Row("other", {"up": [4.0]}, "a note")])


def test_results_are_shown_as_medians_with_ratios(tmp_path):
    """The table, the page and the picture have the median, and the ratio to the first row."""
    assert "4.00 (2.00)" in text([GROUP])
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    into_page(page, [GROUP, replace(GROUP, title="b", conditions=Conditions(1.5, 60.4))])
    written = page.read_text()
    assert "| other | 4.00 (2.00) | a note |" in written
    assert "old" not in written
    assert written.startswith("before")
    assert written.endswith("after\n")
    assert ET.fromstring(picture([GROUP])).tag.endswith("svg")
    assert "up to 1.5 meanwhile" in written
    assert "Python 0 to 60 ms" in written
    assert from_json(as_json([GROUP])) == [GROUP]


def test_bars_are_judged_by_what_was_measured():
    """A bar is met or not by its medians; where something was not measured, the line says so and claims nothing."""
    many = Group("40 containers", [Row("dockerlab", {"up": [4.0], "down": [2.0]}),
                                   Row("Docker Compose, local socket", {"up": [4.0], "down": [1.0]})])  # fmt: skip
    lines = {work: rest for work, *rest in judged([many])}
    assert len(lines) == len(BARS)
    by_start = {work.partition(",")[0]: rest for work, rest in lines.items() if "40 containers over SSH" in work}
    assert by_start == {"up": ["≤ 1.25 x", "1.00 x", "yes"], "down": ["≤ 1.0 x", "2.00 x", "**no**"]}
    assert {tuple(rest[1:]) for rest in lines.values() if rest not in by_start.values()} == {("not measured", "-")}


def test_every_run_is_held_against_the_bars(tmp_path):
    """Of three runs each number is told, and one that misses is no yes; the tables and the picture have the latest."""
    runs = [Group("start", [Row("dockerlab --help", {"start": [seconds]})]) for seconds in (0.1, 0.2, 0.12)]
    line = {work: rest for work, *rest in judged(runs)}["`--help`"]
    assert line == ["< 0.15 s", "0.10, 0.20, 0.12 s", "**in 2 of 3 runs**"]
    page = tmp_path / "page.md"
    page.write_text(f"{BEGIN}\n{END}\n")
    into_page(page, runs)
    assert page.read_text().count("### Start") == 1
    assert "| dockerlab --help | 0.120 |" in page.read_text()
    assert picture(runs).count("<rect") == picture(runs[2:]).count("<rect")


def test_runs_are_counted_from_the_latest():
    """A group that was measured once only belongs to the latest run, with those beside it."""
    several, once = Group("several", []), Group("once", [])
    assert [[group.title for group in run] for run in known_runs([several, once, several])] == [
        ["several"],
        ["several", "once"],
    ]


def test_groups_are_in_order():
    """Groups stand by kind, and by size within it."""
    titles = ["matrix of 100 containers", "40 containers", "100 containers", "matrix of 2 containers", "start"]
    ordered = [group.title for group in in_order([Group(title, []) for title in titles])]
    assert ordered == ["40 containers", "100 containers", "matrix of 2 containers", "matrix of 100 containers", "start"]
