"""Small kernels, made in the words of `ip` and `iptables`, and packets sent through them."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_interface, ip_network

from dockerlab.kernel import iptables
from dockerlab.kernel.model import Link, Listener, Machine, Namespace, Proxy
from dockerlab.kernel.routes import Hop, Neighbour, Route, Selector
from dockerlab.kernel.rules import Ruleset
from dockerlab.walk.compiled import Fabric
from dockerlab.walk.conversation import exchange
from dockerlab.walk.net import Net
from dockerlab.walk.outcome import Outcome, SpaceId
from dockerlab.walk.packet import Flow

FORWARDS = {"net.ipv4.ip_forward": "1", "net.ipv6.conf.all.forwarding": "1"}


class Box:
    """One namespace in the making."""

    def __init__(self, lab: Lab, host: str, number: int, *, is_host: bool) -> None:
        self.lab, self.host, self.number = lab, host, number
        self.links: list[Link] = []
        self.space = Namespace(number, is_host, ruleset=Ruleset(read=frozenset({"ip", "ip6"})))
        self.links.append(Link(1, "lo", addresses=(ip_interface("127.0.0.1/8"), ip_interface("::1/128"))))

    @property
    def id(self) -> SpaceId:
        return SpaceId(self.host, self.number)

    def link(self, name: str, *addresses: str, kind: str = "", **more) -> Link:
        """Add an interface with its addresses, and the routes that the kernel makes of them."""
        index = self.lab.next_index()
        mac = more.pop("mac", f"02:00:00:00:00:{index:02x}")
        own = tuple(ip_interface(address) for address in addresses)
        made = Link(index, name, kind, mac, more.pop("mtu", 1500), addresses=own, **more)
        self.links.append(made)
        for address in own:
            if address.network.prefixlen < address.max_prefixlen:
                self.route(f"{address.network} dev {name} src {address.ip}")
        return made

    def change(self, name: str, **how) -> None:
        """Change an interface."""
        self.links = [replace(link, **how) if link.name == name else link for link in self.links]

    def route(self, text: str) -> None:
        """Add a route as `ip route add` takes it: `[KIND] PREFIX [via A] [dev D] [src S] [table T] [metric N]`."""
        words = text.split()
        kind = words.pop(0) if words[0] in ("blackhole", "unreachable", "prohibit", "throw", "local") else "unicast"
        said = dict(zip(words[1::2], words[2::2], strict=True))
        via = ip_address(said["via"]) if "via" in said else None
        version = via.version if via else 6 if ":" in words[0] else 4
        whole = {4: "0.0.0.0/0", 6: "::/0"}[version]
        network = ip_network(whole if words[0] == "default" else words[0])
        device = said.get("dev") or (self._towards(via) if via else "")
        source = ip_address(said["src"]) if "src" in said else None
        made = Route(network, kind, said.get("table", "main"), (Hop(device, via),) if device else (), source,
                     int(said.get("metric", 0)), text=text)  # fmt: skip
        self.space = replace(self.space, routes=(*self.space.routes, made))

    def _towards(self, router) -> str:
        return next(link.name for link in self.links for own in link.addresses if router in own.network)

    def rule(self, priority: int, **said) -> None:
        """Add a rule of `ip rule`, beside those that every kernel has."""
        usual = tuple(Selector(v, p, table=t) for v in (4, 6) for p, t in ((0, "local"), (32766, "main")))
        known = self.space.selectors or usual
        self.space = replace(self.space, selectors=(*known, Selector(4, priority, **said)))

    def neighbour(self, address: str, device: str, mac: str = "", *, proxy: bool = False) -> None:
        """Fix a neighbour."""
        made = Neighbour(ip_address(address), device, mac, proxy)
        self.space = replace(self.space, neighbours=(*self.space.neighbours, made))

    def sysctl(self, path: str, value: int) -> None:
        """Set a sysctl."""
        self.space = replace(self.space, sysctls={**self.space.sysctls, path: str(value)})

    def iptables(self, *lines: str, family: str = "ip", backend="iptables") -> None:
        """Add rules: each line `TABLE -A CHAIN …` or `TABLE -P CHAIN DROP`; chains of one's own are made by use."""
        tables: dict[str, list[str]] = {}
        policies: dict[tuple[str, str], str] = {}
        own: dict[tuple[str, str], None] = {}
        for line in lines:
            table, _, rest = line.partition(" ")
            words = rest.split()
            if words[0] == "-P":
                policies[table, words[1]] = words[2]
                tables.setdefault(table, [])
                continue
            if words[1] not in iptables.HOOKS:
                own[table, words[1]] = None
            tables.setdefault(table, []).append(rest)
        text = ""
        for table, rules in tables.items():
            text += f"*{table}\n"
            for chain in iptables.HOOKS:
                text += f":{chain} {policies.get((table, chain), 'ACCEPT')} [0:0]\n"
            text += "".join(f":{chain} - [0:0]\n" for of, chain in own if of == table)
            text += "".join(f"{each}\n" for each in rules) + "COMMIT\n"
        self.add(iptables.read(text, family, backend))

    def add(self, ruleset: Ruleset) -> None:
        """Add chains and sets."""
        old = self.space.ruleset
        new = replace(old, chains=(*old.chains, *ruleset.chains), sets=(*old.sets, *ruleset.sets))
        self.space = replace(self.space, ruleset=new)

    def listen(self, port: int, address: str = "0.0.0.0", device: str = "", holders=()) -> None:
        """Let somebody listen."""
        made = Listener("tcp", address, port, holders, device)
        self.space = replace(self.space, listeners=(*self.space.listeners, made))


