"""Which of Docker's own rules a rule is."""

from __future__ import annotations

from collections.abc import Mapping

from dockerlab.kernel.rules import Rule
from dockerlab.modes.made import Line
from dockerlab.versions import Engine


class Origins:
    """Stub."""

    def __init__(self, engines: Mapping[str, Engine]) -> None:
        self.engines = engines

    def __call__(self, rule: Rule) -> Line | None:
        return None
