"""The engine's own settings on one host: what a lab may say of /etc/docker/daemon.json, by the engine's own names."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Network, ip_interface, ip_network
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from dockerlab.lab.fields import Address, Strict, address
from dockerlab.lab.problem import shown

MTU = (68, 65535)
"""The smallest MTU of IPv4, and the largest that a cable between two namespaces (veth) has."""


def _interface(value: Any) -> Any:
    """Return the address with its prefix that a text is."""
    try:
        if value is None or (isinstance(value, str) and "/" in value and "%" not in value):
            return value if value is None else ip_interface(value)
    except ValueError:
        pass  # said below
    raise ValueError(f"{shown(value)} is not an address with its prefix: write it as in 192.168.1.5/24")


def _range(value: Any) -> Any:
    """Return the part of a subnet that a text is; the engine masks what stands behind the prefix, and so do we."""
    try:
        if value is None or (isinstance(value, str) and "%" not in value):
            return value if value is None else ip_network(value, strict=False)
    except ValueError:
        pass  # said below
    raise ValueError(f"{shown(value)} is not a subnet: write it as in 192.168.1.0/25")


Interface4 = Annotated[IPv4Interface | None, BeforeValidator(_interface, json_schema_input_type=str | None)]
Range4 = Annotated[IPv4Network | None, BeforeValidator(_range, json_schema_input_type=str | None)]
Range6 = Annotated[IPv6Network | None, BeforeValidator(_range, json_schema_input_type=str | None)]
Gateway4 = Annotated[IPv4Address | None, BeforeValidator(address, json_schema_input_type=str | None)]
Gateway6 = Annotated[IPv6Address | None, BeforeValidator(address, json_schema_input_type=str | None)]


class AddressPool(Strict):
    """One of the pools from which networks without a `subnet` get one."""

    base: Annotated[IPv4Network | IPv6Network, BeforeValidator(_range, json_schema_input_type=str)] = Field(
        description="what the subnets are cut from", examples=["10.66.0.0/16"]
    )
    size: int = Field(ge=1, le=128, description="the prefix length of each subnet", examples=[24])


class Daemon(Strict):
    """A host's engine: keys of /etc/docker/daemon.json; what is not given stays as the host has it."""

    bip: Interface4 = Field(
        None, description="the address of docker0, and with it the subnet", examples=["192.168.1.5/24"]
    )
    fixed_cidr: Range4 = Field(
        None,
        alias="fixed-cidr",
        description="the part of docker0's subnet that containers get their addresses from",
        examples=["192.168.1.0/25"],
    )
    ipv6: bool | None = Field(None, description="IPv6 on docker0 as well", examples=[True])
    fixed_cidr_v6: Range6 = Field(
        None, alias="fixed-cidr-v6", description="docker0's IPv6 subnet; counts with `ipv6`", examples=["2001:db8::/64"]
    )
    mtu: int | None = Field(
        None, ge=MTU[0], le=MTU[1], description="the MTU of docker0's containers, in bytes", examples=[1450]
    )
    default_gateway: Gateway4 = Field(
        None,
        alias="default-gateway",
        description="the default route of docker0's containers; without it, docker0 itself",
        examples=["192.168.1.1"],
    )
    default_gateway_v6: Gateway6 = Field(
        None, alias="default-gateway-v6", description="the same for IPv6", examples=["2001:db8::89"]
    )
    dns: tuple[Address, ...] | None = Field(
        None, description="the containers' name servers", examples=[["114.114.114.114", "100.100.2.138"]]
    )
    icc: bool | None = Field(
        None, description="whether docker0's containers may speak with each other", examples=[False]
    )
    default_address_pools: tuple[AddressPool, ...] | None = Field(
        None,
        alias="default-address-pools",
        min_length=1,
        max_length=100,
        description="where networks that name no subnet get one from",
        examples=[[{"base": "10.66.0.0/16", "size": 24}]],
    )
    userland_proxy: bool | None = Field(
        None,
        alias="userland-proxy",
        description="whether a program beside the firewall's rules takes connections to published ports",
        examples=[False],
    )
    live_restore: bool | None = Field(
        None, alias="live-restore", description="whether containers run on while the engine restarts", examples=[True]
    )

    def settings(self) -> dict[str, Any]:
        """Return what is given as it stands in daemon.json, in the order of the keys here."""
        given: dict[str, Any] = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return given
