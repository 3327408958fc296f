"""The names in a definition: every host, network and container that an entry speaks of has to be there."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from dockerlab.lab.container import NODE
from dockerlab.lab.model import Container, Lab
from dockerlab.lab.problem import KeyPath, Problem, meant, quoted, shown
from dockerlab.snapshot import full_name

MODES = ("bridge", "host", "none", "container:NAME")


def references(lab: Lab) -> Iterable[Problem]:
    """Yield every name that leads nowhere; the other checks may rely on a Lab for which this yields nothing."""
    for name, network in lab.networks.items():
        for index, host in enumerate(network.hosts or ()):
            if host not in lab.hosts:
                yield Problem(("networks", name, "hosts", index), _no("host", host, lab.hosts))
    yield from _images(lab)
    for name, spec in lab.containers.items():
        path: KeyPath = ("containers", name)
        if spec.host is not None and spec.host not in lab.hosts:
            yield Problem((*path, "host"), _no("host", spec.host, lab.hosts))
        if spec.host is None and spec.owner is None and len(lab.hosts) > 1:
            yield Problem((*path, "host"), f"`host` is missing: say on which of {', '.join(lab.hosts)} it runs")
        for place in spec.networks:
            if place not in lab.networks:
                hint = f"; for the mode, write network_mode: {place}" if place in MODES else ""
                yield Problem((*path, "networks", place), _no("network", place, lab.networks) + hint)
        yield from _mode(lab, name, spec)


def naming(lab: Lab, entries: Collection[KeyPath]) -> set[KeyPath]:
    """Return the entries of `lab` that speak of one of `entries` (each a section and a name)."""
    users: set[KeyPath] = set()
    for name, network in lab.networks.items():
        if any(("hosts", host) in entries for host in network.hosts or ()):
            users.add(("networks", name))
    for name, image in lab.images.items():
        named = {("images", lab.built(image.base)), *(("hosts", host) for host in image.hosts or ())}
        if not named.isdisjoint(entries):
            users.add(("images", name))
    for name, spec in lab.containers.items():
        named = {("hosts", spec.host), ("containers", spec.owner), *(("networks", item) for item in spec.networks)}
        named.add(("images", lab.built(spec.image)))
        named |= {("volumes", item) for item in spec.named_volumes}
        named |= {("containers", item) for item in spec.depends_on}
        if not named.isdisjoint(entries):
            users.add(("containers", name))
    return users


def _images(lab: Lab) -> Iterable[Problem]:
    """Yield what leads nowhere in the images to build: unknown hosts, and bases that lead back to where they began."""
    for name, spec in lab.images.items():
        for index, host in enumerate(spec.hosts or ()):
            if host not in lab.hosts:
                yield Problem(("images", name, "hosts", index), _no("host", host, lab.hosts))
        if full_name(name) == full_name(NODE):
            message = f"{NODE} is made by dockerlab itself: choose another name"
            yield Problem(("images", name), message, of_key=True)
            continue
        chain, base = [name], lab.built(spec.base)
        while base is not None and base not in chain:
            chain.append(base)
            base = lab.built(lab.images[base].base)
        if base == name:
            circle = " from ".join(quoted(each) for each in (*chain, name))
            message = f"{circle} is a circle: one of them has to begin with another image"
            yield Problem(("images", name, "from"), message)


def _mode(lab: Lab, name: str, spec: Container) -> Iterable[Problem]:
    path: KeyPath = ("containers", name, "network_mode")
    mode = spec.network_mode
    if mode is None:
        return
    if spec.networks:
        yield Problem(path, "`networks` is given as well: a container has either networks or a network_mode")
    if spec.owner is not None:
        yield from _joins(lab, name, spec, spec.owner)
    elif mode in lab.networks:
        yield Problem(path, f"{mode} is a network: write networks: [{mode}]")
    elif mode not in MODES[:3]:
        yield Problem(path, f"{shown(mode)} is no network_mode: {meant(mode, MODES)}")


def _joins(lab: Lab, name: str, spec: Container, owner: str) -> Iterable[Problem]:
    path: KeyPath = ("containers", name, "network_mode")
    if owner == name:
        yield Problem(path, f"{name} cannot join itself: name another container of the lab")
    elif owner not in lab.containers:
        yield Problem(path, _no("container", owner, [other for other in lab.containers if other != name]))
    elif lab.containers[owner].owner is not None:
        end = lab.containers[owner].owner
        yield Problem(path, f"{owner} has no network of its own, it joins {end}: join the container that has one")
    elif spec.host is not None and spec.host != (there := lab.host_of(owner)):
        message = (
            f"{owner} runs on {there}, not on {spec.host}: a network namespace is shared on one host; write {there}"
        )
        yield Problem(("containers", name, "host"), message)


def _no(kind: str, name: str, known: Iterable[str]) -> str:
    return f"no {kind} {quoted(name)} in the lab: {meant(name, known)}"
