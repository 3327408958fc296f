"""Reports as JUnit XML, as Markdown and as a page: what is in them, and that a value stays one."""

import json
import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import xmlschema
from support.labs import lab, read, who
from support.offline import MADE, observed
from support.reports import LOST, SEEN, YES, report, small, with_causes

from dockerlab.plain import for_terminal
from dockerlab.provision import scripts
from dockerlab.reach import Cell, Expectation
from dockerlab.report import as_html, as_junit, as_markdown
from dockerlab.report.cells import data
from dockerlab.verify import Cause

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests/golden/report"
SCHEMA = xmlschema.XMLSchema(ROOT / "tests/support/junit.xsd")
NASTY = "</script><img src=x onerror=alert(1)>'\"`|*_[x](y)\n# \x00\x1b[31m\u2028]]>&amp;{{ 7*7 }}"


def nasty():
    """Return a report that says the same in every place where a value can be."""
    expected = Expectation(True, "same-bridge", NASTY, NASTY)
    cell = Cell(NASTY, NASTY, NASTY, "ping")
    return report(
        (cell, expected, replace(LOST, symptom=NASTY, detail=NASTY)),
        title=NASTY,
        engines={NASTY: NASTY},
        probers={NASTY: NASTY},
        notes=(NASTY,),
        ended=(NASTY,),
        made=MADE,
        causes=(Cause(NASTY, "lab", "place", NASTY, NASTY, NASTY),),
    )


def bridge():
    return observed(read(ROOT / "examples/bridge.yaml"), wrong={0}, untold={3})


@pytest.mark.parametrize(
    "made", [small, nasty, bridge, report, with_causes], ids=["small", "nasty", "bridge", "empty", "causes"]
)
def test_junit_is_valid(made):
    """The document keeps to the schema, whatever is in the report."""
    SCHEMA.validate(as_junit.render(replace(made(), made=MADE)))


def test_junit_cells():
    """Each cell is a test case of its source; a failure says what was expected and why, the unknown is an error."""
    (suite,) = ET.fromstring(as_junit.render(small()))
    cases = suite.findall("testcase")
    assert [suite.get(name) for name in ("tests", "failures", "errors", "time")] == ["8", "2", "3", "1.235"]
    assert [(case.get("classname"), case.get("name")) for case in cases[:3]] == [
        ("demo.web", "db 10.0.0.3 ping"),
        ("demo.web", "db 10.0.0.3 tcp/80"),
        ("demo.web", "db dns"),
    ]
    kinds = [None if (child := next(iter(case), None)) is None else child.tag for case in cases]
    assert kinds == [None, "failure", None, None, "failure", "error", "error", "error"]
    failure = cases[1].find("failure")
    assert failure.get("message") == "expected reachable, observed unreachable (timeout)"
    assert failure.get("type") == "same-bridge"
    assert failure.text == "because: both are on one bridge\nobserved: 3 packets sent, none came back"
    assert float(cases[0].get("time")) == pytest.approx(0.000123)


def test_markdown(golden):
    """A report with every kind of cell reads as it was read and recorded."""
    golden(GOLDEN / "report.md", as_markdown.render(small()))


def test_markdown_with_causes(golden):
    """Causes stand first, once each, and their cells are not told again."""
    golden(GOLDEN / "causes.md", as_markdown.render(with_causes()))


def test_junit_of_causes():
    """What is not as the definition has it is a failure of its own before the cells; a failed cell tells its cause."""
    (suite,) = ET.fromstring(as_junit.render(with_causes()))
    cases = suite.findall("testcase")
    assert [suite.get(name) for name in ("tests", "failures", "errors")] == ["10", "4", "3"]
    assert [case.get("name") for case in cases[:2]] == ["network vault", "container db"]
    assert cases[1].find("failure").get("type") == "place"
    assert cases[3].find("failure").text.startswith("cause: vm0: container db is on back")
    assert "filter INPUT policy DROP drops packets <b> (1 cell)" in suite.find("system-out").text


def test_html_with_causes():
    """Causes stand before the matrix as text, and their cells are in the matrix alone."""
    text = as_html.render(with_causes())
    assert text.index("Not as the definition has it") < text.index("Of the hosts, and not of the lab")
    assert text.index("Of the hosts, and not of the lab") < text.index('id="matrix"')
    assert "<code>docker network connect front db</code>" in text
    assert "drops packets &lt;b&gt;" in text
    quiet = replace(with_causes(), cells=())
    assert "The lab is not as its definition has it." in as_html.render(quiet)


def test_markdown_of_values():
    """A value starts no heading, table cell, link, emphasis or element, and no line of its own."""
    text = as_markdown.render(nasty())
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u2028]", text)
    assert not re.search(r"(?<!\\)[<>\[\]`](?!same-bridge|\))", text.replace("`same-bridge`", ""))
    for line in text.splitlines():
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) in (3, 4), line
        assert not line.startswith("# ") or line.startswith("# demo")


def test_markdown_of_many():
    """A matrix that no table can hold is told by its counts, and what does not hold is there in any case."""
    cells = [(Cell("a", f"c{n}", f"10.0.0.{n}", "ping"), YES, LOST if n == 7 else SEEN) for n in range(60)]
    text = as_markdown.render(report(*cells))
    assert "60 cells, too many for a table: 59 pass, 1 fail, 0 unknown." in text
    assert "**fail**: a -\\> c7 10.0.0.7 ping" in text


