"""The hosts beneath a lab: what they are themselves, with the bridges and parents that its definition has on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_interface

from dockerlab.imagined.books import books
from dockerlab.imagined.networks import right
from dockerlab.lab.model import Lab
from dockerlab.modes.parent import ParentNetwork
from dockerlab.reach.building import build_world
from dockerlab.reach.world import World
from dockerlab.snapshot import NetworkState, Snapshot
from dockerlab.topology import HostFacts, Nic


def expected_world(lab: Lab, facts: Mapping[str, HostFacts], seen: Mapping[str, Snapshot]) -> World:
    """Return the lab as its definition has it on these hosts, whatever has become of its objects there."""
    word = books(lab, {host: seen[host].engine_version for host in lab.hosts}, seen)
    ground = {host: _with_networks(facts[host], lab, seen[host], word[host]) for host in lab.hosts}
    return build_world(lab, ground, word)


def bridge(state: NetworkState) -> Nic:
    """Return the interface of a bridge as the engine makes it, with the network's gateways for addresses."""
    pairs = zip(state.gateways, state.subnets, strict=False)
    return Nic(state.bridge, tuple(ip_interface(f"{gateway}/{subnet.prefixlen}") for gateway, subnet in pairs))


def _with_networks(facts: HostFacts, lab: Lab, seen: Snapshot, word: Snapshot) -> HostFacts:
    """Return a machine with the interfaces of the lab's networks, where it has them not, or has them otherwise."""
    nics = {nic.name: nic for nic in facts.nics}
    for state in word.networks:
        spec = lab.networks.get(state.name)
        real = seen.network(state.name)
        if real is not None and right(spec, real):
            continue
        if state.bridge:
            rp_filter = nics[state.bridge].rp_filter if state.bridge in nics else None
            nics[state.bridge] = replace(bridge(state), rp_filter=rp_filter)
        parent = spec.parent_interface if isinstance(spec, ParentNetwork) else None
        if parent is not None and parent not in nics:
            nics[parent] = Nic(parent)
    return replace(facts, nics=tuple(nics.values()))
