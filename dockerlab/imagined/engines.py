"""A host's engine, as far as it decides what is made there: its version, and some of its settings."""

from __future__ import annotations

from dockerlab.snapshot import Snapshot
from dockerlab.topology import HostFacts
from dockerlab.versions import Engine, numbers


def engine_of(snapshot: Snapshot, facts: HostFacts) -> Engine:
    """Return a host's engine with those of its settings that decide which rules it writes."""
    return Engine(
        numbers(snapshot.engine_version),
        "nftables" if snapshot.firewall.startswith("nftables") else "iptables",
        proxy=facts.userland_proxy,
        iptables=facts.iptables,
        ip6tables=facts.ip6tables,
        direct=facts.direct_routing,
    )
