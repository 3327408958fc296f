"""Run a plan on its hosts: whatever does not wait for something else runs at once, and a failure is rolled back."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Protocol

from dockerlab.command import Command, Result
from dockerlab.errors import ConnectError, DockerlabError, ExecutionError, HostError, Interrupted
from dockerlab.hosts.base import Host, Input
from dockerlab.interrupt import asked_to_stop
from dockerlab.plan import Key, Plan, Step

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

    def finished(self, step: Step, failure: DockerlabError | None) -> None:
        """Take note that a step ended."""
        ...


TAKEN = ("is already in use by", "already exists")
"""What the engine says of a container's and of a network's name that something else has."""


class NameTaken(ExecutionError):
    """Nothing was made, because something that is not ours has taken the name since we looked."""


@dataclass
class Execution:
    """What a run did: the steps that were begun, in order, and why it stopped early if it did."""

    begun: list[Step] = field(default_factory=list)
    failures: dict[Key, DockerlabError] = field(default_factory=dict)
    interrupted: bool = False

    @property
    def complete(self) -> bool:
        """Tell whether every step was done."""
        return not self.failures and not self.interrupted


def execute(plan: Plan, hosts: Mapping[str, Host], reporter: Reporter, *, keep_going: bool = False) -> Execution:
    """Run every step of a plan once the steps before it are done.

    After a failure nothing new is begun, unless `keep_going`: then only what depends on the failed step is left
    out. Ctrl-C lets what runs come to its end; a second one does not.
    """
    steps = {step.key: step for step in plan.steps}
    graph, execution, values = plan.graph(), Execution(), dict[str, str]()
    graph.prepare()
    running: dict[Future[None], Step] = {}
    ready: deque[Key] = deque()
    workers = max(1, sum(host.channels for host in hosts.values()))
    pool = ThreadPoolExecutor(workers, thread_name_prefix="step")
    try:
        with asked_to_stop() as asked:
            while graph.is_active():
                execution.interrupted = asked.is_set()
                stopped = execution.interrupted or (execution.failures and not keep_going)
                ready.extend(graph.get_ready())
                while ready and not stopped and len(running) < workers:  # what waits for a worker has not begun
                    step = steps[ready.popleft()]
                    execution.begun.append(step)
                    running[pool.submit(_perform, step, hosts, values, reporter)] = step
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
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return execution


def roll_back(execution: Execution, hosts: Mapping[str, Host], reporter: Reporter) -> list[str]:
    """Undo every step that was begun, last first; return what could not be undone, a line each.

    Where a step failed because its name was taken meanwhile, what has that name is not ours and stays.
    """
    left: list[str] = []
    unreachable = {failure.host for failure in execution.failures.values() if isinstance(failure, ConnectError)}
    for step in reversed(execution.begun):
        taken = isinstance(execution.failures.get(step.key), NameTaken)
        if step.action not in ("create", "recreate") or not step.undo or taken:
            continue
        if step.key.host in unreachable:
            left.append(f"{step.key}: the host does not answer")
            continue
        for command in step.undo:
            try:
                result = _run(hosts[step.key.host], command, command.resolve({}))
            except HostError as error:
                unreachable.add(step.key.host)
                left.append(f"{step.key}: {error}")
                break
            reporter.ran(command, result)
            if not result.ok and not _absent(result):
                left.append(f"{step.key}: {result.error}")
    return left


def raise_for(execution: Execution, left: list[str] | None) -> None:
    """Raise what stopped an execution: ExecutionError with every cause, or Interrupted; nothing if it is complete.

    `left` is what a rollback could not undo, or None when there was no rollback.
    """
    if execution.complete:
        return
    causes = [str(failure) for failure in execution.failures.values()]
    if left is None:
        causes.append("what was made so far is kept; 'dockerlab down' removes it")
    elif left:
        causes += ["could not be undone:", *(f"  {line}" for line in left)]
    else:
        causes.append("everything that this run had created was removed again")
    if execution.interrupted and not execution.failures:
        raise Interrupted("stopped: " + "\n".join(causes))
    raise ExecutionError("\n".join(causes))


def _perform(step: Step, hosts: Mapping[str, Host], values: dict[str, str], reporter: Reporter) -> None:
    reporter.started(step)
    for command in step.commands:
        host = hosts[command.host]
        feed = command.feeds() if command.feeds is not None else None
        result = _run(host, command, command.resolve(values), feed)
        reporter.ran(command, result)
        if not result.ok:
            what = f"{step.key} failed (exit code {result.rc})\n  {command.shell()}\n  {result.error}"
            taken = command is step.commands[0] and any(text in result.error for text in TAKEN)
            raise (NameTaken if taken else ExecutionError)(what + _remedy(step, result))
        if command.stores is not None:
            values[command.stores] = result.text.strip()


def _run(host: Host, command: Command, argv: Sequence[str], feed: Input | None = None) -> Result:
    """Run a command; where its failure means "not yet", run it again for a while."""
    deadline = time.monotonic() + PATIENCE
    while True:
        result = host.run(argv, input=feed, timeout=600 if feed is not None else 180)
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
    return any(words in text for words in ("no such", "not found", "not part of a swarm"))


def _remedy(step: Step, result: Result) -> str:
    """Return what to do about a failed step, as a line of its own, where we can tell more than the engine did."""
    said = result.error.lower()
    if step.key.kind == "image":
        image, host = step.key.name, step.key.host
        return (
            f"\n  Get the image {image} onto this machine, from where `up` sends it to {host}, or load it on {host} "
            "yourself (docker save, docker load)."
        )
    if "port is already allocated" in said or "address already in use" in said:
        return f"\n  Stop what holds the port on {step.key.host}, or publish another one in `ports`."
    return ""
