"""All hosts asked at the same time, also where some do not answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import wait
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

from dockerlab.errors import HostError
from dockerlab.hosts.attending import Times, attended
from dockerlab.hosts.base import Host
from dockerlab.hosts.guests import Guest, invited
from dockerlab.hosts.together import begun
from dockerlab.lock import Locks

T = TypeVar("T")

IN_A_CLASS = Times(floor=5.0, ceiling=30.0)
"""How long the hosts of a class are waited for that the others do not need: what one does not say now is not known for
that one alone. A single lab's hosts are waited for as long as they may take."""


@dataclass(frozen=True)
class Answers(Generic[T]):
    """What the hosts answered, by their names; why the others did not is in `failures`."""

    answers: Mapping[str, T] = field(default_factory=dict)
    failures: Mapping[str, HostError] = field(default_factory=dict)


def ask_all(
    hosts: Mapping[str, Host], ask: Callable[[Host], T], locks: Locks | None = None, times: Times | None = None
) -> Answers[T]:
    """Return what each host answers, all hosts at once, and why the others do not; each is asked once its lock is had.

    With `times`, a host that says nothing long after the most have answered is not waited for; without, until it has
    missed a deadline. Raises ConflictError where somebody else has the locks.
    """

    def answer(host: Host) -> T | HostError:
        try:
            if locks is not None:
                locks.wait(host.name)
            return ask(host)
        except HostError as error:
            return error

    told = on_each(hosts, answer, times)
    return Answers(
        {name: answer for name, answer in told.items() if not isinstance(answer, HostError)},
        {name: answer for name, answer in told.items() if isinstance(answer, HostError)},
    )


def on_each(hosts: Mapping[str, Host], action: Callable[[Host], T], times: Times | None = None) -> dict[str, T]:
    """Return what an action gives on each host, all hosts at once; see `ask_all` for `times`.

    Raises what a failing one raised; where several hosts failed, one HostError with a line for each.
    """
    asked: Mapping[str, Host] = hosts if times is None else invited(hosts)
    futures = {name: begun(partial(action, host), f"host {name}") for name, host in asked.items()}
    if times is not None:
        attended({futures[name]: [host] for name, host in asked.items() if isinstance(host, Guest)}, times)
    wait(futures.values())
    failures = {name: e for name, future in futures.items() if isinstance(e := future.exception(), HostError)}
    if len(failures) > 1:
        raise one_of(failures)
    return {name: future.result() for name, future in futures.items()}


def one_of(failures: Mapping[str, HostError]) -> HostError:
    """Return the failures of hosts as one: the only one itself, or one with a line for each."""
    if len(failures) == 1:
        return next(iter(failures.values()))
    lines = "\n".join(f"  {error}" for error in failures.values())
    return HostError(", ".join(error.host for error in failures.values()), f"{len(failures)} hosts failed:\n{lines}")
