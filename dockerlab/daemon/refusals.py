"""What would not work on this very host, or would harm somebody: told before anything is touched. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Network, ip_interface

from dockerlab.daemon.effective import effective
from dockerlab.daemon.settings import BRIDGE, Change, change, read
from dockerlab.daemon.state import WHOSE, DaemonFile
from dockerlab.daemon.stopped import running
from dockerlab.identity import Identity
from dockerlab.kernel.model import Namespace
from dockerlab.lab.daemon import Daemon
from dockerlab.snapshot import LABEL_LAB, LABEL_OWNER, Snapshot
from dockerlab.versions import Engine, numbers

FLAGS = {"default-address-pools": "default-address-pool"}
"""Keys whose flag on the engine's command line has another name."""


@dataclass(frozen=True)
class Place:
    """One host as it was found: its settings file, its engine, and its own namespace."""

    file: DaemonFile
    snapshot: Snapshot
    ground: Namespace


def refusals(place: Place, daemon: Daemon | None, who: Identity) -> list[str]:
    """Return why a host's settings cannot be made what the lab wants, a sentence each; none where they can, or are."""
    file = place.file
    if file.kept is not None and not file.kept.belongs(who):
        return list(_of_others(file, daemon))
    try:
        wanted = change(file, daemon)
    except ValueError as error:
        return [f"{file.path} is not what the engine can read ({error}): mend it, or move it away, and run up again"]
    if not wanted.needed:
        return []
    if not file.root:
        told = f"{file.path} is root's, and the login is not: log in as root (ssh://root@…)"
        return [f"{told}, or have root write these settings and restart the engine: {json.dumps(wanted.after)}"]
    if file.edited:
        told = f"{file.path} was changed by somebody else since lab {who.lab} wrote it: undo that change"
        return [f"{told}, or remove {file.path}.dockerlab, which holds what was there before the lab"]
    return [
        *_flags(file, wanted),
        *_engine(place, daemon or Daemon(), read(wanted.text)),
        *_overlaps(place, daemon or Daemon()),
        *_stopped(place, wanted, who),
    ]


def _of_others(file: DaemonFile, daemon: Daemon | None) -> Iterator[str]:
    """Yield a refusal where another lab has changed the settings and they are not what this one wants."""
    kept = file.kept
    if kept is None or daemon is None:
        return
    present, wanted = read(file.text), daemon.settings()
    other = [key for key, value in wanted.items() if present.get(key, ...) != value]
    if other:
        lab = kept.labels[LABEL_LAB]
        yield (
            f"lab {lab} of {kept.labels[LABEL_OWNER]} has settings of its own for this engine, and "
            f"{', '.join(other)} would be others: 'dockerlab down {lab}' puts back what was there before"
        )


def _flags(file: DaemonFile, wanted: Change) -> Iterator[str]:
    """Yield the keys that stand on the engine's command line as well: it refuses to be told twice."""
    given = {word.partition("=")[0].lstrip("-") for word in file.flags if word.startswith("-")}
    twice = [key for key in wanted.after if FLAGS.get(key, key) in given]
    if twice:
        flags = ", ".join(f"--{FLAGS.get(key, key)}" for key in twice)
        yield (
            f"the engine was started with {flags}, and refuses a setting that its command line and {file.path} both "
            "give: take the flag from the command line ('systemctl edit docker', or where the engine is started)"
        )
    if "bip" in wanted.after and given & {"b", "bridge"}:
        yield "the engine was started with --bridge, and takes no `bip` beside it: leave one of them out"


def _engine(place: Place, daemon: Daemon, settings: dict[str, object]) -> Iterator[str]:
    """Yield what this engine, with its other settings, would not start with."""
    engine, present = Engine(numbers(place.snapshot.engine_version)), _subnet(place.file)
    alone = daemon.fixed_cidr_v6 is None and "fixed-cidr-v6" not in settings
    if daemon.ipv6 and alone and not engine.ipv6_by_itself:
        yield f"engine {place.snapshot.engine_version} wants `fixed-cidr-v6` with `ipv6`: give a subnet"
    if settings.get("bridge") and daemon.settings().keys() & BRIDGE:
        yield f"{place.file.path} says `bridge: {settings['bridge']}`: there is no docker0 to set anything of"
    if daemon.icc is False and (settings.get("iptables") is False or not effective(place.file).iptables):
        yield "the engine keeps no firewall rules (`iptables: false`), and `icc: false` is one: leave it out"
    if daemon.live_restore and place.snapshot.swarm.state != "inactive":
        yield "`live-restore` and a Swarm exclude each other, and this engine is in one: leave one of the two"
    subnet = daemon.bip.network if daemon.bip is not None else _given(settings) or present
    if daemon.bip is None and daemon.fixed_cidr is not None and engine.range_is_subnet:
        subnet = daemon.fixed_cidr
    for key, part in (("fixed-cidr", daemon.fixed_cidr), ("default-gateway", daemon.default_gateway)):
        if part is not None and subnet is not None and not IPv4Network(part).subnet_of(subnet):
            yield f"`{key}` {part} is not in {subnet}, the subnet of docker0: give docker0 another one with `bip`"


def _subnet(file: DaemonFile) -> IPv4Network | None:
    """Return docker0's IPv4 subnet as it is, or None where it has none."""
    found = (ip_interface(address).network for address in file.bridge)
    return next((network for network in found if isinstance(network, IPv4Network)), None)


def _given(settings: dict[str, object]) -> IPv4Network | None:
    """Return docker0's subnet by the host's own `bip`, or None."""
    bip = settings.get("bip")
    return IPv4Network(bip, strict=False) if isinstance(bip, str) else None


def _overlaps(place: Place, daemon: Daemon) -> Iterator[str]:
    """Yield what has an address in the subnet that docker0 is to get: the engine would take it all the same."""
    if daemon.bip is None:
        return
    wanted = daemon.bip.network
    bridges = set()
    for network in place.snapshot.networks:
        bridges.add(network.bridge)
        for subnet in network.subnets:
            beside = network.name != "bridge" and network.scope == "local" and subnet.version == 4
            if beside and subnet.overlaps(wanted):
                yield f"`bip`: {wanted} overlaps with network {network.name} ({subnet}), which is there already"
    for link in place.ground.links:
        for address in link.addresses if link.name not in {*bridges, "docker0"} else ():
            if address.version == 4 and address.network.overlaps(wanted):
                yield (
                    f"`bip`: {wanted} overlaps with the host's own network {address.network} on {link.name}: the host "
                    "would look for its neighbours on docker0"
                )


def _stopped(place: Place, wanted: Change, who: Identity) -> Iterator[str]:
    """Yield the containers of others that run on the engine: its restart would stop them, or they would hold it up."""
    names = running(place.snapshot, partial(_ours, who))
    if not names:
        return
    if not place.snapshot.live_restore:
        yield f"the engine has to restart, which would stop {names}: stop them yourself, or take their lab down first"
    elif wanted.keys & BRIDGE:
        yield f"with live-restore the engine leaves docker0 as it is while containers run: stop {names} first"


def _ours(who: Identity, labels: Mapping[str, str]) -> bool:
    return all(labels.get(label) == value for label, value in who.labels("").items() if label in WHOSE)
