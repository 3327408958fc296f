"""A lab as a Compose file, for people who have no dockerlab: what `docker compose up` makes of it is the lab."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import yaml

from dockerlab.errors import UsageError
from dockerlab.imagined.networks import wanted_options
from dockerlab.lab.container import Container
from dockerlab.lab.image import BuiltImage
from dockerlab.lab.model import Lab, Network

OF_OURS = {"host", "image", "networks", "network_mode", "entrypoint", "command", "pid", "ipc"}
"""What a service says in other words than a container, or not at all."""
PLACES = {"ip": "ipv4_address", "ip6": "ipv6_address"}


def of(lab: Lab, only: str | None = None) -> str:
    """Return the Compose file of a lab on one host; `only` says which, where it has several.

    Containers and networks have the names that dockerlab gives them. Raises UsageError for a host that the lab does not
    have, and for none where there are several: a Compose file is for one engine.
    """
    if only is not None and only not in lab.hosts:
        raise UsageError(f"the lab has no host {only}; it has {', '.join(lab.hosts)}")
    if only is None and len(lab.hosts) > 1:
        raise UsageError(f"a Compose file is for one engine: say which with --host, of {', '.join(lab.hosts)}")
    host = only or next(iter(lab.hosts))
    containers = lab.on_host(host)
    networks = {name: spec for name, spec in lab.networks.items() if host in lab.hosts_of(name)}
    volumes = {name for spec in containers.values() for name in spec.named_volumes}
    found: dict[str, Any] = {"name": lab.name}
    found["services"] = {name: _service(lab, name, spec) for name, spec in containers.items()}
    if networks:
        found["networks"] = {name: _network(name, spec) for name, spec in networks.items()}
    if volumes:
        found["volumes"] = {
            name: {"name": name, **spec.model_dump(mode="json", exclude_unset=True, exclude={"name"})}
            for name, spec in lab.volumes.items()
            if name in volumes
        }
    head = f"# {lab.title}\n" if lab.title else ""
    return head + yaml.safe_dump(_escaped(found), sort_keys=False, allow_unicode=True, width=120)


def _service(lab: Lab, name: str, spec: Container) -> dict[str, Any]:
    """Return a container as a service of the same name."""
    found: dict[str, Any] = {"container_name": name, "image": spec.image}
    built = lab.built(spec.image)
    if built is not None:
        found["build"] = {"dockerfile_inline": _dockerfile(lab.images[built])}
    entrypoint, command = spec.words
    found |= {"entrypoint": list(entrypoint)} if entrypoint else {}
    found |= {"command": list(command)} if command else {}
    for key in ("network_mode", "pid", "ipc"):
        kind, _, owner = (getattr(spec, key) or "").partition(":")
        value = f"service:{owner}" if kind == "container" else getattr(spec, key)
        found |= {key: value} if value is not None else {}
    if not spec.networks and spec.network_mode is None:
        found["network_mode"] = "bridge"  # without a word of networks, Compose would make one
    if spec.networks:
        found["networks"] = dict(_places(spec))
    found.update(spec.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude=OF_OURS))
    if spec.env_file:  # what its files say, they say to Compose as well
        of_files = lab.given.get(name, {})
        found["environment"] = {k: v for k, v in spec.environment.items() if v is not None or k not in of_files}
    for port in found.get("ports", ()):
        port.update({"published": str(port["published"])} if port.get("published") is not None else {})
    return found


def _places(spec: Container) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a container's places on networks; by their priority Compose takes them in this order."""
    for number, (network, place) in enumerate(spec.networks.items()):
        said = place.model_dump(mode="json", exclude_defaults=True, exclude={"priority"})
        first = {"priority": len(spec.networks) - number} if len(spec.networks) > 1 else {}
        yield network, {**{PLACES.get(key, key): value for key, value in said.items()}, **first}


def _network(name: str, spec: Network) -> dict[str, Any]:
    if spec.external:
        return {"name": name, "external": True}
    found: dict[str, Any] = {"name": name, "driver": spec.driver}
    options = wanted_options(spec)
    found |= {"driver_opts": options} if options else {}
    pools = [pool.model_dump(mode="json", exclude_defaults=True) for pool in spec.pools]
    if pools or spec.ipam.options:
        found["ipam"] = {
            **spec.ipam.model_dump(mode="json", exclude_defaults=True, exclude={"config"}),
            "config": pools,
        }
    for key in ("internal", "attachable"):
        found |= {key: True} if getattr(spec, key) else {}
    found |= {"enable_ipv6": True} if spec.ipv6 else {}
    found |= {"enable_ipv4": spec.enable_ipv4} if spec.enable_ipv4 is not None else {}
    return found | ({"labels": spec.labels} if spec.labels else {})


def _dockerfile(image: BuiltImage) -> str:
    """Return the Dockerfile that builds an image; each of its steps is a layer."""
    steps = "\n".join(f"RUN {json.dumps(['/bin/sh', '-c', step])}" for step in image.steps)
    return f"FROM {image.base}\n{image.dockerfile or steps}\n"


def _escaped(value: Any) -> Any:
    """Return data in which no `$` begins a variable."""
    if isinstance(value, dict):
        return {key: _escaped(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_escaped(item) for item in value]
    return value.replace("$", "$$") if isinstance(value, str) else value
