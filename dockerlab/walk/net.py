"""The kernels that a packet may come through, and what lies between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dockerlab.kernel.addresses import IpAddress
from dockerlab.kernel.model import Machine


@dataclass(frozen=True)
class Net:
    """Hosts' kernels, and the word of somebody who knows how they are cabled.

    `lans` names the LAN of an interface of a host, by host and interface: no kernel tells on which LAN it is. An
    interface of a host that leads to no other namespace and is not in there is on the LAN of its own name. `beyond`
    are addresses that routers of the LANs lead to and that answer, with the TCP ports that listen there.
    """

    machines: Mapping[str, Machine]
    lans: Mapping[tuple[str, str], str] = field(default_factory=dict)
    beyond: Mapping[IpAddress, frozenset[int]] = field(default_factory=dict)
