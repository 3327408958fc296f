"""An exercise whose sandbox is gone, with all that was made in it: how that is known, and how it is set up again."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from dockerlab.errors import ExecutionError
from dockerlab.exercise import course
from dockerlab.exercise.model import Folder
from dockerlab.exercise.progress import Progress
from dockerlab.hosts.base import Host
from dockerlab.provision.reporting import Reporting
from dockerlab.session import Session, Whereabouts

STEP_TIMEOUT = 300.0
"""Seconds that the commands of one step may take."""

GO_ON = "trap 'code=$?; [ $code -eq 127 ] || exit $code' ERR"
"""As `set -e`, but for a program that is not there."""


def is_lost(here: Progress, now: Mapping[str, str]) -> bool:
    """Tell whether the sandbox of an exercise is not the one it was begun in, by the keys of the hosts that are there.

    One that grew since is the same.
    """
    if not here.sandbox:
        return False
    return not now or any(now.get(address) != key for address, key in here.machines.items())


def told(folder: Folder, here: Progress) -> str:
    """Return that it is lost, and the one command that helps."""
    return (
        f"{folder.id}: the sandbox that it was begun in is gone, and with it all that was made there; "
        f"'{course.again(folder)}' sets it up again, to where you were: {_at(folder, here.step)}"
    )


def set_up(
    folder: Folder, here: Progress, session: Session, reporting: Reporting, undo: str, say: Callable[[str], None]
) -> Progress:
    """Make on new hosts what was there before the current step, and return the progress; `say` is told of each step.

    What is given at the beginning is made as at the beginning, the steps that are done by the commands of the README.
    Raises ExecutionError where one of these fails.
    """
    again = course.new(folder, Whereabouts(sandbox=True), course.survey(folder, session.hosts))
    make = course.make if folder.exercise.begin == "made" else course.bring_images
    make(folder, session, reporting, undo)
    retrace(folder, here.step, session.controller, "'dockerlab sandbox down'", say)
    return again.model_copy(update={"step": here.step, "started": here.started, "solved": here.solved})


def retrace(folder: Folder, steps: int, machine: Host, undo: str, say: Callable[[str], None]) -> None:
    """Do the first steps of an exercise by the commands of its README; `say` is told of each.

    Raises ExecutionError where one of them fails, which names `undo`, the command that takes away what there is then.
    """
    for number, section in enumerate(folder.sections[:steps], 1):
        say(f"step {number}: {section.title}")
        for block in section.blocks:
            if not block.fails:  # what is to fail changes nothing
                _type(block.text, machine, number, undo)


def _type(text: str, machine: Host, number: int, undo: str) -> None:
    """Run commands as somebody types them, with the `dockerlab` that runs now.

    A program that a host lacks would only have shown something there: what comes after it is typed all the same.
    """
    path = f"PATH={Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"
    result = machine.run(("env", path, "bash", "-uc", f"{GO_ON}\n{text}\ntrue"), timeout=STEP_TIMEOUT)
    if not result.ok:
        raise ExecutionError(
            f"the commands of step {number} failed (exit code {result.rc}): {result.error}\n{text}\n"
            f"{undo} takes away what there is by now; then the same command begins once more"
        )


def _at(folder: Folder, step: int) -> str:
    steps = len(folder.exercise.steps)
    return f"step {step + 1} of {steps}" if step < steps else f"all {steps} steps are done"
