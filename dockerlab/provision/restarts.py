"""What `up` has to know and to be allowed where a definition says something of the hosts' engines themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from dockerlab.daemon import DaemonFile, look
from dockerlab.daemon.refusals import Place, refusals
from dockerlab.errors import ConflictError, UsageError
from dockerlab.facts import Facts
from dockerlab.hosts.base import Host
from dockerlab.identity import Identity
from dockerlab.lab.daemon import Daemon
from dockerlab.lab.model import Lab
from dockerlab.plan.daemons import changes
from dockerlab.snapshot import Snapshot
from dockerlab.survey import Seen, on_each


class Leave(Protocol):
    """What a call says on the engines' settings."""

    @property
    def daemons(self) -> bool:
        """Tell whether they may be changed."""
        ...


def settings_for(lab: Lab, hosts: Mapping[str, Host], seen: Seen) -> dict[str, DaemonFile]:
    """Return the settings of those engines of which the lab says something, or which a lab has changed."""
    changed = {host for host, facts in seen.facts.items() if facts.settings.changed_by}
    wanted = {host: hosts[host] for host in lab.hosts if host in lab.daemons or host in changed}
    return on_each(wanted, look) if wanted else {}


def allowed(lab: Lab, who: Identity, seen: Seen, files: Mapping[str, DaemonFile], leave: Leave) -> None:
    """Return when the engines' settings can be, and may be, what the definition says.

    Raises ConflictError, with every host and reason, where they cannot, and UsageError, with what would become of
    them, where the call does not allow it.
    """
    wrong = [
        f"{host}: {why}"
        for host, file in files.items()
        for why in refusals(Place(file, seen.snapshots[host], seen.facts[host].ground), lab.daemons.get(host), who)
    ]
    if wrong:
        raise ConflictError("nothing was changed, because it would not work:\n  " + "\n  ".join(wrong))
    wanted = {host: each for host, each in changes(lab, who, files).items() if each.needed}
    if wanted and not leave.daemons:
        diffs = "\n".join(line for each in wanted.values() for line in each.diff())
        raise UsageError(
            f"nothing was changed: the lab wants other settings for the engine of {', '.join(wanted)}, which would be "
            f"restarted; 'dockerlab down' puts back what is there now. Allow it with --allow-daemon-changes:\n{diffs}"
        )


def restarted(lab: Lab, seen: Seen, files: Mapping[str, DaemonFile]) -> Seen:
    """Return what was seen as it will be once docker0 has the address that the definition gives it."""
    facts, snapshots = dict(seen.facts), dict(seen.snapshots)
    for host in files:
        daemon = lab.daemons.get(host)
        if daemon is not None and daemon.bip is not None:
            facts[host], snapshots[host] = _moved(seen.facts[host], seen.snapshots[host], daemon)
    return Seen(snapshots, facts)


def _moved(facts: Facts, snapshot: Snapshot, daemon: Daemon) -> tuple[Facts, Snapshot]:
    bip = daemon.bip
    if bip is None:
        return facts, snapshot
    links = (replace(each, addresses=(bip,)) if each.name == "docker0" else each for each in facts.ground.links)
    networks = (replace(n, subnets=(bip.network,)) if n.name == "bridge" else n for n in snapshot.networks)
    return replace(facts, ground=replace(facts.ground, links=tuple(links))), replace(snapshot, networks=tuple(networks))
