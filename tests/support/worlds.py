"""The model's worlds for tests: of pretended engines, whose kernels are as their engines would have made them."""

from dataclasses import dataclass, field, replace

from dockerlab.imagined import ground
from dockerlab.kernel.routes import Hop, Route
from dockerlab.reach import worlds
from dockerlab.walk.compiled import Fabric


@dataclass
class Looked:
    """What was seen of hosts, by their names."""

    snapshots: dict
    facts: dict
    machines: dict = field(default_factory=dict)


def looked(engines, facts=None, snapshots=None):
    """Return what a look at pretended engines brings, with other facts or books where some are given."""
    facts = facts if facts is not None else engines.facts()
    books = snapshots if snapshots is not None else engines.snapshots()
    return Looked(books, facts, {host: kernel_of(each, books[host]) for host, each in facts.items()})


def kernel_of(facts, book):
    """Return a host's kernel without anything of Docker's, with all routes that its facts tell."""
    bare = ground.told(facts, book)
    more = tuple(
        Route(route.destination, hops=(Hop(route.device, route.via),), text=f"{route.destination} dev {route.device}")
        for route in facts.routes
        if route.destination is not None and route.via is not None
    )
    filters = {f"net/ipv4/conf/{nic.name}/rp_filter": str(nic.rp_filter or 0) for nic in facts.nics}
    space = replace(bare.ground, routes=(*bare.ground.routes, *more), sysctls={**bare.ground.sysctls, **filters})
    return replace(bare, namespaces=(space,))


def world_of(definition, engines, facts=None, snapshots=None):
    """Return a lab's world on pretended engines: kernels as these engines have made them by their books."""
    seen = looked(engines, facts, snapshots)
    return worlds.imagined(definition, seen.snapshots, seen.machines, worlds.engines_of(definition, seen), seen.facts)


def changed(world, host, change):
    """Return a world in which the namespace of a host itself is another one."""
    machine = world.fabric.net.machines[host]
    spaces = tuple(change(space) if space.host else space for space in machine.namespaces)
    machines = {**world.fabric.net.machines, host: replace(machine, namespaces=spaces)}
    return replace(world, fabric=Fabric(replace(world.fabric.net, machines=machines)))


def without_forwarding(space):
    """Return a host's namespace that passes nothing on."""
    return replace(space, sysctls={**space.sysctls, "net/ipv4/ip_forward": "0"})
