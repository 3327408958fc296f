"""A command run in containers of a lab: which ones a pattern means, and what each of them gave."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatchcase

from dockerlab.command import Result
from dockerlab.errors import UsageError
from dockerlab.hosts.base import Host
from dockerlab.snapshot import LABEL_LAB, ContainerState, Snapshot


@dataclass(frozen=True)
class Inside:
    """A container of a lab, and the host that it is on."""

    host: str
    container: ContainerState


def chosen(
    snapshots: Mapping[str, Snapshot],
    lab: str,
    pattern: str,
    typed: Collection[str] = (),
    *,
    hosts: Collection[str] = (),
) -> list[Inside]:
    """Return the containers of a lab whose names match a shell pattern, by name; `typed` are named by its definition.

    Raises UsageError, with the names that there are, where none does: a command that ran nowhere is no success.
    `hosts` are named there too, where one of them could have been meant.
    """
    there = [
        Inside(host, container)
        for host, snapshot in snapshots.items()
        for container in snapshot.containers
        if container.labels.get(LABEL_LAB) == lab or container.name in typed
    ]
    there.sort(key=lambda each: (each.container.name, each.host))
    found = [each for each in there if fnmatchcase(each.container.name, pattern)]
    if not found:
        names = ", ".join(dict.fromkeys((*(each.container.name for each in there), *hosts)))
        what = "nothing" if hosts else "no container"
        raise UsageError(f"{what} of {lab} is called {pattern}; there are {names or 'none'}")
    return found


HOST_SHELL = ("sh", "-c", 'exec "${SHELL:-/bin/sh}" -l')
"""A login on a host, with the shell that its user has."""

PROMPT = "PS1={}:\\w\\$ "
"""What a shell in a container begins its lines with: whose it is, for all that are open look alike."""


def one(found: Sequence[Inside], name: str) -> Inside:
    """Return the only container that was chosen; raises UsageError where there are several, or it does not run."""
    if len(found) > 1:
        names = ", ".join(f"{each.container.name} on {each.host}" for each in found)
        raise UsageError(f"{name} means {len(found)} containers, and a terminal is for one: {names}")
    (only,) = found
    state = only.container
    if not state.running:
        raise UsageError(
            f"{only.host}: container {state.name} does not run ({state.status}, exit code {state.exit_code}): "
            f"'docker start {state.name}' there starts it, and 'docker logs {state.name}' has its last words"
        )
    return only


def has_shell(at: Inside, host: Host) -> bool:
    """Tell whether a container has a shell of its own; raises HostError."""
    return host.run(("docker", "exec", at.container.id, "sh", "-c", ":"), timeout=20).ok


def shell_in(at: Inside, *, tools: bool, terminal: bool) -> tuple[str, ...]:
    """Return what opens a shell in a container; with `tools` the host's, and only the network is the container's."""
    prompt = PROMPT.format(at.container.name)
    if tools:
        return ("nsenter", f"--target={at.container.pid}", "--net", "--", "env", prompt, "sh")
    best = "exec $(command -v bash || command -v sh)"
    return (*attached(at, terminal=terminal, more=("--env", prompt)), "sh", "-c", best)


def attached(at: Inside, *, terminal: bool, more: Sequence[str] = ()) -> tuple[str, ...]:
    """Return what runs a command in a container on somebody's own streams, and on a terminal if there is one."""
    return ("docker", "exec", "--interactive", *(("--tty",) if terminal else ()), *more, at.container.id)


def run_in(
    containers: Sequence[Inside], hosts: Mapping[str, Host], command: Sequence[str], timeout: float
) -> list[Result]:
    """Return what a command gave in each container, all at once; raises the first one's HostError."""

    def run(each: Inside) -> Result:
        return hosts[each.host].run(("docker", "exec", each.container.id, *command), timeout=timeout)

    with ThreadPoolExecutor(min(len(containers), sum(host.channels for host in hosts.values()))) as pool:
        return list(pool.map(run, containers))


def exit_code(results: Sequence[Result]) -> int:
    """Return 0 where the command succeeded everywhere, else the first other exit code."""
    return next((result.rc for result in results if not result.ok), 0)


def labelled(name: str, output: bytes) -> bytes:
    """Return a program's output with the container's name ahead of each line."""
    return b"".join(name.encode() + b": " + line + b"\n" for line in output.splitlines())
