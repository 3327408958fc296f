"""A lab discovered on the spot: for the commands that need one and were given none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from dockerlab import engine
from dockerlab.discover.definition import Found, Listening, discovered
from dockerlab.discover.renaming import renamed
from dockerlab.discover.wanted import EVERYTHING, Wanted
from dockerlab.errors import HostError
from dockerlab.hosts.base import Host
from dockerlab.kernel.model import Machine, Namespace
from dockerlab.snapshot import ContainerState, Snapshot
from dockerlab.survey import Seen, look, look_again, on_each, send


@dataclass(frozen=True)
class Spot:
    """What was found, and the look that it was found by, with the definition's names."""

    found: Found
    seen: Seen

    def again(self, hosts: Mapping[str, Host]) -> dict[str, Snapshot | HostError]:
        """Return what is on the hosts now, by the same names; what is new there is nobody's of the lab."""
        told = look_again(hosts, detail="every")
        snapshots = {host: each for host, each in told.items() if isinstance(each, Snapshot)}
        return {**told, **renamed(snapshots, self.found)}


def on_the_spot(
    hosts: Mapping[str, Host],
    addresses: Mapping[str, str | None],
    wanted: Wanted = EVERYTHING,
    name: str = "",
) -> Spot:
    """Return what is on hosts now as a lab, whoever made it; nothing there is changed.

    Raises UsageError where there is nothing, HostError where a host cannot be asked.
    """
    seen = look(hosts, detail="every", kernels="all")
    found = discovered(seen.snapshots, addresses, wanted, listening(seen), name)
    return Spot(found, replace(seen, snapshots=renamed(seen.snapshots, found)))


def defined(
    hosts: Mapping[str, Host], addresses: Mapping[str, str | None], wanted: Wanted = EVERYTHING, name: str = ""
) -> Found:
    """Return the definition of what is on hosts now, with no more of their kernels looked at than who listens.

    Raises UsageError where there is nothing, HostError where a host cannot be asked.
    """
    snapshots = on_each(hosts, lambda host: engine.snapshot(host, detail="every"))
    pids = {host: [each.pid for each in books.containers if each.pid] for host, books in snapshots.items()}
    machines = send.kernels(hosts, pids, "listeners").answers
    return discovered(snapshots, addresses, wanted, listening(Seen(snapshots, {}, machines)), name)


def listening(seen: Seen) -> Listening:
    """Return the TCP ports on which containers listen for others, of those hosts whose kernels could be seen."""
    return {
        host: {each.id: _ports(machine, each) for each in seen.snapshots[host].containers if each.running}
        for host, machine in seen.machines.items()
    }


def _ports(machine: Machine, container: ContainerState) -> tuple[int, ...]:
    """Return the ports of a container; on the host's network those that its own first process holds."""
    home = machine.home(container.pid)
    if home is None or home.deaf:
        return ()
    alone = container.network_mode == "host" or home.host
    return tuple(sorted(set(_open(home, container.pid if alone else None))))


def _open(home: Namespace, pid: int | None) -> list[int]:
    return [
        each.port
        for each in home.listeners
        if each.protocol == "tcp"
        and not each.address.startswith("127.")
        and each.address != "::1"
        and (pid is None or any(holder == pid for holder, _ in each.holders))
    ]
