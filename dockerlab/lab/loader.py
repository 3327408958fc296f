"""From a file to a checked `Lab`, or to every mistake in it at once, each with its line and column."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any

from dockerlab.errors import DefinitionError, Located
from dockerlab.lab import check
from dockerlab.lab.document import Document, Mark, parse
from dockerlab.lab.env_files import with_files
from dockerlab.lab.model import Lab, Network
from dockerlab.lab.naming import as_the_engine_has_it, as_written
from dockerlab.lab.problem import MAX_PROBLEMS, KeyPath, Problem, dotted
from dockerlab.lab.references import naming, references
from dockerlab.lab.replicas import fill_in
from dockerlab.lab.structure import validate
from dockerlab.lab.template import Filled
from dockerlab.lab.texts import text_of

Check = Callable[[Lab], Iterable[Problem]]
Locate = Callable[[Iterable[Problem]], list[Located]]
"""Puts problems in their places in the files that a lab comes from."""

NONE: Mapping[str, str] = MappingProxyType({})
SECTIONS = ("hosts", "networks", "volumes", "images", "containers", "outside")
SYNONYMS = {"ip": "ipv4_address", "ip6": "ipv6_address"}


@dataclass(frozen=True)
class Definition:
    """A checked Lab, and where everything of it stands."""

    lab: Lab
    place: Locate
    notes: tuple[str, ...] = ()
    """What somebody who reads it should know of it that is no mistake."""

    def locate(self, problems: Iterable[Problem]) -> list[Located]:
        """Return problems with their places in the file, in its order."""
        return sorted(self.place(problems))


def _as_the_engine_has_it(lab: Lab, place: Locate) -> Definition:
    """Return a definition in the engine's names, whose lab can tell where in the file something of it stands."""
    lab, keys = as_the_engine_has_it(lab)

    def places(problems: Iterable[Problem]) -> list[Located]:
        return place(replace(each, path=as_written(each.path, keys)) for each in problems)

    def told(path: KeyPath) -> str:
        (where,) = places([Problem(path, "", of_key=True)])
        return str(where).rstrip(": ")

    lab = lab.changed()
    lab.__dict__["place"] = told
    return Definition(lab, places)


def load(
    path: Path,
    *,
    networks: Mapping[str, type[Network]],
    checks: Sequence[Check] = (),
    overrides: Mapping[str, str] = NONE,
) -> Lab:
    """Return the Lab that a file defines; see `read` for a text.

    Raises UsageError when the file cannot be read.
    """
    return read(text_of(path), str(path), networks=networks, checks=checks, overrides=overrides).lab


def loads(
    text: str,
    file_name: str = "<text>",
    *,
    networks: Mapping[str, type[Network]],
    checks: Sequence[Check] = (),
    overrides: Mapping[str, str] = NONE,
) -> Lab:
    """Return the Lab that `text` defines; see `read`."""
    return read(text, file_name, networks=networks, checks=checks, overrides=overrides).lab


def read(
    text: str,
    file_name: str = "<text>",
    *,
    networks: Mapping[str, type[Network]],
    checks: Sequence[Check] = (),
    overrides: Mapping[str, str] = NONE,
) -> Definition:
    """Return what `text` defines, every network as an instance of the class that `networks` has for its driver.

    `checks` say what is wrong beyond structure; they see a Lab whose names all resolve. `overrides` replace `vars`.
    Raises DefinitionError with every mistake that can be told, and UsageError for an override of an unknown variable.
    """
    document = parse(text, file_name)
    filled = fill_in(document.data, overrides)

    def place(problems: Iterable[Problem]) -> list[Located]:
        return _located(problems, document, filled)

    mistakes = [problem for problem, _ in document.mistakes] + filled.problems
    directory = Path(file_name).parent
    return checked(filled.data, place, mistakes, directory=directory, networks=networks, checks=checks)


