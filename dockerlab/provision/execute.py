"""Run a plan on its hosts: whatever does not wait for something else runs at once, and a failure is rolled back."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from threading import Event

from dockerlab.errors import DockerlabError, EngineError, ExecutionError, HostError, Interrupted
from dockerlab.hosts.base import Host
from dockerlab.interrupt import asked_to_stop
from dockerlab.plan import Key, Plan, Step
from dockerlab.provision import stale
from dockerlab.provision.perform import Cure, Performer
from dockerlab.provision.queue import Queue
from dockerlab.provision.reporting import Reporter


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

    def lost(self, reporter: Reporter, step: Step, loss: HostError) -> None:
        """Take note of a loss under a step, and tell it as long as somebody waits."""
        if not self.abandoned:
            reporter.lost(step, loss)
        if isinstance(loss, EngineError):
            self.restarted.add(loss.host)


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
    graph, execution = plan.graph(), Execution()
    graph.prepare()
    queue = Queue(hosts, one_by_one=reporter.one_by_one)
    running: dict[Future[dict[Key, DockerlabError]], list[Step]] = {}

    performer = Performer(hosts, reporter.started, reporter.ran, partial(execution.lost, reporter), cure)
    workers = max(1, sum(host.channels for host in hosts.values()))
    pool = ThreadPoolExecutor(workers, thread_name_prefix="step")
    try:
        with asked_to_stop() if stoppable else nullcontext(Event()) as asked:
            while graph.is_active():
                execution.interrupted = asked.is_set()
                stopped = execution.interrupted or (execution.failures and not keep_going)
                for key in graph.get_ready():
                    queue.add(steps[key])
                for taken in () if stopped else queue.begin():
                    execution.begun += taken
                    running[pool.submit(performer.perform, taken)] = taken
                if not running:
                    break
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    ended, failures = running.pop(future), future.result()
                    queue.ended(ended)
                    for step in ended:
                        reporter.finished(step, failures.get(step.key))
                    execution.failures.update(failures)
                    graph.done(*(step.key for step in ended if step.key not in failures))
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
