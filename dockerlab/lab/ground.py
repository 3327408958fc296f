"""What a definition says of a host itself: interfaces, routes, rules, firewall, settings; and of a container's routes.

Each value is typed: what reaches a command is an address, a number, a name, or a line that was read word for word.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network, ip_interface
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from dockerlab.lab.fields import Address, Strict, Subnet, Text
from dockerlab.lab.filter_lines import filter_line, nft_rule
from dockerlab.lab.problem import shown

MOST = 200
"""Far more lines than any lab has; all of them stand in the receipt on the host."""

Device = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_][a-zA-Z0-9_.-]*$", max_length=15)]
Table = Annotated[Text, StringConstraints(pattern=r"^(main|local|default|[1-9][0-9]{0,9})$")]
Value = Annotated[Text, StringConstraints(pattern=r"^[a-zA-Z0-9_.:, \t-]+$", max_length=200)]
ChainName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]


def _held(value: Any) -> Any:
    """Return the address with its prefix that a text is."""
    if isinstance(value, (IPv4Interface, IPv6Interface)):
        return value
    try:
        if isinstance(value, str) and "/" in value and "%" not in value:
            return ip_interface(value)
    except ValueError:
        pass  # said below
    raise ValueError(f"{shown(value)} is not an address with its prefix: write it as in 192.168.22.250/32")


def _several(value: Any) -> Any:
    return [value] if isinstance(value, (str, int)) else value


def _setting(value: Any) -> Any:
    """Check that a text is the name of a setting of the network, in dots or in slashes."""
    if isinstance(value, str):
        parts = value.split("/" if "/" in value else ".")
        if len(parts) < 2 or parts[0] != "net" or not all(re.fullmatch(r"[\w.-]*[\w-]", part) for part in parts):
            raise ValueError(f"{shown(value)} is no setting of the network: write it as in net.ipv4.ip_forward")
    return value


Setting = Annotated[
    str, BeforeValidator(_setting, json_schema_input_type=str), StringConstraints(min_length=5, max_length=200)
]
Held = Annotated[IPv4Interface | IPv6Interface, BeforeValidator(_held, json_schema_input_type=str)]
HeldOnes = Annotated[tuple[Held, ...], BeforeValidator(_several, json_schema_input_type=str | list[str])]


class HostInterface(Strict):
    """An interface of a host: one that the lab makes (`kind`), or one that is there and gets something more."""

    kind: Literal["macvlan", "ipvlan", "vlan", "dummy"] | None = Field(
        None,
        description="what is made: a child of `parent` with a MAC address of its own (macvlan) or without (ipvlan), a "
        "VLAN of it, or one that leads nowhere (dummy); without it the interface is one that the host has",
        examples=["macvlan"],
    )
    parent: Device | None = Field(None, description="the interface that it is made on", examples=["eth0"])
    mode: Literal["bridge", "private", "vepa", "passthru", "l2", "l3", "l3s"] | None = Field(
        None, description="of a macvlan (bridge, the default) or an ipvlan (l2, the default)", examples=["bridge"]
    )
    id: int | None = Field(None, ge=1, le=4094, description="the number of a VLAN", examples=[50])
    addresses: HeldOnes = Field((), description="addresses on it, with their prefixes", examples=["192.168.22.250/32"])
    mtu: int | None = Field(None, ge=68, le=65535, description="the largest packet, in bytes", examples=[1400])


KINDS = ("blackhole", "unreachable", "prohibit")
OF_ROUTE = {"via": "via", "dev": "dev", "table": "table", "metric": "metric", "src": "source"}


def _route(value: Any) -> Any:
    """Return the mapping that a route in the words of `ip route` stands for."""
    if not isinstance(value, str):
        return value
    words = value.split()
    made: dict[str, Any] = {"kind": words.pop(0)} if words[:1] and words[0] in KINDS else {}
    made["to"] = words.pop(0) if words else ""
    return made | _pairs(value, words, OF_ROUTE, "192.168.22.200/32 dev shim, or 10.9.0.0/16 via 192.168.22.1")


def _pairs(value: str, words: list[str], known: dict[str, str], right: str) -> dict[str, Any]:
    pairs = list(zip(words[::2], words[1::2], strict=False))
    if len(words) % 2 or any(word not in known for word, _ in pairs):
        raise ValueError(f"{shown(value)} is not understood: write it as in {right}")
    return {known[word]: given for word, given in pairs}


def _to(value: Any) -> Any:
    """Return where a route leads: a subnet, one address of it, or everything."""
    if not isinstance(value, str) or value == "default" or "/" in value or "%" in value:
        return value
    return f"{value}/{128 if ':' in value else 32}"


class GroundRoute(Strict):
    """A route: where it leads (`to`), and by which router or interface."""

    to: Annotated[Literal["default"] | Subnet, BeforeValidator(_to, json_schema_input_type=str)] = Field(
        description="a subnet, an address, or `default`", examples=["192.168.22.200/32"]
    )
    via: Address | None = Field(None, description="the router", examples=["192.168.22.1"])
    dev: Device | None = Field(None, description="the interface", examples=["shim"])
    table: Table = Field("main", description="the table that it stands in", examples=["100"])
    metric: int | None = Field(None, ge=0, le=4294967295, description="of several the smallest counts", examples=[50])
    source: Address | None = Field(
        None, description="the address to send from; `src` in the short form", examples=["192.168.22.250"]
    )
    kind: Literal["unicast", "blackhole", "unreachable", "prohibit"] = Field(
        "unicast", description="what becomes of a packet, where it is not sent on", examples=["blackhole"]
    )

    @property
    def version(self) -> int:
        """Return the IP version."""
        if isinstance(self.to, (IPv4Network, IPv6Network)):
            return self.to.version
        known = self.via or self.source
        return known.version if known is not None else 4


OF_RULE = {
    "from": "from", "to": "to", "iif": "iif", "oif": "oif", "fwmark": "fwmark", "table": "table", "lookup": "table",
    "priority": "priority", "pref": "priority",
}  # fmt: skip


def _rule(value: Any) -> Any:
    """Return the mapping that a rule in the words of `ip rule` stands for."""
    if not isinstance(value, str):
        return value
    words = value.split()
    if words[:2] == ["from", "all"]:
        del words[:2]
    made: dict[str, Any] = {"kind": words.pop()} if words and words[-1] in KINDS else {}
    return made | _pairs(value, words, OF_RULE, "from 192.168.50.61 lookup 100 priority 1000")


class GroundRule(Strict):
    """A rule of `ip rule`: which packets look into which table."""

    source: Annotated[Subnet | None, BeforeValidator(_to, json_schema_input_type=str | None)] = Field(
        None, alias="from", description="packets from there", examples=["192.168.50.61"]
    )
    to: Annotated[Subnet | None, BeforeValidator(_to, json_schema_input_type=str | None)] = Field(
        None, description="packets to there", examples=["10.9.0.0/16"]
    )
    iif: Device | None = Field(None, description="packets that came by this interface", examples=["eth0"])
    oif: Device | None = Field(None, description="packets of the host's own that are bound to it", examples=["eth0"])
    fwmark: int | None = Field(None, ge=0, le=4294967295, description="packets with this mark", examples=[1])
    table: Table | None = Field(None, description="where they look", examples=["100"])
    kind: Literal["blackhole", "unreachable", "prohibit"] | None = Field(
        None, description="what becomes of them, in place of a table", examples=["prohibit"]
    )
    priority: int = Field(1000, ge=1, le=32765, description="smaller ones come first", examples=[100])

    @property
    def version(self) -> int:
        """Return the IP version."""
        known = self.source or self.to
        return known.version if known is not None else 4


def _line(value: Any) -> Any:
    if isinstance(value, str):
        filter_line(value)
    return value


def _nft(value: Any) -> Any:
    return nft_rule(value) if isinstance(value, str) else value


def _port(value: Any) -> Any:
    """Return a port with its protocol, `tcp` where none is said."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(text, str):
        number, _, protocol = text.partition("/")
        if number.isdecimal() and 0 < int(number) < 65536 and protocol in ("", "tcp", "udp"):
            return f"{int(number)}/{protocol or 'tcp'}"
    raise ValueError(f"{shown(value)} is no port: write it as in 9000, or 53/udp")


