"""The marks that stand for values while a template is rendered: no value passes through the text."""

from __future__ import annotations

import re

MARK = re.compile("\ue000(\\d+)\ue001")
"""Private-use characters around the number of a value."""


def mark_of(number: int) -> str:
    """Return the mark of the value with that number."""
    return f"\ue000{number}\ue001"
