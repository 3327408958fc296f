"""The table of the maintainers' specification names rules and tests that exist, and leaves no row without either."""

import ast
import re
from pathlib import Path

import pytest

from dockerlab.reach.rules import RULES

ROOT = Path(__file__).parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("| \n").split(" | ")]
    for line in (ROOT / "docs" / "oracle.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| § |")
]
IDS = [f"{row[0]} {row[1][:40]}" for row in ROWS]


def test_the_table_is_there():
    """Every part of the specification has rows."""
    assert len(ROWS) > 60
    assert {len(row) for row in ROWS} <= {3, 4}


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_a_row_of_the_specification(row):
    """Each rule has its page, each test is defined in its file, and a row without a test says why."""
    rules = row[2].strip("| ") if len(row) == 4 else ""
    assert set(filter(None, rules.split(", "))) <= {rule.id for rule in RULES}
    last = row[-1]
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", last)
    assert named or len(last) > 10, "neither a test nor a reason"
    for path, name in named:
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, (path, name)
