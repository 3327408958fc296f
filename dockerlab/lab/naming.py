"""What things of a definition are called where they are: from here on, they have no other name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dockerlab.hosts.address import LOCAL
from dockerlab.lab.container import Container
from dockerlab.lab.model import Expect, Lab
from dockerlab.lab.problem import KeyPath, Problem, quoted

OWN = ("bridge", "host", "none")
"""The networks that every engine has."""


def names(lab: Lab) -> Iterable[Problem]:
    """Yield names of networks and volumes that two of them have, or that the engine has given."""
    for section, entries in (("networks", lab.networks), ("volumes", lab.volumes)):
        taken: dict[str, str] = {}
        for key, spec in entries.items():
            name = spec.name or key
            if name in taken:
                message = f"{quoted(taken[name])} is called {name} as well: give each a name of its own"
                yield Problem((section, key, *(("name",) if spec.name else ())), message, of_key=spec.name is None)
            elif section == "networks" and spec.name in OWN:
                message = f"the engine has a network {name} of its own: write `network_mode: {name}` at the container"
                yield Problem((section, key, "name"), message)
            taken.setdefault(name, key)


def as_the_engine_has_it(lab: Lab) -> tuple[Lab, dict[tuple[str, str], str]]:
    """Return a lab whose networks and volumes go by the engine's names, and by those the keys of the definition.

    Of the keys there are those alone that are other than the names, each with its section.
    """
    networks = {key: spec.name or key for key, spec in lab.networks.items()}
    volumes = {key: spec.name or key for key, spec in lab.volumes.items()}
    keys = {("networks", name): key for key, name in networks.items() if name != key}
    keys |= {("volumes", name): key for key, name in volumes.items() if name != key}
    if not keys:
        return lab, keys
    changed: dict[str, Any] = {
        "networks": {networks[key]: spec for key, spec in lab.networks.items()},
        "volumes": {volumes[key]: spec for key, spec in lab.volumes.items()},
        "containers": {name: renamed(spec, networks, volumes) for name, spec in lab.containers.items()},
        "expect": tuple(_expectation(each, networks, {}) for each in lab.expect),
    }
    return lab.changed(**changed), keys


def with_local_called(lab: Lab, name: str) -> Lab:
    """Return a lab whose host `local`, which is this machine, is another one: that of a name."""
    if name == LOCAL or lab.addresses.get(LOCAL) != LOCAL:
        return lab

    def there(hosts: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if hosts is None else tuple(name if each == LOCAL else each for each in hosts)

    machine = lab.hosts[LOCAL].model_copy(update={"address": None})
    changed: dict[str, Any] = {
        "hosts": {(name if key == LOCAL else key): machine if key == LOCAL else m for key, m in lab.hosts.items()},
        "networks": {key: n.model_copy(update={"hosts": there(n.hosts)}) for key, n in lab.networks.items()},
        "images": {key: each.model_copy(update={"hosts": there(each.hosts)}) for key, each in lab.images.items()},
        "containers": {
            key: spec.model_copy(update={"host": name}) if spec.host == LOCAL else spec
            for key, spec in lab.containers.items()
        },
        "expect": tuple(_expectation(each, {}, {LOCAL: name}) for each in lab.expect),
    }
    return lab.changed(**changed)


def renamed(spec: Container, networks: Mapping[str, str], volumes: Mapping[str, str]) -> Container:
    """Return a container on networks and volumes that go by other names."""
    mounts = tuple(
        each.model_copy(update={"source": volumes.get(each.source or "", each.source)})
        if each.type == "volume"
        else each
        for each in spec.volumes
    )
    places = {networks[key]: place for key, place in spec.networks.items()}
    return spec.model_copy(update={"networks": places, "volumes": mounts})


def as_written(path: KeyPath, keys: Mapping[tuple[str, str], str]) -> KeyPath:
    """Return the path in the definition of one that has the engine's names."""
    if path[:1] in (("networks",), ("volumes",)):
        at = 1
    elif path[:1] == ("containers",) and path[2:3] == ("networks",):
        at = 3
    else:
        return path
    section = "volumes" if path[0] == "volumes" else "networks"
    return (*path[:at], *(keys.get((section, str(part)), part) for part in path[at : at + 1]), *path[at + 1 :])


def _expectation(each: Expect, networks: Mapping[str, str], hosts: Mapping[str, str]) -> Expect:
    """Return an exception whose gateways and hosts go by other names of networks and hosts."""

    def named(end: str) -> str:
        kind, colon, rest = end.partition(":")
        if (kind, colon) != ("gateway", ":"):
            return hosts.get(end, end)
        network, at, host = rest.partition("@")
        return f"{kind}:{networks.get(network, network)}{at}{hosts.get(host, host)}"

    return each.model_copy(update={"source": named(each.source), "to": named(each.to)})
