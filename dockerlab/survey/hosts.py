"""What is on the hosts: the engines' objects and settings, and what the machines are like."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from dockerlab import daemon, engine
from dockerlab.daemon import DaemonFile
from dockerlab.engine import Detail
from dockerlab.errors import HostError
from dockerlab.facts import Facts
from dockerlab.hosts.attending import Times
from dockerlab.hosts.base import Host
from dockerlab.hosts.guests import Guest
from dockerlab.hosts.together import begun
from dockerlab.kernel.model import Machine
from dockerlab.lock import Locks
from dockerlab.snapshot import GATEWAY_BRIDGE, Snapshot
from dockerlab.survey import bare, facts, send
from dockerlab.survey.asking import Answers, ask_all, on_each, one_of

T = TypeVar("T")

PATIENCE = 15.0
"""Seconds in which an engine that was there a moment ago may come back."""


def survey(
    hosts: Mapping[str, Host],
    locks: Locks | None = None,
    names: Iterable[str] = (),
    *,
    detail: Detail = "all",
    times: Times | None = None,
) -> Answers[Snapshot]:
    """Return what is on those hosts that answer, and why the others do not; looks only when the locks are had.

    In detail are labelled objects, and those of these `names`, but of containers only those that `detail` says. With
    `times`, who says nothing is waited for so long. Raises ConflictError where somebody else has the locks.
    """
    wanted = frozenset(names)
    return ask_all(hosts, lambda host: engine.snapshot(host, wanted, detail), locks, times)


def look_again(
    hosts: Mapping[str, Host], names: Iterable[str] = (), patience: float = PATIENCE, *, detail: Detail = "all"
) -> dict[str, Snapshot | HostError]:
    """Return what is on each host now, or why it does not say; one that does not answer is asked for `patience` s.

    In detail are labelled objects, and those of these `names`; with `every`, all are.
    """
    deadline = time.monotonic() + patience
    wanted = frozenset(names)

    def ask(host: Host) -> Snapshot:
        while True:
            try:
                return engine.snapshot(host, wanted, detail)
            except HostError:
                # Who is not to be asked any more does not come back.
                if time.monotonic() > deadline or (isinstance(host, Guest) and host.failed is not None):
                    raise
            time.sleep(0.5)

    found = ask_all(hosts, ask)
    return {name: found.answers.get(name) or found.failures[name] for name in hosts}


def settings(hosts: Mapping[str, Host], locks: Locks | None = None) -> Answers[DaemonFile]:
    """Return the engines' settings on those hosts that say them, also where the engine does not run.

    Looks only when the locks are had; raises ConflictError where somebody else has them.
    """
    return ask_all(hosts, daemon.look, locks)


@dataclass(frozen=True)
class Seen:
    """What was found on the hosts: the engine's objects and the machine's facts, per host.

    `machines` are the states of their kernels, where these were asked for; `unseen` says why one is not there.
    `silent` are hosts that did not answer at all, and why: what is there of them is nothing that was seen.
    """

    snapshots: Mapping[str, Snapshot]
    facts: Mapping[str, Facts]
    machines: Mapping[str, Machine] = field(default_factory=dict)
    unseen: Mapping[str, HostError] = field(default_factory=dict)
    silent: Mapping[str, HostError] = field(default_factory=dict)

    def on(self, hosts: Collection[str]) -> Seen:
        """Return what was seen of these hosts alone."""

        def of(each: Mapping[str, T]) -> dict[str, T]:
            return {host: value for host, value in each.items() if host in hosts}

        return Seen(of(self.snapshots), of(self.facts), of(self.machines), of(self.unseen), of(self.silent))

    def with_silent(self, silent: Mapping[str, HostError]) -> Seen:
        """Return the look with hosts that did not answer, as if nothing were on them; raises what all of them said.

        Their engines are taken to be as another one that was seen: what is expected of the others' cells may depend
        on it, and of their own nothing is judged.
        """
        if silent and not self.snapshots:
            raise one_of(silent)
        version = next((each.engine_version for each in self.snapshots.values()), "")
        none = {name: Snapshot(name, engine_version=version) for name in silent}
        facts = {name: Facts(name) for name in silent}
        return replace(self, snapshots={**self.snapshots, **none}, facts={**self.facts, **facts}, silent=silent)


def look(
    hosts: Mapping[str, Host],
    names: Iterable[str] = (),
    locks: Locks | None = None,
    *,
    detail: Detail = "all",
    kernels: send.Detail | None = None,
) -> Seen:
    """Return what is on the hosts; raises the first host's HostError if one cannot be asked.

    In detail are labelled objects, and those of these `names`, but of containers only those that `detail` says.
    `kernels` says how much of the kernels is wanted: `all`, with the namespaces of the containers that are seen in
    detail; `host`; or, by default, no more than the facts tell.

    With locks, the engines are looked at once these are had: what is seen then stays as it is. They are waited for
    while the machines' facts are read, so that they cost no time.
    """
    wanted = frozenset(names) | {GATEWAY_BRIDGE}
    return _seen(on_each(hosts, lambda host: _whole(host, wanted, locks, detail, kernels)))


def look_where_told(
    hosts: Mapping[str, Host],
    names: Iterable[str] = (),
    locks: Locks | None = None,
    *,
    detail: Detail = "all",
    kernels: send.Detail | None = None,
    times: Times | None = None,
) -> tuple[Seen, Mapping[str, HostError]]:
    """Return what `look` does of those hosts that answer, and why the others do not.

    With `times`, who says nothing is waited for so long.
    """
    wanted = frozenset(names) | {GATEWAY_BRIDGE}
    found = ask_all(hosts, lambda host: _whole(host, wanted, locks, detail, kernels), times=times)
    return _seen(found.answers), found.failures


Whole = tuple[Snapshot, Facts, Machine | HostError | None]


def _whole(
    host: Host, wanted: frozenset[str], locks: Locks | None, detail: Detail, kernels: send.Detail | None
) -> Whole:
    """Return what is on one host, the engine and the machine asked at the same time.

    Where the program that looks cannot run, the facts of the kernel are what a shell can tell.
    """
    about = begun(lambda: facts.gather(host), f"facts {host.name}")
    early = begun(lambda: _kernel(host, (), kernels or "ground"), f"kernel {host.name}") if kernels != "all" else None
    if locks is not None:
        locks.wait(host.name)
    answer = engine.snapshot(host, wanted, detail)
    if early is not None:
        kernel = early.result()
    else:
        kernel = _kernel(host, [c.pid for c in answer.containers if c.running and c.pid], "all")
    told = kernel if isinstance(kernel, Machine) else bare.look(host)
    return answer, facts.of(about.result(), told), None if kernels is None else kernel


def ground(host: Host) -> Machine:
    """Return a host's own namespace, as much of it as a plan needs; raises HostError when it cannot be asked at all."""
    seen = _kernel(host, (), "ground")
    return seen if isinstance(seen, Machine) else bare.look(host)


def _kernel(host: Host, pids: Iterable[int], detail: send.Detail) -> Machine | HostError:
    try:
        return send.look(host, pids, detail)
    except HostError as error:
        return error


def _seen(found: Mapping[str, Whole]) -> Seen:
    return Seen(
        {name: snapshot for name, (snapshot, _, _) in found.items()},
        {name: machine for name, (_, machine, _) in found.items()},
        {name: kernel for name, (_, _, kernel) in found.items() if isinstance(kernel, Machine)},
        {name: kernel for name, (_, _, kernel) in found.items() if isinstance(kernel, HostError)},
    )
