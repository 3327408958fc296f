"""Where a command's output goes: progress to standard error, what it was asked for to standard output or a file."""

from __future__ import annotations

import os
import secrets
import stat
import sys
from pathlib import Path
from typing import TextIO

from dockerlab import folding
from dockerlab.errors import UsageError
from dockerlab.plain import for_terminal


def columns(stream: TextIO | None = None) -> int | None:
    """Return how wide a stream's terminal is, or as wide as COLUMNS says; None where it is no terminal.

    Without a stream it is standard output, for which COLUMNS holds in a pipe as well. Notes in a pipe stay as they are:
    a program may read them line by line.
    """
    try:
        size = os.get_terminal_size((stream or sys.stdout).fileno()).columns
    except (OSError, ValueError):  # no terminal, or nothing that has a number
        return (_wished() or None) if stream is None else None
    return _wished() or size or None


def width() -> int:
    """Return the width of standard output for what needs one, also where there is no terminal."""
    return columns() or folding.WIDTH


def _wished() -> int:
    """Return what COLUMNS says, 0 where that is nothing."""
    wish = os.environ.get("COLUMNS", "")
    return int(wish) if wish.isdecimal() else 0


def say(line: str) -> None:
    """Print a line of progress, which goes to standard error."""
    sys.stderr.write(folding.folded(for_terminal(line), columns(sys.stderr)) + "\n")
    sys.stderr.flush()


def tell(text: str, output: Path | None = None) -> None:
    """Print what is for people to read, folded to their terminal's width; into a file it goes as it is."""
    write(text if output is not None else folding.folded(text, columns()), output)


def show(text: str) -> None:
    """Print Markdown as what it stands for: paragraphs at the terminal's width, and no mark of it."""
    from dockerlab.report.readable import readable

    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    sys.stdout.write(readable(text, width(), colour=colour))


def write(text: str, output: Path | None) -> None:
    """Print machine output, or put it into a file; raises UsageError where that cannot be written."""
    if output is None:
        sys.stdout.write(for_terminal(text) if sys.stdout.isatty() else text)
        return
    try:
        _put(text, output)
    except OSError as error:
        raise UsageError(f"cannot write {output}: {error.strerror}") from None


def _put(text: str, output: Path) -> None:
    """Write a file that is there whole or not at all; what is there and is no file, such as /dev/null, stays that."""
    if os.path.lexists(output) and not stat.S_ISREG(output.lstat().st_mode):
        output.write_text(text, encoding="utf-8")
        return
    # A name that nobody can know, and made anew: in a directory for all, somebody else may have put a link there.
    beside = output.with_name(f".{output.name}.{secrets.token_hex(8)}")
    try:
        with beside.open("x", encoding="utf-8") as file:
            file.write(text)
        beside.replace(output)
    finally:
        beside.unlink(missing_ok=True)
