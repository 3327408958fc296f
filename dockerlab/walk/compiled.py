"""The kernels of a net as the walk asks them: everything found by a look-up, worked out once for all packets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dockerlab.kernel.addresses import IpAddress, IpInterface
from dockerlab.kernel.model import CHILDREN, Link, Listener, Machine, Namespace, Proxy
from dockerlab.kernel.routes import MAIN, Route
from dockerlab.walk.net import Net
from dockerlab.walk.outcome import Element, SpaceId

if TYPE_CHECKING:
    from dockerlab.walk.firewall import Firewall
    from dockerlab.walk.routing import Tables


class Space:
    """One network namespace of one host."""

    def __init__(self, machine: Machine, namespace: Namespace) -> None:
        self.id = SpaceId(machine.host, namespace.id)
        self.machine = machine
        self.namespace = namespace
        self.links: dict[str, Link] = {link.name: link for link in namespace.links}
        self.by_index: dict[int, Link] = {link.index: link for link in namespace.links}
        self.ports: dict[str, list[Link]] = {}
        for link in namespace.links:
            if link.master:
                self.ports.setdefault(link.master, []).append(link)
        self.own: dict[IpAddress, list[Link]] = {}
        for link in namespace.links:
            for address in link.addresses:
                self.own.setdefault(address.ip, []).append(link)
        self._settings = {path.replace("/", "."): text for path, text in namespace.sysctls.items()}
        self._read: dict[tuple[int, str, str], int | None] = {}
        self.memory: dict[Any, Any] = {}

    @property
    def name(self) -> str:
        """Return what to call it: its host, or a namespace of that."""
        if self.namespace.host:
            return self.id.host
        paths = self.namespace.paths
        return f"{paths[0].rpartition('/')[2] if paths else f'namespace {self.id.space}'} on {self.id.host}"

    @cached_property
    def tables(self) -> Tables:
        """Return its routes and the rules that choose among them."""
        from dockerlab.walk.routing import Tables  # noqa: PLC0415 - each needs the other's types

        return Tables(self)

    @cached_property
    def firewall(self) -> Firewall:
        """Return its netfilter rules, hook by hook."""
        from dockerlab.walk.firewall import Firewall  # noqa: PLC0415 - each needs the other's types

        return Firewall(self)

    @cached_property
    def proxies(self) -> dict[int, Proxy]:
        """Return the docker-proxies of the host by their processes, where this is its namespace."""
        return {proxy.pid: proxy for proxy in self.machine.proxies} if self.namespace.host else {}

    def sysctl(self, path: str, default: int | None = 0) -> int | None:
        """Return a setting's number; where it is not told the kernel's default, None where settings are unread."""
        text = self._settings.get(path)
        if text is None:
            return None if "sysctls" in self.namespace.unread else default
        return int(text) if text.isascii() and text.lstrip("-").isdigit() else default

    def conf(self, version: int, link: str, key: str) -> int | None:
        """Return a setting of one interface."""
        return self.sysctl(f"net.ipv{version}.conf.{link}.{key}")

    def most(self, version: int, link: str, key: str) -> int:
        """Return the larger of an interface's setting and that of `all` (`IN_DEV_MAXCONF`); unread counts as 0."""
        found = self._read.get((version, link, key))
        if found is None:
            found = max(self.conf(version, "all", key) or 0, self.conf(version, link, key) or 0)
            self._read[version, link, key] = found
        return found

    def forwards(self, version: int, link: str) -> int | None:
        """Return whether it passes on what comes in by an interface, None where that is unread."""
        if version == 6:
            everywhere = self.sysctl("net.ipv6.conf.all.forwarding")
            return everywhere if everywhere or everywhere is None else self.conf(6, link, "force_forwarding")
        return self.sysctl(f"net.ipv4.conf.{link}.forwarding", self.sysctl("net.ipv4.ip_forward", None))

    def primaries(self, link: Link, version: int) -> list[IpInterface]:
        """Return the addresses of an interface that the kernel sends from by itself, in order.

        A second address in the same subnet is secondary.
        """
        key = ("primaries", link.name, version)
        if key not in self.memory:
            found = list[IpInterface]()
            for address in link.addresses:
                if address.version == version and (version == 6 or all(a.network != address.network for a in found)):
                    found.append(address)
            self.memory[key] = found
        result: list[IpInterface] = self.memory[key]
        return result


