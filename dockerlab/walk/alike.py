"""Which namespaces and which addresses fare alike."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from dockerlab.kernel.addresses import IpAddress
from dockerlab.walk.compiled import Fabric
from dockerlab.walk.outcome import SpaceId


@dataclass
class Alike:
    """The kinds of a net's namespaces and addresses."""

    fabric: Fabric

    def source(self, space: SpaceId) -> Hashable:
        """Return the kind of a namespace that asks."""
        return space

    def target(self, address: IpAddress, holder: SpaceId) -> Hashable:
        """Return the kind of an address that is asked for."""
        return (address, holder)
