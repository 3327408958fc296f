"""The hosts' books with their objects under the names of a definition that was discovered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dockerlab.discover.definition import Found
from dockerlab.snapshot import ContainerState, Snapshot


def renamed(snapshots: Mapping[str, Snapshot], found: Found) -> dict[str, Snapshot]:
    """Return the hosts' books with their objects under the names of the definition."""
    return {host: _book(snapshot, found) for host, snapshot in snapshots.items()}


def _book(snapshot: Snapshot, found: Found) -> Snapshot:
    host = snapshot.host
    networks = {
        state.name: found.networks[host, state.id] for state in snapshot.networks if (host, state.id) in found.networks
    }
    names = {
        state.name: found.containers[host, state.id]
        for state in snapshot.containers
        if (host, state.id) in found.containers
    }
    if all(old == new for old, new in (*networks.items(), *names.items())):
        return snapshot
    own = [_named(state, found.containers.get((host, state.id)), networks) for state in snapshot.containers]
    taken = {state.name for state in own if (host, state.id) in found.containers}
    # Whoever is not of the lab and has a name that one of the lab has now goes by its own ID.
    own = [s if (host, s.id) in found.containers or s.name not in taken else replace(s, name=s.id[:12]) for s in own]
    return replace(
        snapshot,
        containers=tuple(own),
        networks=tuple(
            replace(
                state,
                name=networks.get(state.name, state.name) if (host, state.id) in found.networks else state.name,
                containers=tuple(names.get(each, each) for each in state.containers),
            )
            for state in snapshot.networks
        ),
    )


def _named(state: ContainerState, name: str | None, networks: Mapping[str, str]) -> ContainerState:
    endpoints = {
        networks.get(key, key): replace(end, network=networks.get(key, key)) for key, end in state.endpoints.items()
    }
    if name is None or name == state.name:
        return replace(state, endpoints=endpoints)
    answering = {
        key: replace(end, aliases=tuple(dict.fromkeys((state.name, *end.aliases)))) for key, end in endpoints.items()
    }
    return replace(state, name=name, known_as=state.name, endpoints=answering)
