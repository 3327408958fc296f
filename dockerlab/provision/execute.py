"""Run a plan on its hosts: whatever does not wait for something else runs at once, and a failure is rolled back."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from threading import Event
from typing import Protocol

from dockerlab.command import Command, Result
from dockerlab.errors import DockerlabError, EngineError, ExecutionError, HostError, Interrupted
from dockerlab.hosts.base import Host
from dockerlab.interrupt import asked_to_stop
from dockerlab.lock import Locks
from dockerlab.plain import printable
from dockerlab.plan import Key, Plan, Step
from dockerlab.provision import reconcile, stale
from dockerlab.provision.remedies import remedy

PATIENCE = 15.0
"""Seconds for which a command is tried again that has to wait for the engine."""


class Reporter(Protocol):
    """Who is told what happens, from several threads."""

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

    def started(self, step: Step) -> None:
        """Take note that a step begins; raises ConflictError or HostError when it may not."""
        self._reporter.started(step)
        self._locks.confirm(step.key.host)


@dataclass
class Execution:
    """What a run did: the steps that were begun, in order, and why it stopped early if it did.

    `restarted` are the hosts whose engine went away meanwhile and came back, perhaps without what it had run before.
    `abandoned` when nobody waits for its steps any more.
    """

    begun: list[Step] = field(default_factory=list)
    failures: dict[Key, DockerlabError] = field(default_factory=dict)
    interrupted: bool = False
    restarted: set[str] = field(default_factory=set)
    abandoned: bool = False

    @property
    def complete(self) -> bool:
        """Tell whether every step was done."""
        return not self.failures and not self.interrupted


Cure = Callable[[Host, Key, Result], Sequence[Command]]
"""What to run after a step's command has failed, so that it may succeed when it is run again; nothing: it stays so."""


def execute(
    plan: Plan,
    hosts: Mapping[str, Host],
    reporter: Reporter,
    *,
    keep_going: bool = False,
    stoppable: bool = True,
    cure: Cure = stale.cures,
) -> Execution:
    """Run every step of a plan once the steps before it are done.

    After a failure nothing new is begun, unless `keep_going`: then only what depends on the failed step is left
    out. Ctrl-C lets what runs come to its end; a second one does not, nor does the first one unless `stoppable`.
    """
    steps = {step.key: step for step in plan.steps}
    graph, execution, values = plan.graph(), Execution(), dict[str, str]()
    graph.prepare()
    running: dict[Future[None], Step] = {}
    ready: deque[Key] = deque()
    workers = max(1, sum(host.channels for host in hosts.values()))
    pool = ThreadPoolExecutor(workers, thread_name_prefix="step")
    try:
        with asked_to_stop() if stoppable else nullcontext(Event()) as asked:
            while graph.is_active():
                execution.interrupted = asked.is_set()
                stopped = execution.interrupted or (execution.failures and not keep_going)
                ready.extend(graph.get_ready())
                while ready and not stopped and len(running) < workers:  # what waits for a worker has not begun
                    step = steps[ready.popleft()]
                    execution.begun.append(step)
                    running[pool.submit(_perform, step, hosts, values, reporter, execution, cure)] = step
                if not running:
                    break
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    step = running.pop(future)
                    failure = _failure(future)
                    reporter.finished(step, failure)
                    if failure is None:
                        graph.done(step.key)
                    else:
                        execution.failures[step.key] = failure
            execution.interrupted = asked.is_set()
    except BaseException:
        # What still runs loses its connections now: that is the end of this run, and no news about a host.
        execution.abandoned = True
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return execution


def raise_for(execution: Execution, *ending: str) -> None:
    """Raise what stopped an execution: ExecutionError with every cause, or Interrupted; nothing if it is complete.

    `ending` are lines on what has become of what was made, and what to do now.
    """
    if execution.complete:
        return
    lines = [*(str(failure) for failure in execution.failures.values()), *ending]
    if execution.interrupted and not execution.failures:
        raise Interrupted("stopped: " + "\n".join(lines))
    raise ExecutionError("\n".join(lines))


def _perform(
    step: Step, hosts: Mapping[str, Host], values: dict[str, str], reporter: Reporter, execution: Execution, cure: Cure
) -> None:
    def lost(loss: HostError) -> None:
        if not execution.abandoned:
            reporter.lost(step, loss)
        if isinstance(loss, EngineError):
            execution.restarted.add(loss.host)

    reporter.started(step)
    for command in step.commands:
        long = command.feeds is not None or step.key.kind == "built image"
        argv, timeout = command.resolve(values), 600 if long else 180
        attempt = partial(reconcile.run, hosts[command.host], command, argv, timeout, lost=lost)
        result = _patiently(command, attempt)
        reporter.ran(command, result)
        cures = () if result.ok else cure(hosts[command.host], step.key, result)
        for each in cures:
            reporter.ran(each, hosts[command.host].run(each.resolve(values), input=each.given(), timeout=timeout))
        if cures:
            result = attempt()
            reporter.ran(command, result)
        gone = step.key.half == "unmake" and _absent(result)
        if not result.ok and not gone:
            what = f"{step.key} failed (exit code {result.rc})\n  {command.told()}\n  {printable(result.error)}"
            raise ExecutionError(what + remedy(step.key, result))
        if command.stores is not None:
            values[command.stores] = result.text.strip()


def _patiently(command: Command, run: Callable[[], Result]) -> Result:
    """Run a command; where its failure means "not yet", run it again for a while."""
    deadline = time.monotonic() + PATIENCE
    while True:
        result = run()
        waits = any(text in result.error for text in command.waits_for)
        if result.ok or not waits or time.monotonic() > deadline:
            return result
        time.sleep(0.3)


def _failure(future: Future[None]) -> DockerlabError | None:
    error = future.exception()
    if error is None or isinstance(error, DockerlabError):
        return error
    raise error


def _absent(result: Result) -> bool:
    """Tell whether a removal failed only because there is nothing to remove."""
    text = result.error.lower()
    return not result.ok and any(words in text for words in ("no such", "not found", "not part of a swarm"))
