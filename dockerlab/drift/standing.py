"""What is not there, or does not run: what keeps it from that, and the commands that work then. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches

from dockerlab import modes
from dockerlab.drift.containers import EVERYWHERE
from dockerlab.drift.right import anew, leaves, made, network_made
from dockerlab.kernel.model import Machine
from dockerlab.lab.model import Lab
from dockerlab.snapshot import GATEWAY_BRIDGE, INGRESS, ContainerState, NetworkState, PublishedPort, Snapshot, orphaned

OWN = ("bridge", "host", "none", GATEWAY_BRIDGE, INGRESS)
"""The engine's own networks, which nobody removes."""


@dataclass(frozen=True)
class Standing:
    """What is the matter with a container as a whole, and what makes it run; nothing where no command would."""

    what: str
    right: tuple[str, ...]
    cut_off: bool = False


def absent_network(lab: Lab, name: str, snapshot: Snapshot) -> Standing:
    """Return what is said of a network that does not exist."""
    strays = [each.name for each in snapshot.networks if each.name not in lab.networks]
    what = f"does not exist{_called(name, strays, lab.networks)}"
    rivals = _rivals(lab, name, snapshot)
    if rivals:
        what += f"; network {rivals[0].name} has its subnet, or a part of it"
    if lab.networks[name].external:
        return Standing(what, ())
    return Standing(what, (*rivals_gone(lab, name, snapshot), *network_made(lab, name, snapshot)))


def rivals_gone(lab: Lab, name: str, snapshot: Snapshot) -> tuple[str, ...]:
    """Return what removes the networks that have a part of the subnet that a network is to have."""
    lines: list[str] = []
    for rival in _rivals(lab, name, snapshot):
        users = [each.name for each in snapshot.containers if rival.name in each.endpoints]
        lines += [leaves(user, rival.name, force=True) for user in users]
        lines.append(shlex.join(["docker", "network", "rm", rival.name]))
    return tuple(lines)


def _rivals(lab: Lab, name: str, snapshot: Snapshot) -> list[NetworkState]:
    """Return the networks of no lab's name that an engine would not make this one beside: both have one address."""
    wanted = [pool.subnet for pool in lab.networks[name].pools]
    scope = modes.for_driver(lab.networks[name].driver).scope
    return [
        each
        for each in snapshot.networks
        if each.name not in (*lab.networks, *OWN)
        and (each.scope == "swarm") == (scope == "swarm")
        and any(one.version == other.version and one.overlaps(other) for one in wanted for other in each.subnets)
    ]


def _called(name: str, strays: Sequence[str], others: Iterable[str]) -> str:
    """Return what there is that may have been meant: a name that is nearly the same, and no nearer to another one.

    `others` are the lab's names. What is numbered otherwise is another one of its kind, and not meant.
    """
    near = next(iter(get_close_matches(name, strays, n=1, cutoff=0.8)), None)
    if near is None or any(_likeness(near, other) > _likeness(near, name) for other in others):
        return ""
    numbers = [set(DIGITS.findall(each)) for each in (name, near)]
    return "" if all(numbers) and numbers[0] != numbers[1] else f" (there is one called {near})"


DIGITS = re.compile(r"\d+")


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other).ratio()


@dataclass(frozen=True)
class Place:
    """Where containers are to stand: their lab and host, as far as these are known; `anew` are networks to be made.

    `beside` are the other hosts that were looked at.
    """

    lab: Lab
    snapshot: Snapshot
    machine: Machine | None = None
    anew: frozenset[str] = frozenset()
    beside: tuple[Snapshot, ...] = ()


def absent(place: Place, name: str) -> Standing:
    """Return what is said of a container that does not exist: on another host it may, or by another name."""
    lab, elsewhere = place.lab, [each.host for each in place.beside if each.container(name) is not None]
    strays = [each.name for each in place.snapshot.containers if each.name not in lab.containers]
    called = f" (there is one on {elsewhere[0]})" if elsewhere else _called(name, strays, lab.containers)
    return _unless_kept(Standing(f"does not exist{called}", made(lab, name)), place, name)


def halted(place: Place, name: str, state: ContainerState) -> Standing:
    """Return what is said of a container that does not run.

    One that never ran, or whose networks or owner are others by now, cannot be started: the engine would look for what
    is gone.
    """
    what, owner = f"does not run ({state.status}, exit code {state.exit_code})", place.lab.containers[name].owner
    left = owner is not None and _runs(owner, place.snapshot) and not _joins(state, owner, place.snapshot)
    if left:
        what += f", and cannot be started: the {owner} that it had joined is gone, and there is a new one"
    stale = left or state.status == "created" or _elsewhere(state, place.snapshot)
    right = anew(place.lab, name) if stale else (f"docker start {name}",)
    return _unless_kept(Standing(what, right), place, name)


