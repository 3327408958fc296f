"""What macvlan and ipvlan have in common: containers straight on the LAN of a parent interface of the host."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from pydantic import Field

from dockerlab.kernel.model import Link
from dockerlab.lab.model import Lab, Network
from dockerlab.lab.problem import Problem
from dockerlab.modes.base import CONNECT, JOIN, Mode, Site, gateways
from dockerlab.modes.made import Joined, Made, default
from dockerlab.snapshot import EndpointState
from dockerlab.topology import IpNetwork


class ParentNetwork(Network):
    """A network on a parent interface: `parent` is the interface whose LAN the containers join."""

    parent: str | None = Field(
        None,
        pattern=r"^[^\s/]{1,15}$",
        description="the host's interface whose LAN the containers join; without one, a dummy that leads nowhere",
        examples=["eth0.50"],
    )

    @property
    def parent_interface(self) -> str | None:
        """Return the parent, from the short form or the driver's option."""
        return self.parent or self.driver_opts.get("parent")


class ParentMode(Mode):
    """Children of a parent interface, side by side with the machines of its LAN."""

    run = JOIN
    connect = CONNECT
    short_options: tuple[str, ...] = ("parent",)
    """The options that a definition may also give as keys of the network."""

    def check(self, lab: Lab) -> Iterable[Problem]:
        """Yield contradictions, and containers without a fixed address where several engines give out addresses."""
        for name, network in lab.networks.items():
            if network.driver != self.name:
                continue
            for key in self.short_options:
                if getattr(network, key) and key in network.driver_opts:
                    yield Problem(("networks", name, "driver_opts", key), f"said twice: keep `{key}` or this, not both")
            if len(lab.hosts_of(name)) > 1:
                yield from _unfixed(lab, name)
        yield from self._shared(lab)

    def _shared(self, lab: Lab) -> Iterable[Problem]:
        """Yield networks of one LAN, on different hosts, that would give out the same addresses."""
        own = [(n, spec) for n, spec in lab.networks.items() if spec.driver == self.name and _automatic(lab, n)]
        for number, (name, network) in enumerate(own):
            for other, theirs in own[:number]:
                apart = set(lab.hosts_of(name)).isdisjoint(lab.hosts_of(other))
                if apart and _parent(network) is not None and _parent(network) == _parent(theirs):
                    both = [(a, b) for a in _ranges(network) for b in _ranges(theirs) if a.version == b.version]
                    if any(a.overlaps(b) for a, b in both):
                        yield Problem(
                            ("networks", name),
                            f"gives out addresses that {other} gives out as well, on the same LAN of "
                            f"{_parent(network)}, by an engine that does not know of it; "
                            "give each network an `ip_range` of its own, or its containers fixed addresses",
                        )

    def needs(self, network: Network) -> tuple[str, ...]:
        """Return what the driver needs to make an interface of its own in place of a parent."""
        alone = isinstance(network, ParentNetwork) and network.parent_interface is None
        return ("CONFIG_DUMMY",) if alone else ()

    def submode(self, site: Site) -> Mapping[str, str]:
        """Return what the kernel says of a child: its mode, and the flag of ipvlan."""
        _ = site
        return {}

    def makes(self, site: Site) -> Made:
        """Return the parent where Docker makes it: a VLAN of another interface, or a dummy that leads nowhere.

        There is no rule of the firewall.
        """
        parent = parent_of(site)
        if parent is None:
            return Made((Link(0, dummy(site), "dummy"),))
        base, dot, number = parent.partition(".")
        if not dot or not number.isdigit():
            return Made()
        return Made((Link(0, parent, "vlan", info={"id": number, "protocol": "802.1Q", "parent": base}),))

    def joins(self, site: Site, endpoint: EndpointState, name: str) -> Joined:
        """Return a child of the parent in the container; an internal network has no default route.

        From 29.0 on a network without a gateway is chosen as the way out all the same, and then there is none.
        """
        child = Link(0, name, self.name, endpoint.mac, site.mtu, addresses=endpoint.addresses, away=True)
        lower = parent_of(site) or dummy(site)
        shut = site.internal or (parent_of(site) is None and not site.engine.parentless_route)
        ways = () if shut else gateways(endpoint)
        versions = frozenset(address.version for address in endpoint.addresses)
        gates = frozenset(way.version for way in ways)
        if not shut and not site.engine.guesses_gateway:
            gates |= versions
        return Joined(
            replace(child, info=self.submode(site)), lower=lower, gates=gates,
            routes=tuple(default(name, way) for way in ways),
        )  # fmt: skip


def dummy(site: Site) -> str:
    """Return what the driver calls the interface that it makes where there is no parent."""
    prefix = "di-" if site.spec is not None and site.spec.driver == "ipvlan" else "dm-"
    return prefix + (site.state.id[:12] if site.state is not None else "")


def _automatic(lab: Lab, network: str) -> bool:
    """Tell whether the engine chooses the address of some container on a network."""
    places = (spec.networks[network] for spec in lab.containers.values() if network in spec.networks)
    return any(not place.addresses for place in places)


def _parent(network: Network) -> str | None:
    return network.parent_interface if isinstance(network, ParentNetwork) else None


def _ranges(network: Network) -> list[IpNetwork]:
    """Return the parts of its subnets from which a network gives out addresses."""
    return [pool.ip_range if pool.ip_range is not None else pool.subnet for pool in network.pools]


def _unfixed(lab: Lab, network: str) -> Iterable[Problem]:
    for name, spec in lab.containers.items():
        if network in spec.networks and not spec.networks[network].addresses:
            yield Problem(
                ("containers", name, "networks", network),
                f"needs a fixed address: {network} is on {' and '.join(lab.hosts_of(network))}, whose engines give "
                "out its addresses without knowing of each other, so that two containers would get the same; "
                f"write networks: {{{network}: {{ip: …}}}}",
            )


def parent_of(site: Site) -> str | None:
    """Return the parent interface of a network on a host, or None."""
    if site.spec is not None and not site.spec.external:
        return _parent(site.spec)
    return site.options.get("parent")
