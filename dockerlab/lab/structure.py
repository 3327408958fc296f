"""The structure of a definition: which keys and values the models accept, said in words for each mistake."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from dockerlab.lab.model import Lab, Network
from dockerlab.lab.problem import MAX_PROBLEMS, KeyPath, Problem, meant, shown

Model = TypeVar("Model", bound=BaseModel)

WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "dict_type": "a mapping (`key: value`)",
    "model_type": "a mapping (`key: value`)",
    "model_attributes_type": "a mapping (`key: value`)",
    "tuple_type": "a list",
    "list_type": "a list",
    "ip_v4_address": "an IPv4 address",
    "ip_v6_address": "an IPv6 address",
    "ip_v4_interface": "an IPv4 address with its prefix",
    "ip_v4_network": "an IPv4 subnet",
    "ip_v6_network": "an IPv6 subnet",
}

OTHERWISE: dict[str, Callable[[Any, Mapping[str, Any]], str]] = {
    "value_error": lambda _, ctx: str(ctx["error"]),
    "assertion_error": lambda _, ctx: str(ctx["error"]),
    "literal_error": lambda value, ctx: f"{shown(value)} is none of {ctx['expected']}",
    "string_pattern_mismatch": lambda value, ctx: f"{shown(value)} {_pattern(ctx['pattern'])}",
    "string_too_long": lambda value, ctx: f"{shown(value)} is longer than {ctx['max_length']} characters",
    "string_too_short": lambda value, ctx: f"{shown(value)} is shorter than {ctx['min_length']} characters",
    "too_long": lambda value, ctx: f"{_kind_of(value)} of more than {ctx['max_length']} entries: that is too much",
    "too_short": lambda value, ctx: (
        f"{_kind_of(value)} with fewer than {ctx['min_length']} entries: fill it or leave it out"
    ),
    "greater_than_equal": lambda value, ctx: f"{shown(value)} is too small: write {ctx['ge']} or more",
    "less_than_equal": lambda value, ctx: f"{shown(value)} is too big: write {ctx['le']} or less",
}

OF_HOSTS = {
    "^[a-zA-Z0-9_][": "is no name of an interface: use letters, digits, `_`, `.` and `-`",
    "^(main|": "is no table of routes: write a number, main, local or default",
}
"""What is no such text as stands in what is said of hosts, by how its pattern begins."""


def validate(data: Mapping[str, Any], types: Mapping[str, type[Network]]) -> tuple[Lab | None, list[Problem]]:
    """Return the Lab that the data describe and no problems, or None and every problem of structure."""
    problems: list[Problem] = []
    networks: dict[str, Network] = {}
    entries = data.get("networks", {})
    if isinstance(entries, dict):
        for name, entry in entries.items():
            driver = entry.get("driver", "bridge") if isinstance(entry, dict) else "bridge"
            model = types.get(driver) if isinstance(driver, str) else None
            if model is None:
                message = f"{_kind_of(driver)} is no driver: {meant(str(driver), types)}"
                problems.append(Problem(("networks", name, "driver"), message))
                continue
            if len(problems) > MAX_PROBLEMS:
                break
            network, wrong = validated(model, entry, ("networks", name))
            problems += wrong
            if network is not None:
                networks[name] = network
    # The names are the Lab's own affair, so it sees the networks as well, with nothing in them that could be wrong.
    rest = {**data, "networks": {name: {} for name in entries} if isinstance(entries, dict) else entries}
    lab, wrong = validated(Lab, rest, ())
    problems += wrong
    if lab is None or problems:
        return None, problems
    return lab.model_copy(update={"networks": networks}), []


def validated(model: type[Model], data: Any, prefix: KeyPath) -> tuple[Model | None, list[Problem]]:
    """Return what data describe by a model and no problems, or None and every problem, each below `prefix`."""
    try:
        return model.model_validate(data), []
    except ValidationError as error:
        return None, _translate(error, data, model, prefix)


def _translate(error: ValidationError, data: Any, model: type[BaseModel], prefix: KeyPath) -> list[Problem]:
    found = [(*_path(details, data), details) for details in error.errors(include_url=False)[:MAX_PROBLEMS]]
    # A value that may be of several types fails once for each: the branch that got furthest is the one that was meant.
    paths = {path for path, _, _ in found}
    groups: dict[tuple[KeyPath, bool], list[ErrorDetails]] = {}
    for path, branched, details in found:
        if branched and any(len(other) > len(path) and other[: len(path)] == path for other in paths):
            continue
        groups.setdefault((path, details["loc"][-1:] == ("[key]",)), []).append(details)
    return [_problem(prefix, path, of_key, group, model) for (path, of_key), group in groups.items()]


def _problem(
    prefix: KeyPath, path: KeyPath, of_key: bool, group: list[ErrorDetails], model: type[BaseModel]
) -> Problem:
    details = group[0]
    kind, value, context = details["type"], details["input"], details.get("ctx", {})
    if kind == "extra_forbidden":
        known = _keys_at(model, path[:-1])
        repeatable = (
            ("replicas",) if len(prefix + path) == 3 and (prefix + path)[0] in ("networks", "containers") else ()
        )
        message = f"unknown key {shown(path[-1])}: {meant(str(path[-1]), (*known, *repeatable))}"
        return Problem(prefix + path, message, of_key=True)
    if kind == "missing":
        return Problem(prefix + path, f"`{path[-1]}` is missing")
    wanted = dict.fromkeys(WANTED[item["type"]] for item in group if item["type"] in WANTED)
    if wanted:
        return Problem(prefix + path, f"{_kind_of(value)}: {' or '.join(wanted)} is wanted here", of_key)
    say = OTHERWISE.get(kind)
    message = say(value, context) if say is not None else f"{_kind_of(value)}: {details['msg']}"
    return Problem(prefix + path, message, of_key)


def _path(details: ErrorDetails, data: Any) -> tuple[KeyPath, bool]:
    """Return an error's location without what is no part of the data, and whether a choice of types was among it."""
    path: KeyPath = ()
    branched = False
    items = [item for item in details["loc"] if item != "[key]"]
    for number, item in enumerate(items):
        if isinstance(data, dict) and (item in data or (details["type"] == "missing" and number == len(items) - 1)):
            data = data.get(str(item))
        elif isinstance(data, list) and isinstance(item, int) and item < len(data):
            data = data[item]
        elif isinstance(data, list) and any(str(entry).partition("=")[0] == item for entry in data):
            data = {}
        else:
            branched = True
            continue
        path = (*path, item)
    return path, branched


