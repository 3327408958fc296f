"""What exists on one host, as plain data: read by `engine`, used by plan, reach, probe and status."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network, ip_address, ip_interface
from typing import Any, Literal

LABEL_LAB = "dockerlab.lab"
LABEL_INSTANCE = "dockerlab.instance"
LABEL_OWNER = "dockerlab.owner"
LABEL_RUN = "dockerlab.run"
LABEL_FINGERPRINT = "dockerlab.fingerprint"
LABEL_RECEIPT = "dockerlab.receipt"
"""On a volume: what else the lab changed on the host and has to undo, for example `swarm`; or `lease`."""
LABEL_EXPIRES = "dockerlab.expires"
"""On a lease: the moment from which `down --expired` takes the lab away, such as `2027-01-31T18:00:00Z`."""
LABEL_IMAGE = "dockerlab.image"
"""On what building an image makes: the name of the image. Images hand their labels on to what is made from them, so
only an image of that name, or one that has none yet, is the lab's."""
LABEL_BASE = "dockerlab.base"
"""On an image that was built: the ID of the image that it was built on."""

OF_BRIDGES = "com.docker.network.bridge."
"""How the options of Docker's bridge driver begin."""
BRIDGE_NAME = OF_BRIDGES + "name"
"""The option that says what a network's bridge is called on the host."""
ICC = OF_BRIDGES + "enable_icc"
"""The option that says whether containers on a bridge reach each other."""
MASQUERADE = OF_BRIDGES + "enable_ip_masquerade"
"""The option that says whether the host puts its own address in place of those of a bridge."""
BINDING = OF_BRIDGES + "host_binding_ipv4"
"""The option that says on which address of the host ports are published."""
GATEWAY_MODE = OF_BRIDGES + "gateway_mode_ipv4"
GATEWAY_MODE_6 = OF_BRIDGES + "gateway_mode_ipv6"
"""The options that say what the host does with packets from and to a bridge beside forwarding them."""
TRUSTED = OF_BRIDGES + "trusted_host_interfaces"
"""The option that says from which interfaces the containers of a bridge may be reached at their own addresses."""
MTU = "com.docker.network.driver.mtu"
"""The option that gives the interfaces of a network their MTU, in bytes."""
VXLAN_IDS = "com.docker.network.driver.overlay.vxlanid_list"
"""The option that gives the numbers of an overlay's tunnels."""
IFACE_PREFIX = "com.docker.network.container_iface_prefix"
"""The option that says what the interfaces in containers are called."""

GATEWAY_BRIDGE = "docker_gwbridge"
"""The network, and the bridge, by which containers on overlay networks leave their host."""
INGRESS = "ingress"
"""The overlay network that a Swarm makes for its published ports."""


@dataclass(frozen=True)
class EndpointState:
    """A container's attachment to one network: its addresses, MAC, gateways (empty: none) and names there.

    `priority` is the engine's `GwPriority`: of several networks, the one with the largest gives the default route.
    `options` are those of the driver for this place, `link_local` the addresses that it was given beside its own.
    """

    network: str
    addresses: tuple[IPv4Interface | IPv6Interface, ...] = ()
    mac: str = ""
    gateway: str = ""
    gateway6: str = ""
    aliases: tuple[str, ...] = ()
    priority: int = 0
    options: Mapping[str, str] = field(default_factory=dict)
    link_local: tuple[IPv4Interface | IPv6Interface, ...] = ()


def on_the_link(address: object) -> IPv4Interface | IPv6Interface:
    """Return a link-local address with the prefix that an engine gives it (moby, libnetwork, `linkLocalMask`)."""
    ip = ip_address(str(address))
    return ip_interface(f"{ip}/{16 if ip.version == 4 else 64}")


@dataclass(frozen=True)
class PublishedPort:
    """One port of the host that leads to a port of a container; `host_ip` is `0.0.0.0` or `::` for every address."""

    host_ip: str
    host_port: int
    container_port: int
    protocol: str


@dataclass(frozen=True)
class ContainerState:
    """One container; `network_mode` is the engine's `HostConfig.NetworkMode`, `pid` is 0 unless it runs.

    `started` is when it last started, in nanoseconds since 1970; 0 where that is not known. What it runs and which
    ports it asks for, whether they can be published or not, only an inspected container tells: else they are None.
    `volumes` are the names of those that it uses; `shown` is what `docker inspect` prints of how it runs, without its
    environment, and `detail` with that, and with everything else. `known_as` is its name on the host, where `name` is
    another one by which a discovered lab calls it.
    """

    id: str
    name: str
    image: str
    labels: Mapping[str, str] = field(default_factory=dict)
    running: bool = False
    status: str = ""
    pid: int = 0
    exit_code: int = 0
    network_mode: str = ""
    endpoints: Mapping[str, EndpointState] = field(default_factory=dict)
    published: tuple[PublishedPort, ...] = ()
    started: int = 0
    image_id: str = ""
    entrypoint: tuple[str, ...] | None = None
    command: tuple[str, ...] | None = None
    asked: tuple[PublishedPort, ...] | None = None
    detail: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)
    known_as: str = ""
    volumes: tuple[str, ...] = ()
    shown: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)


