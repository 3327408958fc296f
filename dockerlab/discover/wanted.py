"""What of all that is on hosts is taken: what runs, or what filters say, and whatever that cannot do without."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from dockerlab.snapshot import GATEWAY_BRIDGE, INGRESS, ContainerState, NetworkState, Snapshot

PROJECT = ("com.docker.compose.project", "com.docker.stack.namespace")
"""The labels by which Docker Compose and `docker stack` mark what belongs together."""
OWN_DRIVERS = ("host", "null")
"""The drivers of networks that every engine has."""
RUNS = ("running", "paused", "restarting")


@dataclass(frozen=True)
class Wanted:
    """What is asked for. Of one kind any may fit, and all kinds have to; `names` and `networks` are shell patterns.

    `labels` are `KEY` or `KEY=VALUE`. Without `stopped`, only containers that run are taken.
    """

    projects: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    stopped: bool = False

    @property
    def filters(self) -> bool:
        """Tell whether less than everything is asked for."""
        return bool(self.projects or self.labels or self.networks or self.names)


EVERYTHING = Wanted()


@dataclass(frozen=True)
class Chosen:
    """What is taken, by host; `notes` say what is not, or is though nobody asked for it."""

    containers: Mapping[str, tuple[ContainerState, ...]]
    networks: Mapping[str, tuple[NetworkState, ...]]
    notes: tuple[str, ...] = field(default=())


def chosen(snapshots: Mapping[str, Snapshot], wanted: Wanted, drivers: Collection[str]) -> Chosen:
    """Return what is taken of the hosts; `drivers` are those of the networks that a definition can have."""
    containers: dict[str, tuple[ContainerState, ...]] = {}
    networks: dict[str, tuple[NetworkState, ...]] = {}
    notes: list[str] = []
    for host, snapshot in snapshots.items():
        fitting = [each for each in snapshot.containers if _fits(each, wanted)]
        taken = [each for each in fitting if wanted.stopped or each.running or each.status in RUNS]
        known = {each.id for each in taken}
        notes += _idle(host, [each for each in fitting if each.id not in known])
        more = list(_owners(snapshot, taken))
        notes += [f"{host}: {each.name} is taken as well, for others share its network" for each in more]
        containers[host] = tuple(sorted((*taken, *more), key=lambda each: (each.name, each.id)))
        networks[host] = tuple(_networks(snapshot, containers[host], wanted, drivers))
        for state in snapshot.networks:
            if not own(state) and state.driver not in drivers and not config_only(state):
                notes.append(f"{host}: network {state.name} is left out: no driver {state.driver} in a definition")
    return Chosen(containers, networks, tuple(notes))


def _idle(host: str, states: Collection[ContainerState]) -> list[str]:
    if not states:
        return []
    names = ", ".join(sorted(each.name for each in states)[:10])
    more = f" and {len(states) - 10} more" if len(states) > 10 else ""
    return [f"{host}: left out, as they do not run (--all takes them): {names}{more}"]


def _fits(container: ContainerState, wanted: Wanted) -> bool:
    labels = container.labels
    if wanted.projects and not any(labels.get(key) in wanted.projects for key in PROJECT):
        return False
    if wanted.labels and not any(_labelled(labels, each) for each in wanted.labels):
        return False
    if wanted.names and not any(fnmatchcase(container.name, each) for each in wanted.names):
        return False
    places = container.endpoints
    return not wanted.networks or any(fnmatchcase(name, each) for name in places for each in wanted.networks)


def _labelled(labels: Mapping[str, str], wanted: str) -> bool:
    key, equals, value = wanted.partition("=")
    return key in labels and (not equals or labels[key] == value)


def _owners(snapshot: Snapshot, taken: Collection[ContainerState]) -> Iterator[ContainerState]:
    """Yield the containers whose network namespaces those that are taken share, and that are not taken themselves."""
    known = {each.id for each in taken}
    for each in taken:
        owner = owner_of(snapshot, each)
        if owner is not None and owner.id not in known:
            known.add(owner.id)
            yield owner


def owner_of(snapshot: Snapshot, container: ContainerState) -> ContainerState | None:
    """Return the container whose network namespace another one shares, by however many steps; None where it is gone."""
    seen = {container.id}
    current = container
    while current.network_mode.startswith("container:"):
        word = current.network_mode.partition(":")[2]
        found = next((each for each in snapshot.containers if word in (each.id, each.name)), None)
        if found is None or found.id in seen:
            return None
        seen.add(found.id)
        current = found
    return current if current is not container else None


def _networks(
    snapshot: Snapshot, containers: Collection[ContainerState], wanted: Wanted, drivers: Collection[str]
) -> Iterator[NetworkState]:
    """Yield the networks of a host that are taken: all, or with filters those that the containers are on."""
    used = {name for each in containers for name in each.endpoints}
    for state in snapshot.networks:
        if own(state) or state.driver not in drivers or config_only(state):
            continue
        project = any(state.labels.get(key) in wanted.projects for key in PROJECT)
        if not wanted.filters or state.name in used or project:
            yield state


def own(state: NetworkState) -> bool:
    """Tell whether a network is one that engines make by themselves."""
    detail = state.detail or {}
    ingress = bool(detail.get("Ingress")) or (state.name == INGRESS and state.scope == "swarm")
    made = state.name in ("bridge", GATEWAY_BRIDGE) and state.driver == "bridge"
    return made or ingress or state.driver in OWN_DRIVERS


def config_only(state: NetworkState) -> bool:
    """Tell whether a network is no network but a template for others."""
    return bool((state.detail or {}).get("ConfigOnly"))
