"""The forms of an engine's answers, as far as anything is read of them: the names are those of its API.

Nothing has to be there, and everything may be null, as Go writes what is empty, where it is not said otherwise. More
may be there than is named here.
"""

from __future__ import annotations

from typing import Any, TypedDict

Texts = list[str] | None
Labels = dict[str, str] | None
Bindings = dict[str, list[dict[str, str]] | None] | None


class Version(TypedDict, total=False):
    """The answer to `/version`."""

    Version: str
    Components: list[dict[str, Any]] | None


class Told(Version):
    """What has to be there of it."""

    ApiVersion: str


class Info(TypedDict, total=False):
    """The answer to `/info`."""

    Swarm: dict[str, Any] | None
    FirewallBackend: dict[str, Any] | None
    DockerRootDir: str | None
    OperatingSystem: str | None
    SecurityOptions: Texts
    LiveRestoreEnabled: bool | None


class Known(TypedDict):
    """What every listed or inspected object of an engine has that has an identity."""

    Id: str


class Config(TypedDict, total=False):
    """How a container, or an image's containers, run inside."""

    Image: str | None
    Labels: Labels
    Env: Texts
    Cmd: Texts
    Entrypoint: Texts
    Hostname: str | None
    Domainname: str | None
    User: str | None
    WorkingDir: str | None
    MacAddress: str | None
    StopSignal: str | None
    StopTimeout: int | None
    Volumes: dict[str, Any] | None
    ExposedPorts: dict[str, Any] | None
    Healthcheck: dict[str, Any] | None


class HostConfig(TypedDict, total=False):
    """How a container runs on its host."""

    NetworkMode: str | None
    PortBindings: Bindings
    Dns: Texts
    DnsSearch: Texts
    ExtraHosts: Texts
    CapAdd: Texts
    CapDrop: Texts
    Sysctls: Labels
    Devices: list[dict[str, str]] | None
    Ulimits: list[dict[str, Any]] | None
    LogConfig: dict[str, Any] | None
    RestartPolicy: dict[str, Any] | None
    Memory: int | None
    MemorySwap: int | None
    NanoCpus: int | None


class Networked(TypedDict, total=False):
    """Where a container is attached."""

    Networks: dict[str, dict[str, Any] | None] | None
    Ports: Bindings | list[dict[str, Any]]


class Container(Known, total=False):
    """A container, listed or inspected."""

    Names: Texts
    Name: str
    Image: str
    Labels: Labels
    State: str | dict[str, Any]
    Config: Config
    HostConfig: HostConfig | None
    NetworkSettings: Networked | None
    Mounts: list[dict[str, Any]] | None


class Network(Known, total=False):
    """A network, listed or inspected."""

    Name: str
    Labels: Labels
    Options: Labels
    IPAM: dict[str, Any] | None
    Containers: dict[str, dict[str, Any]] | None


class Image(Known, total=False):
    """An image, listed or inspected."""

    RepoTags: Texts
    RepoDigests: Texts
    Labels: Labels
    Config: Config | None


class Volumes(TypedDict, total=False):
    """The answer to `/volumes`."""

    Volumes: list[dict[str, Any]] | None


class Status(TypedDict):
    """What a Swarm's manager knows of a node."""

    State: str


class Node(TypedDict):
    """A node of a Swarm."""

    ID: str
    Status: Status
