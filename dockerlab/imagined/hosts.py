"""One host as its engine would make it: networks, containers with their places, rules, and sockets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count

from dockerlab import modes
from dockerlab.ground import objects
from dockerlab.imagined import chains, chains_nft, resolver, said, swarms
from dockerlab.imagined.gateways import Stay, chosen, driver
from dockerlab.imagined.sockets import Published, ports_of, sockets, target
from dockerlab.imagined.spaces import LO, LO4, Draft, inherited, with_link_local
from dockerlab.kernel.addresses import IpAddress
from dockerlab.kernel.model import Link, Listener, Machine
from dockerlab.kernel.rules import Chain, Ruleset
from dockerlab.lab.ground import Ground
from dockerlab.lab.model import Container, Lab
from dockerlab.lab.places import IFNAME
from dockerlab.modes.base import Site
from dockerlab.modes.bridge import DEFAULT
from dockerlab.modes.made import Joined, Written
from dockerlab.snapshot import GATEWAY_BRIDGE, ContainerState, EndpointState, NetworkState, Snapshot
from dockerlab.versions import Engine

FIRST_SPACE = 4026540000
"""The number of the first namespace that is made up; the kernel's own begin at 4026531840 (include/linux/proc_ns.h)."""
FIRST_PROXY = 1 << 22
"""The number of the first docker-proxy that is made up: above all that a kernel gives (PID_MAX_LIMIT)."""


