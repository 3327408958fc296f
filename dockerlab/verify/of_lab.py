"""The lab's own causes: objects that are not as the definition has them, and the cells that each can explain."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from dockerlab import modes
from dockerlab.drift import Difference, differences
from dockerlab.kernel.model import Machine
from dockerlab.reach import World
from dockerlab.reach.cells import published
from dockerlab.snapshot import Snapshot
from dockerlab.verify.attribution import Suspect
from dockerlab.verify.cause import Cause, Side
from dockerlab.verify.verdicts import Judged

ORDER = ("alias", "port", "command", "place", "container", "image", "network", "engine")
"""The more is known of what a cause can explain, the earlier it is asked."""


def lab_suspects(
    world: World, snapshots: Mapping[str, Snapshot], machines: Mapping[str, Machine] | None = None
) -> list[Suspect]:
    """Return a suspect for each object of the lab that is not as the definition has it.

    Of an engine that has left its Swarm the host is at fault.
    """
    found = sorted(differences(world.lab, snapshots, machines), key=lambda each: ORDER.index(each.aspect))
    return [Suspect(cause_of(each), partial(_explains, each, world)) for each in found]


def cause_of(difference: Difference) -> Cause:
    """Return a difference as a cause."""
    where = f"{difference.kind} {difference.name}"
    undo = "; ".join(difference.right)
    side: Side = "host" if difference.aspect == "engine" else "lab"
    return Cause(difference.host, side, difference.aspect, where, f"{where} {difference.what}", undo)


def _explains(difference: Difference, world: World, judged: Judged) -> bool:
    """Tell whether what is amiss with an object can be why a cell did not pass."""
    cell, name = judged.cell, difference.name
    if difference.aspect == "alias":
        return cell.probe == "dns" and cell.to == name and cell.target in difference.on
    touched = boxes(judged, world)
    if difference.kind == "network":
        return any(_on(box, name, difference.host, world) for box in touched) or _gateway(cell.to, difference)
    if difference.aspect in ("port", "command"):
        towards = boxes(judged, world, source=False)
        return cell.port is not None and world.people.of[name] in towards
    return world.people.of[name] in touched


def boxes(judged: Judged, world: World, *, source: bool = True) -> set[str]:
    """Return the namespaces that a cell is between, and those that a published port leads to."""
    cell = judged.cell
    ends = {cell.source} if source else set()
    ends |= {end for end in (cell.to, cell.holder) if end is not None}
    if cell.holder in world.lab.hosts and cell.port is not None:
        ends |= {name for port, name in published(world, str(cell.holder)) if port.published == cell.port}
    return {world.people.of[end] for end in ends if end in world.people.of}


def _on(box: str, network: str, host: str, world: World) -> bool:
    """Tell whether a namespace has a place on a network of a host, or of the Swarm that it is in."""
    spec = world.lab.containers.get(box)
    if spec is None or network not in spec.networks:
        return False
    return world.lab.host_of(box) == host or modes.for_driver(world.lab.networks[network].driver).scope == "swarm"


def _gateway(to: str, difference: Difference) -> bool:
    return to in (f"gateway:{difference.name}", f"gateway:{difference.name}@{difference.host}")
