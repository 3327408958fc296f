"""Cases from the field on real engines: what is done to hosts, what each cell then does, and what has to be named."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import yaml
from e2e.differential import changes
from e2e.differential.compare import running, session
from e2e.differential.site import Change
from support.labs import lab as definition_of
from support.predicted import expect_causes, expect_predictions

from dockerlab.verify import on_hosts

CASES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_case_from_the_field(lab, path):
    """Every cell that a case speaks of is as it was seen, is predicted so, and the causes are those that it names."""
    case = yaml.safe_load(path.read_text())
    version = lab.docker("vm0", "version", "--format", "{{.Server.Version}}")
    if for_engine({case.get("engines", "-"): True}, int(version.partition(".")[0])) is None:
        pytest.skip(f"engine {version} refuses this lab")
    with session() as opened, around(case, opened.hosts):
        definition = definition_of(yaml.safe_dump({"name": "case", **case["lab"]}))
        with running(definition, opened):
            on_hosts.verify_new(definition, opened.hosts)
            for step in case["steps"]:
                follow(step, definition, opened.hosts)


@contextmanager
def around(case, hosts):
    """Do what has to be there before the lab is made, and undo it when it is gone."""
    scripts = {host: (script, case["after"][host]) for host, script in case.get("before", {}).items()}
    with ExitStack() as stack:
        for host, (do, undo) in scripts.items():
            stack.enter_context(changes.applied(Change("before", host, do, undo, "none"), hosts))
        yield


def follow(step, definition, hosts):
    """Take one step of a case, hold it against what is seen, and take it back."""
    title = step["title"]
    with ExitStack() as stack:
        for host, script in step.get("do", {}).items():
            exact = step.get("exact", True)
            done = Change(title, host, script, step["undo"][host], "none", exact=exact)
            stack.enter_context(changes.applied(done, hosts))
        report = on_hosts.verify(definition, hosts)
    engine = int(report.engines["vm0"].partition(".")[0])
    seen = {each.cell: each.observed for each in report.cells}
    wrong = []
    for asked, words in step["cells"].items():
        wanted = for_engine(words, engine)
        found = [observed for cell, observed in seen.items() if matches(cell, asked)]
        assert len(found) == 1, f"{title}: {asked}: {[cell for cell in seen if cell.source == asked.split()[0]]}"
        if wanted is not None and not fits(wanted, found[0]):
            wrong.append(f"{title}: {asked}: {wanted} wanted, {found[0]} seen")
    assert not wrong, "\n".join(wrong)
    expect_predictions(report)
    if "causes" in step:
        expect_causes(report, *step["causes"])


def matches(cell, asked):
    """Tell whether a cell is `SOURCE -> TO TARGET PROBE`."""
    return f"{cell.source} -> {cell.to} {cell.target} {cell.probe}" == asked


def for_engine(words, engine):
    """Return what a case wants on an engine: one word, or one for a range such as `-27` or `28-`; None for no word."""
    if not isinstance(words, dict):
        return words
    for span, word in words.items():
        first, _, last = span.partition("-")
        if int(first or 0) <= engine <= int(last or 99):
            return word
    return None


LATER = {"host unreachable": ("host unreachable", "timeout")}
"""What a symptom may look like: the kernel tells of a failed neighbour only after some seconds of silence."""


def fits(wanted, observed):
    """Tell whether an observation is what is wanted: `yes`, or the symptom of a failure."""
    if wanted is True:
        return observed.state == "reachable"
    return observed.state == "unreachable" and observed.symptom in LATER.get(wanted, (wanted,))
