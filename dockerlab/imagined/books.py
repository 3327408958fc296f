"""An engine's books as the definition has them: what engines would say if every object were as it should be.

What is the engine's to choose comes from its real books where there are some: identifiers, MAC addresses, process
numbers, automatic addresses and subnets. Else it is chosen as an engine chooses.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from dockerlab import modes
from dockerlab.imagined.ipam import Ipam
from dockerlab.imagined.networks import around, docker0, given_by, network, right, wide
from dockerlab.kernel.addresses import IpAddress
from dockerlab.lab.daemon import Daemon
from dockerlab.lab.model import Container, Lab
from dockerlab.lab.ports import Port
from dockerlab.modes.bridge import DEFAULT
from dockerlab.snapshot import BINDING, GATEWAY_BRIDGE, ContainerState, NetworkState, PublishedPort, Snapshot
from dockerlab.versions import Engine, numbers

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - the engine's words for every address of a host, to be read and not bound


def books(
    lab: Lab,
    engines: Mapping[str, str],
    seen: Mapping[str, Snapshot] | None = None,
    makers: Mapping[str, Engine] | None = None,
) -> dict[str, Snapshot]:
    """Return what the engine of each host would say, by the host's name, if the lab were as its definition has it.

    `engines` are the versions, such as `28.5`, by host; `seen` is what the engines really say, None for a lab that is
    on no host. What is not the lab's stays as it was seen. `makers` are engines that make all of it anew: of what was
    seen, the addresses stay.
    """
    given = {host: (seen or {}).get(host) or Snapshot(host) for host in lab.hosts}
    given = {host: replace(snapshot, engine_version=engines[host]) for host, snapshot in given.items()}
    if makers is not None:
        given = {host: _unpublished(snapshot) for host, snapshot in given.items()}
    networks = _networks(lab, given)
    desks = _desks(lab, given, networks, anew=makers is not None)
    makers = makers or {host: Engine(numbers(snapshot.engine_version)) for host, snapshot in given.items()}
    made: dict[str, ContainerState] = {}
    for name, spec in _fixed_first(lab):
        host = lab.host_of(name)
        own = {network: desks[host, network] for network in networks[host]}
        made[name] = _container(name, spec, given[host], own, makers[host], ends=name in lab.jobs)
    for name, spec in lab.containers.items():
        if spec.owner is not None and spec.owner in made:
            made[name] = replace(made[name], network_mode=f"container:{made[spec.owner].id}")
    return {host: _book(snapshot, networks[host], made, set(lab.on_host(host))) for host, snapshot in given.items()}


def _unpublished(given: Snapshot) -> Snapshot:
    """Return books in which no port is published yet: on which addresses one is, its engine decides."""
    return replace(given, containers=tuple(replace(state, published=()) for state in given.containers))


def _book(
    given: Snapshot, networks: Mapping[str, NetworkState], made: Mapping[str, ContainerState], own: set[str]
) -> Snapshot:
    """Return a host's books: the lab's objects as they should be, and all others as they are.

    Whoever has an address that is one of the lab's containers' is not there: by the definition it cannot be.
    """
    holders = {name: _holders(name, state, made, own) for name, state in networks.items()}
    taken = {a.ip for name in own & made.keys() for end in made[name].endpoints.values() for a in end.addresses}
    others = [state for state in given.networks if state.name not in networks]
    foreign = [state for state in given.containers if state.name not in own]
    gone = {
        state.id
        for state in foreign
        for name, end in state.endpoints.items()
        for address in end.addresses
        if address.ip in taken or address.ip in holders.get(name, {})
    }
    return replace(
        given,
        networks=(*(_attached(state, given, holders[name], gone) for name, state in networks.items()), *others),
        containers=(
            *(state for name, state in made.items() if name in own),
            *(state for state in foreign if state.id not in gone),
        ),
    )


def _holders(
    network: str, state: NetworkState, made: Mapping[str, ContainerState], own: set[str]
) -> dict[IpAddress, str]:
    """Return which container of the lab has which address of a network; of one for a whole Swarm, on any host."""
    return {
        address.ip: container.id
        for name, container in made.items()
        if network in container.endpoints and (name in own or state.scope == "swarm")
        for address in container.endpoints[network].addresses
    }


def _attached(
    state: NetworkState, given: Snapshot, holders: Mapping[IpAddress, str], gone: Collection[str]
) -> NetworkState:
    """Return a network with what this host has attached to it: the other hosts of a Swarm have attached something else.

    Nobody has an address that is none of the network's, or is another's.
    """
    real = given.network(state.name)
    if real is None:
        return replace(state, containers=(), members={}, stale=())
    members = {
        key: address
        for key, address in real.members.items()
        if key not in gone
        and any(address.ip in subnet for subnet in state.subnets)
        and holders.get(address.ip, key) == key
    }
    return replace(state, containers=real.containers, members=members, stale=real.stale)


def _networks(lab: Lab, given: Mapping[str, Snapshot]) -> dict[str, dict[str, NetworkState]]:
    """Return the lab's networks on each host, docker0 and docker_gwbridge among them, by host and name."""
    found: dict[str, dict[str, NetworkState]] = {}
    shared: dict[str, NetworkState] = {}
    for host, snapshot in given.items():
        daemon = lab.daemons.get(host, Daemon())
        foreign = {f"{n.name} {n.id}": n for n in snapshot.networks if n.name not in (DEFAULT, *lab.networks)}
        own = found[host] = {DEFAULT: docker0(snapshot.network(DEFAULT), foreign, daemon)}
        # What is there already has its subnet before the lab's networks choose theirs.
        for name, said in sorted(lab.networks.items(), key=lambda item: not item[1].external):
            if host not in lab.hosts_of(name):
                continue
            fixed = {
                address
                for each in lab.containers.values()
                if name in each.networks
                for address in each.networks[name].addresses
            }
            spec = said if snapshot.network(name) is not None else around(said, fixed)
            if modes.for_driver(spec.driver).scope == "swarm":
                real = next((n for s in given.values() if (n := s.network(name)) is not None), None)
                own[name] = shared.setdefault(name, wide(name, spec, real, len(shared) + 1))
                between = snapshot.network(GATEWAY_BRIDGE)
                own.setdefault(GATEWAY_BRIDGE, network(GATEWAY_BRIDGE, None, between, foreign | own, daemon))
            else:
                own[name] = network(name, spec, snapshot.network(name), foreign | own, daemon)
    return found


