"""What a text or a name in a definition may be, for who reads neither YAML nor templates."""

from __future__ import annotations

import re
from typing import Any

LAB_NAME = r"^[a-z0-9][a-z0-9_-]*$"
LONGEST_LAB_NAME = 40
NAME = r"^[a-zA-Z0-9][a-zA-Z0-9_.-]*$"
"""What the engine accepts as the name of a container or network; hosts have such names, too."""
LONGEST_NAME = 63
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
MAX_TEMPLATE = 4_096
"""Characters of a text that has a template."""


def is_template(value: Any) -> bool:
    """Tell whether a value is text with `{{` (or the refused `{%`) in it."""
    return isinstance(value, str) and ("{{" in value or "{%" in value)
