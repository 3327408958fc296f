"""What is verified beside the cells stands in every form of the report, counts, and is text whatever it holds."""

import json
import sys
from xml.etree import ElementTree as ET

import pytest

from dockerlab.cli import main
from dockerlab.report import as_html, as_json, as_junit, as_markdown, as_table
from dockerlab.verify import Checked, Report

GOOD = Checked("vm0", "image web", "layers", "two layers", "2 layers", "pass", "steps add layers")
BAD = Checked("vm0", "image <b>|`\x1b[1m", "writes", "no change", "layer 2 changed", "fail", "copy-up & more")
UNSURE = Checked("vm1", "image web", "shares", "nothing else", "not there", "unknown")


def report(*checks):
    return Report("demo", "", (), {"vm0": "28.5"}, {"vm0": "agent"}, 0.1, checks=checks)


@pytest.mark.parametrize(
    ("checks", "code", "summary"),
    [
        ((GOOD, BAD, UNSURE), 1, {"pass": 1, "fail": 1, "unknown": 1}),
        ((GOOD, UNSURE), 3, {"pass": 1, "fail": 0, "unknown": 1}),
        ((GOOD,), 3, {"pass": 1, "fail": 0, "unknown": 0}),  # without cells nothing is proved
    ],
)
def test_they_count(checks, code, summary):
    """A check that fails or cannot be told makes the exit code, as a cell does."""
    assert report(*checks).summary() == summary
    assert report(*checks).exit_code == code


def test_in_every_form():
    """Every form shows object, expectation, what was seen and why."""
    whole = report(GOOD, BAD, UNSURE)
    assert json.loads(as_json.render(whole))["checks"][0] == {
        "host": "vm0",
        "subject": "image web",
        "rule": "layers",
        "expected": "two layers",
        "observed": "2 layers",
        "verdict": "pass",
        "because": "steps add layers",
    }
    table = as_table.render(whole, why=True)
    assert "pass: vm0: image web: two layers [layers]" in table
    assert "3 checks" in table
    markdown = as_markdown.render(whole)
    assert "| pass | vm0 | image web | two layers | 2 layers | steps add layers |" in markdown
    suite = ET.fromstring(as_junit.render(whole)).find("testsuite")
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "1")
    assert [len(case) for case in suite.iter("testcase")] == [0, 1, 1]
    page = as_html.render(whole)
    assert "image &lt;b&gt;" in page
    assert "copy-up &amp; more" in page
    assert "<b>|" not in page


def ended(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["dockerlab", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    return caught.value.code, capsys.readouterr().err


def test_layers_needs_names(monkeypatch, capsys):
    """`layers` wants names, and takes none for a flag."""
    code, said = ended(monkeypatch, capsys, "layers")
    assert (code, "say which images or containers" in said) == (2, True)
    code, said = ended(monkeypatch, capsys, "layers", "--", "--rm")
    assert (code, "begins with a hyphen" in said) == (2, True)
