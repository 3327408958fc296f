"""The commands that make an object of a lab what it should be, as one types them on its host."""

from __future__ import annotations

import shlex

from dockerlab.lab.model import Lab
from dockerlab.plan import build
from dockerlab.plan.built import Built
from dockerlab.snapshot import Snapshot


def made(lab: Lab, container: str) -> tuple[str, ...]:
    """Return how a container is made."""
    return _typed(build.container(lab, container, None, {}))


def anew(lab: Lab, container: str) -> tuple[str, ...]:
    """Return how a container is made in the place of another one of its name."""
    return (shlex.join(["docker", "rm", "--force", container]), *made(lab, container))


def leaves(container: str, network: str, *, force: bool = False) -> str:
    """Return how a container is taken off a network."""
    return shlex.join(["docker", "network", "disconnect", *(["--force"] if force else []), network, container])


def joins(lab: Lab, container: str, network: str) -> tuple[str, ...]:
    """Return how a container is put on a network, with its addresses and names there."""
    return (build.connect(lab, container, network).shell(),)


def network_made(lab: Lab, network: str, snapshot: Snapshot) -> tuple[str, ...]:
    """Return how a network is made, with the lab's containers that are there on it."""
    there = [name for name in lab.containers if (state := snapshot.container(name)) and _may_join(state.network_mode)]
    back = [line for name in there if network in lab.containers[name].networks for line in joins(lab, name, network)]
    return (*_typed(build.network(lab, network, snapshot.host, None)), *back)


def network_anew(lab: Lab, network: str, snapshot: Snapshot) -> tuple[str, ...]:
    """Return how a network is made in the place of another one: whoever is on it has to leave it first."""
    users = [container.name for container in snapshot.containers if network in container.endpoints]
    off = [leaves(name, network, force=True) for name in users]
    return (*off, shlex.join(["docker", "network", "rm", network]), *network_made(lab, network, snapshot))


def _may_join(mode: str) -> bool:
    """Tell whether a container of that mode can be put on a network at all."""
    return not mode.startswith("container:") and mode not in ("host", "none")


def _typed(built: Built) -> tuple[str, ...]:
    return tuple(command.shell() for command in built.create)