def _desks(
    lab: Lab, given: Mapping[str, Snapshot], networks: Mapping[str, Mapping[str, NetworkState]], *, anew: bool
) -> dict[tuple[str, str], Ipam]:
    """Return who gives out the addresses of each network, by host and network; for a Swarm's it is one for all."""
    fixed: dict[str, set[IpAddress]] = {}
    for container in lab.containers.values():
        for name, place in container.networks.items():
            fixed.setdefault(name, set()).update(place.addresses)
    found: dict[tuple[str, str], Ipam] = {}
    shared: dict[str, Ipam] = {}
    for host, states in networks.items():
        daemon = lab.daemons.get(host, Daemon())
        for name, state in states.items():
            spec = lab.networks.get(name)
            desk = shared.get(name) or Ipam(
                state,
                spec,
                daemon if name == DEFAULT else Daemon(),
                frozenset(fixed.get(name, ())),
                kept=not anew
                and any(
                    (real := each.network(name)) is not None and right(spec, real, given_by(daemon, spec))
                    for each in given.values()
                ),
            )
            desk.taken |= set(_given_out(name, given[host]))
            found[host, name] = desk
            if state.scope == "swarm":
                shared[name] = desk
    return found


def _given_out(name: str, snapshot: Snapshot) -> Iterator[IpAddress]:
    """Yield the addresses of a network that an engine has given to somebody."""
    for container in snapshot.containers:
        if name in container.endpoints:
            yield from (address.ip for address in container.endpoints[name].addresses)
    state = snapshot.network(name)
    yield from (address.ip for address in state.members.values()) if state is not None else ()


def _fixed_first(lab: Lab) -> Iterator[tuple[str, Container]]:
    """Yield the containers in the order in which they get their addresses: fixed ones are never given away."""
    ordered = lab.containers.items()
    yield from ((n, c) for n, c in ordered if any(place.addresses for place in c.networks.values()))
    yield from ((n, c) for n, c in ordered if not any(place.addresses for place in c.networks.values()))


def _container(
    name: str, spec: Container, given: Snapshot, desks: Mapping[str, Ipam], maker: Engine, *, ends: bool
) -> ContainerState:
    """Return a container as it should be: one that `ends` has done its work."""
    real = given.container(name) or ContainerState(id=name, name=name, image=spec.image, status="imagined")
    on = list(spec.networks) or ([DEFAULT] if spec.mode == DEFAULT else [])
    places = {network: spec.place(network) for network in on}
    return replace(
        real,
        image=spec.image,
        running=not ends,
        status="exited" if ends else "running" if real.pid else "imagined",
        pid=real.pid or 1,
        exit_code=0,
        network_mode=spec.mode,
        endpoints={
            network: desks[network].endpoint(place, real.endpoints.get(network), maker)
            for network, place in places.items()
        },
        published=tuple(_published(spec, real, _bound(spec, desks))) if spec.mode != "host" else (),
    )


def _bound(spec: Container, desks: Mapping[str, Ipam]) -> Sequence[str]:
    """Return the addresses of the host on which ports are published of which none is said: its only network's."""
    desk = desks.get(spec.mode) if len(spec.networks) < 2 else None
    told = desk.state.options.get(BINDING, "") if desk is not None else ""
    return EVERYWHERE if told in ("", *EVERYWHERE) else (told,)


def _as_asked(port: Port, there: PublishedPort, real: ContainerState) -> bool:
    """Tell whether a container was published on the address that the definition says, or on none in particular."""
    said = "" if port.host_ip is None else str(port.host_ip)
    for each in real.asked or ():
        if (each.container_port, each.protocol, each.host_port) == (port.target, port.protocol, there.host_port):
            return each.host_ip == said or {each.host_ip, said} <= {"", *EVERYWHERE}
    return True


def _published(spec: Container, real: ContainerState, bound: Sequence[str]) -> Iterator[PublishedPort]:
    """Yield the ports that are published; which one the engine picks, only it can tell."""
    for port in spec.ports:
        there = [
            each
            for each in real.published
            if (each.container_port, each.protocol) == (port.target, port.protocol)
            and port.published in (None, each.host_port)
            and _as_asked(port, each, real)
        ]
        yield from there
        if not there and port.published is not None:
            for on in (str(port.host_ip),) if port.host_ip is not None else bound:
                yield PublishedPort(on, port.published, port.target, port.protocol)
