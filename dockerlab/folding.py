"""Text folded to a width: no word is broken, and no line is longer than it, unless a single word is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from unicodedata import category, east_asian_width

WIDTH = 100
"""Columns where nothing says how many there are, as in a pipe."""

LABELLED = re.compile(r"\s*\S+(?: \S+)*?(?:  +|\t+)(?=\S)")
"""What stands ahead of a gap of several blanks: the first column of a table, a mark, the name of an option."""

MARKED = re.compile(r"\s*(?:[-*•>~+]|\d+[.)]|note:|warning:) +(?=\S)")
"""What stands ahead of an entry of a list, or of a remark."""

SHELL_WORD = re.compile(r"""(?:[^\s'"\\]|\\.|'[^']*'|"(?:\\.|[^"\\])*"|['"\\])+""", re.DOTALL)
"""A word as a shell sees it: what is quoted may hold blanks."""

CONTINUED = " \\"

REMEDY = "right would be: "
"""What stands ahead of a command that ends its line: it is to be copied whole."""

REMEDIES = re.compile(r"(?P<prose>.*?\bright would be(?:, on (?:this machine|\S+))?:) (?P<command>\S.*)")
"""A line with such a command, also where it says on which host that is to be typed."""


def cells(text: str) -> int:
    """Return how many columns of a terminal a text takes: a Chinese character two, an accent by itself none."""
    if text.isascii():
        return len(text)
    return sum(
        2 if east_asian_width(each) in "WF" else 0 if category(each) in ("Mn", "Me", "Cf") else 1 for each in text
    )


def fold(line: str, width: int | None, *, hang: str | None = None) -> list[str]:
    """Return one line of text in as many as a width in columns wants; None stands for any width.

    The further ones begin with `hang`; where that is not said, below the text of what is marked or labelled in front,
    as an entry of a list or a row of columns is, and else as far in as the first.
    """
    if width is None or cells(line) <= width:
        return [line]
    further = _hang(line, width) if hang is None else hang
    remedy = REMEDIES.fullmatch(line)
    if remedy is not None:
        told = fold(remedy["prose"], width, hang=further)
        return [*told, *fold_command(f"{further}    {remedy['command']}", width, hang=f"{further}      ")]
    indent = line[: len(line) - len(line.lstrip())]
    # Behind the first column there is nothing left that lines up.
    label = LABELLED.match(line)
    first = len(label[0]) if label is not None else len(indent)
    text = line[len(indent) : first] + re.sub(" {3,}", "  ", line[first:])
    pieces = re.findall(r"\S+\s*", text)
    return _filled(indent, further, pieces, width)


def fold_command(line: str, width: int | None, *, hang: str | None = None) -> list[str]:
    r"""Return a shell's command line in as many lines as a width wants, which a shell takes for the one that it was.

    It is broken between its words alone, never in what is quoted; each line but the last ends with a backslash.
    """
    if width is None or cells(line) <= width or "\n" in line:
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    words = SHELL_WORD.findall(line)
    lines = _filled(indent, f"{indent}  " if hang is None else hang, [f"{word} " for word in words], width - 2)
    return [*(f"{each}{CONTINUED}" for each in lines[:-1]), lines[-1]]


def folded(text: str, width: int | None) -> str:
    """Return a text with each of its lines folded to a width; its last line ends as it did."""
    if width is None:
        return text
    return "\n".join(piece for line in text.split("\n") for piece in fold(line, width))


def _hang(line: str, width: int) -> str:
    """Return what further lines begin with: blanks up to below the text, or as the line itself."""
    for front in (MARKED, LABELLED):
        found = front.match(line)
        if found is not None and cells(found[0]) <= width // 2:
            return " " * cells(found[0])
    return line[: len(line) - len(line.lstrip())]


def _filled(indent: str, further: str, pieces: Sequence[str], width: int) -> list[str]:
    lines: list[str] = []
    line, empty = indent, True
    for piece in pieces:
        if not empty and cells(line) + cells(piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = further
        line += piece
        empty = False
    return [*lines, line.rstrip()]
