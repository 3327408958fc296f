"""Several places started or taken away side by side."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from dockerlab.errors import DockerlabError, SandboxError
from dockerlab.sandbox.commands import followed
from dockerlab.sandbox.place.entering import argv
from dockerlab.sandbox.place.limits import Limits
from dockerlab.sandbox.place.making import Report, make
from dockerlab.sandbox.place.naming import checked, forget_killed
from dockerlab.sandbox.place.removing import remove

AT_ONCE = 4
"""A start waits for its engines more than it computes; with more than this, each only takes longer."""


@dataclass(frozen=True)
class Outcome:
    """What became of one place: what was said of it (its hosts, or what was removed), and why it failed, if it did."""

    name: str
    said: str = ""
    failure: DockerlabError | None = None


def start(
    names: Iterable[str], arguments: Sequence[str] = (), limits: Limits | None = None, report: Report = lambda _: None
) -> list[Outcome]:
    """Make those places and start the sandbox in each, `AT_ONCE` side by side; return what became of each, in order.

    `arguments` are those of `dockerlab sandbox up`. `report` is told each step, with the name ahead, from any thread. A
    place whose sandbox does not start is taken away again, unless it was there. Raises UsageError beforehand.
    """
    return _each(names, lambda name: _started(name, arguments, limits, _named(name, report)))


def take_down(names: Iterable[str], report: Report = lambda _: None) -> list[Outcome]:
    """Remove those places side by side and return what became of each, in order; raises UsageError beforehand."""
    outcomes = _each(names, lambda name: ", ".join(remove(name, _named(name, report))))
    forget_killed()
    return outcomes


def _each(names: Iterable[str], work: Callable[[str], str]) -> list[Outcome]:
    wanted = [checked(name) for name in dict.fromkeys(names)]

    def outcome(name: str) -> Outcome:
        try:
            return Outcome(name, work(name))
        except DockerlabError as error:
            return Outcome(name, failure=error)

    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="place")
    try:
        return list(pool.map(outcome, wanted))
    finally:
        pool.shutdown(cancel_futures=True)


def _started(name: str, arguments: Sequence[str], limits: Limits | None, report: Report) -> str:
    place = make(name, limits, report)
    for each in place.unlimited:
        report(f"no limit of {each}")
    command = argv(name, [sys.executable, "-m", "dockerlab", "sandbox", "up", *arguments])
    code, said, told = followed(command, report)
    if code:
        if place.new:
            remove(name)
        raise SandboxError("\n".join(told).removeprefix("dockerlab: ") or f"it ended with {code}")
    return said


def _named(name: str, report: Report) -> Report:
    return lambda line: report(f"{name}: {line}")
