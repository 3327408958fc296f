"""Standard input, output and error that can be used whatever they are: full, closed, or of another encoding."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

from dockerlab.errors import OutputError, ReaderGone

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class Output(io.FileIO):
    """Standard output: what cannot be written ends the call with an exit code that says so."""

    def write(self, data: ReadableBuffer, /) -> int:
        """Write some bytes; raises OutputError, or ReaderGone where nobody reads any more."""
        try:
            return super().write(data)
        except BrokenPipeError:
            raise ReaderGone("nobody reads the output any more") from None
        except OSError as error:
            why = "it is closed" if error.errno == errno.EBADF else str(error.strerror)
            raise OutputError(f"cannot write to standard output: {why}") from None


class Notes(io.FileIO):
    """Standard error: where it cannot be written, there is nobody left to tell, and what is being done goes on."""

    def write(self, data: ReadableBuffer, /) -> int:
        """Write some bytes, or none."""
        try:
            return super().write(data)
        except OSError:
            return len(memoryview(data))


def prepare() -> None:
    """Put streams in place of those that Python made, unless somebody else has done so already.

    A number from 0 to 2 that is closed is taken: the next file or connection would get it, and what is printed with it.
    What is no terminal gets UTF-8, like a file of `-o`; a terminal its own encoding, with `?` for what that lacks.
    """
    for number, way in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):  # 1: to be written, and refusing it
        if not _is_open(number):
            os.open(os.devnull, way)
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False, encoding="utf-8")  # noqa: SIM115 - for the whole process
    if sys.stdout is sys.__stdout__:
        sys.stdout = _text(Output(1, "w", closefd=False), sys.__stdout__, "replace")
    if sys.stderr is sys.__stderr__:
        sys.stderr = _text(Notes(2, "w", closefd=False), sys.__stderr__, "backslashreplace")


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def discard() -> None:
    """Let what is still to be printed go nowhere: it cannot be, and the interpreter would try once more at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def _text(raw: io.FileIO, before: TextIO | None, errors: str) -> TextIO:
    """Return a stream of text on a file, by lines where it is a terminal or for notes."""
    terminal = raw.isatty()
    encoding = before.encoding if terminal and before is not None else "utf-8"
    lines = terminal or isinstance(raw, Notes)
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding=encoding, errors=errors, line_buffering=lines)
