"""A lab discovered on the spot: for the commands that need one and were given none."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dockerlab.discover.asking import Asked
from dockerlab.discover.definition import Found, Listening, discovered
from dockerlab.discover.renaming import renamed
from dockerlab.discover.wanted import EVERYTHING, Wanted
from dockerlab.errors import DefinitionError, HostError, UsageError
from dockerlab.gate import nonsense
from dockerlab.hosts.base import Host
from dockerlab.kernel.model import Machine, Namespace
from dockerlab.snapshot import ContainerState, Snapshot
from dockerlab.survey import Seen, look_again, look_where_told, one_of


@dataclass(frozen=True)
class Spot:
    """What was found, and the look that it was found by, with the definition's names.

    `silent` says why a host that was asked is no part of it.
    """

    found: Found
    seen: Seen
    silent: Mapping[str, HostError] = field(default_factory=dict)

    def again(self, hosts: Mapping[str, Host]) -> dict[str, Snapshot | HostError]:
        """Return what is on the hosts now, by the same names; what is new there is nobody's of the lab."""
        told = look_again({name: host for name, host in hosts.items() if name not in self.silent}, detail="every")
        snapshots = {host: each for host, each in told.items() if isinstance(each, Snapshot)}
        return {**told, **renamed(snapshots, self.found)}


def on_the_spot(
    hosts: Mapping[str, Host],
    addresses: Mapping[str, str | None],
    wanted: Wanted = EVERYTHING,
    name: str = "",
) -> Spot:
    """Return what is on hosts now as a lab, whoever made it; nothing there is changed.

    Hosts that cannot be asked are left out, and told. Raises UsageError where there is nothing, HostError where no
    host can be asked.
    """
    seen, silent = look_where_told(hosts, detail="every", kernels="all")
    found, odd = _of_those(seen, silent, lambda own: discovered(own.snapshots, addresses, wanted, listening(own), name))
    seen = seen.on(seen.snapshots.keys() - odd.keys())
    return Spot(found, replace(seen, snapshots=renamed(seen.snapshots, found)), {**silent, **odd})


def defined(
    asked: Asked, addresses: Mapping[str, str | None], wanted: Wanted = EVERYTHING, name: str = ""
) -> tuple[Found, Mapping[str, HostError]]:
    """Return the definition of what hosts were asked for, and which of them are no part of it, and why.

    Raises UsageError where there is nothing, HostError where no host can be asked.
    """
    books = asked.books.result()
    told = asked.kernels.result().answers
    seen = Seen(books.answers, {}, {host: machine for host, machine in told.items() if host in books.answers})
    found, odd = _of_those(
        seen, books.failures, lambda own: discovered(own.snapshots, addresses, wanted, listening(own), name)
    )
    return found, {**books.failures, **odd}


def _of_those(
    seen: Seen, silent: Mapping[str, HostError], make: Callable[[Seen], Found]
) -> tuple[Found, dict[str, HostError]]:
    """Return what is made of the hosts of which something can be made, and why of the others nothing can.

    Raises HostError where there are none of the first.
    """
    if not seen.snapshots and silent:
        raise one_of(silent)
    try:
        return make(seen), {}
    except DefinitionError as error:
        odd = {host: failure for host in seen.snapshots if (failure := _oddity(host, seen, make)) is not None}
        left = seen.on(seen.snapshots.keys() - odd.keys())
        if not odd or not left.snapshots:
            raise nonsense(", ".join(odd or seen.snapshots), "its engine", error) from error
        return make(left), odd


def _oddity(host: str, seen: Seen, make: Callable[[Seen], Found]) -> HostError | None:
    """Return why nothing can be made of what one host says, None where something can, or there is nothing there."""
    try:
        make(seen.on([host]))
    except DefinitionError as error:
        return nonsense(host, "its engine", error)
    except UsageError:
        return None
    return None


def listening(seen: Seen) -> Listening:
    """Return the TCP ports on which containers listen for others, of those hosts whose kernels could be seen."""
    return {host: _by_container(machine, seen.snapshots[host].containers) for host, machine in seen.machines.items()}


def _by_container(machine: Machine, containers: Sequence[ContainerState]) -> dict[str, tuple[int, ...]]:
    """Return the ports of each container that runs; on the host's network those that its own first process holds.

    Those of containers that have joined it there are its own as well, as they are in any other namespace.
    """
    homes = {pid: space for space in reversed(machine.namespaces) for pid in space.pids}
    joined: dict[str, set[int]] = {}
    for each in containers:
        if each.pid and each.network_mode.startswith("container:"):
            joined.setdefault(each.network_mode.partition(":")[2], set()).add(each.pid)
    found: dict[str, tuple[int, ...]] = {}
    for each in containers:
        home = homes.get(each.pid)
        if each.running and home is not None and not home.deaf:
            alone = each.network_mode == "host" or home.host
            holders = {each.pid, *joined.get(each.id, ())} if alone else None
            found[each.id] = tuple(sorted(set(_open(home, holders))))
        elif each.running:
            found[each.id] = ()
    return found


def _open(home: Namespace, pids: Collection[int] | None) -> list[int]:
    return [
        each.port
        for each in home.listeners
        if each.protocol == "tcp"
        and not each.address.startswith("127.")
        and each.address != "::1"
        and (pids is None or any(holder in pids for holder, _ in each.holders))
    ]
