"""`dockerlab sandbox …`: vm0, vm1, … on this machine."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dockerlab.cli import elsewhere
from dockerlab.cli.group import Group, Single
from dockerlab.cli.output import say, tell
from dockerlab.errors import SandboxError, UsageError

if TYPE_CHECKING:
    from dockerlab.sandbox import SandboxState
    from dockerlab.sandbox.place import Outcome

app = typer.Typer(
    cls=Group, help="Real Docker hosts vm0, vm1, … on this machine.", no_args_is_help=True, rich_markup_mode=None
)


NameOption = Annotated[str | None, typer.Option("--name", help="The sandbox of that name, beside others.")]
NamesOption = Annotated[
    list[str] | None, typer.Option("--name", help="A sandbox of that name, beside others; again for one more.")
]


@app.command(cls=Single)
def up(
    hosts: Annotated[int, typer.Option("--hosts", help="How many hosts.")] = 2,
    rootfs: Annotated[
        Path | None, typer.Option("--rootfs", help="A root file system whose engine the hosts are to run.")
    ] = None,
    name: NamesOption = None,
    memory: Annotated[str | None, typer.Option(help="With --name: as much memory for all its hosts, as 2G.")] = None,
    disk: Annotated[str | None, typer.Option(help="With --name: as much room for what is stored, as 10G.")] = None,
    pids: Annotated[int | None, typer.Option(help="With --name: as many processes and threads.")] = None,
    cpu: Annotated[int | None, typer.Option(help="With --name: a share beside others' shares; 100 is usual.")] = None,
) -> None:
    """Start the hosts, or find them running."""
    names = named(name)
    limited = {"memory": size(memory), "disk": size(disk), "pids": pids, "cpu": cpu}
    given = {key: value for key, value in limited.items() if value is not None}
    if names:
        from dockerlab.sandbox import place

        words = ["--hosts", str(hosts), *(["--rootfs", str(rootfs)] if rootfs else [])]
        limits = place.Limits(**given) if given else None
        for outcome in told(place.start(names, words, limits, say)):
            tell(f"{outcome.name}\n{outcome.said}" if len(names) > 1 else outcome.said)
        return
    if given:
        raise UsageError(f"--{next(iter(given))} limits a sandbox that has a name: say --name")
    from dockerlab import sandbox

    tell(_described(sandbox.up(hosts, rootfs, say)))


@app.command(cls=Single)
def down(
    name: NamesOption = None,
    everything: Annotated[bool, typer.Option("--all", help="All sandboxes, with a name and without.")] = False,
) -> None:
    """Stop the hosts and remove everything of them, also what a crash has left."""
    from dockerlab import sandbox
    from dockerlab.sandbox import place

    names = place.names() if everything else named(name)
    if names:
        for outcome in told(place.take_down(names, say)):
            say(f"sandbox {outcome.name}: {f'removed {outcome.said}' if outcome.said else 'nothing to remove'}")
    if names and not everything:
        return
    removed = sandbox.down(say)
    say("sandbox: removed" if removed else "sandbox: nothing to remove")  # what it was is told by now


@app.command(cls=Single)
def status(name: NameOption = None) -> None:
    """Show the hosts, their addresses, and what of them is alive; exit code 4 when something is not."""
    from dockerlab import sandbox

    inside(name, ["status"])
    state = sandbox.status()
    if state is None:
        tell("no sandbox; 'dockerlab sandbox up' starts it\n")
        return
    tell(_described(state))
    if not all(host.alive for host in state.hosts):
        raise typer.Exit(4)


@app.command("list", cls=Single)
def list_() -> None:
    """Show all sandboxes that have a name: their hosts, what they take, and whether a boundary is around them."""
    from dockerlab.sandbox import place

    lines = [f"{'NAME':<16} {'HOSTS':>5} {'MEMORY':>9} {'PROCESSES':>9}  BOUNDARY"]
    for found in map(place.usage, place.names()):
        memory = "-" if found.memory is None else f"{found.memory / (1 << 20):.0f} MiB"
        pids = "-" if found.pids is None else str(found.pids)
        wall = found.unconfined or "root inside, nobody outside"
        lines.append(f"{found.name:<16} {found.hosts:>5} {memory:>9} {pids:>9}  {wall}")
    tell("\n".join(lines) + "\n" if len(lines) > 1 else "no sandbox has a name; 'dockerlab sandbox up --name NAME'\n")


SHELLS_OWN = " |&;<>"
"""What stands in a shell's line, and in no name of a program."""

PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False}


@app.command(cls=Single, context_settings=PASSED_ON)
def ssh(
    context: typer.Context, host: Annotated[str, typer.Argument(help="vm0, vm1, …")], name: NameOption = None
) -> None:
    """Log in to a host, or run a command there: its exit code is the command's."""
    from dockerlab import sandbox

    command = context.args[1:] if context.args[:1] == ["--"] else context.args  # as in front of any other command
    if len(command) == 1 and any(letter in command[0] for letter in SHELLS_OWN):
        line = shlex.join(["dockerlab", "sandbox", "ssh", host, "sh", "-c", *command])
        raise UsageError(f"no program is called {command[0]!r}: a line for a shell wants one; right would be: {line}")
    inside(name, ["ssh", "--", host, *(["--", *command] if command else [])])
    state = sandbox.status()
    if state is None:
        raise SandboxError("there is no sandbox; 'dockerlab sandbox up' starts it")
    # A command at a terminal may want one, as `docker exec -it` does; what a shell or a program reads is left alone.
    terminal = sys.stdin.isatty() and (not command or sys.stdout.isatty())
    argv = sandbox.ssh_argv(state, host, command, terminal=terminal)
    os.execvp(argv[0], argv)  # noqa: S606 - there is no shell, and the words are ours or quoted


def named(given: list[str] | None) -> list[str]:
    """Return the names of the sandboxes that the call or the environment means; empty for the one without a name."""
    if given:
        return given
    of_environment = elsewhere.named()
    return [of_environment] if of_environment else []


def inside(name: str | None, words: list[str]) -> None:
    """Go on in the place of a sandbox that has a name; return where none is meant."""
    for each in named([name] if name else None):
        elsewhere.enter(each, ["sandbox", *words])


def size(text: str | None) -> int | None:
    """Return bytes of what is written as 512M, 2G or 1.5G; raises UsageError."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)([KMGT]?)i?B?", text.strip(), re.IGNORECASE)
    if found is None:
        raise UsageError(f"{text} is no size: write it as 512M or 2G")
    return int(float(found[1]) * (1 << (10 * " KMGT".index(found[2].upper() or " "))))


def told(outcomes: list[Outcome]) -> Iterator[Outcome]:
    """Yield what became of each sandbox; raises SandboxError, at the end, with all that failed."""
    yield from (outcome for outcome in outcomes if outcome.failure is None)
    failed = [f"{outcome.name}: {outcome.failure}" for outcome in outcomes if outcome.failure is not None]
    if failed:
        raise SandboxError("\n".join(failed))


def _described(state: SandboxState) -> str:
    lines = [f"{'HOST':<6} {'ADDRESS':<15} {'ENGINE':<14} STATE"]
    for host in state.hosts:
        parts = {"namespace": host.namespace, "sshd": host.sshd, "dockerd": host.dockerd}
        dead = [name for name, alive in parts.items() if not alive]
        lines.append(
            f"{host.name:<6} {host.address:<15} {host.engine or '-':<14} {'no ' + ', '.join(dead) if dead else 'alive'}"
        )
    lines.append(f"router {state.router}, outside {state.outside}")
    return "\n".join(lines) + "\n"
