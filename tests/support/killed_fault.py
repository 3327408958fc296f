"""A process that is killed while it breaks something: python -m support.killed_fault EXERCISE FAULT ON STATE.

It ends as by a power cut right after the fault's first command.
"""

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from dockerlab.cli.progress import reporting
from dockerlab.exercise import breaking, loader, progress
from dockerlab.exercise.trial import Trial
from dockerlab.faults.fault import Break
from dockerlab.session import Whereabouts, open_session


class Dying:
    """A host on which the process ends right after one certain command."""

    def __init__(self, host, last):
        self._host, self._last = host, last
        self.name, self.address, self.channels = host.name, host.address, host.channels
        self.resume, self.keep = host.resume, host.keep
        self.converse, self.stream, self.close = host.converse, host.stream, host.close

    def run(self, argv, **options):
        result = self._host.run(argv, **options)
        if tuple(argv) == self._last:
            os.kill(os.getpid(), signal.SIGKILL)
        return result


def main(name: str, fault: str, on: str, state: Path) -> None:
    here = progress.current(name, state)
    folder = loader.load(here.folder)
    with open_session(folder.lab.addresses, Whereabouts(here.sandbox, here.inventory), lambda _line: None) as session:
        trial = Trial(injuries=breaking.ready(folder, [Break(fault=fault, on=on)], session.hosts, wide=True))
        progress.write(here.model_copy(update={"trial": trial}), state)
        hosts = {name: Dying(host, trial.injuries[0].inject[0].argv) for name, host in session.hosts.items()}
        breaking.break_it(folder, trial, replace(session, hosts=hosts), reporting(silent=True), "")


if __name__ == "__main__":
    main(*sys.argv[1:4], Path(sys.argv[4]))
