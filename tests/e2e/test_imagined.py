"""What is imagined of a host is what its engine makes on a pristine one: rule by rule, link by link, route by route."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.labs import read
from support.recorded import differences, look

ROOT = Path(__file__).parents[2]
LABS = sorted((ROOT / "tests" / "modes").glob("*/*.yaml"))
"""The examples are looked at where they are brought up: tests/e2e/test_examples.py."""

REFUSED = ("CONFIG_", "at least two characters", " does not know `")
"""What is said of a lab that this kernel or this engine is not for."""


@pytest.mark.parametrize("path", LABS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_lab_is_as_it_is_imagined(lab, path):
    """The engine wrote the rules that are imagined and no other, and made the links, addresses and routes."""
    if not set(read(path).hosts) <= {"local", *lab.names}:
        pytest.skip("the lab wants more hosts than there are")
    brought = lab.call("up", path, "--sandbox", "--no-verify")
    if brought.rc and any(words in brought.stderr for words in REFUSED):
        pytest.skip(brought.stderr.strip().splitlines()[-1])
    assert brought.rc == 0, brought.stderr
    try:
        assert differences(look(lab, path.stem, path.read_text(encoding="utf-8"))) == []
    finally:
        lab.down(path)
