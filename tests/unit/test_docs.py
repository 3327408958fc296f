"""The documentation says what the code says."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.labs import lab, read, running
from support.worlds import pretended

from dockerlab import modes
from dockerlab.probe.base import unknown
from dockerlab.reach import matrix
from dockerlab.report import as_json
from dockerlab.verify import Report, judge_all

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])
EACH = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
VERIFICATION = DOCS / "verification.md"


def test_generated_parts_are_up_to_date():
    """What stands between the marks is what the code gives now."""
    check = [sys.executable, ROOT / "scripts/docs", "--check"]
    result = subprocess.run(check, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_mode_has_a_page():
    """Each mode has a page of its name, with its example, its commands and its matrix."""
    for mode in modes.all_modes():
        text = (DOCS / "modes" / f"{mode.name}.md").read_text(encoding="utf-8")
        assert {"example", "render", "matrix"} <= set(re.findall(r"<!-- generated: (\w+) ", text))


def test_every_rule_is_in_the_index():
    """Each rule that decides a recorded cell stands in the index of rules."""
    recorded = "\n".join(path.read_text(encoding="utf-8") for path in ROOT.glob("tests/modes/*/*.matrix.txt"))
    decided = set(re.findall(r"\[([a-z0-9-]+)\]$", recorded, re.MULTILINE))
    listed = set(re.findall(r"[a-z0-9-]+", (DOCS / "rules/README.md").read_text(encoding="utf-8"))) | {"expect"}
    assert decided
    assert decided - listed == set()


def test_every_field_of_the_report_is_explained():
    """Each field of the JSON report has its row."""
    definition = read(ROOT / "examples/bridge.yaml")
    engines = running(definition)
    cells = matrix(pretended(definition, engines))
    judged = judge_all(cells, [unknown("not asked")] * len(cells))
    document = json.loads(as_json.render(Report("bridge", "", judged, {"local": ""}, {"local": ""}, 0.0)))
    rows = set(re.findall(r"^\| `(\w+)`", VERIFICATION.read_text(encoding="utf-8"), re.MULTILINE))
    assert (document.keys() | document["cells"][0].keys()) - rows == set()


@EACH
def test_links_lead_somewhere(page):
    """Each link to a file of the repository leads to one that is there."""
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@EACH
def test_definitions_in_the_text_are_right(page):
    """Each whole definition in a page is one that loads, except where the page shows what is wrong with it."""
    blocks = re.findall(r"^ *```yaml\n(.*?)^ *```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    definitions = [text for text in blocks if re.match(r"(\s*#.*\n)*\s*name:", text)]
    for text in definitions:
        if "comand:" not in text:
            assert lab(text).containers


@pytest.mark.parametrize("page", ["reliability", "threats"])
def test_pages_name_tests_that_are_there(page):
    """Every test that the pages on reliability and threats name is there; `::test_x` alone is in the file before it."""
    text = (ROOT / "docs" / f"{page}.md").read_text("utf-8")
    named = re.findall(r"`((?:unit/)?test_\w+\.py)?((?:::\w+)*)\*?`", text)
    folder, source, found = ROOT / "tests", "", 0
    for file, tests in named:
        if file:
            source = (folder / (file if "/" in file else f"e2e/{file}")).read_text("utf-8")
        for test in filter(None, tests.split("::")):
            assert re.search(rf"^ *(?:def|class) {test}", source, re.MULTILINE), (file, test)
            found += 1
    assert found > 30


def test_the_tutorial_explains_the_words_of_its_first_output():
    """What a first matrix calls cells and gateways is said right below it, before a word needs them."""
    page = (ROOT / "docs/tutorial.md").read_text(encoding="utf-8")
    prose = re.sub(r"```.*?```", "\0", page, flags=re.DOTALL).split("\0")
    below = next(part for part in prose if "targets on top" in part)
    assert "is a cell" in below
    assert "`gateway:front` is the address that vm0 itself has" in below
    assert not any("cell" in part for part in prose[: prose.index(below)])


@pytest.mark.parametrize("page", ["README.md", "docs/tutorial.md"])
def test_that_a_shell_completes_is_said_where_one_begins(page):
    """Who begins with either page reads how the shell is taught to complete."""
    assert "`dockerlab --install-completion` lets your shell complete" in (ROOT / page).read_text(encoding="utf-8")
