"""All hosts asked at the same time, also where some do not answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from dockerlab import daemon, engine
from dockerlab.daemon import DaemonFile
from dockerlab.engine import Detail
from dockerlab.errors import HostError
from dockerlab.hosts.base import Host
from dockerlab.lock import Locks
from dockerlab.modes.overlay import GATEWAY_BRIDGE
from dockerlab.snapshot import Snapshot
from dockerlab.survey import facts
from dockerlab.topology import HostFacts

T = TypeVar("T")

PATIENCE = 15.0
"""Seconds in which an engine that was there a moment ago may come back."""


@dataclass
class Survey:
    """What the hosts answered; hosts that did not are in `failures`."""

    answers: dict[str, Snapshot] = field(default_factory=dict)
    failures: dict[str, HostError] = field(default_factory=dict)


def survey(
    hosts: Mapping[str, Host], locks: Locks | None = None, names: Iterable[str] = (), *, detail: Detail = "all"
) -> Survey:
    """Return what is on those hosts that answer, and why the others do not; looks only when the locks are had.

    In detail are labelled objects, and those of these `names`, but of containers only those that `detail` says.
    Raises ConflictError where somebody else has the locks.
    """
    wanted = frozenset(names)
    return Survey(*answered(hosts, locks, lambda host: engine.snapshot(host, wanted, detail)))


def look_again(
    hosts: Mapping[str, Host], names: Iterable[str] = (), patience: float = PATIENCE
) -> dict[str, Snapshot | HostError]:
    """Return what is on each host now, or why it does not say; one that does not answer is asked for `patience` s.

    In detail are labelled objects, and those of these `names`.
    """
    deadline = time.monotonic() + patience
    wanted = frozenset(names)
    found = survey(hosts, names=wanted)
    while found.failures and time.monotonic() < deadline:
        time.sleep(0.5)
        again = survey({name: hosts[name] for name in found.failures}, names=wanted)
        found = Survey(found.answers | again.answers, again.failures)
    return {name: found.answers.get(name) or found.failures[name] for name in hosts}


def on_each(hosts: Mapping[str, Host], action: Callable[[Host], T]) -> dict[str, T]:
    """Return what an action gives on each host, all hosts at once.

    Raises what a failing one raised; where several hosts failed, one HostError with a line for each.
    """
    with ThreadPoolExecutor(max(1, len(hosts)), thread_name_prefix="host") as pool:
        futures = {name: pool.submit(action, host) for name, host in hosts.items()}
    failures = [error for future in futures.values() if isinstance(error := future.exception(), HostError)]
    if len(failures) > 1:
        lines = "\n".join(f"  {error}" for error in failures)
        raise HostError(", ".join(error.host for error in failures), f"{len(failures)} hosts failed:\n{lines}")
    return {name: future.result() for name, future in futures.items()}


@dataclass
class Settings:
    """The engines' settings on those hosts that say them; the others are in `failures`."""

    files: dict[str, DaemonFile] = field(default_factory=dict)
    failures: dict[str, HostError] = field(default_factory=dict)


def settings(hosts: Mapping[str, Host], locks: Locks | None = None) -> Settings:
    """Return the engines' settings on those hosts that say them, also where the engine does not run.

    Looks only when the locks are had; raises ConflictError where somebody else has them.
    """
    return Settings(*answered(hosts, locks, daemon.look))


def answered(
    hosts: Mapping[str, Host], locks: Locks | None, read: Callable[[Host], T]
) -> tuple[dict[str, T], dict[str, HostError]]:
    """Return what each host answers once the locks are had, and why the others do not."""

    def ask(host: Host) -> T | HostError:
        try:
            if locks is not None:
                locks.wait(host.name)
            return read(host)
        except HostError as error:
            return error

    told = on_each(hosts, ask)
    failures = {name: answer for name, answer in told.items() if isinstance(answer, HostError)}
    return {name: answer for name, answer in told.items() if not isinstance(answer, HostError)}, failures


@dataclass(frozen=True)
class Seen:
    """What was found on the hosts: the engine's objects and the machine's facts, per host."""

    snapshots: Mapping[str, Snapshot]
    facts: Mapping[str, HostFacts]


def look(
    hosts: Mapping[str, Host], names: Iterable[str] = (), locks: Locks | None = None, *, detail: Detail = "all"
) -> Seen:
    """Return what is on the hosts; raises the first host's HostError if one cannot be asked.

    In detail are labelled objects, and those of these `names`, but of containers only those that `detail` says.

    With locks, the engines are looked at once these are had: what is seen then stays as it is. They are waited for
    while the machines' facts are read, so that they cost no time.
    """
    wanted = frozenset(names) | {GATEWAY_BRIDGE}

    def ask(host: Host) -> tuple[HostFacts, Snapshot]:
        with ThreadPoolExecutor(1, thread_name_prefix="facts") as beside:
            machine = beside.submit(facts.gather, host)
            if locks is not None:
                locks.wait(host.name)
            answer = engine.snapshot(host, wanted, detail)
            return machine.result(), answer

    seen = on_each(hosts, ask)
    return Seen({name: a for name, (_, a) in seen.items()}, {name: b for name, (b, _) in seen.items()})
