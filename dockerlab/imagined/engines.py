"""A host's engine, as far as it decides what is made there: its version, and some of its settings."""

from __future__ import annotations

from dockerlab.daemon.effective import Effective
from dockerlab.snapshot import Snapshot
from dockerlab.versions import Engine, numbers


def engine_of(snapshot: Snapshot, settings: Effective) -> Engine:
    """Return a host's engine with those of its settings that decide which rules it writes."""
    return Engine(
        numbers(snapshot.engine_version),
        "nftables" if snapshot.firewall.startswith("nftables") else "iptables",
        proxy=settings.userland_proxy,
        iptables=settings.iptables,
        ip6tables=settings.ip6tables,
        direct=settings.direct_routing,
    )
