"""Networks of a definition: what all drivers have in common. A mode subclasses `Network` with what is its own."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from dockerlab.lab.fields import Address, Addresses, Name, Strict, Subnet, Subnets, Text, TextMap

MAX_POOLS = 16
"""Subnets of one network: each is compared with each."""


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
    config: tuple[Pool, ...] = Field(
        (), max_length=MAX_POOLS, description="the subnets", examples=[[{"subnet": "10.20.0.0/16"}]]
    )
    options: TextMap = Field(
        default_factory=dict, description="options of the address driver", examples=[{"key": "value"}]
    )


class Network(Strict):
    """A network that `docker network create` makes; every mode's file says which driver it serves."""

    driver: str = Field("bridge", description="the kind of network", examples=["macvlan"])
    name: Name | None = Field(None, description="what the engine calls it; without it, the key", examples=["lan"])
    external: bool = Field(
        False,
        description="there already: neither made nor removed, and refused where it is missing or of another driver",
        examples=[True],
    )
    subnet: Subnets = Field(
        (),
        max_length=MAX_POOLS,
        description="where the containers' addresses come from; without it the engine chooses a subnet",
        examples=["172.28.1.0/24", ["172.28.1.0/24", "fd00:28::/64"]],
    )
    gateway: Addresses = Field(
        (),
        max_length=MAX_POOLS,
        description="the containers' default route, in the subnet; without it the engine takes the first address",
        examples=["172.28.1.1"],
    )
    ip_range: Subnets = Field(
        (),
        max_length=MAX_POOLS,
        description="the part of the subnet from which the engine gives addresses by itself",
        examples=["172.28.1.128/25"],
    )
    ipam: Ipam = Field(
        default_factory=Ipam.model_construct,  # whose validator need not be built for it
        description="the long form of the addresses",
        examples=[{"config": [{"subnet": "10.20.0.0/16"}]}],
    )
    internal: bool = Field(False, description="no way out and no way in, except for the host itself", examples=[True])
    attachable: bool = Field(
        False, description="accepted as in Compose; overlay networks are always attachable", examples=[True]
    )
    enable_ipv4: bool | None = Field(
        None, description="false: no IPv4, where there is an IPv6 subnet", examples=[False]
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
