"""A definition as the YAML that a person would have written, with comments; what hosts say stays text in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any, NamedTuple

from dockerlab.discover.entry import Entry
from dockerlab.lab.problem import KeyPath
from dockerlab.plain import one_line

WIDTH = 110
BARE = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./@+-]*( [A-Za-z0-9_./-][A-Za-z0-9_./@+-]*)*")
"""Text that needs no quotes: words in which YAML finds nothing of its own."""
MISREAD = re.compile(
    r"[-+.0-9_]+|0[xo][0-9a-fA-F]*|[-+0-9.]+e[-+0-9]*|true|false|null|yes|no|on|off|y|n", re.IGNORECASE
)
"""What looks like a number or a word of YAML's."""
ADDRESS = re.compile(r"[0-9]+(\.[0-9]+){3}")
APART = ("hosts", "networks", "volumes", "containers")
"""The sections that stand apart from what is above them."""


def text_of(entry: Entry, head: Sequence[str] = ()) -> str:
    """Return the definition as a YAML document, comments above what they are about; `head` goes before all."""
    above = frozenset(place[:depth] for place in entry.notes for depth in range(len(place)))
    lines = [*_comments(head, ""), *_mapping(entry.data, (), _Notes(entry.notes, above), "")]
    return "\n".join(lines) + "\n"


class _Notes(NamedTuple):
    """What is said of places, and the places that are above one of which something is said."""

    of: Mapping[KeyPath, Sequence[str]]
    above: frozenset[KeyPath]


def _mapping(data: Mapping[str, Any], path: KeyPath, notes: _Notes, indent: str) -> Iterator[str]:
    for key, value in data.items():
        here = (*path, key)
        if not path and key in APART:
            yield ""
        yield from _comments(notes.of.get(here, ()), indent)
        name = _quoted(key)
        if value in ({}, None):
            yield f"{indent}{name}:"
        elif isinstance(value, (Mapping, list, tuple)):
            flat = _flow(value)
            if (
                flat is not None
                and here not in notes.above
                and _short(value)
                and len(indent + name + flat) + 2 <= WIDTH
            ):
                yield f"{indent}{name}: {flat}"
            elif isinstance(value, Mapping):
                yield f"{indent}{name}:"
                yield from _mapping(value, here, notes, indent + "  ")
            else:
                yield f"{indent}{name}:"
                yield from _items(value, here, notes, indent + "  ")
        else:
            yield f"{indent}{name}: {_scalar(value)}"


def _items(items: Sequence[Any], path: KeyPath, notes: _Notes, indent: str) -> Iterator[str]:
    for number, item in enumerate(items):
        yield from _comments(notes.of.get((*path, number), ()), indent)
        yield f"{indent}- {_flow(item)}"


def _short(value: Any) -> bool:
    """Tell whether a list or a mapping reads well on one line: one with mappings, or with keys alone, does not."""
    return not isinstance(value, Mapping) or not any(
        each is None or isinstance(each, Mapping) for each in value.values()
    )


def _flow(value: Any) -> str | None:
    """Return a value as it stands on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_quoted(key)}: {_flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(str(_flow(each)) for each in value) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    """Return a value; text that YAML or a template could take for more is quoted, or written around."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return json.dumps(value)
    return _quoted(_untemplated(str(value)))


def _quoted(text: str) -> str:
    """Return a text as a key, in quotes where YAML could take it for more; templates are in values alone."""
    if BARE.fullmatch(text) and (not MISREAD.fullmatch(text) or ADDRESS.fullmatch(text)):
        return text
    return '"' + "".join(map(_escaped, text)) + '"'


def _untemplated(text: str) -> str:
    """Return a text so that filling in its templates gives it as it is: each brace that could begin one is one."""
    return re.sub(r"\{(?=[{%])", '{{ "{" }}', text) if "{{" in text or "{%" in text else text


def _escaped(character: str) -> str:
    short = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}.get(character)
    if short is not None:
        return short
    if 0xD800 <= ord(character) <= 0xDFFF:
        return "\N{REPLACEMENT CHARACTER}"
    return character if character.isprintable() else f"\\U{ord(character):08x}"


def _comments(texts: Sequence[str], indent: str) -> Iterator[str]:
    for text in texts:
        yield from (f"{indent}# {line}" for line in wrap(one_line(text), WIDTH - len(indent) - 2) or [""])
