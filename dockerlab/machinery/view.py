"""What `inspect` shows of a host: the lab's containers and bridges, and the rules that concern them; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from ipaddress import ip_network

from dockerlab.kernel.model import Link, Namespace
from dockerlab.kernel.routes import MAIN
from dockerlab.kernel.rules import Rule, Ruleset
from dockerlab.machinery import naming
from dockerlab.machinery.model import Machinery
from dockerlab.machinery.names import Names, names_of, whole
from dockerlab.machinery.strands import Door, Strand, doors, strands
from dockerlab.snapshot import ContainerState, NetworkState

WORDS = {
    "links": "interfaces and addresses",
    "routes": "routes",
    "selectors": "the rules that choose a table of routes",
    "neighbours": "fixed neighbours",
    "forwards": "where the VXLAN sends",
    "rules": "the firewall's rules inside",
    "sysctls": "the kernel's settings inside",
}
"""What of a namespace may be unread, for people."""


@dataclass(frozen=True)
class Container:
    """One container with its way to the wire; `home` is None where it does not run or cannot be entered.

    `shares` says whose namespace it is if not its own: a container's name, or `host`. `rules` are those that name its
    addresses. `notes` say what could not be told.
    """

    state: ContainerState
    home: Namespace | None
    shares: str = ""
    strands: tuple[Strand, ...] = ()
    doors: tuple[Door, ...] = ()
    rules: tuple[Rule, ...] = ()
    resolver: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bridge:
    """A bridge on the host that a container of the lab is on, with the rules that name it or its subnets."""

    link: Link
    network: NetworkState
    ports: tuple[str, ...]
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class View:
    """What there is of a lab on one host; `rules` are those for all packets alike.

    `missing` are containers that are not there, `unsure` those of which the engine did not say whether they are.
    """

    machine: Machinery
    names: Names
    containers: tuple[Container, ...]
    bridges: tuple[Bridge, ...]
    rules: tuple[Rule, ...]
    missing: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()


def view(machine: Machinery, wanted: Collection[str], networks: Collection[str] = ()) -> View:
    """Return what there is of the wanted containers and networks on a host, by their names."""
    states = [state for state in machine.containers if state.name in wanted]
    containers = tuple(_container(machine, state) for state in states)
    absent = tuple(name for name in wanted if name not in {state.name for state in states})
    used = {strand.network for each in containers for strand in each.strands if each.shares != "host"} | set(networks)
    bridges = tuple(bridge for n in machine.networks if n.name in used if (bridge := _bridge(machine, n)) is not None)
    return View(
        machine,
        names_of(machine),
        containers,
        bridges,
        tuple(
            rule for rule in machine.ground.ruleset.rules() if not naming.interfaces(rule) and not naming.places(rule)
        ),
        absent if machine.listed else (),
        () if machine.listed else absent,
    )


def _container(machine: Machinery, state: ContainerState) -> Container:
    home = machine.home(state)
    notes = []
    if state.running and home is None:
        notes.append("could not tell what is inside: its network namespace could not be entered (root is needed)")
    if state.running and state.id not in machine.resolvers and state.network_mode != "none":
        notes.append("could not read its resolv.conf")
    unread = home.unread if home is not None and not home.host else {}
    notes += [f"could not read {WORDS[kind]}: {why}" for kind, why in unread.items()]
    shares = _shares(machine, state, home)
    if state.network_mode.startswith("container:") and home is not None and not shares:
        notes.append("it joined a namespace that its owner has left: that one was started again, or made anew")
    ways = strands(machine, home, machine.networks) if home is not None else ()
    addresses = {whole(str(a.ip)) for strand in ways for a in strand.link.addresses if shares != "host"}
    return Container(
        state,
        home,
        shares,
        ways,
        doors(machine, state, home),
        tuple(rule for rule in machine.ground.ruleset.rules() if naming.places(rule) & addresses),
        tuple(line for line in machine.resolvers.get(state.id, "").splitlines() if line and not line.startswith("#")),
        tuple(notes),
    )


def _shares(machine: Machinery, state: ContainerState, home: Namespace | None) -> str:
    """Return whose namespace a container is in: by what the kernel says, whatever was once meant."""
    if home is None:
        return ""
    if home.host:
        return "host"
    owner = _joined(machine, state)
    return owner.name if owner is not None and owner in machine.dwellers(home) else ""


def _joined(machine: Machinery, state: ContainerState) -> ContainerState | None:
    """Return the container whose namespace another one was made to join."""
    kind, _, joined = state.network_mode.partition(":")
    return next((c for c in machine.containers if kind == "container" and joined in (c.id, c.name)), None)


def _bridge(machine: Machinery, network: NetworkState) -> Bridge | None:
    """Return the bridge of a network on the host, or None where it has none there."""
    link = machine.ground.link(network.bridge) if network.bridge else None
    if link is None:
        return None
    rules = tuple(_about(machine.ground.ruleset, link.name, (str(subnet) for subnet in network.subnets)))
    return Bridge(link, network, machine.ground.ports(link.name), rules)


def _about(rules: Ruleset, bridge: str, subnets: Iterable[str]) -> Iterable[Rule]:
    """Return the rules that name a bridge, or one of its subnets as a whole, but no single container."""
    places = set(subnets)
    for rule in rules.rules():
        named = naming.places(rule)
        single = any(ip_network(place, strict=False).num_addresses == 1 for place in named if _is_place(place))
        if (bridge in naming.interfaces(rule) or named & places) and not single:
            yield rule


def _is_place(place: str) -> bool:
    try:
        ip_network(place, strict=False)
    except ValueError:
        return False
    return True


def told(home: Namespace) -> tuple[str, ...]:
    """Return the routes that a namespace takes when no rule says otherwise, as `ip route` prints them."""
    return tuple(route.text for route in home.routes if route.table == MAIN)
