"""What `up` has to know, and to be allowed, where a definition says something of the hosts themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from dockerlab.errors import ConflictError, UsageError
from dockerlab.ground import receipt
from dockerlab.ground.deeds import deeds
from dockerlab.ground.present import Beneath, obstacles
from dockerlab.ground.receipt import receipts
from dockerlab.hosts.base import Host
from dockerlab.identity import Identity
from dockerlab.lab.model import Lab
from dockerlab.plan.ground import changes, written
from dockerlab.plan.ownership import belongs, describe
from dockerlab.provision.beneath import looked, noted
from dockerlab.snapshot import LABEL_LAB, Snapshot


class Leave(Protocol):
    """What a call says on the hosts themselves."""

    @property
    def ground(self) -> bool:
        """Tell whether they may be changed."""
        ...


def for_up(lab: Lab, who: Identity, hosts: Mapping[str, Host], snapshots: Mapping[str, Snapshot]) -> dict[str, Beneath]:
    """Return what there is of those hosts of which the lab says something, or has changed something."""
    wanted = noted({host: snapshots[host] for host in lab.hosts}, lambda labels: belongs(labels, who))
    for host, ground in lab.grounds.items():
        wanted[host] = wanted.get(host, frozenset()) | ground.sysctls.keys()
    return looked(hosts, wanted)


def allowed(
    lab: Lab, who: Identity, snapshots: Mapping[str, Snapshot], beneath: Mapping[str, Beneath], leave: Leave
) -> None:
    """Return when the hosts themselves can be, and may be, what the definition says.

    Raises ConflictError, with every host and reason, where they cannot, and UsageError, with what would be done, where
    the call does not allow it.
    """
    wrong = [f"{host}: {why}" for host in beneath for why in _refused(lab, who, host, snapshots[host], beneath[host])]
    if wrong:
        raise ConflictError("nothing was changed, because it would not work:\n  " + "\n  ".join(wrong))
    wanted = {host: each for host, each in changes(lab, who, snapshots, beneath).items() if each.needed}
    if wanted and not leave.ground:
        lines = "\n".join(f"  {line}" for each in wanted.values() for line in each.lines())
        raise UsageError(
            f"nothing was changed: the lab changes {', '.join(wanted)} itself; 'dockerlab down' puts back what is "
            f"there now. Allow it with --allow-host-changes:\n{lines}"
        )


def _refused(lab: Lab, who: Identity, host: str, snapshot: Snapshot, beneath: Beneath) -> Iterator[str]:
    if beneath.unseen:
        yield beneath.unseen
        return
    ground = written(lab, host, beneath)
    wanted = deeds(ground, lab.name)
    mine = receipt.readable(receipts(snapshot, lambda labels: belongs(labels, who)))
    yield from obstacles(ground, wanted, beneath, frozenset(key for each in mine for key in each.before))
    keys = {deed.key: deed for deed in wanted}
    for each in receipt.readable(receipts(snapshot, lambda labels: not belongs(labels, who))):
        taken = [key for key in each.before if key in keys]
        if taken:
            owner = f"{taken[0]} {describe(each.labels)}"
            yield f"{owner}: 'dockerlab down {each.labels.get(LABEL_LAB)}' puts it back"
