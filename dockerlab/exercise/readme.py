"""The sections of an exercise's README.md: what a step's task is, and the commands that do it.

A section `## 2 · Title` is the second step. In it, a block that is fenced as `sh` is what one types: it is done line by
line, and all of it succeeds; of one fenced as `sh fails`, every line has to fail. These, and blocks of other kinds, are
shown with the prose. A line that begins with `**Question:**` is for somebody who has nothing but the README: what is
asked stands in exercise.yaml, and is shown beside the task.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

HEADING = re.compile(r"## (?:(?P<number>\d{1,4}) · )?(?P<title>.+?)\s*")
QUESTION = "**Question:**"
FENCE = re.compile(r"```(?P<kind>.*?)\s*")


@dataclass(frozen=True)
class Block:
    """Commands, as they stand in a fenced block; `fails` where each of them has to fail."""

    text: str
    fails: bool = False

    @property
    def commands(self) -> tuple[str, ...]:
        """Return its command lines: one that ends with a backslash goes on in the next, comments are left out."""
        lines = self.text.replace("\\\n", "").splitlines()
        return tuple(" ".join(line.split()) for line in lines if line.strip() and not line.lstrip().startswith("#"))


@dataclass(frozen=True)
class Section:
    """One section: its number (0: none), its title, its prose without the commands that succeed, and all commands."""

    number: int
    title: str
    prose: str
    blocks: tuple[Block, ...]


def failing(commands: int) -> str:
    """Return the comment that stands above commands which are to fail."""
    return "# this fails:" if commands == 1 else "# each of these fails:"


def sections(text: str) -> tuple[str, tuple[Section, ...]]:
    """Return what stands ahead of the first section, without title and commands, and every section in order."""
    parts: list[tuple[re.Match[str] | None, list[str]]] = [(None, [])]
    fenced = False
    for line in text.splitlines():
        fenced ^= line.startswith("```")
        heading = None if fenced else HEADING.fullmatch(line)
        if heading is not None:
            parts.append((heading, []))
        elif not line.startswith("# ") or fenced:
            parts[-1][1].append(line)
    (_, head), *rest = parts
    found = tuple(Section(int(h["number"] or 0), h["title"], *_split(lines)) for h, lines in rest if h is not None)
    return _split(head)[0], found


def _split(lines: list[str]) -> tuple[str, tuple[Block, ...]]:
    """Return the prose of a section, what is shown with it set in, and its commands."""
    prose: list[str] = []
    blocks: list[Block] = []
    kind: str | None = None
    inside: list[str] = []
    for line in lines:
        fence = FENCE.fullmatch(line)
        if fence is None:
            if kind is not None or not line.startswith(QUESTION):
                (inside if kind is not None else prose).append(line)
        elif kind is None:
            kind, inside = fence["kind"], []
        else:
            typed, fails = kind.split()[:1] == ["sh"], "fails" in kind.split()
            if typed:
                blocks.append(Block("\n".join(inside), fails=fails))
            if fails or not typed:
                # A mark of its own: behind a command that is folded it would be a part of it.
                marks = [f"    {failing(len(inside))}"] if fails else []
                prose += [*marks, *(f"    {shown}" for shown in inside)]
            kind = None
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(prose)).strip()
    return text, tuple(blocks)
