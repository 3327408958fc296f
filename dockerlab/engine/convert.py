"""From the engine's JSON to a `Snapshot`; pure, and at home with lists as well as with details.

A list of containers lacks the process id, the exit code and the aliases; a list of networks lacks what is attached.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface, ip_network
from typing import Any, Literal

from dockerlab.errors import EngineError
from dockerlab.gate import admitted
from dockerlab.snapshot import (
    LABEL_FINGERPRINT,
    LABEL_IMAGE,
    ContainerState,
    EndpointState,
    ImageState,
    NetworkState,
    PublishedPort,
    Snapshot,
    SwarmState,
    VolumeState,
    on_the_link,
)

Json = Mapping[str, Any]

PREFIX = "dockerlab."


@dataclass(frozen=True)
class Answers:
    """What an engine answered; each container and network is an entry of a list or a detail."""

    version: Json
    info: Json
    containers: Sequence[Json]
    networks: Sequence[Json]
    volumes: Sequence[Json]
    images: Sequence[Json]
    nodes: Sequence[Json] = ()


def to_snapshot(host: str, answers: Answers) -> Snapshot:
    """Return the snapshot of one engine; raises EngineError for answers that are not of the form of an engine's."""
    return admitted(host, "its engine", lambda: _snapshot(host, answers), Snapshot, EngineError)


def _snapshot(host: str, answers: Answers) -> Snapshot:
    labels = {image["Id"]: image.get("Labels") or {} for image in answers.images if any(_image_names(image))}
    states = tuple(_without_inherited(to_container(entry), labels) for entry in answers.containers)
    networks = (to_network(entry, states) for entry in answers.networks)
    names = {name for image in answers.images for name in _image_names(image)}
    return Snapshot(
        host=host,
        engine_version=answers.version.get("Version", ""),
        api_version=answers.version.get("ApiVersion", ""),
        kind=_kind(answers),
        firewall=(answers.info.get("FirewallBackend") or {}).get("Driver") or "iptables",
        live_restore=bool(answers.info.get("LiveRestoreEnabled")),
        data_root=answers.info.get("DockerRootDir") or "",
        containers=tuple(sorted(states, key=lambda state: state.name)),
        networks=tuple(sorted(networks, key=lambda n: (n.name, n.id))),
        volumes=tuple(to_volume(v) for v in answers.volumes),
        images=tuple(sorted(names)),
        image_states=tuple(sorted((to_image(image) for image in answers.images), key=lambda i: (i.names, i.id))),
        swarm=to_swarm(answers.info.get("Swarm") or {}, answers.nodes),
    )


def _kind(answers: Answers) -> Literal["", "rootless", "desktop", "podman"]:
    """Return what an engine is that root does not run on the machine itself: by its parts, its system, its options."""
    parts = [part.get("Name") for part in answers.version.get("Components") or ()]
    if "Podman Engine" in parts:
        return "podman"
    if answers.info.get("OperatingSystem") == "Docker Desktop":
        return "desktop"
    options = answers.info.get("SecurityOptions") or ()
    return "rootless" if any("name=rootless" in str(option).split(",") for option in options) else ""


def _without_inherited(container: ContainerState, images: Mapping[str, Mapping[str, str]]) -> ContainerState:
    """Return a container without the labels by which its image is a lab's: who made it is another question.

    A lab's container always has a fingerprint of its own. What building an image runs is made from images that have
    no name yet, and so keeps what it has from them.
    """
    inherited = images.get(container.image_id, {})
    same = container.labels.get(LABEL_FINGERPRINT) == inherited.get(LABEL_FINGERPRINT)
    if LABEL_IMAGE not in inherited or not same or container.labels.get(LABEL_IMAGE) != inherited[LABEL_IMAGE]:
        return container
    return replace(container, labels=_foreign(container.labels))


def to_image(entry: Json) -> ImageState:
    """Return an image from its entry in a list, with a lab's labels only where it is the very image that they name."""
    names = tuple(sorted(_image_names(entry)))
    labels = entry.get("Labels") or {}
    own = LABEL_IMAGE in labels and (not names or labels[LABEL_IMAGE] in names)
    given = labels if own else _foreign(labels)
    return ImageState(entry["Id"], names, given, entry.get("ParentId") or "", entry.get("Config"))


def _foreign(labels: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in labels.items() if not key.startswith(PREFIX)}


