"""What there is of hosts themselves that a lab has changed, or is to change."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from dockerlab.errors import HostError
from dockerlab.ground import receipt
from dockerlab.ground.objects import path_of
from dockerlab.ground.present import Beneath
from dockerlab.ground.receipt import receipts
from dockerlab.hosts.base import Host
from dockerlab.snapshot import Snapshot
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
    return found, int(port) if re.fullmatch("[0-9]{1,5}", port) else None


def for_down(
    hosts: Mapping[str, Host], snapshots: Mapping[str, Snapshot], ours: Callable[[Mapping[str, str]], bool]
) -> dict[str, Beneath]:
    """Return what there is of those hosts that a lab which is `ours` has changed."""
    return looked(hosts, noted(snapshots, ours))


def noted(snapshots: Mapping[str, Snapshot], ours: Callable[[Mapping[str, str]], bool]) -> dict[str, frozenset[str]]:
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
