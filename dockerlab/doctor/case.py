"""A lab together with all that its hosts have told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from dockerlab import modes
from dockerlab.facts import Facts
from dockerlab.identity import Identity
from dockerlab.kernel.model import Machine
from dockerlab.lab.model import Lab, Network
from dockerlab.modes.base import Wants
from dockerlab.modes.bridge import DEFAULT
from dockerlab.snapshot import Snapshot
from dockerlab.survey import Seen
from dockerlab.verify.beforehand import Foreseen, foresee

ELSEWHERE = frozenset({"net.ipv4.ip_forward", "net.bridge.bridge-nf-call-iptables"})
"""Settings of which the machine's own judgements speak: what they would do does not hide what else is amiss."""


@dataclass(frozen=True)
class Case:
    """A lab, who wants it, and what was told: hosts that did not tell are missing."""

    lab: Lab
    who: Identity
    facts: Mapping[str, Facts]
    snapshots: Mapping[str, Snapshot]
    kernels: Mapping[str, Machine] = field(default_factory=dict)

    @cached_property
    def foreseen(self) -> Foreseen | None:
        """Return what would become of the lab's packets on the hosts as they are; None where one has not told.

        What the machine's own judgements speak of is taken to be as it should.
        """
        told = self.facts.keys() & self.snapshots.keys() & self.kernels.keys()
        if set(self.lab.hosts) - told:
            return None
        return foresee(self.lab, Seen(self.snapshots, self.facts, self.kernels), ELSEWHERE)

    def networks(self, host: str) -> dict[str, Network]:
        """Return the lab's networks on a host."""
        return {name: spec for name, spec in self.lab.networks.items() if host in self.lab.hosts_of(name)}

    def wants(self, host: str) -> Wants:
        """Return what the modes of the lab's networks and containers want of a host, taken together."""
        plain = any(spec.mode == DEFAULT for spec in self.lab.on_host(host).values())
        each = [modes.for_driver("bridge").wants(None)] if plain else []
        each += [modes.for_driver(spec.driver).wants(spec) for spec in self.networks(host).values()]
        return Wants(
            forwarding=any(one.forwarding for one in each),
            bridge_netfilter=any(one.bridge_netfilter for one in each),
            own_macs=any(one.own_macs for one in each),
            ports=tuple(dict.fromkeys(port for one in each for port in one.ports)),
        )
