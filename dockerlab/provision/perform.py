"""Perform steps: run their commands, wait where the engine says "not yet", and say what came of each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from dockerlab.command import Command, Result
from dockerlab.errors import DeadlineExceeded, DockerlabError, ExecutionError, HostError
from dockerlab.hosts.base import Host
from dockerlab.plain import printable
from dockerlab.plan import Key, Step
from dockerlab.plan.waiting import COMPLETED, HEALTHY
from dockerlab.provision import reconcile
from dockerlab.provision.queue import joint
from dockerlab.provision.remedies import remedy

PATIENCE = 15.0
"""Seconds for which a command is tried again that has to wait for the engine."""

TIMEOUT, LONG = 180.0, 600.0
"""Seconds that a command may take; and one that makes an image, is fed with one, or waits for a container."""

Cure = Callable[[Host, Key, Result], Sequence[Command]]
"""What to run after a step's command has failed, so that it may succeed when it is run again; nothing: it stays so."""


@dataclass(frozen=True)
class Performer:
    """Performs steps on the hosts; several threads may use it at the same time.

    `began` hears of a step before its first command, and may refuse it by raising a DockerlabError; `ran` hears of each
    command's end, `lost` of a host or an engine that went away under a step. `values` are what commands stored.
    """

    hosts: Mapping[str, Host]
    began: Callable[[Step], None]
    ran: Callable[[Command, Result], None]
    lost: Callable[[Step, HostError], None]
    cure: Cure
    values: dict[str, str] = field(default_factory=dict)

    def perform(self, steps: Iterable[Step]) -> dict[Key, DockerlabError]:
        """Do a step, or several that go together, and return why which of them failed.

        Several are done by one command. Where it does not do all of them, each is done for itself: the host shows what
        came of it already, or it fails for a reason of its own. Where the host is lost, it is waited for once for all.
        """
        failures: dict[Key, DockerlabError] = {}

        def attempt(step: Step, do: Callable[[Step], None]) -> bool:
            try:
                do(step)
            except DockerlabError as error:
                failures[step.key] = error
                return False
            return True

        begun = [step for step in steps if attempt(step, self.began)]
        try:
            done = len(begun) > 1 and self._together(begun)
        except HostError as loss:
            return failures | {step.key: loss for step in begun}
        for step in () if done else begun:
            attempt(step, self._alone)
        return failures

    def _together(self, steps: Sequence[Step]) -> bool:
        """Do steps by one command, and tell whether it did all of them; raises HostError where the host is lost."""
        command = joint(steps)
        try:
            result = self._run(steps[0], command)
        except DeadlineExceeded:
            return False  # one of them may be stuck, and the others done
        self.ran(command, result)
        return result.ok

    def _alone(self, step: Step) -> None:
        """Do one step; raises ExecutionError for a command that failed, and HostError where the host is lost."""
        for command in step.commands:
            attempt = partial(self._run, step, command)
            result = _patiently(command, attempt)
            self.ran(command, result)
            host = self.hosts[command.host]
            cures = () if result.ok else self.cure(host, step.key, result)
            for each in cures:
                argv = each.resolve(self.values)
                self.ran(each, host.run(argv, input=each.given(), timeout=_timeout(step, command)))
            if cures:
                result = attempt()
                self.ran(command, result)
            gone = step.key.half == "unmake" and _absent(result)
            if not result.ok and not gone:
                told = command.why if _waits(command) else command.told()
                what = f"{step.key} failed (exit code {result.rc})\n  {told}\n  {printable(result.error)}"
                raise ExecutionError(what + remedy(step.key, result))
            if command.stores is not None:
                self.values[command.stores] = result.text.strip()

    def _run(self, step: Step, command: Command) -> Result:
        """Return what a command of a step came to, also where its connection or its engine was lost meanwhile."""
        host, argv = self.hosts[command.host], command.resolve(self.values)
        return reconcile.run(host, command, argv, _timeout(step, command), lost=partial(self.lost, step))


def _waits(command: Command) -> bool:
    """Tell whether a command only waits for a container; it is a script, which says nothing to a person."""
    return command.argv[2:3] in ((HEALTHY,), (COMPLETED,))


def _timeout(step: Step, command: Command) -> float:
    return LONG if _waits(command) or command.feeds is not None or step.key.kind == "built image" else TIMEOUT


def _patiently(command: Command, run: Callable[[], Result]) -> Result:
    """Run a command; where its failure means "not yet", run it again for a while."""
    deadline = time.monotonic() + PATIENCE
    while True:
        result = run()
        waits = any(text in result.error for text in command.waits_for)
        if result.ok or not waits or time.monotonic() > deadline:
            return result
        time.sleep(0.3)


def _absent(result: Result) -> bool:
    """Tell whether a removal failed only because there is nothing to remove."""
    text = result.error.lower()
    return not result.ok and any(words in text for words in ("no such", "not found", "not part of a swarm"))