def to_container(entry: Json) -> ContainerState:
    """Return a container from its detail, or from its entry in a list."""
    return _from_detail(entry) if isinstance(entry.get("State"), Mapping) else _from_list(entry)


def _from_detail(entry: Json) -> ContainerState:
    state, host = entry["State"], entry.get("HostConfig") or {}
    settings = entry.get("NetworkSettings") or {}
    running = bool(state.get("Running"))
    return ContainerState(
        id=entry["Id"],
        name=entry["Name"].removeprefix("/"),
        image=entry["Config"]["Image"],
        image_id=entry.get("Image") or "",
        labels=entry["Config"].get("Labels") or {},
        running=running,
        status=state.get("Status", ""),
        pid=state.get("Pid") or 0,
        started=_moment(state.get("StartedAt") or ""),
        exit_code=state.get("ExitCode") or 0,
        network_mode=_mode(host),
        endpoints=_endpoints(settings.get("Networks")),
        # A stopped container publishes nothing, but it will claim the same ports when it starts.
        published=tuple(_bindings((settings.get("Ports") if running else host.get("PortBindings")) or {})),
        entrypoint=tuple(entry["Config"].get("Entrypoint") or ()),
        command=tuple(entry["Config"].get("Cmd") or ()),
        asked=tuple(_bindings(host.get("PortBindings") or {})),
        detail=entry,
        volumes=_volumes(entry),
        shown=_shown(entry) if "Memory" in host else None,
    )


def _from_list(entry: Json) -> ContainerState:
    settings = entry.get("NetworkSettings") or {}
    published = {
        PublishedPort(port.get("IP", ""), port["PublicPort"], port["PrivatePort"], port["Type"])
        for port in entry.get("Ports") or ()
        if port.get("PublicPort")
    }
    # A container that is linked to has further names, with a slash inside.
    names = [name.removeprefix("/") for name in entry.get("Names") or ()]
    return ContainerState(
        id=entry["Id"],
        name=next((name for name in names if "/" not in name), ""),
        image=entry.get("Image", ""),
        image_id=entry.get("ImageID") or "",
        labels=entry.get("Labels") or {},
        running=entry.get("State") in {"running", "paused", "restarting"},
        status=entry.get("State", ""),
        network_mode=_mode(entry.get("HostConfig") or {}),
        endpoints=_endpoints(settings.get("Networks")),
        published=tuple(sorted(published, key=lambda p: (p.container_port, p.protocol, p.host_ip))),
        volumes=_volumes(entry),
    )


def _volumes(entry: Json) -> tuple[str, ...]:
    """Return the names of the volumes that a container uses."""
    return tuple(each["Name"] for each in entry.get("Mounts") or () if each.get("Type") == "volume" and "Name" in each)


def _shown(entry: Json) -> Json:
    """Return how a container runs, by its detail; its environment may hold secrets."""
    config = {key: value for key, value in entry["Config"].items() if key != "Env"}
    return {"Config": config, "HostConfig": entry["HostConfig"], "Mounts": entry.get("Mounts") or ()}


def _moment(text: str) -> int:
    """Return the nanoseconds since 1970 of `2026-01-31T18:00:00.123456789Z`, 0 for none; the engine trims zeros."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    try:
        seconds = datetime.fromisoformat(whole).replace(tzinfo=timezone.utc).timestamp()
        return max(0, int(seconds)) * 10**9 + int(f"{fraction:0<9}"[:9])
    except ValueError:
        return 0


def _mode(host_config: Json) -> str:
    """Return the network mode; engines before 26 keep `default` where the caller gave none, which means bridge."""
    mode = str(host_config.get("NetworkMode") or "")
    return "bridge" if mode == "default" else mode


def _endpoints(networks: Json | None) -> dict[str, EndpointState]:
    """Return a container's endpoints by the name of their network."""
    return {name: _endpoint(name, endpoint or {}) for name, endpoint in (networks or {}).items()}


def _endpoint(network: str, endpoint: Json) -> EndpointState:
    fixed = endpoint.get("IPAMConfig") or {}
    for asked in filter(None, map(fixed.get, ("IPv4Address", "IPv6Address"))):
        ip_address(asked)
    # Engines before 26 give every name as an alias, later ones separate what the resolver answers to.
    names = (*(endpoint.get("Aliases") or ()), *(endpoint.get("DNSNames") or ()))
    return EndpointState(
        network=network,
        addresses=tuple(_addresses(endpoint)),
        mac=endpoint.get("MacAddress") or "",
        gateway=endpoint.get("Gateway") or "",
        gateway6=endpoint.get("IPv6Gateway") or "",
        aliases=tuple(dict.fromkeys(names)),
        priority=endpoint.get("GwPriority") or 0,
        options=endpoint.get("DriverOpts") or {},
        link_local=tuple(on_the_link(ip) for ip in fixed.get("LinkLocalIPs") or ()),
    )


