"""Which plane of a Swarm is torn where nothing passes between the hosts of an overlay network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_address

from dockerlab import engine
from dockerlab.errors import HostError
from dockerlab.hosts.base import Host
from dockerlab.reach import World
from dockerlab.snapshot import NetworkState, Snapshot
from dockerlab.verify.verdicts import Judged

VXLAN = "UDP port 4789"


def torn_swarms(
    judged: Sequence[Judged], world: World, snapshots: Mapping[str, Snapshot], hosts: Mapping[str, Host]
) -> Iterator[str]:
    """Yield for each overlay network between whose hosts nothing passes which of its two planes is at fault."""
    for name in world.lab.networks:
        found = next((n for s in snapshots.values() if (n := s.network(name)) is not None and n.scope == "swarm"), None)
        members = world.lab.hosts_of(name)
        outside = [h for h in members if snapshots[h].swarm.state != "active"]
        if found is None and not outside:
            continue
        if found is None or outside:
            if world.lab.networks[name].driver == "overlay":
                yield _control(name, outside, snapshots)
            continue
        cut = _cut(judged, world, found)
        if cut:
            yield _data(name, cut, _nodes(snapshots, hosts, members))


def _cut(judged: Iterable[Judged], world: World, network: NetworkState) -> list[tuple[str, str]]:
    """Return the pairs of hosts between whose containers no ping of a network passed that should have."""
    passed: dict[tuple[str, str], list[bool]] = {}
    for each in judged:
        cell = each.cell
        ends = [end for end in (cell.source, cell.to) if end in world.lab.containers]
        if cell.probe != "ping" or len(ends) < 2 or not cell.target or each.expected.reachable is not True:
            continue
        if not any(ip_address(cell.target) in subnet for subnet in network.subnets):
            continue
        first, second = sorted(world.lab.host_of(end) for end in ends)
        if first != second and each.verdict != "unknown":
            known = each.cause is not None and each.cause.kind == "neighbour"  # what that says is more than this
            passed.setdefault((first, second), []).append(each.verdict == "pass" or known)
    return [pair for pair, results in passed.items() if not any(results)]


def _control(name: str, outside: Sequence[str], snapshots: Mapping[str, Snapshot]) -> str:
    states = ", ".join(f"{host} is {snapshots[host].swarm.state}" for host in outside)
    return (
        f"overlay network {name}, control plane: not every host is in the Swarm ({states}), so that the network has no "
        "way there; 'dockerlab up' joins again, and makes anew what was on it"
    )


def _data(name: str, cut: Sequence[tuple[str, str]], nodes: str) -> str:
    pairs = " and ".join(f"between {first} and {second}" for first, second in cut)
    return (
        f"overlay network {name}, data plane: no packet passes {pairs}, though {nodes}. "
        f"Look for a firewall, on the hosts or on the way, that drops {VXLAN} (VXLAN)"
    )


def _nodes(snapshots: Mapping[str, Snapshot], hosts: Mapping[str, Host], members: Sequence[str]) -> str:
    """Return what the Swarm's manager says of the hosts, which is the control plane's view."""
    manager = next((name for name, snapshot in snapshots.items() if snapshot.swarm.manager), None)
    if manager is None:
        return "every host is in the Swarm (no manager to ask for more)"
    try:
        states = engine.nodes(hosts[manager])
    except HostError as error:
        return f"every host is in the Swarm (its manager does not say more: {error})"
    told = [f"{host} {states.get(snapshots[host].swarm.node_id, 'unknown')}" for host in members]
    return f"the control plane is there: the Swarm's manager {manager} sees {', '.join(told)}"
