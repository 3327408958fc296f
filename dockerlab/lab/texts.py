"""The text of a definition's file."""

from __future__ import annotations

from pathlib import Path

from dockerlab.errors import DefinitionError, Located, UsageError
from dockerlab.lab.document import MAX_BYTES, position


def text_of(path: Path) -> str:
    """Return a definition's text; raises UsageError when it cannot be read, DefinitionError when it is no text."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    return decoded(content, str(path))


def decoded(content: bytes, file_name: str) -> str:
    """Return the text of a file's content; raises DefinitionError when it is none."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig", errors="replace")
        message = f"not UTF-8 text (byte {content[error.start]:#04x}): save the file as UTF-8"
        raise DefinitionError([Located(file_name, *position(before, len(before)), "", message)]) from None