def _addresses(endpoint: Json) -> Iterator[IPv4Interface | IPv6Interface]:
    """Yield an endpoint's addresses with their prefixes; a container that does not run has none."""
    for address, prefix in (("IPAddress", "IPPrefixLen"), ("GlobalIPv6Address", "GlobalIPv6PrefixLen")):
        if endpoint.get(address):
            yield ip_interface(f"{endpoint[address]}/{endpoint[prefix]}")


def _bindings(ports: Json) -> Iterator[PublishedPort]:
    """Yield the published ports in `80/tcp: [{HostIp, HostPort}]`.

    One without a port of the host will be given any, and one with a range (`8000-8010`) any of these: neither is known
    before.
    """
    for port, bindings in sorted(ports.items()):
        number, _, protocol = port.partition("/")
        for binding in bindings or ():
            if (binding.get("HostPort") or "").isdecimal():
                ip = binding.get("HostIp") or "0.0.0.0"  # noqa: S104 - what the engine means by an empty one
                yield PublishedPort(ip, int(binding["HostPort"]), int(number), protocol or "tcp")


def to_network(entry: Json, containers: Sequence[ContainerState] | None = None) -> NetworkState:
    """Return a network; what is attached comes from its detail and from the containers, which may be stopped.

    The containers, where they are known, have to be looked at after it: then an endpoint without one was left behind.
    """
    configs = (entry.get("IPAM") or {}).get("Config") or ()
    for given in filter(None, (config.get("IPRange") for config in configs)):
        ip_network(given, strict=False)
    attached = {container.name for container in containers or () if entry["Name"] in container.endpoints}
    # A Swarm network has an endpoint `lb-…` of its own on every host.
    listed = {key: c["Name"] for key, c in (entry.get("Containers") or {}).items() if not key.startswith("lb-")}
    known = {word for container in containers or () for word in (container.id, container.name)}
    stale = {name for key, name in listed.items() if containers is not None and known.isdisjoint((key, name))}
    attached |= set(listed.values()) - stale
    return NetworkState(
        id=entry["Id"],
        name=entry["Name"],
        driver=entry.get("Driver", ""),
        scope=entry.get("Scope", "local"),
        labels=entry.get("Labels") or {},
        internal=bool(entry.get("Internal")),
        # As text: a number would be taken for an address, too.
        subnets=tuple(ip_network(str(config["Subnet"]), strict=False) for config in configs if config.get("Subnet")),
        gateways=tuple(config["Gateway"].partition("/")[0] for config in configs if config.get("Gateway")),
        options=entry.get("Options") or {},
        containers=tuple(sorted(attached)),
        members={
            key: IPv4Interface(str(member["IPv4Address"]))
            for key, member in (entry.get("Containers") or {}).items()
            if member.get("IPv4Address")
        },
        stale=tuple(sorted(stale)),
        attachable=entry.get("Attachable"),
        detail=entry,
    )


def to_volume(entry: Json) -> VolumeState:
    """Return a volume from its entry in a list."""
    return VolumeState(
        entry["Name"], entry.get("Labels") or {}, entry.get("Driver") or "local", entry.get("Options") or {}
    )


def to_swarm(swarm: Json, nodes: Sequence[Json] = ()) -> SwarmState:
    """Return the host's part in a Swarm, and the nodes that it knows as a manager."""
    return SwarmState(
        state=swarm.get("LocalNodeState") or "inactive",
        node_id=swarm.get("NodeID") or "",
        manager=bool(swarm.get("ControlAvailable")),
        cluster_id=(swarm.get("Cluster") or {}).get("ID") or "",
        managers=tuple(manager["Addr"] for manager in swarm.get("RemoteManagers") or ()),
        nodes=tuple(node["ID"] for node in nodes),
    )


def _image_names(image: Json) -> Iterator[str]:
    """Yield the names under which an image can be used."""
    for name in (*(image.get("RepoTags") or ()), *(image.get("RepoDigests") or ())):
        if "<none>" not in name:
            yield name
