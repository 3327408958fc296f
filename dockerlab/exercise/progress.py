"""Where a person stands in an exercise: one small file for each, in that person's own state directory."""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_serializer, field_validator

from dockerlab.errors import UsageError
from dockerlab.exercise import sealing
from dockerlab.exercise.remains import Holdings
from dockerlab.exercise.trial import Trial


class Progress(BaseModel):
    """What is remembered of an exercise that is on.

    `folder` is where it is, `sandbox` and `inventory` say where its hosts are. `step` counts from 0 and is the number
    of steps that are done. `hints` is how many hints were shown of the current step, or of the fault. `before` is what
    the hosts held at the beginning. `trial` is what is broken on purpose, with all that it takes to mend it: written
    down before anything is broken, so that a crash anywhere leaves a way back, and sealed: its file names no fault.
    `solved` are the steps, and `fault`, for which the solution was shown.
    """

    model_config = ConfigDict(extra="forbid")

    schema_: Literal[2] = Field(2, alias="schema")
    id: str
    folder: Path
    sandbox: bool = False
    inventory: Path | None = None
    machines: dict[str, str] = Field(default_factory=dict)
    """What tells the sandbox's hosts from those of another sandbox: their keys, by address."""
    started: str
    step: int = 0
    hints: int = 0
    answers: dict[str, str] = Field(default_factory=dict)
    before: dict[str, Holdings] = Field(default_factory=dict)
    trial: Trial | None = None
    solved: frozenset[str] = frozenset()

    def answered(self, questions: Sequence[str], given: Sequence[str]) -> Progress:
        """Return the progress with answers to a step's questions: to all of them, or to those that are open still.

        Raises UsageError where there are too many.
        """
        left = [question for question in questions if question not in self.answers]
        asked = questions if len(given) == len(questions) else left
        if len(given) > len(asked):
            raise UsageError(f"{_counted(len(given), 'answer')}, and {_open(len(asked), len(questions))}")
        return self.model_copy(update={"answers": {**self.answers, **dict(zip(asked, given, strict=False))}})

    def kept(self, questions: Iterable[str]) -> Progress:
        """Return the progress with the answers to these questions alone: a wrong one is open again."""
        right = frozenset(questions)
        return self.model_copy(update={"answers": {q: text for q, text in self.answers.items() if q in right}})

    def without_trial(self) -> Progress:
        """Return the progress after what was broken has been found."""
        return self.model_copy(update={"trial": None, "hints": 0})

    @field_serializer("trial")
    def _sealed(self, trial: Trial | None) -> str | None:
        return None if trial is None else sealing.close(trial.model_dump_json())

    @field_validator("trial", mode="before")
    @classmethod
    def _opened(cls, value: Any) -> Any:
        return Trial.model_validate_json(sealing.reopen(value)) if isinstance(value, str) else value


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _open(left: int, questions: int) -> str:
    if not questions:
        return "nothing is asked"
    if not left:
        return "nothing is asked any more: what this step asks is answered, and right"
    return f"of this step's {_counted(questions, 'question')}, {left} {'is' if left == 1 else 'are'} open"


def directory(environment: Mapping[str, str] = os.environ) -> Path:
    """Return where the files are: below XDG_STATE_HOME, or ~/.local/state where that says nothing."""
    home = Path(environment.get("XDG_STATE_HOME", ""))
    own = Path(environment.get("HOME") or "~").expanduser() / ".local/state"
    return (home if home.is_absolute() else own) / "dockerlab" / "exercises"


def write(progress: Progress, where: Path) -> None:
    """Write a file that is there whole or not at all, also after a crash; raises UsageError when that cannot be."""
    try:
        where.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{progress.id}.", dir=where)
        beside = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(progress.model_dump_json(indent=1, by_alias=True) + "\n")
                file.flush()
                os.fsync(file.fileno())
            beside.replace(where / f"{progress.id}.json")
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"cannot write {where / progress.id}.json: {error.strerror}") from None


def read(identity: str, where: Path) -> Progress | None:
    """Return what is remembered of an exercise, None where it is not on; raises UsageError for what cannot be read."""
    path = where / f"{identity}.json"
    try:
        return Progress.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise UsageError(
            f"{path}: not the progress of an exercise ({first['msg']}); remove the file, and what the exercise made "
            "with `dockerlab down`"
        ) from None


def same(here: Progress, folder: Path) -> None:
    """Return where an exercise that is on is the one in this folder; raises UsageError for another of its name."""
    if here.folder != folder:
        raise UsageError(
            f"another exercise called {here.id} is on since {here.started}, the one in {here.folder}: "
            f"stop it first (dockerlab exercise stop {shlex.quote(here.id)}), or rename a folder"
        )


def forget(identity: str, where: Path) -> None:
    """Remove what is remembered of an exercise."""
    (where / f"{identity}.json").unlink(missing_ok=True)


def running(where: Path) -> list[str]:
    """Return the IDs of the exercises that are on."""
    return sorted(path.stem for path in where.glob("*.json")) if where.is_dir() else []


def current(wanted: str | None, where: Path) -> Progress:
    """Return the progress of the exercise that is meant: by its ID or number, or the only one that is on.

    Raises UsageError where that is none, or where it could be any of several.
    """
    on = running(where)
    if wanted is None:
        if len(on) > 1:
            raise UsageError(f"{len(on)} exercises are on, say which: {', '.join(on)}")
        chosen = on
    else:
        name = Path(wanted).name
        chosen = [each for each in on if each == name or (name.isdigit() and each.startswith(f"{name:0>2}-"))]
    found = read(chosen[0], where) if len(chosen) == 1 else None
    if found is None:
        what = "no exercise is on" if wanted is None else f"the exercise {wanted} is not on"
        raise UsageError(f"{what}: `dockerlab exercise start ID` begins one, `dockerlab exercise list` shows them")
    return found
