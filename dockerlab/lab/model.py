"""The definition: what a lab's YAML file may say, as pydantic models.

Keys are Docker Compose's where Compose has one; short forms (`subnet`, `ip`, …) stand beside them.
What is particular to one network mode is not here but in that mode's file: a mode subclasses `Network`.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Annotated, Any, get_args

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from dockerlab.lab.ports import PortNumber, PublishedPort
from dockerlab.lab.problem import shown


def _address(value: Any) -> Any:
    """Return the address that a text is; a number is refused, though Python would take it for an address."""
    if value is None or isinstance(value, (IPv4Address, IPv6Address)):
        return value
    try:
        if isinstance(value, str) and "%" not in value:
            return ip_address(value)
    except ValueError:
        pass  # said below
    raise ValueError(f"{shown(value)} is not an IP address: write it as in 192.168.22.200")


def _subnet(value: Any) -> Any:
    """Return the subnet that a text is."""
    if value is None or isinstance(value, (IPv4Network, IPv6Network)):
        return value
    try:
        if isinstance(value, str) and "%" not in value:
            return ip_network(value)
    except ValueError as error:
        raise ValueError(f"{error}: write a subnet as in 192.168.22.0/24") from None
    raise ValueError(f"{shown(value)} is not a subnet: write it as in 192.168.22.0/24")


Address = Annotated[IPv4Address | IPv6Address, BeforeValidator(_address, json_schema_input_type=str)]
Subnet = Annotated[IPv4Network | IPv6Network, BeforeValidator(_subnet, json_schema_input_type=str)]

Name = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]*$", max_length=63)]
"""What the engine accepts as the name of a container or network."""

LabName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=40)]


def _one_or_more(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _text(value: Any) -> Any:
    """Return a YAML number or boolean as the text that the engine is given; leave the rest to pydantic."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (int, float)) else value


def _pairs(value: Any) -> Any:
    """Return Compose's list form (`[KEY=VALUE, KEY]`) as the mapping that it stands for."""
    if isinstance(value, list):
        if not all(isinstance(item, str) for item in value):
            raise ValueError("a list here holds text of the form KEY=VALUE")
        split = (item.partition("=") for item in value)
        return {key: text for key, _, text in split}
    return value


def _named(value: Any) -> Any:
    """Return `[a, b]` as `{a: {}, b: {}}`, and the empty value of a key as `{}`."""
    if isinstance(value, list):
        if not all(isinstance(item, str) for item in value) or len(set(value)) < len(value):
            raise ValueError("a list here holds names of networks, each once")
        return {item: {} for item in value}
    if isinstance(value, Mapping):
        return {key: {} if item is None else item for key, item in value.items()}
    return value


def _words(value: Any) -> Any:
    """Check that a command line in one string can be split into words."""
    if isinstance(value, str):
        try:
            shlex.split(value)
        except ValueError as error:
            raise ValueError(f"{error} in {value!r}: close the quote, or write a list of words") from None
    return value


Text = Annotated[str, BeforeValidator(_text, json_schema_input_type=str | int | float | bool)]
TextMap = Annotated[dict[str, Text], BeforeValidator(_pairs, json_schema_input_type=dict[str, Text] | list[str])]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_one_or_more, json_schema_input_type=str | list[Text])]
Subnets = Annotated[tuple[Subnet, ...], BeforeValidator(_one_or_more, json_schema_input_type=str | list[Subnet])]
Addresses = Annotated[tuple[Address, ...], BeforeValidator(_one_or_more, json_schema_input_type=str | list[Address])]


Words = Annotated[
    str | tuple[Text, ...] | None, BeforeValidator(_words, json_schema_input_type=str | list[Text] | None)
]
Image = Annotated[
    Text,
    StringConstraints(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9._/:@-]*$", max_length=255),
]
"""A reference such as `nginx:1.20`; never something that the command line could take for a flag."""


