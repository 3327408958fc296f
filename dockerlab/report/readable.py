"""Markdown as a terminal shows it: paragraphs at its width, lists, tables, commands that can be copied; no marks."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any, ClassVar

from rich.console import Console, ConsoleOptions
from rich.markdown import CodeBlock, Heading, Markdown
from rich.segment import Segment
from rich.text import Text

from dockerlab.folding import fold_command
from dockerlab.plain import printable

INDENT = "    "


class _Code(CodeBlock):
    """A block of code, set in; what is longer than a line goes on in the next as a shell has it."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Any]:
        for line in str(self.text).rstrip().splitlines():
            for piece in fold_command(f"{INDENT}{line}", options.max_width):
                yield Segment(piece)
                yield Segment.line()


class _Heading(Heading):
    """A heading, at the left."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Any]:
        self.text.justify = "left"
        yield Text("")
        yield self.text


class _Readable(Markdown):
    elements: ClassVar[dict[str, Any]] = {
        **Markdown.elements, "fence": _Code, "code_block": _Code, "heading_open": _Heading,
    }  # fmt: skip


def readable(text: str, width: int, *, colour: bool = False) -> str:
    """Return Markdown as lines of at most `width` columns; with `colour`, what is code or strong stands out."""
    out = StringIO()
    console = Console(
        file=out, width=width, force_terminal=colour, color_system="standard" if colour else None,
        highlight=False, markup=False, emoji=False, legacy_windows=False,
    )  # fmt: skip
    page = _Readable(printable(text), hyperlinks=False)
    for token in page.parsed:
        # A link to another file of the same folder leads nowhere from a terminal: its text is what is left.
        token.children = [part for part in token.children or () if part.type not in ("link_open", "link_close")]
        for part in token.children if not colour else ():
            # Colour tells where a command begins and ends; without it that takes marks.
            if part.type == "code_inline" and " " in part.content:
                part.content = f"'{part.content}'"
    console.print(page)
    return "\n".join(line.rstrip() for line in out.getvalue().strip("\n").splitlines()) + "\n"