Line = Annotated[str, BeforeValidator(_line, json_schema_input_type=str)]
NftRule = Annotated[str, BeforeValidator(_nft, json_schema_input_type=str)]
OpenPort = Annotated[str, BeforeValidator(_port, json_schema_input_type=str | int)]


class NftChain(Strict):
    """A chain of nftables: with a hook it sees packets, without one it is jumped to."""

    type: Literal["filter", "nat", "route"] = Field("filter", description="what its rules may do", examples=["nat"])
    hook: Literal["prerouting", "input", "forward", "output", "postrouting"] | None = Field(
        None, description="where on a packet's way it stands", examples=["input"]
    )
    priority: int = Field(0, ge=-1000, le=1000, description="smaller ones are asked first", examples=[10])
    policy: Literal["accept", "drop"] = Field("accept", description="where no rule decides", examples=["drop"])
    rules: tuple[NftRule, ...] = Field(
        (), max_length=MOST, description="its rules, in order", examples=[["tcp dport 9000 drop"]]
    )


class Firewall(Strict):
    """The packet filter of a host: a preset, and lines of iptables and nft beside Docker's own."""

    preset: Literal["ufw", "firewalld"] | None = Field(
        None,
        description="deny what comes in, but for ping, ssh and answers, as ufw does (INPUT's policy is DROP) or as "
        "firewalld does (a table of nftables rejects)",
        examples=["ufw"],
    )
    allow: tuple[OpenPort, ...] = Field(
        (), max_length=MOST, description="ports that the preset lets in besides", examples=[[9000, "53/udp"]]
    )
    iptables: tuple[Line, ...] = Field(
        (),
        max_length=MOST,
        description="lines as one types them behind `iptables`: -A, -I, -N and -P, with -t TABLE in front",
        examples=[["-A INPUT -p tcp --dport 9000 -j DROP"]],
    )
    ip6tables: tuple[Line, ...] = Field(
        (), max_length=MOST, description="the same for IPv6", examples=[["-A FORWARD -j DROP"]]
    )
    nft: dict[ChainName, NftChain] = Field(
        default_factory=dict,
        max_length=20,
        description="chains of a table `inet` of the lab's own",
        examples=[{"input": {"hook": "input", "rules": ["tcp dport 9000 drop"]}}],
    )