def orphaned(joiner: ContainerState, owner: ContainerState) -> bool:
    """Tell whether a container is still in a network namespace that its owner has left.

    So it is when the owner has been started again, or made anew: it has another namespace then, and who had joined the
    old one stays there, without any interface but `lo`.
    """
    kind, _, joined = joiner.network_mode.partition(":")
    if kind != "container" or not (joiner.running and owner.running):
        return False
    return joined not in (owner.id, owner.name) or owner.started > joiner.started


@dataclass(frozen=True)
class NetworkState:
    """One network; `containers` are the names of what is attached on this host.

    `members` are the IPv4 addresses of what the engine attached, by container ID or the engine's own name; `stale` are
    the names of endpoints whose containers are gone, which the engine should have forgotten. Only an inspected network
    has either. `detail` is all that the engine says of it.
    """

    id: str
    name: str
    driver: str
    scope: str = "local"
    labels: Mapping[str, str] = field(default_factory=dict)
    internal: bool = False
    subnets: tuple[IPv4Network | IPv6Network, ...] = ()
    gateways: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    containers: tuple[str, ...] = ()
    members: Mapping[str, IPv4Interface] = field(default_factory=dict)
    stale: tuple[str, ...] = ()
    attachable: bool | None = None
    """Whether containers of a Swarm's network need be no service's, None where that was not asked."""
    detail: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)

    @property
    def bridge(self) -> str:
        """Return the host's interface that is the network's bridge; empty for a driver that has none there."""
        if self.driver != "bridge":
            return ""
        return self.options.get(BRIDGE_NAME) or ("docker0" if self.name == "bridge" else f"br-{self.id[:12]}")


def full_name(image: str) -> str:
    """Return an image's name with its tag, as the engine lists it."""
    last = image.rpartition("/")[2]
    return image if ":" in last or "@" in image else f"{image}:latest"


@dataclass(frozen=True)
class ImageState:
    """One image; `parent` is the ID of the image that it was made from on this engine, empty where that is not known.

    `labels` lack those of dockerlab's that it only has from the image that it was made from. `config` is what it gives
    to a container that says nothing else, None where that was not asked for.
    """

    id: str
    names: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    parent: str = ""
    config: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class VolumeState:
    """One volume: a lab's, somebody else's, or a receipt, which is an empty one; `options` are those of its driver."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    driver: str = "local"
    options: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class SwarmState:
    """The host's part in a Swarm; `state` is the engine's `LocalNodeState` (`inactive`, `active`, `pending`, …).

    `nodes` are the IDs of all nodes that a manager knows, also of those that have left by themselves.
    """

    state: str = "inactive"
    node_id: str = ""
    manager: bool = False
    cluster_id: str = ""
    managers: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Snapshot:
    """Everything that dockerlab needs to know about the engine of one host."""

    host: str
    engine_version: str = ""
    api_version: str = ""
    kind: Literal["", "rootless", "desktop", "podman"] = ""
    """What else it is than an engine that root runs on the machine itself."""
    firewall: str = "iptables"
    live_restore: bool = False
    data_root: str = ""
    containers: tuple[ContainerState, ...] = ()
    networks: tuple[NetworkState, ...] = ()
    volumes: tuple[VolumeState, ...] = ()
    images: tuple[str, ...] = ()
    image_states: tuple[ImageState, ...] = ()
    swarm: SwarmState = SwarmState()

    @property
    def engine(self) -> tuple[int, int]:
        """Return the engine's major and minor version, (0, 0) where it is not known."""
        numbers = re.match(r"(\d{1,9})\.(\d{1,9})", self.engine_version)
        return (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)

    def labelled(self) -> Iterator[Mapping[str, str]]:
        """Yield the labels of everything that a lab made."""
        everything = (self.containers, self.networks, self.volumes, self.image_states)
        yield from (each.labels for kind in everything for each in kind if LABEL_LAB in each.labels)

    def container(self, name: str) -> ContainerState | None:
        """Return the container of that name, or None."""
        return next((c for c in self.containers if c.name == name), None)

    def network(self, name: str) -> NetworkState | None:
        """Return the network of that name, or None."""
        return next((n for n in self.networks if n.name == name), None)

    def volume(self, name: str) -> VolumeState | None:
        """Return the volume of that name, or None."""
        return next((v for v in self.volumes if v.name == name), None)

    def has_image(self, name: str) -> bool:
        """Tell whether a container can be made from an image of that name."""
        return full_name(name) in self.images or name in self.images

    def image(self, name: str) -> ImageState | None:
        """Return the image of that full name, such as `nginx:latest`, or None."""
        return next((i for i in self.image_states if name in i.names), None)