@dataclass(frozen=True, slots=True)
class Socket:
    """A listener, with the docker-proxy that holds it, or None."""

    listener: Listener
    proxy: Proxy | None = None


class Fabric:
    """A net, made ready for many packets."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self.spaces: dict[SpaceId, Space] = {
            space.id: space
            for machine in net.machines.values()
            for space in (Space(machine, namespace) for namespace in machine.namespaces)
        }
        self.holders: dict[IpAddress, list[Space]] = {}
        for space in self.spaces.values():
            for address in space.own:
                self.holders.setdefault(address, []).append(space)
        self.memory: dict[Any, Any] = {}
        self._by_host: dict[str, list[Space]] = {}
        for space in self.spaces.values():
            self._by_host.setdefault(space.id.host, []).append(space)

    @cached_property
    def obliging(self) -> tuple[Space, ...]:
        """Return the namespaces that may answer ARP requests for addresses that they do not have."""
        return tuple(space for space in self.spaces.values() if self._obliges(space))

    def _obliges(self, space: Space) -> bool:
        if any(neighbour.proxy for neighbour in space.namespace.neighbours):
            return True
        if any(route.kind == "local" and route.destination.num_addresses > 1 and _device(route.hops) != "lo"
               for route in space.namespace.routes):  # fmt: skip
            return True
        return any(space.most(4, link.name, "proxy_arp") for link in space.namespace.links)

    def ground(self, host: str) -> Space | None:
        """Return the namespace of a host itself."""
        return next((space for space in self._by_host.get(host, ()) if space.namespace.host), None)

    def on(self, host: str) -> Iterable[Space]:
        """Return the namespaces of a host."""
        return self._by_host.get(host, ())

    @cached_property
    def _veths(self) -> Mapping[tuple[str, int, int], list[tuple[Space, Link]]]:
        found: dict[tuple[str, int, int], list[tuple[Space, Link]]] = {}
        for space in self.spaces.values():
            for link in space.namespace.links:
                if link.kind == "veth":
                    found.setdefault((space.id.host, link.index, link.peer), []).append((space, link))
        return found

    def other_end(self, space: Space, link: Link) -> list[tuple[Space, Link]]:
        """Return the veths whose other end the link says it is, and that say the same of it: one, if all is seen."""
        ends = self._veths.get((space.id.host, link.peer, link.index), [])
        return [(at, end) for at, end in ends if (at is space) is not link.away and not (at is space and end is link)]

    @cached_property
    def _children(self) -> Mapping[tuple[SpaceId, str], list[tuple[Space, Link]]]:
        found: dict[tuple[SpaceId, str], list[tuple[Space, Link]]] = {}
        for space in self.spaces.values():
            for link in space.namespace.links:
                if link.kind in CHILDREN:
                    parent = self.parent(space, link)
                    if parent is not None:
                        found.setdefault((parent[0].id, parent[1].name), []).append((space, link))
        return found

    def children(self, space: Space, link: Link) -> list[tuple[Space, Link]]:
        """Return the macvlan and ipvlan interfaces on a parent, in whatever namespace they are."""
        return self._children.get((space.id, link.name), [])

    def parent(self, space: Space, link: Link) -> tuple[Space, Link] | None:
        """Return what an interface is a child of, or None where that cannot be seen."""
        if not link.away:
            lower = space.by_index.get(link.peer) or space.links.get(link.info.get("parent", ""))
            return (space, lower) if lower is not None else None
        ground = self.ground(space.id.host)
        where = [ground] if ground is not None and ground is not space else []
        where += [each for each in self.on(space.id.host) if each is not ground and each is not space]
        for each in where:
            lower = each.by_index.get(link.peer)
            if lower is not None and lower.kind not in CHILDREN:
                return each, lower
        return None

    def lan(self, space: Space, link: Link) -> str:
        """Return the LAN that an interface of a host is on, if it leads to no other namespace."""
        return self.net.lans.get((space.id.host, link.name), link.name)

    @cached_property
    def lans(self) -> Mapping[str, list[tuple[Space, Link]]]:
        """Return the interfaces of hosts that are on each LAN."""
        found: dict[str, list[tuple[Space, Link]]] = {}
        for space in self.spaces.values():
            if not space.namespace.host:
                continue
            for link in space.namespace.links:
                if self.on_lan(space, link):
                    found.setdefault(self.lan(space, link), []).append((space, link))
        return found

    @cached_property
    def routers(self) -> Mapping[str, frozenset[IpAddress]]:
        """Return the routers of each LAN that some host sends anything to."""
        return self._sent_to(lambda _: True)

    @cached_property
    def ways_out(self) -> Mapping[str, frozenset[IpAddress]]:
        """Return the routers of each LAN that are some host's way out: they are taken to be there.

        Whoever somebody has written another route to, in whatever table, may be nobody.
        """
        return self._sent_to(lambda route: route.table == MAIN and not route.destination.prefixlen)

    def _sent_to(self, counts: Callable[[Route], bool]) -> Mapping[str, frozenset[IpAddress]]:
        found: dict[str, set[IpAddress]] = {}
        for name, ends in self.lans.items():
            for space, link in ends:
                routes = (route for route in space.namespace.routes if counts(route))
                hops = (hop for route in routes for hop in route.hops if hop.device == link.name)
                found.setdefault(name, set()).update(hop.via for hop in hops if hop.via is not None)
        return {name: frozenset(via) for name, via in found.items()}

    def closed(self, address: IpAddress) -> bool:
        """Tell whether somebody has an address, and nobody has it where other machines can be: on a LAN.

        One that somebody has put on his loopback is not of a network of his own: others may have it as well.
        """
        holders = self.holders.get(address, ())
        return bool(holders) and all(
            link.name != "lo" and not self._open(space, link)
            for space in holders
            for link in space.own.get(address, ())
        )

    def _open(self, space: Space, link: Link) -> bool:
        """Tell whether an interface is on a LAN, be it as a child of one that is."""
        if link.kind in CHILDREN:
            above = self.parent(space, link)
            routed = link.kind.startswith("ip") and link.info.get("mode", "l2") != "l2"
            return above is None or (not routed and self._open(*above))
        return self.on_lan(space, link)

    def on_lan(self, space: Space, link: Link) -> bool:
        """Tell whether an interface leads out of all that is seen: hardware, or a cable into nowhere."""
        if not space.namespace.host or link.name == "lo":
            return False
        if link.kind == "veth":
            return not self.other_end(space, link)
        return link.kind in ("", "vlan") or (space.id.host, link.name) in self.net.lans

    def sockets(self, space: Space) -> dict[tuple[str, int], list[Socket]]:
        """Return who listens in a namespace, by protocol and port."""
        found: dict[tuple[str, int], list[Socket]] | None = space.memory.get("sockets")
        if found is None:
            found = {}
            for listener in space.namespace.listeners:
                proxy = _proxy(space, listener)
                found.setdefault((listener.protocol, listener.port), []).append(Socket(listener, proxy))
            space.memory["sockets"] = found
        return found


def _proxy(space: Space, listener: Listener) -> Proxy | None:
    """Return the docker-proxy that holds a socket, or None."""
    for pid, name in listener.holders:
        proxy = space.proxies.get(pid)
        if proxy is not None and (proxy.protocol, proxy.port) == (listener.protocol, listener.port):
            return proxy
        if name and name != "docker-proxy":
            return None
    if listener.holders:
        return None
    return next(
        (
            proxy
            for proxy in space.proxies.values()
            if (proxy.protocol, proxy.port) == (listener.protocol, listener.port)
            and (proxy.address or "0.0.0.0") == listener.address  # noqa: S104 - compared, not bound
        ),
        None,
    )


def _device(hops: Iterable[Any]) -> str:
    return next((hop.device for hop in hops), "")


def setting(path: str, value: object) -> Element:
    """Return a sysctl as the object that decides."""
    return Element("sysctl", path, f"{path} = {value}")
