"""Who is told what becomes of the steps of a plan, and may still stop one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

from dockerlab.command import Command, Result
from dockerlab.errors import DockerlabError, HostError
from dockerlab.lock import Locks
from dockerlab.plan import Plan, Step


class Reporter(Protocol):
    """Who is told what happens, from several threads."""

    @property
    def one_by_one(self) -> bool:
        """Tell whether each step is to be seen for itself, so that no command may do several of them."""
        ...

    def started(self, step: Step) -> None:
        """Take note that a step begins."""
        ...

    def ran(self, command: Command, result: Result) -> None:
        """Take note of a finished command, whatever its exit code."""
        ...

    def lost(self, step: Step, loss: HostError) -> None:
        """Take note that a host or its engine was lost, and is now waited for and asked."""
        ...

    def finished(self, step: Step, failure: DockerlabError | None) -> None:
        """Take note that a step ended."""
        ...


class WhileLocked:
    """A reporter that lets no step begin on a host where the lab's lock is no longer ours."""

    def __init__(self, reporter: Reporter, locks: Locks) -> None:
        self._locks = locks
        self._reporter = reporter
        self.ran, self.lost, self.finished = reporter.ran, reporter.lost, reporter.finished
        self.one_by_one = reporter.one_by_one

    def started(self, step: Step) -> None:
        """Take note that a step begins; raises ConflictError or HostError when it may not."""
        self._reporter.started(step)
        self._locks.confirm(step.key.host)


class Silent:
    """Tells nothing of what is done."""

    one_by_one = False

    def started(self, step: Step) -> None:
        """Do nothing."""

    def ran(self, command: Command, result: Result) -> None:
        """Do nothing."""

    def lost(self, step: Step, loss: HostError) -> None:
        """Do nothing."""

    def finished(self, step: Step, failure: DockerlabError | None) -> None:
        """Do nothing."""


Reporting = Callable[[Plan], AbstractContextManager[Reporter]]
"""Gives who is told of the steps of a plan, for as long as they are carried out."""


@contextmanager
def reported(plan: Plan, reporting: Reporting, locks: Locks) -> Iterator[Reporter]:
    """Give who is told of the steps of a plan, none of which begins where the lock is no longer ours."""
    with reporting(plan) as reporter:
        yield WhileLocked(reporter, locks)


def silently(_plan: Plan) -> AbstractContextManager[Reporter]:
    """Give a reporter that tells nothing of what is done."""
    return nullcontext(Silent())
