"""One word, one meaning, in what the program says and in what it is written with."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OF_ONE_HOST = (
    *("drift", "faults", "graph", "imagined", "kernel", "machinery", "modes", "probe", "quiz", "reach", "report"),
    *("survey", "trace", "walk"),
)
"""The parts that know network namespaces, and nothing of where the hosts come from."""
OTHERS_NAMES = re.compile(r"SandboxKey|SandboxID|libnetwork/sandbox")


@pytest.mark.parametrize("part", OF_ONE_HOST)
def test_a_sandbox_is_not_a_namespace(part):
    """A sandbox is throw-away hosts. What a container has of its own is a network namespace, in code as in texts."""
    files = [path for path in (ROOT / "dockerlab" / part).rglob("*") if path.suffix in {".py", ".html", ".js", ".j2"}]
    assert files
    for path in files:
        text = OTHERS_NAMES.sub("", path.read_text(encoding="utf-8"))
        assert not re.search("sandbox", text, re.IGNORECASE), path
