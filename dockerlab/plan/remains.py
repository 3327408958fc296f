"""What may be left on a host that did not answer `down`, as far as anybody knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from dockerlab import modes
from dockerlab.plan.steps import Ours
from dockerlab.snapshot import Snapshot

if TYPE_CHECKING:
    from dockerlab.lab.model import Lab

SHOWN = 10
"""How many objects are named; the others are counted."""


def remains(host: str, lab: Lab | None, snapshots: Mapping[str, Snapshot], ours: Ours) -> str:
    """Return a sentence on what a host may still have: by the definition, else by what the other hosts had."""
    if lab is not None and host in lab.hosts:
        things = [f"container {name}" for name in lab.on_host(host)]
        wide = {name for name, spec in lab.networks.items() if modes.for_driver(spec.driver).scope == "swarm"}
        made = {name for name, spec in lab.networks.items() if not spec.external}
        things += [f"network {name}" for name in lab.networks if name in made - wide and host in lab.hosts_of(name)]
        own = [name for name, spec in lab.volumes.items() if not spec.external]
        things += [f"volume {name}" for name in own if host in lab.hosts_of_volume(name)]
        things += [f"image {name}" for name in lab.images if host in lab.hosts_of_image(name)]
        things += ["what the lab changes of the host itself"] if host in lab.grounds else []
        things += ["its part in the Swarm"] if any(host in lab.hosts_of(name) for name in wide & made) else []
        if not things:
            return f"{host}: by the definition there is nothing on it"
        return f"{host}: by the definition it may still have {_list(things)}"
    elsewhere = [
        f"{kind} {each.name} on {name}"
        for name, snapshot in snapshots.items()
        for kind, found in (("container", snapshot.containers), ("network", snapshot.networks))
        for each in found
        if ours(each.labels)
    ]
    if elsewhere:
        return f"{host}: without the definition it is not known what it has; there was {_list(elsewhere)}"
    return f"{host}: it is not known whether it has anything: without the definition, only its own labels could tell"


def _list(things: Iterable[str]) -> str:
    named = list(things)
    more = len(named) - SHOWN
    return ", ".join(named[:SHOWN]) + (f" and {more} more" if more > 0 else "")