class Page(HTMLParser):
    """The elements of a page, with the text of those that matter."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.texts, self.open = [], {}, ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.tags.append((tag, values))
        self.open = f"{tag}#{values['id']}" if "id" in values else tag

    def handle_endtag(self, _tag):
        self.open = ""

    def handle_data(self, text):
        self.texts.setdefault(self.open, []).append(text)


def parsed(made, commands=None):
    return Page(as_html.render(made, commands))


@pytest.mark.parametrize("made", [small, nasty, bridge, report], ids=["small", "nasty", "bridge", "empty"])
def test_page_needs_nothing(made):
    """The page loads nothing, has no handler and no style in an attribute, and no element that a value made."""
    page = parsed(made())
    assert {tag for tag, _ in page.tags}.isdisjoint({"img", "link", "iframe", "object", "base", "image", "use"})
    for tag, values in page.tags:
        assert not [name for name in values if name.startswith("on") or name in ("style", "src", "srcset")], tag
        assert values.get("href", "#").startswith("#")
    assert [values.get("type") for tag, values in page.tags if tag == "script"] == ["application/json", None]


@pytest.mark.parametrize("made", [small, bridge], ids=["without a picture", "with one"])
def test_policy(made):
    """The page's policy names each of its scripts and styles by its hash, and lets nothing else in."""
    page = parsed(made())
    (policy,) = (v["content"] for tag, v in page.tags if v.get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"

    def hashed(text):
        return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"

    assert rules["script-src"] == hashed("".join(page.texts["script"]))
    text = as_html.render(made())
    styles = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert styles
    assert {hashed(style) for style in styles} <= set(rules["style-src"].split())


def test_page_of_values():
    """What stands in the page's data is what was in the report, and the element ends where it should."""
    page = parsed(nasty())
    (text,) = page.texts["script#data"]
    assert "<" not in text
    document = json.loads(text)
    assert document["ends"][0][0] == for_terminal(NASTY)
    assert document["expectations"] == [[1, "same-bridge", for_terminal(NASTY), for_terminal(NASTY)]]
    assert document["observations"] == [[0, for_terminal(NASTY), for_terminal(NASTY)]]


def test_data():
    """Every cell is in the data once, at its row and column, with its verdict; texts are shared."""
    made = small()
    document = data(made.cells, None, {})
    names = [end[0] for end in document["ends"]]
    found = {}
    for row in document["rows"]:
        for (to, target, probe), verdict, e in zip(document["columns"], row["v"], row["e"], strict=True):
            if verdict != "-":
                found[names[row["s"]], names[to], target, probe] = (verdict, document["expectations"][e][1])
    assert found == {
        (j.cell.source, j.cell.to, j.cell.target, j.cell.probe): (j.verdict[0], j.expected.rule) for j in made.cells
    }
    assert document["total"] == len(made.cells)
    assert len(document["expectations"]) == 3


def test_data_of_one_question_twice():
    """Two cells of the same question do not hide each other."""
    cell = Cell("a", "b", "10.0.0.2", "ping")
    document = data(report((cell, YES, SEEN), (cell, YES, LOST)).cells, None, {})
    assert [row["v"] for row in document["rows"]] == ["pf"]


def test_page_parts():
    """The page has the picture, what is not as expected, the commands with their reasons, and the hosts' facts."""
    definition = read(ROOT / "examples/macvlan.yaml")
    made = observed(definition, wrong={0})
    text = as_html.render(made, scripts.commands_of(definition, who(definition)))
    ids = {values.get("id") for _, values in Page(text).tags}
    assert {"picture", "matrix", "amiss", "commands", "hosts", "grid", "details"} <= ids
    assert "every container gets a MAC address of its own on the parent&#39;s LAN" in text
    assert "--driver macvlan" in text
    assert "the ARP request" in text or "same-lan" in text
    facts = re.findall(r'<th scope="row">([^<]+)</th>', text)
    assert {"engine", "prober", "could not be read", "forwards IPv4", "routes"} <= set(facts)


def test_page_of_a_good_lab():
    """Where everything is as expected, nothing is listed as amiss, and the first line says so."""
    text = as_html.render(observed(lab("containers: {a: {}, b: {}}")))
    assert 'id="amiss"' not in text
    assert "Every cell is as expected." in text


def test_page_without_its_lab():
    """A report that does not know what it was made from has no picture, and no commands."""
    text = as_html.render(small())
    assert "<svg" not in text
    assert 'id="commands"' not in text
    assert "20.10.24" in text


def test_page_of_many():
    """A report of two hundred containers, with several probes, stays below ten megabytes."""
    definition = lab(
        """
        hosts: {vm0: , vm1: }
        containers: {a: {replicas: 100, host: vm0, expose: [80]}, b: {replicas: 100, host: vm1}}
        """
    )
    made = observed(definition, wrong={11, 4711})
    assert len(made.cells) > 40_000
    assert len(as_html.render(made, scripts.commands_of(definition, who(definition))).encode()) < 10_000_000


def test_the_marks_of_a_page_are_explained():
    """A cell of the page is a sign, for many fit there: what each of them stands for is said in words above."""
    page = as_html.render(small())
    key = re.search(r'<p class="key">(.*?)</p>', page, re.DOTALL)[1]
    words = " ".join(re.sub(r"<[^>]*>", "", key).replace("\N{EN DASH}", "-").split())
    assert words == "✓ reachable, - unreachable: as expected; ✓! -! not as expected; ? could not be told; not asked"
    for kind, sign in re.findall(r'<span class="c (\w+)">([^<]+)</span>', key):
        assert f'"{sign.removesuffix("!")}"' in page, kind
