"""Who else has a name of a lab's container on a network of it: Docker's DNS gives the addresses of all. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from dockerlab.drift.right import leaves
from dockerlab.imagined.networks import listed
from dockerlab.lab.model import Lab
from dockerlab.reach.people import defined_names
from dockerlab.reach.strangers import strangers
from dockerlab.snapshot import Snapshot


class Namesake(NamedTuple):
    """A container that is not the lab's, and has names of one that is; `right` is what parts them."""

    what: str
    right: tuple[str, ...]
    names: tuple[str, ...]


def namesakes(lab: Lab, name: str, snapshot: Snapshot) -> Iterator[Namesake]:
    """Yield who goes by the names of a container, on one of its networks on one host, without being the lab's.

    Of several who have a name on a network, Docker's DNS gives the addresses of all, in changing order
    (moby, libnetwork, `Network.ResolveName`).
    """
    mine = defined_names(lab, name)
    for each in strangers(lab, snapshot):
        shared = tuple(known for known in dict.fromkeys(mine.get(each.network, ())) if known in each.names)
        if shared:
            gives = f"Docker's DNS gives {listed(map(str, each.addresses))} as well"
            what = f"shares its name {listed(shared)} on {each.network} with container {each.container}: {gives}"
            yield Namesake(what, (leaves(each.container, each.network),), shared)
