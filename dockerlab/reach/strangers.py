"""Who else is on a lab's networks: containers of nobody's lab or of another's, and their names there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from dockerlab.kernel.addresses import IpAddress
from dockerlab.lab.model import Lab
from dockerlab.modes.bridge import DEFAULT
from dockerlab.snapshot import ContainerState, Snapshot


class Stranger(NamedTuple):
    """A running container that is not the lab's, on one of its networks: its names and addresses there."""

    container: str
    network: str
    names: tuple[str, ...]
    addresses: tuple[IpAddress, ...]


def strangers(lab: Lab, book: Snapshot) -> Iterator[Stranger]:
    """Yield who else is on the networks of a lab with Docker's DNS, by the book of one engine.

    What only an inspected container tells, its aliases and its hostname, is not known of one that the engine listed.
    """
    own = lab.on_host(book.host)
    for state in book.containers:
        for network, there in state.endpoints.items() if state.running and state.name not in own else ():
            held = tuple(address.ip for address in there.addresses if not address.ip.is_link_local)
            if held and network in lab.networks and network != DEFAULT:
                names = (state.known_as or state.name, *_hostname(state), *there.aliases)
                yield Stranger(state.name, network, tuple(dict.fromkeys(names)), held)


def _hostname(state: ContainerState) -> tuple[str, ...]:
    """Return the hostname of a container, which is a name of it on every network; none where nobody told it."""
    config = (state.shown or {}).get("Config") or {}
    return (str(config["Hostname"]),) if config.get("Hostname") else ()
