"""From a lab and a word on where its hosts are to open hosts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dockerlab.errors import UsageError
from dockerlab.hosts.address import LOCAL, SshOptions
from dockerlab.hosts.base import Host
from dockerlab.hosts.inventory import Inventory, connect

if TYPE_CHECKING:
    from dockerlab.sandbox import SandboxState

CONTROLLER = "this machine"


@dataclass(frozen=True)
class Whereabouts:
    """What the call says about where hosts are; both win over the addresses in a definition."""

    sandbox: bool = False
    inventory: Path | None = None
    options: SshOptions = field(default_factory=SshOptions)


@dataclass(frozen=True)
class Session:
    """The open hosts of one run, by their names in the lab, and the machine that dockerlab runs on."""

    hosts: Mapping[str, Host]
    controller: Host


@contextmanager
def open_session(
    names: Mapping[str, str | None], where: Whereabouts, report: Callable[[str], None]
) -> Iterator[Session]:
    """Yield the hosts of a lab (name to address, None: the name is the alias) and close them in the end.

    Without names, all hosts of the sandbox or the inventory are opened. Starts the sandbox where it is wanted. The
    hosts are being connected to when this returns; one that cannot be says so when it is first used.
    """
    found = addresses_of(names, where, report)
    options = found.options(where.options)
    hosts = {name: found.host(name, options) for name in found.addresses}
    controller = connect(CONTROLLER, LOCAL, options)
    try:
        for host in hosts.values():
            host.begin()
        yield Session(hosts, controller)
    finally:
        for host in (*hosts.values(), controller):
            host.close()


def addresses_of(names: Mapping[str, str | None], where: Whereabouts, report: Callable[[str], None]) -> Inventory:
    """Return where the hosts of a lab are, as `open_session` finds them; starts the sandbox where it is wanted."""
    inventory = find_inventory(where, len(names), report)
    if inventory is None:
        return Inventory({name: address or name for name, address in names.items()})
    return replace(inventory, addresses=place_hosts(names, inventory))


def find_inventory(where: Whereabouts, hosts: int, report: Callable[[str], None]) -> Inventory | None:
    """Return where hosts are by the call's word, None when it says nothing; starts the sandbox for `hosts` hosts."""
    if where.sandbox and where.inventory is not None:
        raise UsageError("--sandbox and --inventory both say where the hosts are: leave one out")
    if where.inventory is not None:
        from dockerlab.hosts.inventory_file import read_inventory  # noqa: PLC0415 - only wanted where there is a file

        return read_inventory(where.inventory)
    return sandbox_inventory(_running_sandbox(hosts, report)) if where.sandbox else None


def _running_sandbox(hosts: int, report: Callable[[str], None]) -> SandboxState:
    """Return the sandbox with at least that many hosts, with the engine that it already has if it is there."""
    from dockerlab import sandbox  # noqa: PLC0415 - only wanted where it is

    return sandbox.up(enough(hosts, len(sandbox.hosts_there())), sandbox.root_in_use(), report)


def enough(wanted: int, there: int) -> int:
    """Return how many hosts a sandbox is to have: a new one has two, and one that is there grows only if it has to."""
    return max(wanted, there or 2)


def sandbox_inventory(state: SandboxState) -> Inventory:
    """Return the sandbox's hosts as an inventory, with the key and the host keys made for it.

    In a sandbox with a name, others than we are root on the hosts: they are read and probed from outside.
    """
    from dockerlab import sandbox  # noqa: PLC0415 - only wanted where it is

    addresses = {host.name: f"ssh://{host.user}@{host.address}:{host.port}" for host in state.hosts}
    return Inventory(
        addresses=addresses,
        identity_file=str(state.identity_file),
        known_hosts=str(state.known_hosts),
        enter={addresses[name]: enter for name, enter in sandbox.ways(addresses).items()},
    )


def place_hosts(names: Mapping[str, str | None], inventory: Inventory) -> dict[str, str]:
    """Return the address of each of the lab's hosts: by its name, and what is left over in the inventory's order.

    Raises UsageError when the inventory has too few hosts.
    """
    if not names:
        return dict(inventory.addresses)
    free = [name for name in inventory.addresses if name not in names]
    placed: dict[str, str] = {}
    for name in names:
        if name in inventory.addresses:
            placed[name] = inventory.addresses[name]
        elif free:
            placed[name] = inventory.addresses[free.pop(0)]
        else:
            raise UsageError(
                f"no place for host {name}: the lab wants {len(names)} hosts, and there are "
                f"{', '.join(inventory.addresses)}"
            )
    return placed