def _keys_at(annotation: Any, path: KeyPath) -> list[str]:
    """Return the keys that a model accepts at a path below it."""
    if get_origin(annotation) in (Union, UnionType):
        return [key for choice in get_args(annotation) for key in _keys_at(choice, path)]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not path:
            return [field.alias or name for name, field in annotation.model_fields.items()]
        field = next((f for name, f in annotation.model_fields.items() if path[0] in (name, f.alias)), None)
        return [] if field is None else _keys_at(field.annotation, path[1:])
    arguments = get_args(annotation)
    if get_origin(annotation) is dict:
        return _keys_at(arguments[1], path[1:])
    return _keys_at(arguments[0], path[1:] if get_origin(annotation) in (tuple, list) else path) if arguments else []


def _kind_of(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    if value is None:
        return "nothing"
    return shown(value if isinstance(value, (str, int, float)) else str(value))


def _pattern(pattern: str) -> str:
    if pattern.startswith("^[a-z0-9]["):
        return "is no name for a lab: use a-z, 0-9, `_` and `-`, and begin with a letter or digit"
    if pattern.startswith("^[a-z0-9]+"):
        return "is no name for an image that is built here: write it as in web or shop/web:1.0, in lower case"
    if pattern.startswith("^[a-zA-Z0-9][") and "/" not in pattern:
        return "is no name: use letters, digits, `_`, `.` and `-`, and begin with a letter or digit"
    if pattern.startswith("^[a-zA-Z0-9][") and pattern.endswith("/:@-]*$"):
        return "is no image: write it as in nginx:1.20 or host:5000/name@sha256:…"
    for beginning, told in OF_HOSTS.items():
        if pattern.startswith(beginning):
            return told
    return f"is not of the form {pattern}"
