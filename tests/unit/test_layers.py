"""What import-linter cannot see about the direction of imports."""

import ast
from pathlib import Path

from dockerlab import modes

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
    own = {type(mode).__module__ for mode in modes.all_modes()}
    for name in own:
        path = PACKAGE / "modes" / f"{name.rpartition('.')[2]}.py"
        assert (own - {name}).isdisjoint(imported(path)), name


def test_no_shell():
    """No program is started through a shell, whatever its arguments are."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                assert not any(word.arg == "shell" and getattr(word.value, "value", True) for word in node.keywords), (
                    path
                )
