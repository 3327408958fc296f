"""What all tests share: `--update` rewrites the recorded answers instead of comparing with them."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable, Iterator
from difflib import unified_diff
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples in every run of CI: what it says is about the change, not about luck. Elsewhere they vary.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("desk", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "desk")


def pytest_configure() -> None:
    """Have Ctrl-C heard by what tests begin, also where a script has begun them in its background, which ignores it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="rewrite the golden files with what the code gives now")


@pytest.fixture(autouse=True)
def _collecting() -> Iterator[None]:
    """Let the interpreter look for cycles again: a call of the command line, which ends its process, does not."""
    yield
    gc.unfreeze()
    gc.enable()


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """Return a function that holds a text against a file's; with --update it writes the file instead."""

    def compare(path: Path, text: str) -> None:
        if request.config.getoption("--update"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"{path} is not recorded: run pytest --update and read what it says"
        recorded = path.read_text(encoding="utf-8")
        if text != recorded:  # line by line: what a comparison of the whole shows of long texts is cut
            differing = unified_diff(recorded.splitlines(), text.splitlines(), str(path), "now", lineterm="", n=1)
            pytest.fail("\n".join(differing), pytrace=False)

    return compare
