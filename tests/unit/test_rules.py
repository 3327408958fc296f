"""The registry of rules knows each rule that the model can name, and no other."""

import ast
import re
from pathlib import Path

import pytest

from dockerlab import modes
from dockerlab.modes.parent import ParentMode
from dockerlab.reach.rules import RULES, THEMES

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "rules"
SOURCES = [path for folder in ("reach", "modes") for path in sorted((ROOT / "dockerlab" / folder).glob("*.py"))]

PLACES = {"Loss": 0, "unseen": 0, "Arrival": 2, "Denial": 2}
"""Which argument of these is a rule; the keyword `rule` is one anywhere."""


def trees():
    return [ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES]


def named(tree):
    """Yield what stands in the place of a rule in a module: a call's argument, or the first of a pair of texts."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            place = PLACES.get(node.func.id)
            yield from node.args[place : place + 1] if place is not None else ()
            yield from (keyword.value for keyword in node.keywords if keyword.arg == "rule")
        elif isinstance(node, ast.FunctionDef) and node.returns and ast.unparse(node.returns) == "tuple[str, str]":
            returned = (each.value for each in ast.walk(node) if isinstance(each, ast.Return))
            yield from (value.elts[0] for value in returned if isinstance(value, ast.Tuple))


def segment_kinds():
    """Return what a segment can be on which neighbours are found, but a LAN."""
    path = ROOT / "dockerlab" / "topology.py"
    calls = [n for tree in (*trees(), ast.parse(path.read_text(encoding="utf-8"))) for n in ast.walk(tree)]
    made = [n for n in calls if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == "Segment"]
    return {call.args[0].value for call in made} - {"lan"}


def spelled_out(node):
    """Return the rules that a text names, where it is put together from a segment's kind or a mode's name."""
    if isinstance(node, ast.Constant):
        return {node.value} - {""}
    if not isinstance(node, ast.JoinedStr):
        return set()  # handed on from where it is named
    text = ast.unparse(node)[2:-1]
    if text == "same-{segment.kind}":
        return {f"same-{kind}" for kind in segment_kinds()}
    if text == "{self.name}-own-host":
        return {f"{mode.name}-own-host" for mode in modes.all_modes() if isinstance(mode, ParentMode)}
    raise AssertionError(f"a rule's name that this test cannot spell out: {text}")


def test_every_rule_is_registered():
    """The rules that the model and the modes name are those of the registry."""
    found = set().union(*(spelled_out(node) for tree in trees() for node in named(tree)))
    assert found == {rule.id for rule in RULES}


def test_rules_are_complete():
    """No rule is there twice, and each says everything."""
    assert len({rule.id for rule in RULES}) == len(RULES) == sum(len(rules) for _, rules in THEMES)
    for rule in RULES:
        assert re.fullmatch(r"[a-z0-9-]+", rule.id)
        assert all((rule.title, rule.what, rule.why, rule.since, rule.change, rule.see)), rule.id
        assert all(sight.command and sight.shows for sight in rule.see), rule.id


def test_every_rule_has_a_page():
    """Each rule has its page, the index has them all, and there is no page of a rule that is gone."""
    pages = {page.stem for page in PAGES.glob("*.md")}
    assert pages - {"README"} == {rule.id for rule in RULES}
    linked = re.findall(r"^\| \[`([a-z0-9-]+)`\]\(\1\.md\)", (PAGES / "README.md").read_text("utf-8"), re.MULTILINE)
    assert linked == [rule.id for rule in RULES]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_page_says_what_the_registry_says(rule):
    """A rule's page is the registry's text: its mechanism, its commands and its remedy."""
    text = (PAGES / f"{rule.id}.md").read_text(encoding="utf-8")
    for part in (rule.what, rule.why, rule.since, rule.change, *(sight.command for sight in rule.see)):
        assert part in text
