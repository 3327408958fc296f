"""What was found on hosts put together: a definition that loads, and how its names lead back to the hosts' own."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dockerlab import modes
from dockerlab.discover import containers as of_containers
from dockerlab.discover.entry import Entry
from dockerlab.discover.loadable import loadable
from dockerlab.discover.naming import Key, lab_name, legal, names_for
from dockerlab.discover.networks import Shared, labels_of, shared
from dockerlab.discover.places import Surroundings
from dockerlab.discover.secrets import revealing
from dockerlab.discover.subnets import ON_PARENT, by_swarm
from dockerlab.discover.text import text_of
from dockerlab.discover.wanted import EVERYTHING, PROJECT, Chosen, Wanted, chosen
from dockerlab.errors import UsageError
from dockerlab.lab.model import Lab
from dockerlab.snapshot import LABEL_LAB, NetworkState, Snapshot, VolumeState

Listening = Mapping[str, Mapping[str, tuple[int, ...]]]
"""The TCP ports on which containers listen, by host and ID."""


@dataclass(frozen=True)
class Found:
    """A lab that was discovered: as a definition, as text, and by which names its objects go on the hosts.

    `notes` say what was left out, or is otherwise than one might think.
    """

    lab: Lab
    text: str
    notes: tuple[str, ...] = ()
    containers: Mapping[Key, str] = field(default_factory=dict)
    networks: Mapping[Key, str] = field(default_factory=dict)


def discovered(
    snapshots: Mapping[str, Snapshot],
    addresses: Mapping[str, str | None],
    wanted: Wanted = EVERYTHING,
    listening: Listening | None = None,
    name: str = "",
) -> Found:
    """Return the definition of what is on hosts, by looks at their engines that tell `every` detail.

    `addresses` say where each host is, None where its name does; `listening` is what their kernels told, None where
    that was not asked. Raises UsageError where there is nothing to define.
    """
    for host in snapshots:
        if legal(host) != host:
            raise UsageError(f"a definition can have no host {host!r}: call it by letters, digits, `.`, `_` and `-`")
    types = modes.network_types()
    taken = chosen(snapshots, wanted, types)
    if not any(taken.containers.values()):
        raise UsageError(_nothing(snapshots, taken, wanted))
    networks = shared(taken.networks, lambda key: _given(taken, key))
    names = names_for(
        (((host, each.id), each.name) for host, own in taken.containers.items() for each in own), taken=snapshots
    )
    whole = _whole(snapshots, addresses, taken, networks, names, listening or {})
    whole.data["name"] = lab_name(name or _called(taken))
    lab = loadable(whole)
    head = [f"What was found on {_listed(snapshots)} ({_engines(snapshots)}), by `dockerlab discover`."]
    keys = {(host, state.id): each.name for each in networks for host, state in each.members.items()}
    return Found(lab, text_of(whole, [*head, *taken.notes]), taken.notes, names, keys)


def _whole(
    snapshots: Mapping[str, Snapshot],
    addresses: Mapping[str, str | None],
    taken: Chosen,
    networks: Sequence[Shared],
    names: Mapping[Key, str],
    listening: Listening,
) -> Entry:
    """Return the whole definition, its sections in their order."""
    whole = Entry({"name": ""})
    where = {host: None if addresses.get(host) in (None, host) else addresses[host] for host in snapshots}
    if addresses != {"local": "local"}:
        whole.data["hosts"] = where
    by_network: dict[str, Entry] = {each.name: each.entry for each in networks}
    by_container: dict[str, Entry] = {}
    users: dict[str, set[str]] = {}
    for host, own in taken.containers.items():
        around = Surroundings(snapshots[host], networks, names, len(snapshots), listening.get(host, {}))
        for state in own:
            entry = by_container[names[host, state.id]] = of_containers.described(state, around)
            for network in entry.data.get("networks", ()):
                users.setdefault(network, set()).add(host)
    for each in networks:
        here = [host for host in snapshots if host in each.members]
        expected = [host for host in snapshots if host in users.get(each.name, ())] or list(snapshots)
        if here != expected and next(iter(each.members.values())).scope != "swarm":
            each.entry.data["hosts"] = here
    by_volume = _volumes(snapshots, taken, by_container)
    for section, entries in (("networks", by_network), ("volumes", by_volume), ("containers", by_container)):
        if entries:
            whole.data[section] = {name: entries[name].data for name in sorted(entries)}
            for name, entry in entries.items():
                whole.adopt(entry, section, name)
    _docker0(whole, snapshots, taken)
    return whole


def _volumes(snapshots: Mapping[str, Snapshot], taken: Chosen, containers: Mapping[str, Entry]) -> dict[str, Entry]:
    """Return the volumes that the containers name; what is in them is not told."""
    used = {name for own in taken.containers.values() for state in own for name in state.volumes}
    named = {str(each).partition(":")[0] for entry in containers.values() for each in entry.data.get("volumes", ())}
    found: dict[str, Entry] = {}
    there = {volume.name: volume for snapshot in snapshots.values() for volume in snapshot.volumes}
    for name in sorted(used & named):
        entry, volume = Entry(), there.get(name, VolumeState(name))
        entry.put("driver", volume.driver if volume.driver != "local" else None)
        entry.put("driver_opts", {k: v for k, v in sorted(volume.options.items()) if not revealing(k, str(v))})
        for key in volume.options.keys() - entry.data.get("driver_opts", {}).keys():
            entry.say(f"left out, as it looks like a secret: the option {key}")
        entry.put("labels", labels_of(entry, volume.labels, {}))
        found[name] = entry
    return found


def _docker0(whole: Entry, snapshots: Mapping[str, Snapshot], taken: Chosen) -> None:
    """Say where docker0 has an address that somebody set, and a container of the lab is on it."""
    for host, own in taken.containers.items():
        state = snapshots[host].network("bridge")
        if state is None or not any("bridge" in each.endpoints for each in own):
            continue
        four = next((subnet for subnet in state.subnets if subnet.version == 4), None)
        if four is not None and str(four) != "172.17.0.0/16" and state.gateways:
            bip = f"{state.gateways[0]}/{four.prefixlen}"
            path = ("hosts", host) if "hosts" in whole.data else ("containers",)
            whole.say(f"docker0 is {four} on {host}; for the same elsewhere: daemon: {{bip: {bip}}}", *path)


def _given(taken: Chosen, key: Key) -> set[str]:
    """Return the addresses of a network of a host that a person chose, and on a parent's LAN all that there are."""
    there = {
        host: state
        for host, own in taken.networks.items()
        for state in own
        if state.id == key[1] and (host == key[0] or state.scope == "swarm")
    }
    return {address for host, state in there.items() for address in _asked(taken, host, state, there.values())}