def joined(lab: Lab, name: str, state: ContainerState, snapshot: Snapshot) -> Standing | None:
    """Return what is said of a container whose owner has left it; None where it is with its owner, or has none."""
    wanted = lab.containers[name].owner
    if wanted is None or not state.network_mode.startswith("container:"):
        return None
    owner = snapshot.container(wanted)
    if owner is None or not owner.running:
        gone = "does not exist any more" if owner is None else "does not run"
        return Standing(f"is in the network namespace that {wanted} had, and {wanted} {gone}", (), True)
    if not orphaned(state, owner):
        return None
    what = f"is in the network namespace that {wanted} had before it started anew, and so it is cut off"
    same = state.network_mode in (f"container:{owner.id}", f"container:{owner.name}")
    return Standing(what, (f"docker restart {name}",) if same else anew(lab, name), True)


def _joins(state: ContainerState, owner: str, snapshot: Snapshot) -> bool:
    """Tell whether a container joins the one that bears its owner's name now."""
    there = snapshot.container(owner)
    return there is not None and state.network_mode in (f"container:{there.id}", f"container:{there.name}")


def _unless_kept(standing: Standing, place: Place, name: str) -> Standing:
    """Return it with what would keep a container from running as things are, and only commands that work then."""
    lab, snapshot = place.lab, place.snapshot
    owner = lab.containers[name].owner
    if owner is not None and not _runs(owner, snapshot):
        return Standing(f"{standing.what}; it joins {owner}, which has to run first", ())
    holder = tenant(place, name, lab.containers[name].networks)
    if holder is not None:
        what = f"{standing.what}; container {holder.name} has its address"
        return Standing(what, (shlex.join(["docker", "stop", holder.name]), *standing.right))
    for port, protocol in _ports(lab, name):
        holder = _holder(name, port, protocol, snapshot) or _server(port, protocol, place)
        if holder is not None:
            what = f"{standing.what}; container {holder.name} holds port {port} of {snapshot.host}"
            return Standing(what, (shlex.join(["docker", "stop", holder.name]), *standing.right))
        program = _listener(port, protocol, place.machine)
        if program is not None:
            return Standing(
                f"{standing.what}; {program} holds port {port} of {snapshot.host}, and has to end first", ()
            )
    return standing


def tenant(place: Place, name: str, networks: Iterable[str]) -> ContainerState | None:
    """Return the other container that has an address which is to be a container's own on one of some networks.

    A network that is made anew has nobody on it then; and who is put right before has left the address by then.
    """
    order = list(place.lab.containers)
    before, spec = order[: order.index(name)], place.lab.containers[name]
    lasting = [network for network in networks if network not in place.anew]
    wanted = {(network, address) for network in lasting for address in spec.networks[network].addresses}
    for each in place.snapshot.containers:
        held = {(there.network, address.ip) for there in each.endpoints.values() for address in there.addresses}
        if each.name != name and each.name not in before and each.running and wanted & held:
            return each
    return None


def _runs(name: str, snapshot: Snapshot) -> bool:
    state = snapshot.container(name)
    return state is not None and state.running


def _elsewhere(state: ContainerState, snapshot: Snapshot) -> bool:
    """Tell whether a network of a container was made anew since: by its ID, which only an inspected container has.

    The engine's own are made anew whenever it starts, and its containers find them by name.
    """
    settings = (state.detail or {}).get("NetworkSettings") or {}
    for name, place in (settings.get("Networks") or {}).items():
        network, known = snapshot.network(name), (place or {}).get("NetworkID")
        if known and name not in OWN and (network is None or network.id != known):
            return True
    return False


def _ports(lab: Lab, name: str) -> Iterator[tuple[int, str]]:
    """Yield the ports of its host that a container wants for itself."""
    spec = lab.containers[name]
    if spec.mode == "host":
        yield from ((port, "tcp") for port in sorted(spec.listens))
        return
    yield from ((port.published, str(port.protocol)) for port in spec.ports if port.published is not None)


def _holder(name: str, port: int, protocol: str, snapshot: Snapshot) -> ContainerState | None:
    """Return the other container that publishes a port of the host on all addresses, or on one."""
    for each in snapshot.containers:
        if each.name != name and each.running and any(_is(port, protocol, held) for held in each.published):
            return each
    return None


def _is(port: int, protocol: str, held: PublishedPort) -> bool:
    return (held.host_port, held.protocol) == (port, protocol) and held.host_ip in EVERYWHERE


def _server(port: int, protocol: str, place: Place) -> ContainerState | None:
    """Return the container in host mode whose own program listens on a port of the host."""
    listeners = place.machine.ground.listeners if place.machine is not None else ()
    held = {pid for each in listeners if (each.port, each.protocol) == (port, protocol) for pid, _ in each.holders}
    return next((each for each in place.snapshot.containers if each.running and each.pid in held), None)


def _listener(port: int, protocol: str, machine: Machine | None) -> str | None:
    """Return the program that listens on a port of the host, or "another program" where that is not to be seen."""
    for each in machine.ground.listeners if machine is not None else ():
        if (each.port, each.protocol) == (port, protocol) and each.address in EVERYWHERE:
            return each.holders[0][1] if each.holders else "another program"
    return None
