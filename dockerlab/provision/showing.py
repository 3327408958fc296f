"""A reporter that shows what each command changed on its host: looked at before, looked at after."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timezone

from dockerlab.command import Command, Result
from dockerlab.errors import DockerlabError, HostError
from dockerlab.hosts.base import Host
from dockerlab.machinery import send
from dockerlab.machinery.episodes import Episode, between
from dockerlab.machinery.model import Machinery
from dockerlab.plan import Key, Step
from dockerlab.provision.reporting import Reporter

MEANWHILE = "in between, by no command on this host: something that took its time, or that was done elsewhere"


class Showing:
    """Lets the steps of one host take turns, so that each change has one cause, and tells what each command changed.

    `look` gives what is on a host now; `show` is told, from whichever thread.
    """

    one_by_one = True

    def __init__(
        self,
        reporter: Reporter,
        hosts: Mapping[str, Host],
        show: Callable[[Episode], None],
        look: Callable[[Host], Machinery] = send.look,
    ) -> None:
        self._reporter, self._hosts, self._show, self._look = reporter, hosts, show, look
        self._turns = {name: threading.Lock() for name in hosts}
        self._taken: dict[Key, str] = {}
        self._last: dict[str, Machinery | None] = {}
        self.lost = reporter.lost

    def started(self, step: Step) -> None:
        """Wait for the host's turn, then see how it is before the first command."""
        if step.commands:
            host = step.commands[0].host
            self._turns[host].acquire()
            self._taken[step.key] = host
            self._meanwhile(host)
        self._reporter.started(step)

    def ran(self, command: Command, result: Result) -> None:
        """Tell what a command changed."""
        self._reporter.ran(command, result)
        before = self._last.get(command.host)
        after, failure = self._seen(command.host)
        changes = between(before, after) if before is not None and after is not None else ()
        failure = failure or ("" if before is not None else "it could not be looked at before the command")
        self._show(Episode(_now(), command.host, command.why, command.told(), result.seconds, changes, failure))

    def finished(self, step: Step, failure: DockerlabError | None) -> None:
        """Give the turn to the next step of that host."""
        self._reporter.finished(step, failure)
        host = self._taken.pop(step.key, None)
        if host is not None:
            self._turns[host].release()

    def end(self) -> None:
        """Tell what came after the last command; for when all is done."""
        for host in self._last:
            self._meanwhile(host)

    def _meanwhile(self, host: str) -> None:
        """See how a host is now, and tell what no command of ours there can have changed."""
        before = self._last.get(host)
        after, failure = self._seen(host)
        changes = between(before, after) if before is not None and after is not None else ()
        told = Episode(_now(), host, MEANWHILE, changes=changes, failure=failure)
        if told.notable:
            self._show(told)

    def _seen(self, host: str) -> tuple[Machinery | None, str]:
        """Return what is on a host now, or why that cannot be told: that is no reason to stop what is done there."""
        try:
            self._last[host] = self._look(self._hosts[host])
        except HostError as error:
            self._last[host] = None
            return None, str(error)
        return self._last[host], ""


def _now() -> datetime:
    return datetime.now(timezone.utc)
