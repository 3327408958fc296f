"""What all groups of the benchmark have in common: contenders, rounds, results."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

Seconds = Mapping[str, float]
"""What one round took, by stage, such as `up` and `down`."""

OURS = "dockerlab"

ROUNDS = 5
"""How often each contender should work."""


class Failed(Exception):
    """A contender could not do what it was to do."""


@dataclass(frozen=True)
class Contender:
    """One way to do a group's work: `run` does it once. `missing` says why it cannot be run at all."""

    name: str
    run: Callable[[], Seconds]
    missing: str = ""
    note: str = ""


@dataclass
class Row:
    """What came of one contender: the seconds of each stage, one number for each round, and what is to be said."""

    name: str
    stages: dict[str, list[float]] = field(default_factory=dict)
    note: str = ""

    def median(self, stage: str) -> float | None:
        """Return the median of a stage, or None where there is none."""
        return statistics.median(self.stages[stage]) if self.stages.get(stage) else None


@dataclass(frozen=True)
class Conditions:
    """How the machine was when something was measured: its load, and the ms of a million additions in Python."""

    load: float = 0.0
    pace: float = 0.0

    @classmethod
    def now(cls) -> Conditions:
        """Return those of this moment."""
        began = time.perf_counter()
        total = 0
        for number in range(1_000_000):
            total += number
        return cls(os.getloadavg()[0], (time.perf_counter() - began) * 1000)


@dataclass
class Group:
    """The rows of contenders that did the same work; ratios, if they mean anything, are to the first row."""

    title: str
    rows: list[Row]
    text: str = ""
    ratios: bool = True
    conditions: Conditions = Conditions()
    """Those right after it was measured."""

    @property
    def stages(self) -> list[str]:
        """Return the stages that any row has, in order."""
        return list(dict.fromkeys(stage for row in self.rows for stage in row.stages))


def compete(
    title: str, contenders: Sequence[Contender], rounds: int, text: str = "", clean: Callable[[], None] = lambda: None
) -> Group:
    """Let every contender do the work once a round, one after the other, so that what disturbs one disturbs all.

    Who fails is named with the reason, `clean` removes what that one has left, and it does not run again.
    """
    rows = {each.name: Row(each.name, note=each.missing or _counted(each, rounds)) for each in contenders}
    able = [each for each in contenders if not each.missing]
    for number in range(rounds):
        for each in tuple(able):
            sys.stderr.write(f"\r\033[K{title}: round {number + 1} of {rounds}, {each.name}")
            sys.stderr.flush()
            try:
                seconds = each.run()
            except Failed as failure:
                rows[each.name].note = f"failed in round {number + 1}: {failure}"
                able.remove(each)
                clean()
                continue
            for stage, taken in seconds.items():
                rows[each.name].stages.setdefault(stage, []).append(taken)
    sys.stderr.write("\r\033[K")
    return Group(title, list(rows.values()), text, conditions=Conditions.now())


def _counted(contender: Contender, rounds: int) -> str:
    """Return a contender's note, with the number of rounds where these are fewer than they should be."""
    told = f"{rounds} round{'s' if rounds > 1 else ''}" if rounds < ROUNDS else ""
    return "; ".join(filter(None, (contender.note, told)))


@dataclass(frozen=True)
class Done:
    """A program that ended: its seconds, the most memory it had, and both its outputs."""

    seconds: float
    mebibytes: float
    output: str
    said: str


def timed(argv: Sequence[str], *, accepted: Sequence[int] = (0,), text: str = "", **environment: str) -> Done:
    """Run a program and return what it took; raises Failed, with its last words, for any other exit code."""
    with TemporaryFile() as given, TemporaryFile() as out, TemporaryFile() as err:
        given.write(text.encode())
        given.seek(0)
        began = time.monotonic()
        program = subprocess.Popen(argv, stdin=given, stdout=out, stderr=err, env={**_environment(), **environment})
        _, status, usage = os.wait4(program.pid, 0)
        seconds = time.monotonic() - began
        program.returncode = os.waitstatus_to_exitcode(status)
        output, said = (_read(stream) for stream in (out, err))
    if program.returncode not in accepted:
        lines = [line for line in f"{output}\n{said}".splitlines() if line.strip()] or ["it said nothing"]
        words = next((line for line in lines if "rror" in line or "fatal" in line), lines[-1])
        raise Failed(f"{Path(argv[0]).name} ended with {program.returncode}: {words[:300]}")
    return Done(seconds, usage.ru_maxrss / 1024, output, said)


def _environment() -> dict[str, str]:
    """Return this process's environment, without what keeps a Python from starting as it does for everybody."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def _read(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode(errors="replace")
