"""What a text of a definition may be, for who reads neither YAML nor templates."""

from __future__ import annotations

import re
from typing import Any

UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
MAX_TEMPLATE = 4_096
"""Characters of a text that has a template."""


def is_template(value: Any) -> bool:
    """Tell whether a value is text with `{{` (or the refused `{%`) in it."""
    return isinstance(value, str) and ("{{" in value or "{%" in value)
