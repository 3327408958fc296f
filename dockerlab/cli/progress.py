"""Progress on standard error: a live line on a terminal, a plain line for each object elsewhere."""

from __future__ import annotations

import sys
import threading
import time

from rich.console import Console
from rich.status import Status

from dockerlab.command import Command, Result
from dockerlab.errors import DockerlabError
from dockerlab.plan import Key, Step

DONE = {"create": "created", "recreate": "recreated", "remove": "removed", "keep": "kept", "clear": "cleared"}


class Progress:
    """Tells a person what is done, from whichever thread; use it with `contextlib.closing`."""

    def __init__(self, total: int, *, verbose: bool = False) -> None:
        self._lock = threading.Lock()
        self._verbose = verbose
        self._total, self._done = total, 0
        self._began: dict[Key, float] = {}
        self._console = Console(file=sys.stderr, highlight=False, markup=False, soft_wrap=True)
        self._live = Status("", console=self._console) if self._console.is_terminal else None

        if self._live is not None:
            self._live.start()

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
            self._console.print(f"{command.host:<8} {result.seconds:6.2f} s  {command.shell()}{code}")

    def finished(self, step: Step, failure: DockerlabError | None) -> None:
        """Show that an object is done."""
        with self._lock:
            seconds = time.monotonic() - self._began.pop(step.key, time.monotonic())
            self._done += 1
            if failure is not None:
                self._console.print(f"failed     {step.key}")
            elif step.commands and step.action not in ("clear", "keep"):
                self._console.print(f"{DONE[step.action]:<10} {step.key}  ({seconds:.1f} s)")
            self._show()

    def _show(self) -> None:
        if self._live is not None:
            busy = ", ".join(str(key) for key in list(self._began)[:3])
            self._live.update(f"{self._done}/{self._total}  {busy}")
