"""Whether a value is of the form that a type declares, as deep as that goes; nothing is converted.

The declarations are those that mypy reads: dataclasses, named tuples, typed dictionaries, and what they are made of.
So whoever is given such a value need not ask again what it holds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from functools import cache, reduce
from operator import or_
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

Check = Callable[[Any], str | None]
"""Tells what is wrong with a value, its place first, or None."""


def misfit(value: Any, form: Any) -> str | None:
    """Return what is wrong with a value, with its place, such as `.containers[2].pid is str, not int`; or None."""
    return _check(form)(value)


@cache
def _check(form: Any) -> Check:  # noqa: PLR0911 - each kind of a declaration is a return of its own
    """Return what checks values of a form; those of a form within itself are looked up when they are needed."""
    if form is Any or form is object:
        return lambda _: None
    origin, given = get_origin(form), get_args(form)
    if origin in (Union, UnionType):
        return _any_of(given)
    if origin is Literal:
        return lambda value: None if type(value) in map(type, given) and value in given else _wrong(value, form)
    if isinstance(origin, type) and issubclass(origin, tuple) and given[-1:] != (...,):
        return _places(given)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(origin, *given)
    if isinstance(origin, type) and issubclass(origin, Sequence | AbstractSet):
        return _items(origin, given[0])
    if is_typeddict(form):
        return _keys(form)
    if is_dataclass(form) or hasattr(form, "_fields"):
        return _attributes(form)
    return _simple(form)


def _wrong(value: Any, form: Any) -> str:
    name = form.__name__ if isinstance(form, type) else str(form).replace("typing.", "")
    return f" is {type(value).__name__}, not {name}"


def _simple(form: Any) -> Check:
    """Check one value: a number is finite and no truth value, a text can be written down."""

    def check(value: Any) -> str | None:
        if type(value) is form and (form is int or form is bool or (form is str and value.isascii())):
            return None  # as most of them are
        if form is str and isinstance(value, str):
            return None if value.isascii() or _printable(value) else " has half of a character"
        if form is float and isinstance(value, float | int) and not isinstance(value, bool):
            return None if math.isfinite(value) else " is no number"
        if isinstance(value, bool) and form is not bool:
            return _wrong(value, form)
        return None if isinstance(value, NoneType if form is None else form) else _wrong(value, form)

    return check


def _printable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _any_of(forms: tuple[Any, ...]) -> Check:
    name = reduce(or_, forms) if all(isinstance(form, type) for form in forms) else Union[forms]  # noqa: UP007
    optional = None in forms or NoneType in forms

    def check(value: Any) -> str | None:
        if value is None and optional:
            return None
        told = []
        for form in forms:
            told.append(_check(form)(value))
            if told[-1] is None:
                return None
        return next((each for each in told if each and each[0] != " "), None) or _wrong(value, name)

    return check


def _items(kind: Any, form: Any) -> Check:
    def check(value: Any) -> str | None:
        if not isinstance(value, kind) or isinstance(value, str | bytes):
            return _wrong(value, kind)
        inner = _check(form)
        for number, each in enumerate(value):
            told = inner(each)
            if told is not None:
                return f"[{number}]{told}"
        return None

    return check


def _places(forms: tuple[Any, ...]) -> Check:
    def check(value: Any) -> str | None:
        if not isinstance(value, tuple) or len(value) != len(forms):
            return f" is not {len(forms)} values"
        pairs = enumerate(zip(value, forms, strict=True))
        return next((f"[{n}]{told}" for n, (each, form) in pairs if (told := _check(form)(each)) is not None), None)

    return check


def _mapping(kind: Any, key: Any, form: Any) -> Check:
    def check(value: Any) -> str | None:
        if not isinstance(value, kind):
            return _wrong(value, kind)
        names, inner = _check(key), _check(form)
        for name, each in value.items():
            told = names(name) or inner(each)
            if told is not None:
                return f"[{str(name)[:40]!r}]{told}"
        return None

    return check


def _keys(form: Any) -> Check:
    def check(value: Any) -> str | None:
        if not isinstance(value, dict):
            return _wrong(value, dict)
        for name in form.__required_keys__:
            if name not in value:
                return f" has no {name}"
        for name, inner in _members(form):
            if name in value and (told := inner(value[name])) is not None:
                return f".{name}{told}"
        return None

    return check


def _attributes(form: Any) -> Check:
    def check(value: Any) -> str | None:
        if not isinstance(value, form):
            return _wrong(value, form)
        for name, inner in _parts(form):
            told = inner(getattr(value, name))
            if told is not None:
                return f".{name}{told}"
        return None

    return check


@cache
def _hints(form: Any) -> Mapping[str, Any]:
    return get_type_hints(form)


@cache
def _members(form: Any) -> tuple[tuple[str, Check], ...]:
    """Return the keys of a form, each with what checks it; those that may be anything are left out."""
    return tuple((name, _check(hint)) for name, hint in _hints(form).items() if hint not in (Any, object))


@cache
def _parts(form: Any) -> tuple[tuple[str, Check], ...]:
    """Return the attributes of a form, each with what checks it; those that may be anything are left out."""
    names = form._fields if hasattr(form, "_fields") else tuple(each.name for each in fields(form))
    hints = _hints(form)
    return tuple((name, _check(hints[name])) for name in names if hints[name] not in (Any, object))
