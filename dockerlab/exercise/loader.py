"""From a folder to an exercise, or to every mistake in it at once, each with its line and column."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from dockerlab import modes
from dockerlab.checks.model import Check
from dockerlab.errors import DefinitionError, Located, UsageError
from dockerlab.exercise.model import Exercise, Folder
from dockerlab.exercise.readme import Section, sections
from dockerlab.faults import FAULTS
from dockerlab.faults.target import host_of
from dockerlab.lab.catalog import data_directory
from dockerlab.lab.document import Document, parse
from dockerlab.lab.loader import find_place
from dockerlab.lab.model import Lab
from dockerlab.lab.problem import KeyPath, Problem, dotted, meant
from dockerlab.lab.structure import validated
from dockerlab.lab.texts import text_of

FILE = "exercise.yaml"


def exercises() -> dict[str, Path]:
    """Return the folder of each exercise that comes along, by its ID."""
    return {path.parent.name: path.parent for path in sorted(data_directory("labs").glob(f"*/{FILE}"))}


def find(wanted: str) -> Path:
    """Return the folder that is meant: a path, an ID, or the number in front of one; raises UsageError."""
    if (Path(wanted) / FILE).is_file():
        return Path(wanted)
    known = exercises()
    if wanted in known:
        return known[wanted]
    numbered = [path for name, path in known.items() if wanted.isdigit() and name.startswith(f"{wanted:0>2}-")]
    if len(numbered) == 1:
        return numbered[0]
    raise UsageError(f"{wanted}: there is no such exercise: {meant(wanted, known)}")


def load(folder: Path) -> Folder:
    """Return the exercise in a folder; raises DefinitionError with every mistake, or UsageError for a missing file."""
    lab = modes.definition(folder / "lab.yaml").lab
    aim, parts = sections(text_of(folder / "README.md"))
    steps = tuple(part for part in parts if part.number)
    exercise = loads(text_of(folder / FILE), str(folder / FILE), lab, steps)
    return Folder(folder.resolve().name, folder.resolve(), lab, exercise, aim, steps)


def loads(text: str, file: str, lab: Lab, steps: tuple[Section, ...]) -> Exercise:
    """Return the exercise that a text defines for a lab and its README's steps; raises DefinitionError."""
    document = parse(text, file)
    marks = [Located(file, *mark, dotted(problem.path), problem.message) for problem, mark in document.mistakes]
    exercise, problems = validated(Exercise, document.data, ())
    if exercise is not None:
        problems += [problem for each in (_names, _steps, _faults) for problem in each(exercise, lab, steps)]
    if exercise is None or problems or marks:
        raise DefinitionError([*marks, *(_located(problem, document) for problem in problems)])
    return exercise


def _located(problem: Problem, document: Document) -> Located:
    told, mark = find_place(document, problem.path, of_key=problem.of_key)
    return Located(document.file, *mark, dotted(told), problem.message)


Rule = Callable[[Exercise, Lab, tuple[Section, ...]], Iterator[Problem]]


def _checks(exercise: Exercise) -> Iterator[tuple[KeyPath, Check]]:
    for number, step in enumerate(exercise.steps):
        for index, check in enumerate(step.checks):
            yield ("steps", number, "checks", index), check
    for index, check in enumerate(exercise.intact):
        yield ("intact", index), check


def _names(exercise: Exercise, lab: Lab, _steps: tuple[Section, ...]) -> Iterator[Problem]:
    """Yield every name in a check that the lab does not have."""
    objects = (*lab.networks, *lab.containers)
    ends: Mapping[str, object] = {**lab.hosts, **lab.containers}
    for path, check in _checks(exercise):
        for index, name in enumerate(check.lab):
            if name != "all" and name not in objects:
                yield Problem((*path, "lab", index), f"no {name} in the lab: {meant(name, objects)}")
        for index, name in enumerate(check.inside):
            if name != "all" and name not in lab.containers:
                yield Problem(
                    (*path, "inside", index), f"no container {name} in the lab: {meant(name, lab.containers)}"
                )
        for key, on in (
            (("look",), check.look.on if check.look else None),
            (("ask", "found"), check.ask.found.on if check.ask and check.ask.found else None),
        ):
            if on is not None and on not in ends:
                yield Problem((*path, *key, "on"), f"no host or container {on} in the lab: {meant(on, ends)}")
        if check.cells is not None and not any(c in check.cells.source for c in "*?["):
            source = check.cells.source
            if source not in ends:
                yield Problem((*path, "cells", "from"), f"nobody asks as {source}: {meant(source, ends)}")


def _steps(exercise: Exercise, _lab: Lab, steps: tuple[Section, ...]) -> Iterator[Problem]:
    """Yield every step that has no section in the README, and sections for which there is no step."""
    for number, step in enumerate(exercise.steps, 1):
        wanted = f"## {number} · {step.title}"
        if not any((section.number, section.title) == (number, step.title) for section in steps):
            yield Problem(("steps", number - 1, "title"), f"the README.md has no section `{wanted}`")
        if not step.checks:
            yield Problem(("steps", number - 1, "checks"), "a step without checks is never done: write at least one")
    if not exercise.steps:
        yield Problem(("steps",), "an exercise without steps: write at least one")
    for section in steps[len(exercise.steps) :]:
        yield Problem(("steps",), f"no step for the README's section {section.number} · {section.title}")


def _faults(exercise: Exercise, lab: Lab, _sections: tuple[Section, ...]) -> Iterator[Problem]:
    """Yield every fault that does not exist, or has nothing in the lab to break."""
    for index, broken in enumerate(exercise.faults):
        path: KeyPath = ("faults", index)
        fault = FAULTS.get(broken.fault)
        if fault is None:
            yield Problem((*path, "fault"), f"{broken.fault} is no fault: {meant(broken.fault, FAULTS)}")
            continue
        try:
            host_of(fault, broken, lab)
        except UsageError as error:
            yield Problem((*path, "on"), str(error))
        if fault.needs and not broken.using:
            yield Problem(path, f"`using` is missing: {fault.needs}")
    if exercise.faults and not exercise.intact:
        yield Problem(("faults",), "faults want `intact`: the checks by which one sees that something is broken")
