"""Who else has a name of a lab's container on a network of it: Docker's DNS gives the addresses of all. Pure.

On a network of the lab's own that is a difference. On one that the lab only uses (`external`) others are by right, and
who goes by which name there is nobody's fault: that is a note.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from dockerlab.drift.right import leaves
from dockerlab.imagined.networks import listed
from dockerlab.lab.model import Lab
from dockerlab.reach.people import defined_names
from dockerlab.reach.strangers import Stranger, strangers
from dockerlab.snapshot import Snapshot


class Namesake(NamedTuple):
    """A container that is not the lab's, and has names of one that is; `right` is what parts them."""

    what: str
    right: tuple[str, ...]
    names: tuple[str, ...]


def namesakes(lab: Lab, name: str, snapshot: Snapshot) -> Iterator[Namesake]:
    """Yield who goes by the names of a container, on one of the lab's networks on one host, without being the lab's.

    Of several who have a name on a network, Docker's DNS gives the addresses of all, in changing order
    (moby, libnetwork, `Network.ResolveName`).
    """
    for each, shared in _sharing(lab, name, snapshot):
        if not lab.networks[each.network].external:
            gives = f"Docker's DNS gives {listed(map(str, each.addresses))} as well"
            what = f"shares its name {listed(shared)} on {each.network} with container {each.container}: {gives}"
            yield Namesake(what, (leaves(each.container, each.network),), shared)


def on_external_networks(lab: Lab, snapshots: Mapping[str, Snapshot]) -> Iterator[str]:
    """Yield a note for each external network on a host where others go by names of the lab's containers."""
    for host, snapshot in snapshots.items():
        found: dict[str, list[str]] = {}
        for name in lab.on_host(host):
            for each, shared in _sharing(lab, name, snapshot):
                if lab.networks[each.network].external:
                    found.setdefault(each.network, []).append(f"{each.container} as {listed(shared)}, like {name}")
        for network, known in found.items():
            yield (
                f"{host}: other containers on the external network {network} go by names of this lab's: "
                f"{'; '.join(known)}: Docker's DNS gives the addresses of all who have a name"
            )


def _sharing(lab: Lab, name: str, snapshot: Snapshot) -> Iterator[tuple[Stranger, tuple[str, ...]]]:
    """Yield who shares names with a container on a network of both, and which."""
    mine = defined_names(lab, name)
    for each in strangers(lab, snapshot):
        shared = tuple(known for known in dict.fromkeys(mine.get(each.network, ())) if known in each.names)
        if shared:
            yield each, shared