def _asked(taken: Chosen, host: str, network: NetworkState, members: Collection[NetworkState]) -> Iterator[str]:
    """Yield the same of a network as one host has it; `members` are that network as all hosts have it."""
    for container in taken.containers.get(host, ()):
        told = ((container.detail or {}).get("NetworkSettings") or {}).get("Networks") or {}
        asked = (told.get(network.name) or {}).get("IPAMConfig") or {}
        chosen_there = (str(asked[name]) for name in ("IPv4Address", "IPv6Address") if asked.get(name))
        yield from (address for address in chosen_there if not by_swarm(address, members))
        if network.driver in ON_PARENT and network.name in container.endpoints:
            yield from (str(address.ip) for address in container.endpoints[network.name].addresses)


def _called(taken: Chosen) -> str:
    """Return what all containers are said to belong to, `discovered` where that is not one thing."""
    every = [container for own in taken.containers.values() for container in own]
    for key in (LABEL_LAB, *PROJECT):
        said = {container.labels.get(key) for container in every}
        if len(said) == 1 and None not in said:
            return str(said.pop())
    return "discovered"


def _nothing(snapshots: Mapping[str, Snapshot], taken: Chosen, wanted: Wanted) -> str:
    there = sum(len(snapshot.containers) for snapshot in snapshots.values())
    told = f"nothing to define on {_listed(snapshots)}: "
    if wanted.filters:
        told += f"of {there} containers none fits what is asked for"
    else:
        told += "no container runs there" if there else "there is no container"
    return "\n  ".join((told, *taken.notes))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _engines(snapshots: Mapping[str, Snapshot]) -> str:
    versions = dict.fromkeys(snapshot.engine_version for snapshot in snapshots.values())
    return f"Docker {_listed(versions)}"
