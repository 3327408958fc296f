"""Progress on standard error: a live line on a terminal, a plain line for each object elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import AbstractContextManager, closing
from typing import TYPE_CHECKING

from dockerlab.cli.output import columns, say
from dockerlab.command import Command, Result
from dockerlab.errors import DockerlabError, HostError
from dockerlab.folding import fold, folded
from dockerlab.plain import for_terminal
from dockerlab.plan import Key, Plan, Step

if TYPE_CHECKING:
    from rich.status import Status

    from dockerlab.provision.reporting import Reporter, Reporting

DONE = {"create": "created", "recreate": "recreated", "remove": "removed", "keep": "kept", "clear": "cleared"}


class Progress:
    """Tells a person what is done, from whichever thread; use it with `contextlib.closing`."""

    one_by_one = False

    def __init__(self, total: int, *, verbose: bool = False) -> None:
        self._lock = threading.Lock()
        self._verbose = verbose
        self._total, self._done = total, 0
        self._began: dict[Key, float] = {}
        self._live = _live_line() if sys.stderr.isatty() else None

    def close(self) -> None:
        """Take the live line away."""
        if self._live is not None:
            self._live.stop()

    def started(self, step: Step) -> None:
        """Show what is being worked on."""
        with self._lock:
            self._began[step.key] = time.monotonic()
            self._show()

    def ran(self, command: Command, result: Result) -> None:
        """Show a command with its host and time, when everything is to be shown."""
        if self._verbose:
            code = "" if result.ok else f"  exit code {result.rc}"
            self._say(f"{command.host:<8} {result.seconds:6.2f} s  {command.shell()}{code}")

    def lost(self, step: Step, loss: HostError) -> None:
        """Say that a host is waited for: that may take a while."""
        with self._lock:
            self._say(f"lost       {step.key}: waiting for {loss.host}, to see what came of it ({loss})")

    def finished(self, step: Step, failure: DockerlabError | None) -> None:
        """Show that an object is done."""
        with self._lock:
            seconds = time.monotonic() - self._began.pop(step.key, time.monotonic())
            self._done += 1
            if failure is not None:
                self._say(f"failed     {step.key}")
            elif step.commands and step.action not in ("clear", "keep"):
                self._say(f"{DONE[step.action]:<10} {step.key}  ({seconds:.1f} s)")
            self._show()

    def _say(self, line: str) -> None:
        """Print a line, above the live one where there is one."""
        if self._live is None:
            say(line)
        else:
            self._live.console.print(folded(for_terminal(line), columns(sys.stderr)))

    def _show(self) -> None:
        if self._live is not None:
            busy = ", ".join(str(key) for key in list(self._began)[:3])
            self._live.update(fold(f"{self._done}/{self._total}  {busy}", columns(sys.stderr))[0])


def _live_line() -> Status:
    """Return a line at the bottom of the terminal that can be written anew; its library is imported only for one."""
    from rich.console import Console
    from rich.status import Status

    live = Status("", console=Console(file=sys.stderr, highlight=False, markup=False, soft_wrap=True))
    live.start()
    return live


def reporting(*, verbose: bool = False, silent: bool = False) -> Reporting:
    """Return how the steps of a plan are shown on standard error."""
    from dockerlab.provision.reporting import silently

    def of(plan: Plan) -> AbstractContextManager[Reporter]:
        return silently(plan) if silent else closing(Progress(len(plan.steps), verbose=verbose))

    return of