Routes = tuple[Annotated[GroundRoute, BeforeValidator(_route, json_schema_input_type=str | GroundRoute)], ...]
Rules = tuple[Annotated[GroundRule, BeforeValidator(_rule, json_schema_input_type=str | GroundRule)], ...]


class Ground(Strict):
    """What a lab makes of a host itself while it is up; `down` puts everything back."""

    interfaces: dict[Device, HostInterface] = Field(
        default_factory=dict,
        max_length=MOST,
        description="interfaces to make, and addresses or an MTU for those that are there",
        examples=[{"shim": {"kind": "macvlan", "parent": "eth0", "addresses": "192.168.22.250/32"}}],
    )
    routes: Routes = Field(
        (),
        max_length=MOST,
        description="routes, as text as one types them behind `ip route add`, or as mappings",
        examples=[["192.168.22.200/32 dev shim"]],
    )
    rules: Rules = Field(
        (),
        max_length=MOST,
        description="rules of `ip rule`, which choose the table of routes",
        examples=[["from 192.168.50.61 lookup 100"]],
    )
    firewall: Firewall | None = Field(
        None, description="rules of the packet filter beside Docker's own", examples=[{"preset": "ufw"}]
    )
    sysctls: dict[Setting, Value] = Field(
        default_factory=dict,
        max_length=MOST,
        description="settings of the host's kernel, `net.…` alone",
        examples=[{"net.ipv4.ip_forward": 1}],
    )
