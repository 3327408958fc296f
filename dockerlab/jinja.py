"""Templates of commands that have conditions, loops or expressions, as Jinja2 renders them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, StrictUndefined, Template, Undefined, UndefinedError, pass_context
from jinja2.runtime import Context

from dockerlab.marks import mark_of

KEPT = "__kept"
"""The context's name for the values that were put aside."""


def filled(template: str, context: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """Return a template's text with a mark for each value, and the values.

    Raises LookupError when the template names something that is not in `context`.
    """
    values: list[Any] = []
    try:
        return _compiled(template).render(**context, **{KEPT: values}), values
    except UndefinedError as error:
        raise LookupError(str(error)) from error


@cache
def _compiled(template: str) -> Template:
    """Return a template ready to be rendered; there are few, each used for many commands."""
    return _environment().from_string(template)


@cache
def _environment() -> Environment:
    """Return the environment in which every `{{ … }}` becomes a mark."""
    return Environment(
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_keep,
        optimized=False,  # there is nothing constant to be worked out beforehand, and looking for it takes time
        autoescape=False,  # noqa: S701 - there is no markup: values are kept out of the text altogether
    )


@pass_context
def _keep(context: Context, value: Any) -> str:
    """Put a value aside and return its mark; raises UndefinedError for a name that has no value."""
    if isinstance(value, Undefined):
        str(value)
    values: list[Any] = context[KEPT]
    values.append(value)
    return mark_of(len(values) - 1)
