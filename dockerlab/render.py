"""From a template to a `Command`, and from commands to a script.

A template is the command as one would write it, one group of arguments a line, each with its reason:

    docker network create
      --driver macvlan                # every container gets a MAC address of its own on the LAN
      --subnet {{ pool.subnet }}      # addresses come from here
      {{ name }}

Where there are conditions, loops or expressions in it, Jinja2 renders it.

Values never pass through the text: while it is rendered, each `{{ … }}` leaves a mark, and the value takes the
mark's place only after the line was split into words. So no value can become a flag's neighbour, a second
argument, a comment or shell code, whatever it contains; a value that is empty is an empty argument.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import Any

from dockerlab.command import Argument, Command, Part, Variable
from dockerlab.marks import MARK, mark_of
from dockerlab.plain import ORDERS, one_line

NAME = re.compile(r"\{\{ ([a-z_]+) \}\}")
"""The place of a value in a template that has nothing else for Jinja2 to read."""


def command(template: str, host: str, **context: Any) -> Command:
    """Return the command that `template` describes for `host`.

    A first line that is only a comment is the reason of the whole command. Raises LookupError when the template names
    something that is not in `context`.
    """
    text, values = _filled(template, context)
    why, parts = "", []
    for line in text.splitlines():
        words, reason = _split(line)
        arguments = tuple(_fill(word, values) for word in words)
        because = _explain(reason, values)
        if arguments:
            parts.append(Part(arguments, because))
        elif because and not parts:
            why = because
    return Command(host, tuple(parts), why)


def _filled(template: str, context: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """Return a template's text with a mark for each value, and the values; raises LookupError."""
    if not _only_names(template):
        from dockerlab.jinja import filled  # noqa: PLC0415 - what only names values, as all that removes, needs none of it

        return filled(template, context)
    values: list[Any] = []

    def mark(name: re.Match[str]) -> str:
        values.append(context[name[1]])
        return mark_of(len(values) - 1)

    return NAME.sub(mark, template), values


@cache
def _only_names(template: str) -> bool:
    """Tell whether a template has neither conditions nor loops nor expressions."""
    return not any(sign in NAME.sub("", template) for sign in ("{{", "{%", "{#"))


@lru_cache(maxsize=4096)
def _split(line: str) -> tuple[tuple[str, ...], str]:
    """Return the words of a template's line and the reason behind its `#`; with marks for values, lines are few."""
    text, _, reason = line.partition("# ")
    return tuple(shlex.split(text)), reason.strip()


def _fill(word: str, values: list[Any]) -> Argument:
    whole = MARK.fullmatch(word)
    if whole and isinstance(values[int(whole[1])], Variable):
        variable: Variable = values[int(whole[1])]
        return variable
    return MARK.sub(lambda mark: str(values[int(mark[1])]), word)


def _explain(reason: str, values: list[Any]) -> str:
    """Return the reason for a comment: a value in it must not start a line of its own in a script."""
    return one_line(MARK.sub(lambda mark: str(values[int(mark[1])]), reason)).strip()


def script(
    host: str, title: str, commands: Iterable[Command], needs: Mapping[str, str] | None = None, preface: str = ""
) -> str:
    """Return commands as a script for `sh`, each preceded by its reasons as comments.

    `needs` are the shell variables that have to be set, name to explanation; `preface` comes before all commands.
    """
    lines = ["#!/bin/sh", f"# {one_line(title)}: the part of host {host}", "set -eu"]
    lines += [f"# needs ${name}: {text}" for name, text in (needs or {}).items()]
    lines += ["", preface.rstrip()] if preface else []
    for each in commands:
        lines += ["", *_comments(each), _line(each)]
    return "\n".join(lines) + "\n"


def _comments(each: Command) -> list[str]:
    head = [f"# {each.why}"] if each.why else []
    explained = [(_flags(part), part.why) for part in each.parts if part.why]
    width = max((len(flags) for flags, _ in explained), default=0)
    return head + [f"#   {flags:<{width}}  {why}" for flags, why in explained]


def _flags(part: Part, limit: int = 40) -> str:
    """Return a part's arguments as its explanation names them: the first alone where all would be long."""
    shown = " ".join(_shown(argument) for argument in part.arguments)
    return shown if len(shown) <= limit else f"{_shown(part.arguments[0])} …"


def _shown(argument: Argument) -> str:
    return f"${argument.name}" if isinstance(argument, Variable) else one_line(shlex.quote(argument))


def _line(each: Command) -> str:
    words = [_words(part.arguments) for part in each.parts]
    line = each.piped(" \\\n  ".join(words) if len(words) > 2 else " ".join(words))
    return f"{each.stores}=$({line})\nexport {each.stores}" if each.stores else line


def _words(arguments: Iterable[Argument]) -> str:
    return " ".join(a.shell() if isinstance(a, Variable) else _quoted(a) for a in arguments)


def _quoted(word: str) -> str:
    """Return a word for `sh`; what would move a cursor or turn the direction of text is written as its bytes."""
    return ORDERS.sub(lambda found: f"""'"$(printf '{_octal(found[0])}')"'""", shlex.quote(word))


def _octal(character: str) -> str:
    return "".join(f"\\{byte:03o}" for byte in character.encode())