def checked(
    data: Mapping[str, Any],
    place: Locate,
    mistakes: Iterable[Problem] = (),
    *,
    directory: Path,
    networks: Mapping[str, type[Network]],
    checks: Sequence[Check] = (),
) -> Definition:
    """Return what plain data define, wherever they come from; `mistakes` are known of them before.

    Relative paths in them begin at `directory`.

    Raises DefinitionError with every mistake that can be told, each where `place` puts it.
    """
    problems = list(mistakes)
    lab, wrong = validate(data, networks)
    seen = {problem.path for problem in problems}
    problems += [problem for problem in wrong if problem.path not in seen]

    # What is wrong in one entry must not hide what is wrong in the others: go on with those that are right so far.
    lab = lab if not problems else _without(data, problems, networks)
    if lab is not None:
        unresolved = list(islice(references(lab), MAX_PROBLEMS))
        whole = not problems and not unresolved
        problems += unresolved
        if unresolved:
            lab = _without(data, problems, networks) if len(unresolved) < MAX_PROBLEMS else None
        if lab is not None:
            found = [problem for each in (*check.CHECKS, *checks) for problem in each(lab)]
            problems += [problem for problem in found if whole or len(problem.path) > 1]
            if not problems:
                lab, problems = with_files(lab, directory)
            if not problems:
                return _as_the_engine_has_it(lab, place)
    raise DefinitionError(place(problems))


def _without(data: Mapping[str, Any], problems: Iterable[Problem], networks: Mapping[str, type[Network]]) -> Lab | None:
    """Return the Lab of the entries that are right and name no entry that is wrong; None where that is too little."""
    bad = {problem.path[:2] for problem in problems}
    # A section that is wrong as a whole, or misspelt, would make every name in it unknown.
    if any(len(path) == 1 and get_close_matches(str(path[0]), SECTIONS) for path in bad):
        return None
    kept: dict[str, Any] = {"name": "lab"}
    for section in SECTIONS:
        if isinstance(data.get(section), Mapping):
            kept[section] = {name: entry for name, entry in data[section].items() if (section, name) not in bad}
    dropped: set[KeyPath] = {path for path in bad if len(path) == 2}
    while dropped:
        lab, _ = validate(kept, networks)
        if lab is None:
            return None
        dropped = naming(lab, dropped)
        for path in dropped:
            del kept[str(path[0])][path[1]]
    return validate(kept, networks)[0]


def _located(problems: Iterable[Problem], document: Document, filled: Filled) -> list[Located]:
    """Return each problem with its place; of one place in a repeated entry, the first copy's problem speaks for all."""
    marks = {id(problem): mark for problem, mark in document.mistakes}
    result: dict[tuple[Mark, KeyPath | str], Located] = {}
    for problem in problems:
        origin = filled.origins.get(problem.path[:2])
        path = problem.path if origin is None else origin + problem.path[2:]
        place, mark = find_place(document, path, of_key=problem.of_key)
        mark = marks.get(id(problem), mark)
        told = place if origin is None else problem.path[:2] + place[2:]
        key = problem.message if origin is None else origin
        result.setdefault((mark, key), Located(document.file, *mark, dotted(told), problem.message))
    return list(result.values())


def find_place(document: Document, path: KeyPath, *, of_key: bool) -> tuple[KeyPath, Mark]:
    """Return as much of the path as the file has, in the file's own form, and where that stands."""
    place: KeyPath = ()
    data: Any = document.data
    for part in path:
        step = _step(data, part)
        if step is None:
            break
        data = data[step]
        place = (*place, step)
    whole = len(place) == len(path)
    # For what is missing from a mapping, the key of the mapping is the place to look; else the value itself.
    by_key = of_key if whole else isinstance(data, dict)
    first, second = (document.keys, document.values) if by_key else (document.values, document.keys)
    mark = first.get(place) or second.get(place) or (1, 1)
    return place, mark


def _step(data: Any, part: str | int) -> Any:
    """Return the key or index under which the file has what a path calls `part`, or None."""
    if isinstance(data, dict):
        return next((key for key in (part, SYNONYMS.get(str(part))) if key in data), None)
    if isinstance(data, list):
        if isinstance(part, int):
            return part if part < len(data) else None
        return next((index for index, item in enumerate(data) if str(item).partition("=")[0] == part), None)
    return None
