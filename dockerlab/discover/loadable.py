"""What was found, cut down to what a definition can say: Docker takes more, and what it has may contradict itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dockerlab import modes
from dockerlab.discover.entry import Entry
from dockerlab.errors import UsageError
from dockerlab.lab import check
from dockerlab.lab.model import Lab
from dockerlab.lab.problem import KeyPath, Problem
from dockerlab.lab.references import references
from dockerlab.lab.structure import validate
from dockerlab.lab.values import MAX_TEMPLATE, UNPRINTABLE, is_template

ROUNDS = 200
"""So often something is taken out that does not load; far more than there are kinds of it."""


def loadable(whole: Entry) -> Lab:
    """Return the lab of a definition; what would not load is taken out, and said where it stood.

    Docker takes more than a definition does, and what it has may contradict itself, as where a container does not run
    whose port another one has by now.
    """
    for _ in range(ROUNDS):
        lab, problems = _checked(whole.data)
        if lab is not None and not problems:
            return lab
        for problem in _deepest(problems):
            _take_out(whole, problem)
    raise UsageError("what was found there makes no definition: " + "; ".join(each.message for each in problems))


def _checked(data: Mapping[str, Any]) -> tuple[Lab | None, list[Problem]]:
    odd = list(_unsayable(data, ()))
    if odd:
        return None, odd
    lab, wrong = validate(data, modes.network_types())
    if lab is None or wrong:
        return None, list(wrong)
    lost = list(references(lab))
    return lab, lost or [problem for each in (*check.CHECKS, modes.check) for problem in each(lab)]


def _unsayable(data: Any, path: KeyPath) -> Iterator[Problem]:
    """Yield what no definition can hold: characters that do not print, and braces in long texts."""
    if isinstance(data, dict):
        for key, value in data.items():
            if not str(key) or UNPRINTABLE.search(str(key)):
                yield Problem((*path, key), "a name that is empty, or does not print")
            else:
                yield from _unsayable(value, (*path, key))
    elif isinstance(data, (list, tuple)):
        for index, value in enumerate(data):
            yield from _unsayable(value, (*path, index))
    elif isinstance(data, str) and UNPRINTABLE.search(data):
        yield Problem(path, "it does not print")
    elif isinstance(data, str) and is_template(data) and len(data) > MAX_TEMPLATE // 10:
        yield Problem(path, "too long for a text with {{")


def _deepest(problems: Sequence[Problem]) -> list[Problem]:
    """Return one problem of each entry, the last item of a list first: what is taken out moves those behind it."""
    found: dict[KeyPath, Problem] = {}
    for problem in problems:
        found[problem.path[:3]] = problem
    return list(found.values())


def _take_out(whole: Entry, problem: Problem) -> None:
    """Take out what a problem is about, or as much around it as there is, and say why."""
    path = _there(whole.data, problem.path)
    if not path or path[0] == "name":
        raise UsageError(f"what was found there makes no definition: {problem.message}")
    gone = _removed(whole.data, path)
    while len(path) > 3 and not _at(whole.data, path[:-1]):
        path = path[:-1]
        _removed(whole.data, path)
    for place in [place for place in whole.notes if place[: len(path)] == path and len(path) > 2]:
        del whole.notes[place]
    what = f" {gone}" if not isinstance(gone, (dict, list)) else ""
    named = ".".join(map(str, path[2:] or path))
    whole.say(f"left out: {named}{what}: {problem.message}", *path[: 2 if len(path) > 2 else 1])


def _there(data: Any, path: KeyPath) -> KeyPath:
    """Return as much of a path as there is; a name stands for its place in a list of names."""
    found: KeyPath = ()
    for part in path:
        if isinstance(data, dict) and part in data:
            step: str | int = part
        elif isinstance(data, list) and part in data:
            step = data.index(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            step = part
        else:
            break
        data = data[step]
        found = (*found, step)
    return found


def _at(data: Any, path: KeyPath) -> Any:
    for part in path:
        data = data[part]
    return data


def _removed(data: Any, path: KeyPath) -> Any:
    """Take out what is at a path, and return it."""
    return _at(data, path[:-1]).pop(path[-1])
