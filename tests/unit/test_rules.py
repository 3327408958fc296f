"""The registry of rules knows each rule that the model can name, and no other."""

import ast
import re
from pathlib import Path
from typing import get_args

import pytest

from dockerlab.imagined import chains, chains_nft
from dockerlab.modes import bridge_nft, bridge_rules, overlay
from dockerlab.reach.rules import RULES, THEMES
from dockerlab.words import RuleId

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "rules"
SOURCES = sorted((ROOT / "dockerlab" / "reach").glob("*.py"))
LINES = (
    *(*bridge_rules.NETWORK, *bridge_rules.ENDPOINT, *bridge_rules.PORT, *overlay.ENCRYPTED),
    *(*bridge_nft.NETWORK, *bridge_nft.ENDPOINT, *bridge_nft.PORT),
    *(each.line for each in chains.FIXED),
    *(line for _, line in chains_nft.fixed()),
)
"""Every line of Docker's rules, of whatever engine."""


def named(tree):
    """Yield what stands in the place of a rule in a module: in a return, a call of Expectation, or a table of rules."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Expectation":
            yield from node.args[1:2]
            yield from (keyword.value for keyword in node.keywords if keyword.arg == "rule")
        elif isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation) == "Mapping[str, RuleId]":
            yield from node.value.values
        elif isinstance(node, ast.FunctionDef) and node.returns is not None:
            returned = [each.value for each in ast.walk(node) if isinstance(each, ast.Return)]
            if ast.unparse(node.returns) == "RuleId":
                yield from returned
            elif ast.unparse(node.returns) == "tuple[RuleId, str]":
                yield from (value.elts[0] for value in returned if isinstance(value, ast.Tuple))


def spelled_out(node):
    """Return the rules that an expression may be; none where it is handed on from where it is named."""
    if isinstance(node, ast.Constant):
        return {node.value}
    if isinstance(node, ast.IfExp):
        return spelled_out(node.body) | spelled_out(node.orelse)
    assert isinstance(node, ast.Name | ast.Subscript | ast.Call), f"a rule that cannot be read: {ast.unparse(node)}"
    return set()


def test_every_rule_that_is_given_is_registered():
    """The rules that the model gives are those of the registry, no more and no fewer, and those that it may name."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES]
    given = set().union(*(spelled_out(node) for tree in trees for node in named(tree)))
    assert given == {rule.id for rule in RULES}
    assert given == set(get_args(RuleId))


def test_every_line_of_dockers_leads_to_a_page():
    """The page that a line of Docker's rules names is one of the registry, and so is a loss by any that drops."""
    pages = {line.page for line in LINES} - {""}
    assert pages > {"bridge-isolation", "bridge-internal", "bridge-icc", "direct-routing", "publish-loopback"}
    assert pages <= {rule.id for rule in RULES}
    assert all(line.page for line in LINES if line.text.endswith("-j DROP") or " drop" in line.text)


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
