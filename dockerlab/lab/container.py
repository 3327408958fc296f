"""Containers of a definition: Compose's service keys, and the host that each runs on."""

from __future__ import annotations

import shlex
from ipaddress import IPv4Address, IPv6Address
from typing import Annotated

from pydantic import AliasChoices, BeforeValidator, Field

from dockerlab.lab.fields import (
    Address,
    Addresses,
    Image,
    InterfaceName,
    Name,
    Strict,
    Text,
    TextMap,
    Texts,
    Variables,
    Words,
    address,
    named,
)
from dockerlab.lab.ports import PortNumber, PublishedPort
from dockerlab.lab.process import Mac, Process, service

NODE = "dockerlab/node"
"""The image that dockerlab makes itself."""


class Attachment(Strict):
    """A container's place on a network: fixed addresses (or none: the engine chooses) and extra names."""

    ip: Annotated[IPv4Address | None, BeforeValidator(address, json_schema_input_type=str | None)] = Field(
        None,
        validation_alias=AliasChoices("ip", "ipv4_address"),
        description="a fixed IPv4 address in the network's subnet",
        examples=["192.168.22.200"],
    )
    ip6: Annotated[IPv6Address | None, BeforeValidator(address, json_schema_input_type=str | None)] = Field(
        None,
        validation_alias=AliasChoices("ip6", "ipv6_address"),
        description="a fixed IPv6 address in the network's subnet",
        examples=["fd00:28::10"],
    )
    aliases: Texts = Field((), description="more names on this network", examples=[["www", "web"]])
    mac_address: Mac | None = Field(
        None,
        description="its MAC address there; on a further network engines from 25.0 on know it",
        examples=["02:42:ac:1c:01:0a"],
    )
    gw_priority: int | None = Field(
        None, description="of its networks, the one with the largest gives the default route", examples=[1]
    )
    interface_name: InterfaceName | None = Field(
        None, description="what its interface there is called, instead of eth0 and so on", examples=["lan0"]
    )
    link_local_ips: Addresses = Field(
        (), description="further addresses, link-local ones", examples=[["169.254.34.68"]]
    )
    driver_opts: TextMap = Field(
        default_factory=dict,
        description="options of the driver for this place",
        examples=[{"com.docker.network.endpoint.sysctls": "net.ipv4.conf.IFNAME.log_martians=1"}],
    )
    priority: int | None = Field(
        None, description="accepted as in Compose; the first network here is the first", examples=[10]
    )

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Return the fixed addresses, IPv4 first."""
        return tuple(address for address in (self.ip, self.ip6) if address is not None)


Places = Annotated[
    dict[Name, Attachment],
    BeforeValidator(named, json_schema_input_type=dict[Name, Attachment | None] | list[str]),
]


class Container(Process):
    """A container: Compose's service keys, and `host` for the machine that it runs on."""

    image: Image = Field(NODE, description="the image; the default is made on demand", examples=["nginx:1.20"])
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
    environment: Variables = Field(
        default_factory=dict,
        description="environment variables; one without a value is taken from the environment of `dockerlab up`, as a "
        "password has to be",
        examples=[{"LANG": "C.UTF-8", "DB_PASSWORD": None}, ["LANG=C.UTF-8", "DB_PASSWORD"]],
    )
    networks: Places = Field(
        default_factory=dict,
        description="its networks; the first is given to `docker run`, others are connected after",
        examples=[["front", "back"], {"front": {"ip": "172.28.1.10"}}],
    )
    network_mode: Annotated[str | None, BeforeValidator(service, json_schema_input_type=str | None)] = Field(
        None,
        description="bridge (docker0, the default without `networks`), host, none, or container:NAME (Compose's "
        "`service:NAME` is the same)",
        examples=["host", "container:web"],
    )
    mac_address: Mac | None = Field(
        None, description="its MAC address on docker0, or on its first network", examples=["02:42:ac:11:00:0a"]
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
    dns_opt: Texts = Field((), description="options of the resolver", examples=[["ndots:1"]])
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
    def handed_over(self) -> tuple[str, ...]:
        """Return the environment variables that are taken from whoever brings the lab up."""
        return tuple(name for name, value in self.environment.items() if value is None)

    @property
    def mode(self) -> str:
        """Return what `docker run --network` is given first: a mode, `container:NAME`, or a network's name."""
        if self.network_mode is not None:
            return self.network_mode
        return next(iter(self.networks), "bridge")

    def place(self, network: str) -> Attachment:
        """Return its place on a network; the container's own MAC address is that of the first."""
        place = self.networks.get(network, Attachment())
        if self.mac_address is None or network != self.mode:
            return place
        return place.model_copy(update={"mac_address": self.mac_address})

    @property
    def named_volumes(self) -> frozenset[str]:
        """Return the volumes that it uses, by their names."""
        return frozenset(each.source for each in self.volumes if each.type == "volume" and each.source is not None)

    @property
    def at_once(self) -> tuple[str, ...]:
        """Return the further networks that `docker run` has to be given: a MAC address cannot be given later."""
        return tuple(name for name, place in self.networks.items() if place.mac_address and name != self.mode)

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
