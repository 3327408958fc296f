"""From the model's world to a picture: what the definition says, and what the engines did or would do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from dockerlab.graph.beyond import beyond, default_hop
from dockerlab.graph.given import GUESS, GUESSED, given
from dockerlab.graph.model import Bar, Box, Exit, Group, GroupKind, HostFrame, Link, Picture
from dockerlab.graph.sockets import bridge_name, kind_of, parent, port_text, socket
from dockerlab.kernel.model import Link as InterfaceState
from dockerlab.lab.ground import HostInterface
from dockerlab.lab.model import Container, Lab
from dockerlab.modes.bridge import DEFAULT
from dockerlab.modes.ipvlan import IpvlanNetwork
from dockerlab.reach import World
from dockerlab.reach.people import published_by
from dockerlab.snapshot import GATEWAY_BRIDGE

ORDER: tuple[GroupKind, ...] = ("host", "bridge", "overlay", "parent", "dummy", "none")


def describe(world: World, *, imagined: bool) -> Picture:
    """Return the picture of a lab; of an `imagined` world only the definition's own facts are shown as facts."""
    drawing = _Drawing(world, imagined)
    lab = world.lab
    machines = tuple(drawing.machine(host) for host in lab.hosts)
    far = tuple(beyond(world, drawing.lans, drawing.aliases, imagined=imagined))
    shown = [line for machine in machines for group in machine.groups for line in _lines_of(group)]
    return Picture(
        lab=lab.name,
        title=lab.title,
        machines=machines,
        overlays=tuple(drawing.overlays()),
        lans=tuple(drawing.lans.values()),
        beyond=far,
        links=tuple(drawing.links),
        notes=(GUESSED,) if any(GUESS in line for line in shown) else (),
        aliases=drawing.aliases,
    )


def _lines_of(group: Group) -> Iterator[str]:
    for box in group.boxes:
        yield from box.lines
    yield from group.bar.lines if group.bar is not None else ()


def _made(said: HostInterface) -> Iterator[str]:
    """Yield what an interface is that the definition makes on a host."""
    if said.kind is not None:
        kind = f"VLAN {said.id}" if said.kind == "vlan" else " ".join(filter(None, (said.kind, said.mode)))
        yield f"{kind} on {said.parent}" if said.parent else f"{kind}: leads nowhere"