class Lab:
    """Hosts on one LAN, each with an interface `eth0`; on the first one a bridge with containers."""

    def __init__(self) -> None:
        self._index = 1
        self.boxes: list[Box] = []
        self.proxies: dict[str, list[Proxy]] = {}
        self.beyond: dict[str, frozenset[int]] = {}

    def next_index(self) -> int:
        self._index += 1
        return self._index

    def host(self, name: str, address: str = "") -> Box:
        """Add a host that forwards."""
        made = Box(self, name, 1, is_host=True)
        made.space = replace(made.space, sysctls=FORWARDS)
        if address:
            made.link("eth0", address)
        self.boxes.append(made)
        return made

    def container(self, host: Box) -> Box:
        """Add another namespace to a host."""
        made = Box(self, host.host, 100 + len(self.boxes), is_host=False)
        self.boxes.append(made)
        return made

    def cable(self, host: Box, bridge: str, inside: Box, *addresses: str, name: str = "eth0", **port) -> None:
        """Plug a namespace into a bridge of a host."""
        near = inside.link(name, *addresses, kind="veth", away=True)
        far = host.link(f"v{inside.number}{name}", kind="veth", away=True, master=bridge, peer=near.index, **port)
        inside.change(name, peer=far.index)

    def child(self, host: Box, parent: str, inside: Box, *addresses: str, name: str = "eth0", **more) -> None:
        """Add a macvlan or ipvlan child of a host's interface to a namespace."""
        index = next(link.index for link in host.links if link.name == parent)
        kind = more.pop("kind", "macvlan")
        inside.link(name, *addresses, kind=kind, peer=index, away=inside is not host, info=more)

    def proxy(self, host: Box, port: int, to: str, to_port: int) -> None:
        """Start a docker-proxy."""
        pid = 1000 + port
        self.proxies.setdefault(host.host, []).append(Proxy(pid, "tcp", "0.0.0.0", port, to, to_port))
        host.listen(port, holders=((pid, "docker-proxy"),))

    def net(self) -> Net:
        machines = {}
        for name in dict.fromkeys(box.host for box in self.boxes):
            spaces = tuple(replace(b.space, links=tuple(b.links)) for b in self.boxes if b.host == name)
            machines[name] = Machine(name, True, "", spaces, tuple(self.proxies.get(name, ())))
        return Net(machines, beyond={ip_address(a): ports for a, ports in self.beyond.items()})

    def ping(self, source: Box, address: str, **more) -> Outcome:
        """Return what becomes of a ping."""
        return exchange(Fabric(self.net()), source.id, Flow(ip_address(address), **more))

    def connect(self, source: Box, address: str, port: int = 80, **more) -> Outcome:
        """Return what becomes of a connection."""
        return exchange(Fabric(self.net()), source.id, Flow(ip_address(address), "tcp", port, **more))


class Usual(Lab):
    """Hosts `a` and `b`; on `a` the bridge br0 with containers `one` and `two`, and br1 with `three`."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = self.host("a", "192.168.9.1/24"), self.host("b", "192.168.9.2/24")
        self.a.link("br0", "10.1.0.1/24", "fd00:1::1/64", kind="bridge")
        self.a.link("br1", "10.2.0.1/24", kind="bridge")
        self.one, self.two, self.three = (self.container(self.a) for _ in range(3))
        self.cable(self.a, "br0", self.one, "10.1.0.11/24", "fd00:1::11/64")
        self.cable(self.a, "br0", self.two, "10.1.0.12/24", "fd00:1::12/64")
        self.cable(self.a, "br1", self.three, "10.2.0.13/24")
        for box, router in ((self.one, "10.1.0.1"), (self.two, "10.1.0.1"), (self.three, "10.2.0.1")):
            box.route(f"default via {router}")
            box.listen(80)

    def routed_back(self) -> None:
        """Let host b know the way to the containers of a."""
        self.b.route("10.1.0.0/24 via 192.168.9.1")
        self.b.route("10.2.0.0/24 via 192.168.9.1")


def told(outcome: Outcome) -> tuple[bool | None, str | None]:
    """Return an outcome in short."""
    return outcome.reachable, outcome.symptom


def where(outcome: Outcome) -> str:
    """Return the object that decided, as a person would look for it."""
    return outcome.by.where if outcome.by is not None else ""
