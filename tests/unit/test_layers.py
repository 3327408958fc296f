"""What import-linter cannot see about the direction of imports."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "dockerlab"


def imported(path):
    """Return the modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_modes_do_not_know_each_other():
    """A mode imports no other mode, so that adding or removing one is one file."""
    own = {path.stem for path in (PACKAGE / "modes").glob("*.py")} - {"__init__", "base"}
    for name in own:
        others = {f"dockerlab.modes.{other}" for other in own - {name}}
        assert others.isdisjoint(imported(PACKAGE / "modes" / f"{name}.py")), name


def test_no_shell():
    """No program is started through a shell, whatever its arguments are."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                assert not any(word.arg == "shell" and getattr(word.value, "value", True) for word in node.keywords), (
                    path
                )