@dataclass
class _Drawing:
    """A picture in the making: links, LANs and aliases gather while the hosts are gone through."""

    world: World
    imagined: bool
    links: list[Link] = field(default_factory=list)
    lans: dict[str, Bar] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)

    @property
    def lab(self) -> Lab:
        return self.world.lab

    def machine(self, host: str) -> HostFrame:
        """Return a host with its groups; notes what its interfaces are plugged into."""
        main = self._main(host)
        groups: dict[tuple[GroupKind, str], Group] = {}
        for key in self._kinds(host):
            groups[key] = self._group(host, key, main)
        for name, spec in self.lab.on_host(host).items():
            if self.world.people.of[name] == name or spec.mode == "host":
                key = self._place(spec)
                groups[key] = replace(groups[key], boxes=(*groups[key].boxes, self._box(host, name, spec)))
        for name, spec in self.lab.on_host(host).items():
            self._publish(host, name, spec, groups)
        ordered = sorted(groups.items(), key=lambda item: ORDER.index(item[0][0]))
        parents = dict.fromkeys(key[1] for key, _ in ordered if key[0] == "parent")
        names = list(dict.fromkeys([main, *parents, *self._said(host)]))
        nics = tuple(self._nic(host, name, main) for name in names)
        where = self.lab.addresses[host]
        return HostFrame(
            f"host:{host}", host, (where,) if where and where != host else (), tuple(g for _, g in ordered), nics
        )

    def _main(self, host: str) -> str:
        """Return the interface of the host's default route; where none is known, a name that says so."""
        hop = default_hop(self.world, host)
        return hop.device if hop is not None else "(no default route)"

    def _nic(self, host: str, name: str, main: str) -> Bar:
        nic = f"nic:{host}/{name}"
        said = self._said(host).get(name, HostInterface())
        # A child of an interface is on its LAN; a VLAN is a LAN of its own, and a dummy leads nowhere.
        cable = said.parent if said.kind in ("macvlan", "ipvlan") and said.parent else name
        lan = Bar(f"lan:{cable}", f"LAN of {cable}")
        if cable == main:
            lan = Bar(f"lan:{cable}", "the hosts' LAN" if self.imagined else f"LAN of {cable}, the hosts' own")
        if cable != "(no default route)" and said.kind != "dummy":
            self.lans[lan.id] = lan if cable == main else self.lans.get(lan.id, lan)
            self.links.append(Link(nic, lan.id, "wire"))
        shown = self._link(host, name)
        addresses = [str(a) for a in shown.addresses if not a.ip.is_link_local] if shown is not None else []
        if self.imagined:
            named = urlsplit(self.lab.addresses[host] or "").hostname or ""
            own = {named, *(str(held.ip) for held in said.addresses)}
            addresses = [address for address in addresses if address.partition("/")[0] in own]
        nets = [n for n, spec in self.lab.networks.items() if host in self.lab.hosts_of(n) and parent(spec) == name]
        label = "the host's interface" if self.imagined and name == main and not nets else name
        return Bar(nic, label, (*_made(said), *addresses, *(self._parent_line(net) for net in nets)))

    def _said(self, host: str) -> Mapping[str, HostInterface]:
        """Return what the definition says of the host's interfaces."""
        ground = self.lab.hosts[host].ground
        return ground.interfaces if ground is not None else {}

    def _parent_line(self, network: str) -> str:
        spec = self.lab.networks[network]
        own = "its own MAC each" if spec.driver == "macvlan" else "one MAC for all"
        level = f" {spec.submode}" if isinstance(spec, IpvlanNetwork) and spec.submode != "l2" else ""
        inside = ", internal: no way out" if spec.internal else ""
        return " ".join([f"{spec.driver}{level} {network}", *self._subnets(network)]) + f", {own}{inside}"

    def _kinds(self, host: str) -> Iterator[tuple[GroupKind, str]]:
        """Yield the groups of a host: one for each of its networks, and one for each mode in use without a network."""
        here = self.lab.on_host(host).values()
        if any(spec.mode == DEFAULT for spec in here):
            yield "bridge", DEFAULT
        networks = [(name, spec) for name, spec in self.lab.networks.items() if host in self.lab.hosts_of(name)]
        yield from dict.fromkeys(kind_of(name, spec) for name, spec in networks)
        for mode in ("host", "none"):
            if any(spec.mode == mode for spec in here):
                yield ("host", "") if mode == "host" else ("none", "")

    def _group(self, host: str, key: tuple[GroupKind, str], main: str) -> Group:
        kind, name = key
        nic = f"nic:{host}/{main}"
        if kind == "parent":
            return Group(f"nic:{host}/{name}", kind, nic=f"nic:{host}/{name}")
        if kind == "dummy":
            lines = (*self._subnets(name), "no parent: leads nowhere")
            bar = Bar(f"bridge:{host}/{name}", f"{self.lab.networks[name].driver} {name}", lines)
            if (name, host) in self.world.people.gateways:  # an address that nobody holds
                self.aliases |= {f"gateway:{name}{at}": bar.id for at in ("", f"@{host}")}
            return Group(bar.id, kind, bar=bar)
        if kind not in ("bridge", "overlay"):
            return Group(f"mode-{kind}:{host}", kind)
        bridge = GATEWAY_BRIDGE if kind == "overlay" else name
        bar = Bar(f"bridge:{host}/{bridge}", bridge_name(bridge), tuple(self._bridge_lines(host, bridge)))
        way = self._exit(host, bridge)
        if way != "shut":
            self.links.append(Link(bar.id, nic, "exit", "NAT" if way == "nat" else "no NAT"))
        return Group(bar.id, kind, (), bar, nic, way)

    def _link(self, host: str, name: str) -> InterfaceState | None:
        """Return an interface of a host, or None."""
        space = self.world.space(host)
        return space.link(name) if space is not None else None

    def _bridge(self, host: str, network: str) -> InterfaceState | None:
        """Return the bridge of a network on a host, or None."""
        state = self.world.books[host].network(network)
        return self._link(host, state.bridge) if state is not None and state.bridge else None

    def _exit(self, host: str, network: str) -> Exit:
        """Return how what leaves a bridge goes on: shut in, with the host's address, or with its own."""
        state, space = self.world.books[host].network(network), self.world.space(host)
        if state is not None and state.internal:
            return "shut"
        name = state.bridge if state is not None else ""
        rules = space.ruleset.rules() if space is not None else ()
        masked = any(
            rule.target in ("MASQUERADE", "SNAT")
            and (rule.chain.endswith(f"__{name}") or any(m.negated and name in m.values for m in rule.matches))
            for rule in rules
        )
        return "nat" if masked else "routed"

    def _bridge_lines(self, host: str, name: str) -> Iterator[str]:
        fixed, link = given(self.lab, host, name), self._bridge(host, name)
        addresses = [a for a in link.addresses if not a.ip.is_link_local] if link is not None else []
        subnets = self._subnets(name) or list(dict.fromkeys(str(address.network) for address in addresses))
        yield ", ".join(self._marked(subnet, fixed) for subnet in subnets) or "subnet not known"
        gateway = self.world.people.gateways.get((name, host))
        if gateway is None:
            return
        own = [address.ip for address in addresses]
        if own and gateway not in own:  # the engine was told of another default route than docker0 itself
            yield f"its own {', '.join(self._marked(each, fixed) for each in own if each.version == gateway.version)}"
        nobody = "" if gateway in self.world.fabric.holders else ", which nobody has"
        yield f"gateway {self._marked(gateway, fixed)}{nobody}"
        self.aliases |= {f"gateway:{name}{at}": f"bridge:{host}/{name}" for at in ("", f"@{host}")}

    def _marked(self, what: object, fixed: frozenset[str]) -> str:
        """Return an address or a subnet as it is written: with a mark where a real engine may choose another one."""
        return f"{GUESS if self.imagined and str(what) not in fixed else ''}{what}"

    def _subnets(self, network: str) -> list[str]:
        """Return the subnets that the definition gives a network."""
        spec = self.lab.networks.get(network)
        return [str(pool.subnet) for pool in spec.pools] if spec is not None else []

    def _place(self, spec: Container) -> tuple[GroupKind, str]:
        """Return the group that a container is drawn in: that of its first network, or of its mode."""
        if not spec.networks:
            return {"host": ("host", ""), "none": ("none", "")}.get(spec.mode, ("bridge", DEFAULT))  # type: ignore[return-value]
        first = next(iter(spec.networks))
        return kind_of(first, self.lab.networks[first])

    def _box(self, host: str, name: str, spec: Container) -> Box:
        """Return a container with those that share its namespace; notes what it is plugged into."""
        self._plug(host, name, spec)
        joined = tuple(
            Box(f"container:{other}", other, "container", ("container mode: same namespace",))
            for other, theirs in self.lab.containers.items()
            if theirs.owner == name
        )
        kinds = {self.lab.networks[network].driver for network in spec.networks}
        return Box(
            f"container:{name}",
            name,
            next(iter(sorted(kinds)), spec.mode),
            tuple(self._inscription(name, spec)),
            joined,
        )

    def _inscription(self, name: str, spec: Container) -> Iterator[str]:
        """Yield what is written into a container's box: addresses, names, ports."""
        several = len(spec.networks) > 1
        fixed = {str(address) for place in spec.networks.values() for address in place.addresses}
        for network in spec.networks or ([DEFAULT] if spec.mode == DEFAULT else []):
            own = [str(address) for at, address in self.world.people.addresses[name] if at == network]
            marked = [a if a in fixed or not self.imagined else f"{GUESS}{a}" for a in own] or ["address not known"]
            yield from (f"{network} {address}" if several else address for address in marked)
        if spec.mode == "none":
            yield "no network"
        names = [alias for place in spec.networks.values() for alias in place.aliases]
        if names:
            yield f"also {', '.join(names)}"
        if spec.listens:
            yield f"listens on {', '.join(map(str, spec.listens))}"

    def _plug(self, host: str, name: str, spec: Container) -> None:
        if spec.mode == DEFAULT:
            self.links.append(Link(f"container:{name}", f"bridge:{host}/{DEFAULT}", "veth"))
        for network in spec.networks:
            target, kind = socket(host, network, self.lab.networks[network])
            self.links.append(Link(f"container:{name}", target, kind))
        if self._leaves_by(host, name, GATEWAY_BRIDGE):
            self.links.append(Link(f"container:{name}", f"bridge:{host}/{GATEWAY_BRIDGE}", "veth"))

    def _leaves_by(self, host: str, name: str, bridge: str) -> bool:
        """Tell whether a container has a cable of its own to a bridge of its host."""
        home = self.world.homes.get(name)
        if home is None or self.world.people.of[name] != name:
            return False
        fabric = self.world.fabric
        space = fabric.spaces[home]
        ends = [end for link in space.links.values() for end in fabric.other_end(space, link)]
        return any(at is fabric.ground(host) and end.master == bridge for at, end in ends)

    def _publish(self, host: str, name: str, spec: Container, groups: dict[tuple[GroupKind, str], Group]) -> None:
        """Note the ports of the host that lead to a container at the group through whose bridge they lead."""
        network = published_by(self.world, name)
        bridge = f"bridge:{host}/{network}" if network else ""
        for key, group in groups.items():
            if group.bar is not None and group.bar.id == bridge:
                texts = tuple(port_text(name, port) for port in spec.ports)
                groups[key] = replace(group, published=group.published + texts)

    def overlays(self) -> Iterator[Bar]:
        """Yield the overlay networks; notes which hosts each one spans."""
        for name, spec in self.lab.networks.items():
            if spec.driver != "overlay":
                continue
            shut = ("internal: no way out",) if spec.internal else ()
            states = (book.network(name) for book in self.world.books.values())
            seen = next((state.subnets for state in states if state is not None), ())
            subnets = self._subnets(name) or [self._marked(subnet, frozenset()) for subnet in seen]
            for host in self.lab.hosts_of(name):
                self.links.append(Link(f"overlay:{name}", f"host:{host}", "wire", "VXLAN"))
            yield Bar(f"overlay:{name}", f"overlay {name}", (*subnets, *shut))
