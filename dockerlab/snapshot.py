"""What exists on one host, as plain data: read by `engine`, used by plan, reach, probe and status."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network

LABEL_LAB = "dockerlab.lab"
LABEL_INSTANCE = "dockerlab.instance"
LABEL_OWNER = "dockerlab.owner"
LABEL_RUN = "dockerlab.run"
LABEL_FINGERPRINT = "dockerlab.fingerprint"
LABEL_RECEIPT = "dockerlab.receipt"
"""On a volume: what else the lab changed on the host and has to undo, for example `swarm`."""


@dataclass(frozen=True)
class EndpointState:
    """A container's attachment to one network: its addresses, MAC, gateways (empty: none) and names there."""

    network: str
    addresses: tuple[IPv4Interface | IPv6Interface, ...] = ()
    mac: str = ""
    gateway: str = ""
    gateway6: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class PublishedPort:
    """One port of the host that leads to a port of a container; `host_ip` is `0.0.0.0` or `::` for every address."""

    host_ip: str
    host_port: int
    container_port: int
    protocol: str


@dataclass(frozen=True)
class ContainerState:
    """One container; `network_mode` is the engine's `HostConfig.NetworkMode`, `pid` is 0 unless it runs."""

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


@dataclass(frozen=True)
class NetworkState:
    """One network; `containers` are the names of what is attached on this host.

    `members` are the IPv4 addresses of what the engine attached, by container ID or the engine's own name; only an
    inspected network has them.
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


@dataclass(frozen=True)
class VolumeState:
    """One volume; dockerlab only ever makes empty ones, as receipts."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SwarmState:
    """The host's part in a Swarm; `state` is the engine's `LocalNodeState` (`inactive`, `active`, `pending`, …)."""

    state: str = "inactive"
    node_id: str = ""
    manager: bool = False
    cluster_id: str = ""
    managers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Snapshot:
    """Everything that dockerlab needs to know about the engine of one host."""

    host: str
    engine_version: str = ""
    api_version: str = ""
    firewall: str = "iptables"
    live_restore: bool = False
    containers: tuple[ContainerState, ...] = ()
    networks: tuple[NetworkState, ...] = ()
    volumes: tuple[VolumeState, ...] = ()
    images: tuple[str, ...] = ()
    swarm: SwarmState = SwarmState()

    @property
    def engine(self) -> tuple[int, int]:
        """Return the engine's major and minor version, (0, 0) where it is not known."""
        numbers = re.match(r"(\d+)\.(\d+)", self.engine_version)
        return (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)

    def container(self, name: str) -> ContainerState | None:
        """Return the container of that name, or None."""
        return next((c for c in self.containers if c.name == name), None)

    def network(self, name: str) -> NetworkState | None:
        """Return the network of that name, or None."""
        return next((n for n in self.networks if n.name == name), None)
