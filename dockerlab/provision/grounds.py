"""What `up` has to know, and to be allowed, where a definition says something of the hosts themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from dockerlab.errors import ConflictError, HostError, UsageError
from dockerlab.ground import receipt
from dockerlab.ground.deeds import deeds
from dockerlab.ground.objects import path_of
from dockerlab.ground.present import Beneath, obstacles
from dockerlab.ground.receipt import receipts
from dockerlab.hosts.base import Host
from dockerlab.identity import Identity
from dockerlab.lab.model import Lab
from dockerlab.plan.ground import changes, written
from dockerlab.plan.ownership import belongs, describe
from dockerlab.snapshot import LABEL_LAB, Snapshot
from dockerlab.survey import ask_all, send

READ = r"""
for path; do
    if [ -r "/proc/sys/$path" ]; then
        printf '%s\t%s\n' "$path" "$(tr '\n' ' ' <"/proc/sys/$path")"
    fi
done
echo "end ${SSH_CONNECTION##* }"
"""
"""What settings are, by their path: a line for each that there is, and then at which port we came in (sshd(8))."""

ROOM = ("links", "routes", "selectors", "rules")


class Leave(Protocol):
    """What a call says on the hosts themselves."""

    @property
    def ground(self) -> bool:
        """Tell whether they may be changed."""
        ...


@dataclass(frozen=True)
class _Look:
    """What is wanted of hosts: the names of the settings of each."""

    settings: Mapping[str, frozenset[str]]

    def at(self, host: Host) -> Beneath:
        machine = send.look(host, (), "host")
        space = machine.ground
        lacking = [f"{part}: {why}" for part, why in space.unread.items() if part in ROOM]
        lacking += [f"the rules of {family}" for family in sorted({"ip", "ip6"} - space.ruleset.read)]
        unseen = ", ".join(lacking) and f"of its kernel could not be read: {', '.join(lacking)}"
        if not machine.root:
            unseen = "only root can change and see it, and the login is not: log in as root"
        settings, port = _settings(host, self.settings[host.name])
        return Beneath(space, settings, unseen, port)


def _settings(host: Host, names: Iterable[str]) -> tuple[dict[str, str], int | None]:
    """Return settings by their names, and the port at which we came in."""
    paths = {path_of(name): name for name in names}
    result = host.run(["sh", "-s", *sorted(paths)], input=READ.encode(), timeout=30)
    *lines, last = result.text.splitlines() or [""]
    end, _, port = last.partition(" ")
    if end != "end":
        raise HostError(host.name, f"could not read its kernel's settings: {result.error or 'no output'}")
    pairs = (line.partition("\t") for line in lines)
    found = {paths[path]: value.strip() for path, _, value in pairs if path in paths}
    return found, int(port) if port.isdecimal() else None


def for_up(lab: Lab, who: Identity, hosts: Mapping[str, Host], snapshots: Mapping[str, Snapshot]) -> dict[str, Beneath]:
    """Return what there is of those hosts of which the lab says something, or has changed something."""
    wanted = _noted({host: snapshots[host] for host in lab.hosts}, lambda labels: belongs(labels, who))
    for host, ground in lab.grounds.items():
        wanted[host] = wanted.get(host, frozenset()) | ground.sysctls.keys()
    return looked(hosts, wanted)


def for_down(
    hosts: Mapping[str, Host], snapshots: Mapping[str, Snapshot], ours: Callable[[Mapping[str, str]], bool]
) -> dict[str, Beneath]:
    """Return what there is of those hosts that a lab which is `ours` has changed."""
    return looked(hosts, _noted(snapshots, ours))


def _noted(snapshots: Mapping[str, Snapshot], ours: Callable[[Mapping[str, str]], bool]) -> dict[str, frozenset[str]]:
    """Return the hosts with receipts, and the settings that each of these names."""
    found = {host: list(receipts(snapshot, ours)) for host, snapshot in snapshots.items()}
    return {
        host: frozenset(name for each in receipt.readable(held) for name in each.ground.sysctls)
        for host, held in found.items()
        if held
    }


def looked(hosts: Mapping[str, Host], settings: Mapping[str, frozenset[str]]) -> dict[str, Beneath]:
    """Return what there is of some hosts; one that cannot be looked at says why."""
    if not settings:
        return {}
    found = ask_all({name: hosts[name] for name in settings}, _Look(settings).at)
    return {**found.answers, **{name: Beneath(unseen=str(why)) for name, why in found.failures.items()}}


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
