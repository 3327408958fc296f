"""`dockerlab sandbox …`: vm0, vm1, … on this machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dockerlab.cli.group import Group, Single
from dockerlab.cli.output import say, tell

if TYPE_CHECKING:
    from dockerlab.sandbox import SandboxState

app = typer.Typer(
    cls=Group, help="Real Docker hosts vm0, vm1, … on this machine.", no_args_is_help=True, rich_markup_mode=None
)


@app.command(cls=Single)
def up(
    hosts: Annotated[int, typer.Option("--hosts", help="How many hosts.")] = 2,
    rootfs: Annotated[
        Path | None, typer.Option("--rootfs", help="A root file system whose engine the hosts are to run.")
    ] = None,
) -> None:
    """Start the hosts, or find them running."""
    from dockerlab import sandbox

    tell(_described(sandbox.up(hosts, rootfs, say)))


@app.command(cls=Single)
def down() -> None:
    """Stop the hosts and remove everything of them, also what a crash has left."""
    from dockerlab import sandbox

    removed = sandbox.down(say)
    say(f"sandbox: {len(removed)} things removed" if removed else "sandbox: nothing to remove")


@app.command(cls=Single)
def status() -> None:
    """Show the hosts, their addresses, and what of them is alive; exit code 4 when something is not."""
    from dockerlab import sandbox

    state = sandbox.status()
    if state is None:
        tell("no sandbox; 'dockerlab sandbox up' starts it\n")
        return
    tell(_described(state))
    if not all(host.alive for host in state.hosts):
        raise typer.Exit(4)


PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False}


@app.command(cls=Single, context_settings=PASSED_ON)
def ssh(context: typer.Context, host: Annotated[str, typer.Argument(help="vm0, vm1, …")]) -> None:
    """Log in to a host, or run a command there: its exit code is the command's."""
    from dockerlab import sandbox
    from dockerlab.errors import SandboxError

    state = sandbox.status()
    if state is None:
        raise SandboxError("there is no sandbox; 'dockerlab sandbox up' starts it")
    command = context.args[1:] if context.args[:1] == ["--"] else context.args  # as in front of any other command
    argv = sandbox.ssh_argv(state, host, command, terminal=not command and sys.stdin.isatty())
    os.execvp(argv[0], argv)  # noqa: S606 - there is no shell, and the words are ours or quoted


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
