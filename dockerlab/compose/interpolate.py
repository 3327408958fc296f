"""`$VARIABLE` and `${VARIABLE:-default}` in the values of a Compose file, as the Compose specification has them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from dockerlab.compose.node import Node
from dockerlab.errors import Located
from dockerlab.lab.document import DECIMAL
from dockerlab.lab.problem import shown
from dockerlab.lab.values import UNPRINTABLE

MAX_OUTPUT = 1 << 20
MAX_NESTED = 20
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
OPERATOR = re.compile(r":[-?+]|[-?+]")

Unset = Callable[[str], object]
"""Is told of each variable that is not set and has no default."""


def interpolated(node: Node, wrong: list[Located], unset: Unset) -> Node:
    """Return a tree with every value filled in from its file's variables; what cannot be is added to `wrong`."""
    if isinstance(node.value, dict):
        filled: Any = {key: interpolated(child, wrong, unset) for key, child in node.value.items()}
    elif isinstance(node.value, list):
        filled = [interpolated(child, wrong, unset) for child in node.value]
    elif isinstance(node.value, str) and "$" in node.value:
        try:
            filled = typed(substituted(node.value, node.source.variables, unset))
        except ValueError as error:
            wrong.append(node.located(str(error)))
            return node
    else:
        return node
    # A tag stays with its value: it says how the value is laid over another one.
    return Node(filled, node.source, node.mark, node.key, node.path, node.tag)


def typed(text: str) -> str | int | bool:
    """Return what a value is that was filled in: no longer text where a whole number or a boolean came of it."""
    if text in ("true", "false"):
        return text == "true"
    return int(text) if DECIMAL.fullmatch(text) and text != "-0" else text


def substituted(text: str, variables: Mapping[str, str], unset: Unset, depth: int = 0) -> str:
    """Return the text with its variables filled in, and `$$` as `$`.

    Raises ValueError for what is no variable, and for one that is required and is not there.
    """
    parts: list[str] = []
    at = size = 0
    while (dollar := text.find("$", at)) >= 0:
        parts.append(text[at:dollar])
        part, at = _one(text, dollar + 1, variables, unset, depth)
        parts.append(part)
        size += len(part)
        if size > MAX_OUTPUT:
            raise ValueError(f"{shown(text)} gives more than {MAX_OUTPUT} characters")
    result = "".join((*parts, text[at:]))
    unprintable = UNPRINTABLE.search(result)
    if unprintable is not None:
        raise ValueError(f"{shown(text)} gives an unprintable character, {unprintable.group()!a}: mend the variable")
    return result


def _one(text: str, at: int, variables: Mapping[str, str], unset: Unset, depth: int) -> tuple[str, int]:
    """Return what stands for the variable behind a `$`, and where the text goes on."""
    if text.startswith("$", at):
        return "$", at + 1
    name = NAME.match(text, at)
    if name is not None:
        return _value(name.group(), variables, unset), name.end()
    if not text.startswith("{", at):
        return "$", at  # as Compose takes it, though `$$` is what its specification has for the character
    end = _closing(text, at)
    name = NAME.match(text, at + 1)
    rest = text[name.end() : end] if name is not None and end is not None else ""
    operator = OPERATOR.match(rest)
    if end is None or name is None or depth > MAX_NESTED or (rest and operator is None):
        raise ValueError(f"{shown(text)} is no variable: write it as in ${{NAME}} or ${{NAME:-default}}")
    if operator is None:
        return _value(name.group(), variables, unset), end + 1

    def word() -> str:
        return substituted(rest[operator.end() :], variables, unset, depth + 1)

    return _chosen(name.group(), operator.group(), variables, word), end + 1


def _chosen(name: str, operator: str, variables: Mapping[str, str], word: Callable[[], str]) -> str:
    """Return the variable or the word behind the operator; with `:`, an empty variable counts as none."""
    there = variables.get(name)
    has = there is not None and (there != "" or len(operator) == 1)
    if operator.endswith("+"):
        return word() if has else ""
    if has:
        return there or ""
    if operator.endswith("-"):
        return word()
    said = word()
    told = f"the variable {name} has to be set{': ' if said else ''}{said}"
    raise ValueError(f"{told}: export it, or write it to .env")


def _value(name: str, variables: Mapping[str, str], unset: Unset) -> str:
    if name not in variables:
        unset(name)
    return variables.get(name, "")


def _closing(text: str, at: int) -> int | None:
    """Return where the brace that opens at a place is closed, None where it is not."""
    depth = 0
    for index in range(at, len(text)):
        if index == at or text.startswith("${", index):
            depth += 1
        elif text[index] == "}":
            depth -= 1
            if not depth:
                return index
    return None
