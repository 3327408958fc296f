"""Addresses that are far: where some kernels decide on a packet, the hosts that never see it need not be told apart.

What those kernels say of an address is all that counts then, and two of which they say the same fare alike.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from dockerlab.kernel.addresses import IpAddress
from dockerlab.kernel.routes import Route
from dockerlab.walk.alike import sources
from dockerlab.walk.beyond import known_on
from dockerlab.walk.compiled import Fabric
from dockerlab.walk.conversation import exchange
from dockerlab.walk.mentions import Mentions
from dockerlab.walk.outcome import Outcome, SpaceId
from dockerlab.walk.packet import Flow

Hosts = frozenset[str]


@dataclass
class Far:
    """What became of packets whose holders never saw them, by who sent them, who decided, and what those say."""

    fabric: Fabric
    _said: dict[Hosts, Mentions] = field(default_factory=dict)
    _kinds: dict[tuple[Hosts, IpAddress], Hashable] = field(default_factory=dict)
    _known: dict[Hashable, dict[Hosts, dict[Hashable, Outcome]]] = field(default_factory=dict)

    def exchange(self, source: SpaceId, flow: Flow) -> Outcome:
        """Return what becomes of a flow, as `conversation.exchange` does, from memory where that tells.

        The steps of an outcome from memory are those of another address of the kind. Raises KeyError for a namespace
        that is not in the net.
        """
        holders = frozenset(space.id.host for space in self.fabric.holders.get(flow.destination, ()))
        if not holders or not self.fabric.closed(flow.destination):
            return exchange(self.fabric, source, flow)
        known = self._known.setdefault((sources(self.fabric)[source], flow.protocol, flow.port), {})
        for hosts, outcomes in known.items():
            found = outcomes.get(self._kind(hosts, flow.destination)) if hosts.isdisjoint(holders) else None
            if found is not None:
                return found
        outcome = exchange(self.fabric, source, flow)
        hosts = deciding(outcome)
        if hosts.isdisjoint(holders) and lost_on_the_way(outcome):
            known.setdefault(hosts, {})[self._kind(hosts, flow.destination)] = outcome
        return outcome

    def _kind(self, hosts: Hosts, address: IpAddress) -> Hashable:
        """Return what the namespaces of some hosts say of an address."""
        key = (hosts, address)
        found = self._kinds.get(key)
        if found is None:
            said = self._said.get(hosts)
            if said is None:
                spaces = [space for host in sorted(hosts) for space in self.fabric.on(host)]
                said = self._said[hosts] = Mentions(self.fabric, spaces)
            lans = tuple(known_on(self.fabric, lan, address) for lan in self.fabric.lans)
            found = self._kinds[key] = (address.version, said.atom(address), said.of(("ip", str(address))), lans)
        return found


def deciding(outcome: Outcome) -> Hosts:
    """Return the hosts whose kernels had a packet, or its answer."""
    return frozenset((outcome.at.host, *(step.at.host for step in (*outcome.steps, *outcome.back))))


def lost_on_the_way(outcome: Outcome) -> bool:
    """Tell whether a request was lost before anybody was asked who has its address, and nothing is told of that alone.

    Each route that was taken led to a router, or to nobody.
    """
    routes = (step.element.subject for step in outcome.steps if step.what == "route" and step.element is not None)
    routed = all(isinstance(each, Route) and all(hop.via is not None for hop in each.hops) for each in routes)
    lost = outcome.reachable is False and outcome.answered and outcome.arrived is None and not outcome.back
    return lost and routed and outcome.by is None and outcome.end in ("left", "no route")