@dataclass
class Host:
    """One host while it is put together.

    `told` is what the host tells others of its places on overlays: MAC and address, by the network.
    """

    lab: Lab
    book: Snapshot
    bare: Machine
    engine: Engine
    spaces: list[Draft] = field(default_factory=list)
    hidden: dict[str, Draft] = field(default_factory=dict)
    homes: dict[str, Draft] = field(default_factory=dict)
    rules: list[Written] = field(default_factory=list)
    published: list[Published] = field(default_factory=list)
    told: dict[str, list[tuple[str, IpAddress]]] = field(default_factory=dict)
    counted: int = 0

    @property
    def name(self) -> str:
        """Return the host's name."""
        return self.book.host

    @property
    def ground(self) -> Draft:
        """Return the host's own namespace."""
        return self.spaces[0]

    def make(self) -> None:
        """Make everything but what the hosts of a Swarm tell each other."""
        own = self.bare.ground
        self.counted = max((link.index for link in own.links), default=1)
        self.spaces.append(
            Draft(
                own.id or FIRST_SPACE - 1, host=True, links=list(own.links), routes=list(own.routes),
                sysctls=dict(own.sysctls),
            )
        )  # fmt: skip
        self._said()
        for site in self._sites():
            self._network(site)
        states = {state.name: state for state in self.book.containers}
        for name in self._ordered(states):
            self._container(states[name])
        for key in swarms.strangers(self.book):
            self._stranger(key)
        for name, spec in self.lab.containers.items():
            if self.lab.host_of(name) == self.name:
                self._home(name, spec)
        if self.own is not None:
            said.ways(self.ground, self.own)

    @property
    def own(self) -> Ground | None:
        """Return what the definition says of the host itself."""
        return self.lab.hosts[self.name].ground if self.name in self.lab.hosts else None

    def _said(self) -> None:
        """Make what the definition says of the host itself, as far as networks and containers stand on it."""
        for link in said.links(self.ground, self.own) if self.own is not None else ():
            self._add(self.ground, link)

    def finished(self) -> Machine:
        """Return the machine."""
        policies = {
            chain.family: chain.policy
            for chain in self.bare.ground.ruleset.chains
            if (chain.table, chain.name, chain.hook) == ("filter", "FORWARD", "forward") and chain.backend == "iptables"
        }
        listeners, proxies = sockets(self.published, self.engine, FIRST_PROXY)
        self.ground.listeners += listeners
        ruleset = _ruleset(self.engine, self.rules, policies)
        self.ground.ruleset = ruleset if self.own is None else said.rules(ruleset, self.own, self.lab.name)
        return Machine(
            self.name,
            root=True,
            kernel=self.bare.kernel,
            namespaces=tuple(space.finished() for space in self.spaces),
            proxies=proxies,
        )

    def _sites(self) -> Iterator[Site]:
        """Yield the networks in the order in which they were made: the engine's own, the lab's, and others'."""
        order = [DEFAULT, "ingress", GATEWAY_BRIDGE, *self.lab.networks]
        rank = {name: number for number, name in enumerate(order)}
        known = modes.network_types()
        for state in sorted(self.book.networks, key=lambda state: (rank.get(state.name, len(rank)), state.name)):
            if state.driver in known:
                yield self._site(state)

    def _site(self, state: NetworkState) -> Site:
        return Site(self.name, state.name, self.lab.networks.get(state.name), state, engine=self.engine)

    def _network(self, site: Site) -> None:
        made = modes.for_driver(driver(site)).makes(site)
        for link in made.links:
            if self.ground.link(link.name) is None:
                self._add(self.ground, link)
        if made.hidden:
            space = self._space(f"/run/docker/netns/1-{(site.state.id if site.state else site.name)[:10]}")
            self.hidden[site.name] = space
            for link in made.hidden:
                self._add(space, link)
        self.ground.sysctls |= made.sysctls
        self.rules += made.rules

    def _space(self, path: str, pids: tuple[int, ...] = ()) -> Draft:
        """Begin a namespace."""
        settings = inherited(self.ground.sysctls)
        space = Draft(FIRST_SPACE + len(self.spaces), paths=(path,), pids=pids, links=[LO], sysctls=settings)
        self.spaces.append(space)
        return space

    def _add(self, space: Draft, link: Link) -> Link:
        """Give a link its number, and the number of what it hangs on in the same namespace."""
        self.counted += 1
        parent = space.link(link.info.get("parent", ""))
        numbered = replace(link, index=self.counted, peer=parent.index if parent is not None else link.peer)
        space.links.append(numbered)
        return numbered

    def _ordered(self, states: Mapping[str, ContainerState]) -> Iterator[str]:
        """Yield the containers that have a namespace of their own, the lab's first."""
        own = [name for name in self.lab.containers if self.lab.host_of(name) == self.name]
        for name in (*own, *(name for name in states if not self.is_labs(name))):
            state = states.get(name)
            if state is not None and state.running and state.network_mode != "host" and _owner(state) is None:
                yield name

    def _container(self, state: ContainerState) -> None:
        """Make a container's namespace, with all its places, its way out, and what is published of it."""
        space = self._space(f"/run/docker/netns/{state.id[:12]}", (state.pid,) if state.pid > 1 else ())
        spec = self.lab.containers.get(state.name) if self.is_labs(state.name) else None
        self.homes[state.name] = space
        if state.endpoints.keys() - {DEFAULT}:  # on docker0 alone the host's name servers are asked
            space.ruleset = resolver.ruleset(self.engine.backend)
        wanted = list(spec.networks) if spec is not None else []
        stays: list[Stay] = []
        for name in sorted(state.endpoints, key=lambda each: wanted.index(each) if each in wanted else len(wanted)):
            network = self.book.network(name)
            if network is not None and network.driver in modes.network_types():
                stays.append(self._stay(space, self._site(network), state.endpoints[name]))
        gateway = swarms.way_out(self.book, state, stays, self._taken())
        if gateway is not None:
            stays.append(self._stay(space, self._site(gateway[0]), gateway[1], last=True))
        self._settle_ipv6(space)
        ways = chosen(self.engine, stays)
        for version, stay in ways.items():
            space.routes += [route for route in stay.joined.routes if route.version == version]
        if not self.engine.routes_by_version:  # what has no router is added for itself
            space.routes += [
                route for stay in stays for route in stay.joined.routes if all(hop.via is None for hop in route.hops)
            ]
        for route in spec.routes if spec is not None else ():
            said.add(space, objects.route(route, space.links))
        for stay, ports in ports_of(self.engine, state, spec, stays, ways):
            self.rules += modes.for_driver(driver(stay.site)).publishes(stay.site, stay.endpoint, ports)
        self.published += [
            Published(port, to) for port in state.published if (to := target(port.host_ip, ways)) is not None
        ]
        for path, value in (spec.sysctls if spec is not None else {}).items():
            space.sysctls[path.replace(".", "/")] = value

    def _taken(self) -> Iterator[IpAddress]:
        """Yield the addresses that somebody on the host has."""
        yield from (address.ip for space in self.spaces for link in space.links for address in link.addresses)

    def _settle_ipv6(self, space: Draft) -> None:
        """Switch IPv6 off where a container has no address of it."""
        without = [link for link in space.links[1:] if all(address.version == 4 for address in link.addresses)]
        space.sysctls |= {f"net/ipv6/conf/{link.name}/disable_ipv6": "1" for link in without}
        if len(without) == len(space.links) - 1 and not self.engine.ipv6_on_lo:
            space.links[0] = LO4

    def is_labs(self, name: str) -> bool:
        """Tell whether a container of that name is the lab's, and on this host."""
        return name in self.lab.containers and self.lab.host_of(name) == self.name

    def _stay(self, space: Draft, site: Site, endpoint: EndpointState, *, last: bool = False) -> Stay:
        """Cable a container to a network."""
        name = endpoint.options.get(IFNAME) if self.engine.knows("interface_name") else None
        joined = modes.for_driver(driver(site)).joins(site, endpoint, name or _free_name(space))
        if joined.inside is not None and endpoint.link_local:
            own = (*joined.inside.addresses, *endpoint.link_local)
            joined = replace(joined, inside=replace(joined.inside, addresses=own))
        self._cable(space, site, joined)
        self.rules += joined.rules
        return Stay(site, endpoint, joined, last)

    def _cable(self, space: Draft, site: Site, joined: Joined) -> None:
        if joined.inside is None:
            return
        inside = self._add(space, with_link_local(joined.inside))
        if joined.outside is None:
            lower = self.ground.link(joined.lower)
            peer = lower.index if lower is not None else 0
        else:
            there = self.hidden.get(site.name, self.ground) if joined.hidden else self.ground
            name = f"veth{space.id - FIRST_SPACE:x}x{len(space.links) - 2}"
            outside = self._add(there, replace(joined.outside, name=name))
            there.links[-1] = replace(outside, peer=inside.index)
            peer = outside.index
        space.links[-1] = replace(inside, peer=peer)
        if joined.hidden:
            place = [(inside.mac, address.ip) for address in inside.addresses if not address.ip.is_link_local]
            self.told.setdefault(site.name, []).extend(place)

    def _stranger(self, key: str) -> None:
        """Make the namespace of an endpoint of the Swarm itself."""
        space = self._space(f"/run/docker/netns/{key.replace('-', '_')}")
        for network, endpoint in swarms.places(self.book, key):
            stay = self._stay(space, self._site(network), endpoint)
            space.routes += stay.joined.routes

    def _home(self, name: str, spec: Container) -> None:
        """Find the namespace of a container of the lab, and who listens there."""
        box = _box(self.lab, name)
        space = self.ground if box == self.name else self.homes.get(box)
        state = self.book.container(name)
        if space is None or state is None or not state.running:
            self.homes.pop(name, None)
            return
        self.homes[name] = space
        if state.pid > 1 and state.pid not in space.pids:
            space.pids = (*space.pids, state.pid)
        known = {listener.port for listener in space.listeners if listener.protocol == "tcp"}
        space.listeners += [
            Listener("tcp", "::", port, ((state.pid, name),)) for port in spec.listens if port not in known
        ]


