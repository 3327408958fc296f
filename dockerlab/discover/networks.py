"""Which networks of the hosts are one network of a definition, and what that says of each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dockerlab.discover import subnets
from dockerlab.discover.entry import Entry, Json
from dockerlab.discover.naming import RESERVED, Key, legal, names_for
from dockerlab.discover.secrets import revealing
from dockerlab.discover.subnets import ON_PARENT
from dockerlab.discover.wanted import PROJECT
from dockerlab.snapshot import BRIDGE_NAME, VXLAN_IDS, NetworkState

SHORT = ("parent", "macvlan_mode", "ipvlan_mode")
"""The options of a driver that a definition has as keys of the network."""

MADE_UP = ("com.docker.network.enable_ipv4", "com.docker.network.enable_ipv6", VXLAN_IDS)
"""Options that engines write down though nobody gave them."""


@dataclass
class Shared:
    """One network of a definition, by host what it is there; `fixed` tells that addresses on it have to be fixed."""

    entry: Entry
    members: dict[str, NetworkState] = field(default_factory=dict)
    name: str = ""
    fixed: bool = False
    given: set[str] = field(default_factory=set)

    @property
    def spec(self) -> Mapping[str, Any]:
        """Return what the definition says of it."""
        return self.entry.data


def shared(networks: Mapping[str, Iterable[NetworkState]], given: Callable[[Key], set[str]]) -> list[Shared]:
    """Return the networks of a definition, by name.

    A Swarm's network is one on all hosts; others are where they have one name and nothing else sets them apart, nor
    has anybody the same address on both. `given` are the addresses on a network, by host and ID, that a person chose.
    """
    found: dict[object, Shared] = {}
    for host, states in networks.items():
        for state in states:
            fixed = given((host, state.id))
            entry = described(state, addressed=bool(fixed))
            alike: object = ("swarm", state.id)
            if state.scope != "swarm":
                alike = ("local", state.name, json.dumps(entry.data, sort_keys=True, default=str))
                # Engines let two of a host have one name, and know nothing of each other's addresses.
                while alike in found and (host in found[alike].members or not fixed.isdisjoint(found[alike].given)):
                    alike = (alike, host)
            group = found.setdefault(alike, Shared(entry))
            group.members[host] = state
            group.given |= fixed
    groups = sorted(found.values(), key=lambda group: (first(group).name, min(group.members)))
    names = names_for((((*_key(group),), first(group).name) for group in groups), RESERVED)
    for group in groups:
        group.name = names[_key(group)]
        if group.name != legal(first(group).name) or group.name != first(group).name:
            where = " and ".join(group.members)
            group.entry.say(f"called {first(group).name} on {where}")
        group.fixed = _needs_fixed(group, groups)
    return groups


def first(group: Shared) -> NetworkState:
    """Return the network as its first host has it."""
    return next(iter(group.members.values()))


def _key(group: Shared) -> Key:
    return next(iter(group.members)), first(group).id


def _needs_fixed(group: Shared, groups: Iterable[Shared]) -> bool:
    """Tell whether engines that do not know of each other give out the addresses of a LAN."""
    spec = group.spec
    if spec.get("driver") not in ON_PARENT:
        return False
    others = (each for each in groups if each is not group and each.spec.get("driver") == spec["driver"])
    same = (each for each in others if each.spec.get("parent") == spec.get("parent") is not None)
    return len(group.members) > 1 or any(set(each.members) != set(group.members) for each in same)


def described(state: NetworkState, *, addressed: bool) -> Entry:
    """Return what a definition says of a network: what is not the engine's own choice, or its default."""
    detail = state.detail or {}
    entry = Entry()
    if state.driver != "bridge":
        entry.data["driver"] = state.driver
    options = _options(entry, state)
    subnets.addresses(entry, state, detail, addressed=addressed)
    entry.put("internal", state.internal)
    entry.put("attachable", bool(detail.get("Attachable")) and state.driver != "overlay")
    _versions(entry, detail)
    entry.put("driver_opts", options)
    entry.put("labels", labels_of(entry, state.labels, {}))
    if state.driver == "overlay" and detail.get("Attachable") is False:
        entry.say("for services alone here; a definition's overlay takes plain containers as well")
    if (detail.get("ConfigFrom") or {}).get("Network"):
        entry.say(f"made from the template {detail['ConfigFrom']['Network']}")
    return entry


def _options(entry: Entry, state: NetworkState) -> dict[str, str]:
    """Return the options of the driver that somebody gave; those that are keys of the network are noted as such."""
    options = {key: value for key, value in sorted(state.options.items()) if key not in MADE_UP}
    if options.get(BRIDGE_NAME) == f"br-{state.id[:12]}":
        del options[BRIDGE_NAME]
    if state.driver in ON_PARENT:
        for key in SHORT:
            value = options.pop(key, None)
            if value is not None and (key, value) not in (("macvlan_mode", "bridge"), ("ipvlan_mode", "l2")):
                entry.put(key, value)
        if str(entry.data.get("parent", "")).startswith(("dm-", "di-")):
            del entry.data["parent"]  # the driver's own dummy, where nobody named a parent
        if options.get("ipvlan_flag") == "bridge":
            del options["ipvlan_flag"]
    for key in [key for key, value in options.items() if revealing(key, value)]:
        entry.say(f"left out, as it looks like a secret: the option {key}")
        del options[key]
    return options


def _versions(entry: Entry, detail: Json) -> None:
    """Note which IP versions a network has where its subnets do not say that."""
    six = bool(detail.get("EnableIPv6"))
    written = entry.data.get("subnet", ())
    subnets = [written] if isinstance(written, str) else list(written)
    subnets += [pool["subnet"] for pool in entry.data.get("ipam", {}).get("config", ())]
    if six != any(":" in subnet for subnet in subnets):
        entry.data["enable_ipv6"] = six
    if detail.get("EnableIPv4") is False:
        entry.data["enable_ipv4"] = False


def labels_of(entry: Entry, labels: Mapping[str, str], image: Mapping[str, str]) -> dict[str, str]:
    """Return the labels that somebody gave; what Compose and Swarm note is told in words, and secrets are left out."""
    found = {}
    for key, value in sorted(labels.items()):
        if image.get(key) == value or key.startswith(("dockerlab.", "com.docker.", "desktop.docker.")):
            continue
        if revealing(key, value):
            entry.say(f"left out, as it looks like a secret: the label {key}")
        else:
            found[key] = value
    for text in _made_by(labels):
        entry.say(text)
    return found


def _made_by(labels: Mapping[str, str]) -> Iterator[str]:
    service = labels.get("com.docker.compose.service")
    if PROJECT[0] in labels:
        part = f", service {service}" if service else ""
        yield f"made by Docker Compose: project {labels[PROJECT[0]]}{part}"
    if PROJECT[1] in labels:
        yield f"made by docker stack {labels[PROJECT[1]]}"
