"""A command line in one text, as Compose splits it into words: https://github.com/mattn/go-shellwords, `Parse`."""

from __future__ import annotations

import shlex

from dockerlab.compose.node import Node

ENDS = ";&|<>"
"""What ends a command line where it is in no quotes: no shell is there to make anything of it."""


def words(node: Node | None) -> Node | None:
    """Return a command line as the list of its words; one that cannot be split stays as it is."""
    if node is None or not isinstance(node.value, str):
        return node
    try:
        found = shlex.split(node.value[: _end(node.value)])
    except ValueError:
        return node  # whoever validates it says what is wrong
    return node.of([node.of(word) for word in found])


def _end(text: str) -> int:
    """Return where the command line in a text ends."""
    quote = ""
    escaped = False
    for index, character in enumerate(text):
        if escaped:
            escaped = False
        elif character == "\\" and quote != "'":
            escaped = True
        elif character in "'\"`":
            quote = character if not quote else "" if quote == character else quote
        elif character in ENDS and not quote:
            return index
    return len(text)
