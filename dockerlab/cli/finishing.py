"""How commands end: a report in the wanted format, what was removed, the exit code."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from dockerlab.cli import options as o
from dockerlab.cli.output import say, width, write
from dockerlab.errors import HostError

if TYPE_CHECKING:
    from dockerlab.provision.down import Taken
    from dockerlab.verify import Report


def finish(report: Report, form: o.Format, output: Path | None, *, why: bool) -> None:
    """Print a report in the wanted format and end with its exit code."""
    from dockerlab.report.matrices import total

    write(_rendered(report, form, why=why), output)
    for paragraph in (*report.ended, *map(str, report.silent.values())):
        say(paragraph)
    if output is not None:
        say(total(report))
    raise typer.Exit(report.exit_code)


def _rendered(report: Report, form: o.Format, *, why: bool) -> str:
    if form is o.Format.TABLE:
        from dockerlab.report import as_table

        return as_table.render(report, width(), why=why)
    if form is o.Format.HTML:
        from dockerlab.identity import current
        from dockerlab.provision import scripts
        from dockerlab.report import as_html

        lab = report.world.lab if report.world is not None else None
        return as_html.render(report, scripts.commands_of(lab, current(lab.name)) if lab is not None else {})
    text: str = import_module(f"dockerlab.report.as_{form.value}").render(report)
    return text


def refuse_partial(silent: Mapping[str, HostError]) -> None:
    """Raise HostError where hosts are no part of what was shown: a part of a look is not the whole of it."""
    if silent:
        lines = "\n".join(f"  {error}" for error in silent.values())
        raise HostError(", ".join(silent), f"not looked at, and so no part of what is shown:\n{lines}")


def removed(what: str, taken: Taken, left: Collection[str] = ()) -> None:
    """Say how much went, and end with the exit code; `left` says what hosts that did not answer may still have.

    Raises HostError where there are such hosts.
    """
    from dockerlab.provision import proof

    for note in (*taken.removal.plan.notes, *taken.removal.foreign):
        say(note)
    hosts = ", ".join(taken.answering)
    if taken.left:
        say("looked again, and there is still:\n" + "\n".join(f"  {line}" for line in taken.left))
    elif taken.left is not None and taken.count and hosts:
        say(f"removed {proof.counted(taken.plans)}; looked again: nothing is left on {hosts}")
    if taken.count or hosts:
        say(f"{what}: {taken.count} removed" if taken.count else f"{what}: nothing to remove on {hosts}")
    failures = taken.removal.failures
    if failures:
        lines = "\n".join(f"  {line}" for line in (*failures.values(), *left))
        raise HostError(", ".join(failures), f"not cleaned; run down again when it answers:\n{lines}")
    if not taken.whole:
        raise typer.Exit(4)
