"""Filling in a definition: `vars` and overrides into its templates, and `replicas: N` into N entries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dockerlab.errors import UsageError
from dockerlab.lab.document import MAX_NODES, resolve
from dockerlab.lab.problem import KeyPath, Problem, meant, shown
from dockerlab.lab.template import Filled, fill, render
from dockerlab.lab.values import is_template

MAX_REPLICAS = 500
MAX_VARIABLES = 65_536
REPEATABLE = ("networks", "containers")


def fill_in(data: Mapping[str, Any], overrides: Mapping[str, str]) -> Filled:
    """Return the data with every value filled in and every entry repeated as it says.

    Raises UsageError for an override of a variable that the definition does not have.
    """
    filled = Filled()
    scope = _variables(data, overrides, filled.problems)
    for key, value in data.items():
        if key == "vars" and isinstance(value, dict):
            filled.data[key] = scope
        elif key in REPEATABLE and isinstance(value, dict):
            filled.data[key] = _entries(key, value, scope, filled)
        elif value is not None:  # a key with nothing after it is a key that is not there
            filled.data[key] = fill(value, scope, (key,), filled)
    return filled


def _variables(data: Mapping[str, Any], overrides: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    found = data.get("vars")
    variables: dict[str, Any] = dict(found) if isinstance(found, dict) else {}
    for name, value in variables.items():
        if is_template(value):
            problems.append(Problem(("vars", name), "a variable is a plain value: it cannot hold {{ … }} itself"))
        if not name.isidentifier():
            message = f"{shown(name)} cannot stand in {{{{ … }}}}: use letters, digits and `_`"
            problems.append(Problem(("vars", name), message, of_key=True))
        if name == "index":
            problems.append(Problem(("vars", name), "index is the number of a replica: choose another", of_key=True))
    if len(repr(variables)) > MAX_VARIABLES:
        problems.append(Problem(("vars",), f"more than {MAX_VARIABLES} characters of variables"))
        variables.clear()
    for name, value in overrides.items():
        if name not in variables:
            raise UsageError(f"--set {name}: the definition has no such variable in `vars`: {meant(name, variables)}")
        variables[name] = resolve(value)
    return variables


def _entries(section: str, entries: dict[str, Any], scope: dict[str, Any], filled: Filled) -> dict[str, Any]:
    result: dict[str, Any] = {}
    size = 0
    for name, entry in entries.items():
        for copy, body, variables in _copies((section, name), entry, scope, filled.problems):
            path = (section, copy)
            if copy in result:
                origin = filled.origins.get(path, path)
                message = f"there are two of the name {copy}: the other is from {origin[-1]}; rename one"
                filled.problems.append(Problem((section, name), message, of_key=True))
                break
            if copy != name:
                filled.origins[path] = (section, name)
            size += _size(body)
            if size > MAX_NODES:
                message = f"with its replicas there are more than {MAX_NODES} values"
                filled.problems.append(Problem((section, name, "replicas"), message))
                return result
            result[copy] = fill(body, variables, path, filled)
    return result


def _copies(
    path: KeyPath, entry: Any, scope: dict[str, Any], problems: list[Problem]
) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Yield the name, the body and the variables of every entry that one entry stands for."""
    name = str(path[-1])
    if entry is None:
        yield name, {}, scope
    elif not isinstance(entry, dict) or "replicas" not in entry:
        yield name, entry, scope
    else:
        body = {key: value for key, value in entry.items() if key != "replicas"}
        try:
            count = _count(entry["replicas"], scope)
        except ValueError as error:
            problems.append(Problem((*path, "replicas"), str(error)))
            count = 1  # so that the mistakes of the entry itself are found as well
        for index in range(1, count + 1):
            yield f"{name}{index}", body, {**scope, "index": index}


def _count(value: Any, scope: Mapping[str, Any]) -> int:
    number = resolve(render(value, scope)) if is_template(value) else value
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= MAX_REPLICAS:
        raise ValueError(f"{shown(number)} is not a number of replicas: write a whole number from 1 to {MAX_REPLICAS}")
    return number


def _size(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(_size(item) for item in value.values())
    return 1 + sum(_size(item) for item in value) if isinstance(value, list) else 1
