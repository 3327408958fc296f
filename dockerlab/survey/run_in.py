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


def chosen(snapshots: Mapping[str, Snapshot], lab: str, pattern: str, typed: Collection[str] = ()) -> list[Inside]:
    """Return the containers of a lab whose names match a shell pattern, by name; `typed` are named by its definition.

    Raises UsageError, with the names that there are, where none does: a command that ran nowhere is no success.
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
        names = ", ".join(dict.fromkeys(each.container.name for each in there))
        raise UsageError(f"no container of {lab} is called {pattern}; there are {names or 'none'}")
    return found


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
