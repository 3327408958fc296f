"""The definition: what a lab's YAML file may say, as pydantic models.

Keys are Docker Compose's where Compose has one; short forms (`subnet`, `ip`, …) stand beside them.
What is particular to one network mode is not here but in that mode's file: a mode subclasses `Network`.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from dockerlab.lab.container import Attachment, Container
from dockerlab.lab.fields import Address, LabName, Name, Strict, Subnet, Text
from dockerlab.lab.network import Ipam, Network, Pool
from dockerlab.lab.ports import PortNumber

__all__ = ["Address", "Attachment", "Container", "Expect", "Ipam", "Lab", "Network", "Outside", "Pool", "Subnet"]


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
