"""The engine's own settings on one host: what a lab may say of /etc/docker/daemon.json, by the engine's own names."""

from __future__ import annotations

import re
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_interface,
    ip_network,
)
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from dockerlab.lab.fields import Address, Strict, Text, TextMap, address
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


MIRROR = re.compile(r"https?://([\w.-]+|\[[0-9a-fA-F:.]+\])(:[0-9]{1,5})?/?", re.ASCII)
"""What the engine takes for a mirror: a scheme, a host, a port, and neither a login nor a path."""


def _mirror(value: str) -> str:
    if MIRROR.fullmatch(value) is None:
        raise ValueError(f"{shown(value)} is no address of a mirror: write it as in https://mirror.example:5000")
    return value


Mirror = Annotated[Text, AfterValidator(_mirror)]
Interface4 = Annotated[IPv4Interface | None, BeforeValidator(_interface, json_schema_input_type=str | None)]
Interface6 = Annotated[IPv6Interface | None, BeforeValidator(_interface, json_schema_input_type=str | None)]
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
    bip6: Interface6 = Field(
        None, description="docker0's IPv6 address; counts with `ipv6`", examples=["2001:db8:1::1/64"]
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
    dns_search: tuple[Text, ...] | None = Field(
        None, alias="dns-search", description="domains that containers try behind a name without a dot",
        examples=[["lab"]],
    )  # fmt: skip
    dns_opts: tuple[Text, ...] | None = Field(
        None, alias="dns-opts", description="options of the containers' resolver", examples=[["ndots:1"]]
    )
    host_gateway_ips: tuple[Address, ...] | None = Field(
        None,
        alias="host-gateway-ips",
        min_length=1,
        max_length=2,
        description="what `host-gateway` in `extra_hosts` means: an address of each IP version",
        examples=[["192.168.22.61"]],
    )
    ip: Gateway4 = Field(
        None, description="the host's address on which ports of docker0's containers are published",
        examples=["127.0.0.1"],
    )  # fmt: skip
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

    default_network_opts: dict[str, TextMap] | None = Field(
        None,
        alias="default-network-opts",
        description="by driver, the options of networks that say nothing of them",
        examples=[{"bridge": {"com.docker.network.driver.mtu": "1400"}}],
    )
    iptables: bool | None = Field(None, description="whether it keeps rules of the IPv4 firewall", examples=[False])
    ip6tables: bool | None = Field(None, description="whether it keeps rules of the IPv6 firewall", examples=[False])
    firewall_backend: Literal["iptables", "nftables"] | None = Field(
        None, alias="firewall-backend", description="by what it keeps them", examples=["nftables"]
    )
    ip_forward: bool | None = Field(
        None, alias="ip-forward", description="whether it has the host forward packets", examples=[False]
    )
    ip_forward_no_drop: bool | None = Field(
        None,
        alias="ip-forward-no-drop",
        description="whether it leaves the policy of FORWARD as it is where it turns forwarding on",
        examples=[True],
    )
    allow_direct_routing: bool | None = Field(
        None,
        alias="allow-direct-routing",
        description="whether other machines may reach published ports at the containers' own addresses",
        examples=[True],
    )
    bridge_accept_fwmark: str | None = Field(
        None,
        alias="bridge-accept-fwmark",
        pattern=r"^(0x[0-9a-fA-F]{1,8}|[0-9]{1,10})(/(0x[0-9a-fA-F]{1,8}|[0-9]{1,10}))?$",
        description="the mark, or mark/mask, by which packets may always enter bridges",
        examples=["0x1/0x3"],
    )

    registry_mirrors: tuple[Mirror, ...] | None = Field(
        None,
        alias="registry-mirrors",
        description="who is asked for Docker Hub's images first",
        examples=[["https://mirror.example"]],
    )

    def settings(self) -> dict[str, Any]:
        """Return what is given as it stands in daemon.json, in the order of the keys here."""
        given: dict[str, Any] = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return given
