"""`{{ … }}` in a definition's values: Jinja2, narrowed to expressions that end soon and stay small.

A template sees `vars` and, in a replica, `index`. It can change one scalar value and nothing else. There are no
statements, no calls and few filters, so that nothing a stranger writes can loop, grow without bound or reach Python.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any, ClassVar

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, Undefined, UndefinedError, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from dockerlab.lab.problem import MAX_PROBLEMS, KeyPath, Problem, meant, shown
from dockerlab.lab.values import MAX_TEMPLATE, UNPRINTABLE, is_template

MAX_TEMPLATES = 4_096
MAX_OUTPUT = 65_536
MAX_ALL_OUTPUT = 8 << 20
COST = 64
FILTERS = ("abs", "default", "first", "float", "int", "last", "length", "lower", "string", "trim", "upper")
TESTS = ("defined", "undefined", "even", "odd", "divisibleby", "none", "number", "string")
FORBIDDEN: dict[type[nodes.Node], str] = {nodes.Call: "call", nodes.Pow: "`**`", nodes.Slice: "slice"}
NEVER = "\x00"
"""Begins Jinja's blocks and comments here: a definition cannot hold it, so `{#` stays the text that it is."""


@dataclass
class Filled:
    """A definition as far as it is filled in.

    `origins` says from which entry each repeated one came; `room` is how many characters templates may still give, and
    `seen` which templates there were: many small ones are a bomb as well.
    """

    data: dict[str, Any] = field(default_factory=dict)
    origins: dict[KeyPath, KeyPath] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    room: int = MAX_ALL_OUTPUT
    seen: set[str] = field(default_factory=set)


def fill(value: Any, scope: Mapping[str, Any], path: KeyPath, filled: Filled) -> Any:
    """Return `value` with every template in it filled from `scope`; what cannot be is added to `filled.problems`."""
    if isinstance(value, dict):
        return {key: fill(item, scope, (*path, key), filled) for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, scope, (*path, index), filled) for index, item in enumerate(value)]
    if not is_template(value) or filled.room < 0 or len(filled.problems) > MAX_PROBLEMS:
        return value
    filled.seen.add(value)
    try:
        result = render(value, scope)
    except ValueError as error:
        filled.problems.append(Problem(path, str(error)))
        return value
    filled.room -= len(result) + COST
    if len(filled.seen) > MAX_TEMPLATES:
        filled.room = -1
    if filled.room < 0:
        message = f"more than {MAX_TEMPLATES} different templates, or {MAX_ALL_OUTPUT >> 20} MiB of what they give"
        filled.problems.append(Problem(path, message))
    return result


def render(text: str, scope: Mapping[str, Any]) -> str:
    """Return the text with its expressions filled in; raises ValueError that says what is wrong with the template."""
    try:
        result = _compiled(text).render(scope)
    except TemplateSyntaxError as error:
        hint = "; filters: " + ", ".join((*FILTERS, "replace")) if "filter" in str(error) else ""
        message = str(error.message).removesuffix(".").replace("end of print statement", "}}")
        raise ValueError(f"{shown(text)} is not a template: {message}{hint}") from None
    except SecurityError as error:
        raise ValueError(f"{shown(text)} is not allowed: {str(error).removesuffix('.')}") from None
    except UndefinedError as error:
        raise ValueError(f"{shown(text)}: {_unknown(text, scope) or error}") from None
    except (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ValueError(f"{shown(text)} cannot be worked out: {error}") from None
    except (RecursionError, SyntaxError, MemoryError):  # of Jinja's parser, or of Python's on what Jinja compiles to
        raise ValueError(f"{shown(text)} is nested too deeply") from None
    if len(result) > MAX_OUTPUT:
        raise ValueError(f"{shown(text)} gives more than {MAX_OUTPUT} characters")
    unprintable = UNPRINTABLE.search(result)
    if unprintable is not None:  # from text in the expression, or from --set: the document's check saw neither
        raise ValueError(f"{shown(text)} gives an unprintable character, {unprintable.group()!a}: remove it")
    return result


def _unknown(text: str, scope: Mapping[str, Any]) -> str | None:
    """Return what to say about the first name that is not in scope."""
    names = [node.name for node in _environment().parse(text).find_all(nodes.Name)]
    missing = next((name for name in names if name not in scope), None)
    return None if missing is None else f"{missing} is not in `vars`: {meant(missing, scope)}"


@lru_cache(maxsize=4096)
def _compiled(text: str) -> Template:
    if len(text) > MAX_TEMPLATE:
        raise SecurityError(f"a value with {{{{ … }}}} has at most {MAX_TEMPLATE} characters")
    if "{%" in text:
        raise SecurityError("only {{ expressions }}, no {% statements %}; `replicas: N` repeats an entry")
    environment = _environment()
    tree = environment.parse(text)
    refused = next(iter(tree.find_all(tuple(FORBIDDEN))), None)
    if refused is not None:
        raise SecurityError(f"no {FORBIDDEN[type(refused)]} in an expression: use vars, operators and filters")
    if any(const.value in (math.inf, -math.inf) for const in tree.find_all(nodes.Const)):
        raise SecurityError("a number that is too big")  # Jinja would write it as `inf`, which is no Python
    return environment.from_string(tree)


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    environment = _Environment(
        undefined=StrictUndefined,
        finalize=_scalar,
        optimized=False,  # or constants would be worked out while compiling, beside the checks on operators
        keep_trailing_newline=True,
        block_start_string=f"{NEVER}b",
        block_end_string=f"b{NEVER}",
        comment_start_string=f"{NEVER}c",
        comment_end_string=f"c{NEVER}",
    )
    filters: dict[str, Callable[..., Any]] = {name: environment.filters[name] for name in FILTERS}
    environment.filters = {**filters, "replace": _replace}
    environment.tests = {name: environment.tests[name] for name in TESTS}
    environment.globals = {}
    return environment


class _Environment(ImmutableSandboxedEnvironment):
    """Expressions in which `*` and `%` are for numbers alone: on text they could make gigabytes."""

    intercepted_binops: ClassVar[frozenset[str]] = frozenset({"*", "%"})  # type: ignore[misc]

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Return the result of an operator; raises SecurityError unless both sides are numbers."""
        if not isinstance(left, (int, float)) or not isinstance(right, (int, float)):
            raise SecurityError(f"`{operator}` is for numbers")
        return super().call_binop(context, operator, left, right)


def _scalar(value: Any) -> Any:
    """Return a result as YAML would write it; raises TypeError for what is not one value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float, StrictUndefined)):
        return value
    none = value is None or isinstance(value, Undefined)
    raise TypeError("it has no value" if none else f"it gives a {type(value).__name__}, not one value")


def _replace(text: Any, old: str, new: str) -> str:
    """Return `text` with `old` replaced; raises SecurityError when the result would be too long."""
    whole, part, instead = str(text), str(old), str(new)
    if len(whole) + whole.count(part) * len(instead) > MAX_OUTPUT:
        raise SecurityError(f"gives more than {MAX_OUTPUT} characters")
    return whole.replace(part, instead)
