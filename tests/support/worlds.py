"""The model's worlds for tests: of pretended engines, whose kernels are as their engines would have made them."""

from dataclasses import dataclass, field, replace

from dockerlab.imagined import ground
from dockerlab.kernel import iptables
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
    bare = ground.told(facts.host, facts.ground, book)
    more = tuple(way for way in facts.ground.ways if way.destination.prefixlen and way.hops[0].via is not None)
    filters = {f"net/ipv4/conf/{link.name}/rp_filter": "0" for link in facts.ground.links}
    space = replace(bare.ground, routes=(*bare.ground.routes, *more), sysctls={**bare.ground.sysctls, **filters})
    return replace(bare, namespaces=(space,))


def pretended(definition, engines, facts=None, snapshots=None):
    """Return a lab's world on pretended engines: kernels as these engines have made them by their books."""
    seen = looked(engines, facts, snapshots)
    return worlds.imagined(definition, seen.snapshots, seen.machines, worlds.engines_of(definition, seen), seen.facts)


def changed(world, host, change):
    """Return a world in which the namespace of a host itself is another one."""
    machine = world.fabric.net.machines[host]
    spaces = tuple(change(space) if space.host else space for space in machine.namespaces)
    machines = {**world.fabric.net.machines, host: replace(machine, namespaces=spaces)}
    return replace(world, fabric=Fabric(replace(world.fabric.net, machines=machines)))


LEFT_DROP = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n"
"""What an engine that wrote for iptables leaves of itself where one that writes for nftables takes its place."""


def left_behind(space):
    """Return a namespace in which FORWARD of iptables still drops by its policy."""
    more = iptables.read(LEFT_DROP, "ip").chains
    kept = tuple(c for c in space.ruleset.chains if (c.family, c.table) != ("ip", "filter"))
    return replace(space, ruleset=replace(space.ruleset, chains=(*more, *kept)))
