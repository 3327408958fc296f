"""Text from elsewhere as nothing but text: what hosts, containers and people's files say is not to move a cursor.

A message may hold a name, a label, or the last words of a program, from whoever made these. A terminal obeys some
characters instead of showing them, XML cannot hold them, and a picture or a comment has only one line for a value.
"""

from __future__ import annotations

import re

ORDERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""What a terminal obeys, beside tabs and ends of lines; what turns the direction of text (Unicode's UAX 9); and ends of
lines that only some programs take for such.
"""

IN_FILES = re.compile(f"(?!\r\n){ORDERS.pattern}")


def for_terminal(text: str) -> str:
    """Return a text for a terminal, in all scripts: a question mark stands for each character that it would obey."""
    return ORDERS.sub("?", text)


def for_file(text: str) -> str:
    r"""Return a text for a pipe or a file, which may be read on a terminal or by a person in the end.

    JSON's own escape, such as `\u202e`, stands for each character that would be obeyed: so JSON still says the same.
    CSV's ends of lines stay.
    """
    return IN_FILES.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def printable(text: str) -> str:
    """Return a text in its lines: a question mark stands for each character that does not print."""
    return "".join(c if c.isprintable() or c in "\n\t" else "?" for c in text)


def one_line(text: str) -> str:
    """Return a text on one line: a blank stands for each tab or end of a line, a question mark as in `printable`."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in text)
