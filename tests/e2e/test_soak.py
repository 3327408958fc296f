"""Some rounds of up, verify and down leave nothing behind; `scripts/soak` alone runs as many as one likes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from support.lab_hosts import EXAMPLES, ROOT


@pytest.mark.slow
def test_three_rounds(lab):
    """After three rounds of every mode there are as many objects, links, mounts, rules and descriptors as before."""
    lab.skip_without_driver("mixed")
    argv = [sys.executable, str(ROOT / "scripts" / "soak"), "--rounds", "3", "--lab", str(EXAMPLES / "mixed.yaml")]
    done = subprocess.run(argv, env=lab.environment(), capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    *rounds, total = map(json.loads, done.stdout.splitlines())
    assert [each["way"] for each in rounds] == ["process", "command", "process"]
    assert all(min(each["cells"]) > 100 for each in rounds)
    assert (total["left"], total["flaky"], total["failed"]) == ({}, {}, 0)
    assert total["before"]["vm0 link"] >= 3
    assert total["before"]["vm0 rule"] > 10
