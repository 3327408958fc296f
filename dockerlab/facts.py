"""What is known of a machine beneath its engine's objects, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dockerlab.daemon.effective import Effective
from dockerlab.kernel.model import Namespace
from dockerlab.kernel.rules import UNREAD, Chain, Ruleset

GOSSIP = 7946
"""The TCP port by which the hosts of a Swarm talk."""

UNKNOWN = Namespace(
    4026531840,  # the inode of a machine's first network namespace
    host=True,
    ruleset=Ruleset((Chain("ip", "filter", "FORWARD", hook="forward", policy=UNREAD),)),
    deaf="its sockets could not be read",
)
"""A host's own namespace of which nothing is known."""


@dataclass(frozen=True)
class Facts:
    """What is known of a machine: its own namespace, what its engine runs with, and its programs.

    None means: could not be read. `firewall` is what iptables says of its version, `missing` what could not be read,
    `uplinks` the name servers behind systemd-resolved.
    """

    host: str
    ground: Namespace = UNKNOWN
    settings: Effective = field(default_factory=Effective)
    root: bool | None = None
    python: str | None = None
    nameservers: tuple[str, ...] = ()
    uplinks: tuple[str, ...] = ()
    firewall: str = ""
    kernel: str = ""
    kernel_config: Mapping[str, str] = field(default_factory=dict)
    architecture: str = ""
    missing: tuple[str, ...] = ()

    @property
    def gossip(self) -> bool | None:
        """Tell whether somebody listens on the TCP port of the Swarms, or return None where that is not known."""
        return None if self.ground.deaf else any((e.protocol, e.port) == ("tcp", GOSSIP) for e in self.ground.listeners)