class Strict(BaseModel):
    """A model that refuses keys it does not know and never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _boolean(cls, value: Any, info: ValidationInfo) -> Any:
        """Take only true and false where a field is a boolean: pydantic by itself takes `yes`, `on` and 1 as well."""
        wanted = cls.model_fields[info.field_name or ""].annotation
        if not any(kind is bool or kind is True for kind in (wanted, *get_args(wanted))):
            return value
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        raise ValueError(f"{shown(value)} is neither true nor false")


class Pool(Strict):
    """One subnet of a network and what the engine may give out of it (Compose's `ipam.config` entry)."""

    subnet: Subnet = Field(description="where the containers' addresses come from", examples=["10.20.0.0/16"])
    gateway: Address | None = Field(
        None,
        description="the containers' default route; without it the engine takes the first address",
        examples=["10.20.0.1"],
    )
    ip_range: Subnet | None = Field(
        None,
        description="the part of the subnet from which the engine gives addresses by itself",
        examples=["10.20.5.0/24"],
    )
    aux_addresses: dict[str, Address] = Field(
        default_factory=dict,
        description="addresses that something else uses, by a name: no container gets them",
        examples=[{"printer": "10.20.0.9"}],
    )


class Ipam(Strict):
    """Compose's long form of a network's addresses."""

    driver: Text = Field("default", description="who gives out the addresses", examples=["default"])
    config: tuple[Pool, ...] = Field((), description="the subnets", examples=[[{"subnet": "10.20.0.0/16"}]])
    options: TextMap = Field(
        default_factory=dict, description="options of the address driver", examples=[{"key": "value"}]
    )


class Network(Strict):
    """A network that `docker network create` makes; every mode's file says which driver it serves."""

    driver: str = Field("bridge", description="the kind of network", examples=["macvlan"])
    subnet: Subnets = Field(
        (),
        description="where the containers' addresses come from; without it the engine chooses a subnet",
        examples=["172.28.1.0/24", ["172.28.1.0/24", "fd00:28::/64"]],
    )
    gateway: Addresses = Field(
        (),
        description="the containers' default route, in the subnet; without it the engine takes the first address",
        examples=["172.28.1.1"],
    )
    ip_range: Subnets = Field(
        (),
        description="the part of the subnet from which the engine gives addresses by itself",
        examples=["172.28.1.128/25"],
    )
    ipam: Ipam = Field(
        Ipam(), description="the long form of the addresses", examples=[{"config": [{"subnet": "10.20.0.0/16"}]}]
    )
    internal: bool = Field(False, description="no way out and no way in, except for the host itself", examples=[True])
    attachable: bool = Field(
        False, description="accepted as in Compose; overlay networks are always attachable", examples=[True]
    )
    enable_ipv6: bool | None = Field(
        None, description="IPv6 as well; true by itself where an IPv6 subnet is given", examples=[True]
    )
    driver_opts: TextMap = Field(
        default_factory=dict,
        description="options of the driver (`docker network create --opt`)",
        examples=[{"com.docker.network.bridge.enable_icc": "false"}],
    )
    labels: TextMap = Field(
        default_factory=dict, description="labels beside those of dockerlab", examples=[{"course": "networks"}]
    )
    hosts: tuple[Name, ...] | None = Field(
        None, description="hosts that get the network; else those that use it", examples=[["vm0", "vm1"]]
    )

    @property
    def pools(self) -> tuple[Pool, ...]:
        """Return the subnets in order, short form first, each with the gateway and range that lie in it."""

        def inside(subnet: Subnet, items: tuple[Any, ...]) -> Any:
            first = ((item, item.network_address if hasattr(item, "network_address") else item) for item in items)
            return next((item for item, address in first if address in subnet), None)

        short = tuple(
            Pool(subnet=s, gateway=inside(s, self.gateway), ip_range=inside(s, self.ip_range)) for s in self.subnet
        )
        return short + self.ipam.config

    @property
    def ipv6(self) -> bool:
        """Tell whether the network has IPv6: said so, or implied by a subnet."""
        if self.enable_ipv6 is not None:
            return self.enable_ipv6
        return any(pool.subnet.version == 6 for pool in self.pools)


class Attachment(Strict):
    """A container's place on a network: fixed addresses (or none: the engine chooses) and extra names."""

    ip: Annotated[IPv4Address | None, BeforeValidator(_address, json_schema_input_type=str | None)] = Field(
        None,
        validation_alias=AliasChoices("ip", "ipv4_address"),
        description="a fixed IPv4 address in the network's subnet",
        examples=["192.168.22.200"],
    )
    ip6: Annotated[IPv6Address | None, BeforeValidator(_address, json_schema_input_type=str | None)] = Field(
        None,
        validation_alias=AliasChoices("ip6", "ipv6_address"),
        description="a fixed IPv6 address in the network's subnet",
        examples=["fd00:28::10"],
    )
    aliases: Texts = Field((), description="more names on this network", examples=[["www", "web"]])

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Return the fixed addresses, IPv4 first."""
        return tuple(address for address in (self.ip, self.ip6) if address is not None)


Places = Annotated[
    dict[Name, Attachment],
    BeforeValidator(_named, json_schema_input_type=dict[Name, Attachment | None] | list[str]),
]


class Container(Strict):
    """A container: Compose's service keys, and `host` for the machine that it runs on."""

    image: Image = Field(
        "dockerlab/node", description="the image; the default is made on demand", examples=["nginx:1.20"]
    )
    host: Name | None = Field(
        None, description="a name from `hosts`; may be left out where there is one host", examples=["vm0"]
    )
    command: Words = Field(
        None,
        description="instead of the image's command; one text is split into words, no shell reads it",
        examples=["httpd -f -p 80 -h /www", ["sh", "-c", "sleep 1d"]],
    )
    entrypoint: Words = Field(None, description="instead of the image's entrypoint", examples=[["/bin/sh", "-c"]])
    hostname: Text | None = Field(None, description="the container's name for itself", examples=["web1"])
    user: Text | None = Field(None, description="who the processes inside run as", examples=["nobody"])
    environment: TextMap = Field(
        default_factory=dict, description="environment variables", examples=[{"LANG": "C.UTF-8"}, ["LANG=C.UTF-8"]]
    )
    networks: Places = Field(
        default_factory=dict,
        description="its networks; the first is given to `docker run`, others are connected after",
        examples=[["front", "back"], {"front": {"ip": "172.28.1.10"}}],
    )
    network_mode: str | None = Field(
        None,
        description="bridge (docker0, the default without `networks`), host, none, or container:NAME",
        examples=["host", "container:web"],
    )
    ports: tuple[PublishedPort, ...] = Field(
        (), description="ports of the host that lead to ports of the container", examples=[["8080:80"]]
    )
    expose: tuple[PortNumber, ...] = Field(
        (),
        description="TCP ports on which the container listens, to be probed at its own addresses",
        examples=[[9000]],
    )
    dns: Addresses = Field(
        (), description="name servers for names that Docker does not know", examples=["203.0.113.10"]
    )
    dns_search: Texts = Field((), description="domains that are tried behind a name without a dot", examples=["lab"])
    extra_hosts: TextMap = Field(
        default_factory=dict, description="lines for /etc/hosts: name and address", examples=[{"db": "10.0.0.5"}]
    )
    cap_add: Texts = Field((), description="rights beyond the default ones", examples=[["NET_ADMIN"]])
    cap_drop: Texts = Field((), description="default rights taken away", examples=[["NET_RAW"]])
    sysctls: TextMap = Field(
        default_factory=dict,
        description="kernel settings of its network namespace",
        examples=[{"net.ipv4.ip_forward": 1}],
    )
    labels: TextMap = Field(
        default_factory=dict, description="labels beside those of dockerlab", examples=[{"role": "web"}]
    )

    @property
    def words(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return entrypoint and command as words; both are empty where the image's own count."""

        def split(value: str | tuple[str, ...] | None) -> tuple[str, ...]:
            return tuple(shlex.split(value)) if isinstance(value, str) else value or ()

        return split(self.entrypoint), split(self.command)

    @property
    def mode(self) -> str:
        """Return what `docker run --network` is given first: a mode, `container:NAME`, or a network's name."""
        if self.network_mode is not None:
            return self.network_mode
        return next(iter(self.networks), "bridge")

    @property
    def owner(self) -> str | None:
        """Return the container whose network namespace this one joins, or None."""
        prefix, _, name = (self.network_mode or "").partition(":")
        return name if prefix == "container" else None

    @property
    def listens(self) -> tuple[int, ...]:
        """Return the TCP ports that something inside is said to listen on, in ascending order."""
        published = {port.target for port in self.ports if port.protocol == "tcp"}
        return tuple(sorted(published | set(self.expose)))


class Outside(Strict):
    """A machine beyond the lab's hosts that answers; the definition vouches for that."""

    address: Address = Field(description="where it answers a ping", examples=["203.0.113.10"])
    ports: tuple[PortNumber, ...] = Field((), description="TCP ports that are open there", examples=[[80]])


def _outside(value: Any) -> Any:
    return {"address": value} if isinstance(value, str) else value


class Expect(Strict):
    """An exception to the model: what the author knows of cells that the model cannot, or of a lab that is broken.

    `from` and `to` are patterns over names (`*` and `?` as in a shell), `probe` is `ping`, `tcp/PORT`, `dns` or `*`.
    """

    source: str = Field("*", alias="from", description="a pattern over the names of sources", examples=["web*"])
    to: str = Field("*", description="a pattern over the names of targets", examples=["gateway:lan"])
    probe: str = Field("ping", description="ping, tcp/PORT, dns, or * for all", examples=["tcp/80"])
    reachable: bool = Field(description="what is to be expected of these cells", examples=[False])
    why: Text = Field("", description="the reason, as the report shows it", examples=["the switch filters it"])


class Lab(Strict):
    """A whole definition after templating; `networks` hold each mode's own subclass."""

    name: LabName = Field(description="the lab's name, on its labels and for `down`", examples=["macvlan"])
    title: Text = Field("", description="one line for people", examples=["One LAN across two hosts"])
    hosts: dict[Name, str | None] = Field(
        default={"local": "local"},
        min_length=1,
        description="name: ssh://[user@]host[:port], an ssh_config alias, `local`; empty: the name is the alias",
        examples=[{"vm0": "ssh://root@192.168.22.61"}],
    )
    vars: dict[str, Any] = Field(
        default_factory=dict, description="values for {{ … }}; `--set` overrides them", examples=[{"image": "centos"}]
    )
    networks: dict[Name, Network] = Field(
        default_factory=dict, description="the networks to make", examples=[{"front": {"subnet": "172.28.1.0/24"}}]
    )
    containers: dict[Name, Container] = Field(
        default_factory=dict, description="the containers to run, at least one", examples=[{"web": {"image": "nginx"}}]
    )
    expect: tuple[Expect, ...] = Field(
        (),
        description="exceptions to what the model predicts, the last one wins",
        examples=[[{"to": "printer", "reachable": True}]],
    )
    outside: dict[Name, Annotated[Outside, BeforeValidator(_outside, json_schema_input_type=str | Outside)]] = Field(
        default_factory=dict,
        description="machines beyond the lab that answer: more targets of the matrix",
        examples=[{"internet": "203.0.113.10"}],
    )

    def host_of(self, container: str) -> str:
        """Return the host that a container runs on; a joiner runs where the owner of its namespace does."""
        spec = self.containers[container]
        if spec.host is not None:
            return spec.host
        if spec.owner is not None and spec.owner in self.containers:
            return self.host_of(spec.owner)
        return next(iter(self.hosts))

    def on_host(self, host: str) -> dict[str, Container]:
        """Return the containers of one host, in the definition's order."""
        return {name: spec for name, spec in self.containers.items() if self.host_of(name) == host}

    def hosts_of(self, network: str) -> tuple[str, ...]:
        """Return the hosts that need a network, in the definition's order."""
        wanted = self.networks[network].hosts
        if wanted is not None:
            return tuple(host for host in self.hosts if host in wanted)
        users = {self.host_of(name) for name, spec in self.containers.items() if network in spec.networks}
        used = tuple(host for host in self.hosts if host in users)
        return used or tuple(self.hosts)
