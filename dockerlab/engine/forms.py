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


class Health(TypedDict, total=False):
    """How an engine asks whether a container is well; times are nanoseconds."""

    Test: Texts
    Interval: int | None
    Timeout: int | None
    StartPeriod: int | None
    StartInterval: int | None
    Retries: int | None


class Ulimit(TypedDict):
    """A limit of a container's processes."""

    Name: str
    Soft: int
    Hard: int


class Logging(TypedDict, total=False):
    """Where what a container says goes."""

    Type: str | None
    Config: Labels


class Restarting(TypedDict, total=False):
    """When a container is started again."""

    Name: str | None
    MaximumRetryCount: int | None


class Asked(TypedDict, total=False):
    """A mount as it was asked for."""

    Type: str | None
    Source: str | None
    Target: str | None
    ReadOnly: bool | None


class Mount(TypedDict, total=False):
    """A mount as it is."""

    Type: str | None
    Name: str | None
    Source: str | None
    Destination: str | None


class Fixed(TypedDict, total=False):
    """The addresses that somebody asked for at an endpoint."""

    IPv4Address: str | None
    IPv6Address: str | None
    LinkLocalIPs: Texts


class Endpoint(TypedDict, total=False):
    """A container's place on a network."""

    IPAMConfig: Fixed | None
    NetworkID: str | None
    Links: Texts
    Aliases: Texts
    DNSNames: Texts
    DriverOpts: Labels
    GwPriority: int | None
    MacAddress: str | None
    Gateway: str | None
    IPv6Gateway: str | None
    IPAddress: str | None
    IPPrefixLen: int | None
    GlobalIPv6Address: str | None
    GlobalIPv6PrefixLen: int | None


class Pool(TypedDict, total=False):
    """From where a network gives addresses."""

    Subnet: str | None
    IPRange: str | None
    Gateway: str | None
    AuxiliaryAddresses: Labels


class Pools(TypedDict, total=False):
    """What gives a network's addresses."""

    Driver: str | None
    Options: Labels
    Config: list[Pool] | None


class From(TypedDict, total=False):
    """What a network was made from."""

    Network: str | None


class Member(TypedDict, total=False):
    """Who is on a network, as that tells."""

    Name: str
    IPv4Address: str | None


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
    Healthcheck: Health | None


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
    Ulimits: list[Ulimit] | None
    LogConfig: Logging | None
    RestartPolicy: Restarting | None
    Binds: Texts
    Mounts: list[Asked] | None
    Tmpfs: Labels
    SecurityOpt: Texts
    Annotations: Labels
    Memory: int | None
    MemorySwap: int | None
    NanoCpus: int | None


class Networked(TypedDict, total=False):
    """Where a container is attached."""

    Networks: dict[str, Endpoint | None] | None
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
    Mounts: list[Mount] | None


class Network(Known, total=False):
    """A network, listed or inspected."""

    Name: str
    Labels: Labels
    Options: Labels
    IPAM: Pools | None
    ConfigFrom: From | None
    Containers: dict[str, Member] | None


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
