"""The definition: what a lab's YAML file may say, as pydantic models.

Keys are Docker Compose's where Compose has one; short forms (`subnet`, `ip`, …) stand beside them.
What is particular to one network mode is not here but in that mode's file: a mode subclasses `Network`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PrivateAttr

from dockerlab.lab.container import Attachment, Container
from dockerlab.lab.daemon import Daemon
from dockerlab.lab.fields import Address, ContainerName, LabName, Name, Strict, Subnet, Text
from dockerlab.lab.ground import Ground
from dockerlab.lab.image import BuiltImage, BuiltName
from dockerlab.lab.mounts import VolumeEntry
from dockerlab.lab.network import Ipam, Network, Pool
from dockerlab.lab.ports import PortNumber
from dockerlab.lab.problem import dotted
from dockerlab.snapshot import full_name

__all__ = [
    "Address",
    "Attachment",
    "Container",
    "Daemon",
    "Expect",
    "Ground",
    "HostSpec",
    "Ipam",
    "Lab",
    "Network",
    "Outside",
    "Pool",
    "Subnet",
]

MAX_HOSTS = 200
MAX_NETWORKS = 250
MAX_CONTAINERS = 4_000
MAX_IMAGES = 50
MAX_VOLUMES = 1_000
MAX_PATTERN = 200
"""Far beyond any lab. The checks compare networks with each other and with the hosts: without a bound, a definition of
a few hundred kilobytes would keep them busy for hours."""


class HostSpec(Ground):
    """A host of the lab: where it is, and what its engine and the host itself are to be while the lab is up."""

    address: str | None = Field(
        None,
        description="ssh://[user@]host[:port], an ssh_config alias, `local`; without it, the host's name is the alias",
        examples=["ssh://root@192.168.22.61"],
    )
    daemon: Daemon | None = Field(
        None,
        description="keys of the engine's daemon.json; `up` changes them and `down` puts them back",
        examples=[{"bip": "192.168.1.5/24"}],
    )

    @property
    def ground(self) -> Ground | None:
        """Return what is said of the host itself, None where that is nothing."""
        said = {name: value for name in Ground.model_fields if (value := getattr(self, name))}
        return Ground.model_construct(**said) if said else None


def _host(value: Any) -> Any:
    return {"address": value} if value is None or isinstance(value, str) else value


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

    source: str = Field(
        "*", alias="from", max_length=MAX_PATTERN, description="a pattern over the names of sources", examples=["web*"]
    )
    to: str = Field(
        "*", max_length=MAX_PATTERN, description="a pattern over the names of targets", examples=["gateway:lan"]
    )
    probe: str = Field("ping", description="ping, tcp/PORT, dns, or * for all", examples=["tcp/80"])
    reachable: bool = Field(description="what is to be expected of these cells", examples=[False])
    why: Text = Field("", description="the reason, as the report shows it", examples=["the switch filters it"])


class Lab(Strict):
    """A whole definition after templating; `networks` hold each mode's own subclass."""

    name: LabName = Field(description="the lab's name, on its labels and for `down`", examples=["macvlan"])
    title: Text = Field("", description="one line for people", examples=["One LAN across two hosts"])
    hosts: dict[Name, Annotated[HostSpec, BeforeValidator(_host, json_schema_input_type=str | HostSpec | None)]] = (
        Field(
            default={"local": "local"},
            validate_default=True,
            min_length=1,
            max_length=MAX_HOSTS,
            description="name: ssh://[user@]host[:port], an ssh_config alias, `local`; empty: the name is the alias; "
            "or a mapping with `address`, `daemon`, and what is to become of the host itself",
            examples=[{"vm0": "ssh://root@192.168.22.61"}],
        )
    )
    vars: dict[str, Any] = Field(
        default_factory=dict, description="values for {{ … }}; `--set` overrides them", examples=[{"image": "centos"}]
    )
    networks: dict[Name, Network] = Field(
        default_factory=dict,
        max_length=MAX_NETWORKS,
        description="the networks to make",
        examples=[{"front": {"subnet": "172.28.1.0/24"}}],
    )
    volumes: dict[Name, VolumeEntry] = Field(
        default_factory=dict,
        max_length=MAX_VOLUMES,
        description="the volumes to make; `down` takes them away with all that is in them",
        examples=[{"site": None}],
    )
    containers: dict[ContainerName, Container] = Field(
        default_factory=dict,
        max_length=MAX_CONTAINERS,
        description="the containers to run, at least one",
        examples=[{"web": {"image": "nginx"}}],
    )
    images: dict[BuiltName, BuiltImage] = Field(
        default_factory=dict,
        max_length=MAX_IMAGES,
        description="the images to build",
        examples=[{"web": {"from": "dockerlab/node", "steps": ["echo hello > /www/index.html"]}}],
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

    _called: dict[str, tuple[str, ...]] = PrivateAttr(default_factory=dict)

    def call(self, names: Mapping[str, tuple[str, ...]]) -> None:
        """Let words mean containers, as Compose's services do: each word the containers that are its."""
        self._called.update(names)

    @property
    def services(self) -> tuple[str, ...]:
        """Return the words that mean containers beside their own names."""
        return tuple(self._called)

    def called(self, word: str) -> tuple[str, ...]:
        """Return the containers that a word means beside their own names: those of a Compose service."""
        return () if word in self.containers else self._called.get(word, ())

    @cached_property
    def place(self) -> Callable[[tuple[str | int, ...]], str]:
        """Return what tells where in its file a part of the definition stands; without a file, that is its path."""
        return dotted

    @cached_property
    def given(self) -> Mapping[str, Mapping[str, str]]:
        """Return the variables of files of the environment, by container: they stand in no definition."""
        return {}

    @cached_property
    def taken(self) -> frozenset[str]:
        """Return the variables of the caller's environment whose values stand in the definition by now."""
        return frozenset()

    def changed(self, **changes: Any) -> Lab:
        """Return the lab with other values of some keys, which are not checked again."""
        made = Lab.model_construct(**{**{name: getattr(self, name) for name in Lab.model_fields}, **changes})
        made.__dict__["place"] = self.place
        made.__dict__["given"] = self.given
        made.__dict__["taken"] = self.taken
        made.call(self._called)
        return made

    @property
    def addresses(self) -> dict[str, str | None]:
        """Return where each host is, by its name; None where the name is the alias."""
        return {name: machine.address for name, machine in self.hosts.items()}

    @property
    def daemons(self) -> dict[str, Daemon]:
        """Return what is to be set of each engine of which the definition says anything."""
        return {name: machine.daemon for name, machine in self.hosts.items() if machine.daemon is not None}

    @property
    def grounds(self) -> dict[str, Ground]:
        """Return what is to become of each host itself of which the definition says anything."""
        return {name: ground for name, machine in self.hosts.items() if (ground := machine.ground) is not None}

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
        users = self.users.get(network, ())
        used = tuple(host for host in self.hosts if host in users)
        return used or tuple(self.hosts)

    def altered(self, **changes: object) -> Lab:
        """Return the lab with other values of some keys; nothing that was worked out of the old ones stays."""
        copy = self.model_copy(update=changes)
        for worked_out in copy.__dict__.keys() - type(self).model_fields.keys():
            del copy.__dict__[worked_out]
        return copy

    @cached_property
    def users(self) -> dict[str, set[str]]:
        """Return the hosts of each network's containers, for the networks that have any."""
        users: dict[str, set[str]] = {}
        for name, spec in self.containers.items():
            for network in spec.networks:
                users.setdefault(network, set()).add(self.host_of(name))
        return users

    @cached_property
    def jobs(self) -> frozenset[str]:
        """Return the containers that do their work and end: those whose end others wait for."""
        return frozenset(
            other
            for spec in self.containers.values()
            for other, what in spec.depends_on.items()
            if what.condition == "service_completed_successfully"
        )

    def hosts_of_volume(self, volume: str) -> tuple[str, ...]:
        """Return the hosts whose containers use a volume, in the definition's order."""
        users = {self.host_of(name) for name, spec in self.containers.items() if volume in spec.named_volumes}
        return tuple(host for host in self.hosts if host in users)

    def built(self, image: str) -> str | None:
        """Return the name that `images` has for an image, None for one that is not built here."""
        return self._built.get(full_name(image))

    @cached_property
    def _built(self) -> dict[str, str]:
        return {full_name(name): name for name in self.images}

    def hosts_of_image(self, name: str) -> tuple[str, ...]:
        """Return the hosts that an image is built on, in the definition's order; its bases must form no circle."""
        return self._image_hosts[name]

    @cached_property
    def _image_hosts(self) -> dict[str, tuple[str, ...]]:
        wanted = {name: set(spec.hosts or ()) for name, spec in self.images.items()}
        for container, spec in self.containers.items():
            name = self.built(spec.image)
            if name is not None:
                wanted[name].add(self.host_of(container))
        for name in reversed(self.images_in_order()):
            base = self.built(self.images[name].base)
            if base is not None:
                wanted[base] |= wanted[name] or set(self.hosts)
        return {name: tuple(h for h in self.hosts if h in hosts) or tuple(self.hosts) for name, hosts in wanted.items()}

    def images_needed(self, host: str) -> set[str]:
        """Return the images that a host has to have from elsewhere: for its containers, or to build others on."""
        wanted = {spec.image for spec in self.on_host(host).values()}
        wanted |= {spec.base for name, spec in self.images.items() if host in self.hosts_of_image(name)}
        return {image for image in wanted if self.built(image) is None}

    def images_in_order(self) -> list[str]:
        """Return the images to build, each after the one that it is built on; their bases must form no circle."""
        ordered: list[str] = []
        for name in self.images:
            chain: list[str] = []
            current: str | None = name
            while current is not None and current not in ordered:
                chain.append(current)
                current = self.built(self.images[current].base)
            ordered += reversed(chain)
        return ordered