def _free_name(space: Draft) -> str:
    """Return the first of eth0, eth1, … that no interface has (moby, libnetwork/osl, `generateIfaceName`)."""
    return next(name for number in count() if space.link(name := f"eth{number}") is None)


def _owner(state: ContainerState) -> str | None:
    """Return whose namespace a container joins, by the engine's word, or None."""
    kind, _, joined = state.network_mode.partition(":")
    return joined if kind == "container" else None


def _box(lab: Lab, name: str) -> str:
    """Return the container, or the host, whose namespace a container of the lab is in."""
    spec = lab.containers[name]
    box = modes.for_container(lab, spec).namespace(lab.host_of(name), name, spec)
    return box if box == name or box in lab.hosts else _box(lab, box)


def _ruleset(engine: Engine, rules: list[Written], policies: Mapping[str, str]) -> Ruleset:
    """Return the rules of a host; beside nftables, a FORWARD of iptables that is there lets everything pass.

    An engine that writes for nftables has no part in that policy. What it drops is the host's doing (moby #50566).
    """
    if engine.backend == "iptables":
        return chains.ruleset(engine, rules, policies)
    made = chains_nft.ruleset(engine, rules)
    left = tuple(Chain(family, "filter", "FORWARD", hook="forward", policy="ACCEPT") for family in policies)
    return replace(made, chains=(*left, *made.chains))
