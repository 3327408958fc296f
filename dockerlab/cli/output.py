"""Where a command's output goes: progress to standard error, what it was asked for to standard output or a file."""

from __future__ import annotations

import os
import secrets
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from dockerlab import folding
from dockerlab.errors import UsageError
from dockerlab.plain import for_file, for_terminal


def columns(stream: TextIO | None = None) -> int | None:
    """Return how wide a stream's terminal is, or as wide as COLUMNS says; None where it is no terminal.

    Each stream goes by itself, whatever the other one is. Without a stream it is standard output, for which COLUMNS
    holds in a pipe as well. Notes in a pipe or file stay as they are: a program may read them line by line, and a
    person looks for words of them.
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
    clean = for_terminal(text) if sys.stdout.isatty() else for_file(text)
    sys.stdout.write(readable(clean, width(), colour=colour))


def write(text: str, output: Path | None) -> None:
    """Print machine output, or put it into a file; raises UsageError where that cannot be written."""
    if output is None:
        sys.stdout.write(for_terminal(text) if sys.stdout.isatty() else for_file(text))
        return
    with opened(output, whole=True) as file:
        file.write(for_file(text))


@contextmanager
def opened(output: Path, *, whole: bool = False) -> Iterator[TextIO]:
    """Give the file of `-o`, for text; raises UsageError where it cannot be had or written.

    It is a new file under a name that nobody can know, which takes the place of what was there: at the end, so that it
    is there whole or not at all, or at once. In a directory for all, somebody else may have put a link there: nothing
    is written through one. What is no file, such as /dev/null or the shell's `>(…)`, is written as it is.
    """
    try:
        number = _own_number(output)
        if number is not None:
            with open(number, "w", encoding="utf-8", errors="replace", closefd=False) as file:
                yield file
        elif output.is_symlink():
            raise UsageError(f"cannot write {output}: it is a link to {output.readlink()}; name that itself")
        elif os.path.lexists(output) and not stat.S_ISREG(output.lstat().st_mode):
            with open(output, "w", encoding="utf-8", errors="replace", opener=_as_it_is) as file:
                yield file
        else:
            with _anew(output, whole=whole) as file:
                yield file
    except OSError as error:
        raise UsageError(f"cannot write {output}: {error.strerror}") from None


@contextmanager
def _anew(output: Path, *, whole: bool) -> Iterator[TextIO]:
    """Give a new file that takes a name at the end, or at once."""
    beside = output.with_name(f".{output.name}.{secrets.token_hex(8)}")
    try:
        with beside.open("x", encoding="utf-8", errors="replace") as file:
            if not whole:
                beside.replace(output)
            yield file
        if whole:
            beside.replace(output)
    finally:
        beside.unlink(missing_ok=True)


def _own_number(output: Path) -> int | None:
    """Return the number of a file that this process has open, where a name means one, as /dev/stdout does."""
    own = output.readlink() if output.is_symlink() and output.parent == Path("/dev") else output
    if own.name.isdigit() and os.path.realpath(own.parent) == f"/proc/{os.getpid()}/fd":
        return int(own.name)
    return None


def _as_it_is(name: str, flags: int) -> int:
    """Open what is no file without following a link, and without waiting for somebody who reads it."""
    return os.open(name, (flags & ~(os.O_CREAT | os.O_TRUNC)) | os.O_NOFOLLOW | os.O_NONBLOCK)
