"""The model's worlds for tests: of pretended engines, whose kernels are as their engines would have made them."""

from dataclasses import dataclass, field, replace
from ipaddress import ip_network

from dockerlab.imagined.ground import FORWARDING
from dockerlab.kernel.model import Link, Machine, Namespace
from dockerlab.kernel.routes import Hop, Route
from dockerlab.kernel.rules import Chain, Ruleset
from dockerlab.reach import worlds
from dockerlab.walk.compiled import Fabric


@dataclass
class Looked:
    """What was seen of hosts, by their names."""

    snapshots: dict
    facts: dict
    kernels: dict = field(default_factory=dict)


def kernel_of(facts, book=None):
    """Return a host's kernel without anything of Docker's, by the facts of its machine."""
    docker = {network.bridge for network in book.networks} if book is not None else set()
    nics = [nic for nic in facts.nics if nic.name not in docker]
    links = [
        Link(number, nic.name, mac=nic.mac, mtu=1500, up=nic.up, addresses=nic.addresses)
        for number, nic in enumerate(nics, 1)
    ]
    routes = [
        Route(route.destination or ip_network("0.0.0.0/0"), hops=(Hop(route.device, route.via),), text=str(route))
        for route in facts.routes
        if route.device not in docker
    ]
    policies = (
        Chain("ip", "filter", "FORWARD", hook="forward", policy=facts.forward_policy or "ACCEPT"),
        Chain("ip6", "filter", "FORWARD", hook="forward", policy="ACCEPT"),
    )
    settings = dict(FORWARDING) | {
        f"net/ipv4/conf/{nic.name}/rp_filter": str(nic.rp_filter) for nic in nics if nic.rp_filter is not None
    }
    ground = Namespace(
        4026531840, host=True, links=tuple(links), routes=tuple(routes), sysctls=settings,
        ruleset=Ruleset(policies, read=frozenset({"ip", "ip6"})),
    )  # fmt: skip
    return Machine(facts.host, root=True, namespaces=(ground,))


def looked(engines, facts=None, snapshots=None):
    """Return what a look at pretended engines brings, with other facts or books where some are given."""
    facts = facts if facts is not None else engines.facts()
    books = snapshots if snapshots is not None else engines.snapshots()
    return Looked(books, facts, {host: kernel_of(each, books.get(host)) for host, each in facts.items()})


def world_of(definition, engines, facts=None, snapshots=None):
    """Return a lab's world on pretended engines: kernels as these engines have made them by their books."""
    seen = looked(engines, facts, snapshots)
    return worlds.imagined(definition, seen.snapshots, seen.kernels, worlds.engines_of(definition, seen), seen.facts)


def changed(world, host, change):
    """Return a world in which the namespace of a host itself is another one."""
    machine = world.fabric.net.machines[host]
    spaces = tuple(change(space) if space.host else space for space in machine.namespaces)
    machines = {**world.fabric.net.machines, host: replace(machine, namespaces=spaces)}
    return replace(world, fabric=Fabric(replace(world.fabric.net, machines=machines)))


def without_forwarding(space):
    """Return a host's namespace that passes nothing on."""
    return replace(space, sysctls={**space.sysctls, "net/ipv4/ip_forward": "0"})
