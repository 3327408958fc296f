"""What is a Compose file, and what a definition of our own."""

from __future__ import annotations

from dockerlab.errors import DefinitionError
from dockerlab.lab.document import parse

SECTIONS = ("services", "include")
"""A file with one of these and without `containers` is a Compose file."""


def is_compose(text: str, file: str) -> bool:
    """Tell a Compose file from a definition of our own; of what cannot be read, that reader is to say why."""
    if not any(section in text for section in SECTIONS):
        return False
    try:
        found = parse(text, file, compose=True).data
    except DefinitionError:
        return False
    return "containers" not in found and any(section in found for section in SECTIONS)
