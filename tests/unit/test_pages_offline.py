"""Consoles in the documentation that need no host show what the commands print."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.console import Typed, same, steps

ROOT = Path(__file__).parents[2]
PAGES = ("docs/classroom.md", "docs/engines.md")


@pytest.mark.parametrize("name", PAGES)
def test_console(name, tmp_path):
    """Each command of the page's consoles prints what stands below it, with nothing typed at its questions."""
    typed = [step for step in steps((ROOT / name).read_text("utf-8")) if isinstance(step, Typed)]
    assert typed
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    for step in typed:
        done = subprocess.run(
            ["sh", "-c", f"exec 2>&1 </dev/null; {step.command}"], cwd=tmp_path, capture_output=True, text=True,
            check=False, timeout=60, env={"PATH": path, "HOME": str(tmp_path), "LC_ALL": "C.UTF-8", "COLUMNS": "100"},
        )  # fmt: skip
        assert same(step.printed, done.stdout), f"$ {step.command}\n{done.stdout}"
