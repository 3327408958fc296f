"""What a definition says that an engine does not know, or that has to be on a host and is not: told with its place."""

from __future__ import annotations

from collections.abc import Iterator

from dockerlab.imagined.networks import unlike
from dockerlab.lab.container import Attachment, Container
from dockerlab.lab.model import Lab
from dockerlab.lab.places import ENDPOINT_SYSCTLS, PLACE_WORDS
from dockerlab.lab.problem import KeyPath
from dockerlab.lab.words import WORDS
from dockerlab.snapshot import Snapshot
from dockerlab.versions import SINCE, Engine, since

Said = tuple[KeyPath, str]
"""A place in a definition, and the name in `versions.SINCE` of what it says."""


def unknown(lab: Lab, host: str, engine: Engine) -> Iterator[str]:
    """Yield every word of the definition that the engine of a host is too old for, with its place and what to do."""
    for path, word in said(lab, host):
        if not engine.knows(word):
            yield (
                f"{lab.place(path)}: engine {engine} does not know `{path[-1]}`, which came with {since(word)}: "
                "leave it out, or let it run on a newer engine"
            )


def said(lab: Lab, host: str) -> Iterator[Said]:
    """Yield what a definition says of a host by words that not every engine knows."""
    daemon = lab.daemons.get(host)
    for key in daemon.settings() if daemon is not None else ():
        if key in SINCE:
            yield ("hosts", host, "daemon", key), key
    for name, spec in lab.networks.items():
        if spec.enable_ipv4 is False and not spec.external and host in lab.hosts_of(name):
            yield ("networks", name, "enable_ipv4"), "enable_ipv4"
    for name, container in lab.on_host(host).items():
        yield from _of_container(("containers", name), container)
        for network, place in container.networks.items():
            at = ("containers", name, "networks", network)
            yield from _of_place(at, place, later=network in container.at_once)


def _of_container(path: KeyPath, spec: Container) -> Iterator[Said]:
    for word in WORDS:
        if word.since and word.values(spec):
            yield (*path, word.key, *((word.since,) if word.key == "healthcheck" else ())), word.since
    for index, mount in enumerate(spec.volumes):
        if mount.volume.subpath is not None:
            yield (*path, "volumes", index, "volume", "subpath"), "subpath"


def _of_place(path: KeyPath, place: Attachment, *, later: bool) -> Iterator[Said]:
    for word in PLACE_WORDS:
        if word.since and tuple(word.given(place)):
            yield (*path, word.key), word.since
    if ENDPOINT_SYSCTLS in place.driver_opts:
        yield (*path, "driver_opts", ENDPOINT_SYSCTLS), "endpoint_sysctls"
    if later:
        yield (*path, "mac_address"), "mac_address"


def missing(lab: Lab, snapshot: Snapshot) -> Iterator[str]:
    """Yield the external networks and volumes that a host lacks, or that are other than the definition says."""
    host = snapshot.host
    for name, spec in lab.networks.items():
        if not spec.external or host not in lab.hosts_of(name):
            continue
        there, at = snapshot.network(name), lab.place(("networks", name))
        if there is None and spec.driver == "overlay" and not snapshot.swarm.manager and snapshot.swarm.managers:
            continue  # a worker sees a Swarm's network once a container is on it
        if there is None:
            yield f"{at}: network {name} is not there: make it with 'docker network create', or leave out `external`"
        elif wrong := list(unlike(spec, there)):
            yield f"{at}: network {name} {', and '.join(wrong)}: write what it is, as it is not the lab's"
    for name, volume in lab.volumes.items():
        if volume.external and host in lab.hosts_of_volume(name) and snapshot.volume(name) is None:
            at = lab.place(("volumes", name))
            yield f"{at}: volume {name} is not there: make it with 'docker volume create', or leave out `external`"
