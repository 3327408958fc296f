"""A lab and a student to the student's lab: prefixed names, own subnets, addresses and ports. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from dockerlab.identity import CLASS
from dockerlab.lab.model import Address, Attachment, Container, Expect, Lab
from dockerlab.lab.mounts import Mount
from dockerlab.lab.ports import Port
from dockerlab.lab.process_rules import joins
from dockerlab.snapshot import BRIDGE_NAME, GATEWAY_BRIDGE
from dockerlab.students.images import own_image, own_images
from dockerlab.students.roster import Student
from dockerlab.students.subnets import Moves, Source, moves, shares_lan

FIRST_PORT = 20_000
"""The ports of the first instances are below those that kernels give to clients, which begin at 32768."""

LONGEST_LINK = 15
TEXTS = ("command", "entrypoint")


@dataclass(frozen=True)
class Instance:
    """One student's lab; `names` says what its objects are called by what the definition calls them."""

    student: Student
    lab: Lab
    names: Mapping[str, str] = field(default_factory=dict)

    def named(self, end: str | None) -> str | None:
        """Return what the definition's name of an end of a cell is here; another word stays as it is."""
        if end is None:
            return None
        kind, colon, rest = end.rpartition(":")
        network, at, host = rest.partition("@")
        return f"{kind}{colon}{self.names.get(network, network)}{at}{self.names.get(host, host)}"

    def short(self, text: str) -> str:
        """Return a text in which the instance's objects have the definition's names."""
        return re.sub(rf"(?<![\w.-])({re.escape(self.student.id)}|{CLASS})-(?=\w)", "", text)


def instance(lab: Lab, student: Student, hosts: Mapping[str, str], source: Source) -> Instance:
    """Return the instance of a student on the real `hosts` (by the lab's names of hosts).

    Inside it everything is as in the lab: what the containers call each other by are the short names, as aliases.
    Raises UsageError where the student's number has no room in the range of subnets.
    """
    moving = moves(lab, student.number, source)
    networks = {name: _network_name(lab, name, student) for name in lab.networks}
    containers = {name: f"{student.id}-{name}" for name in lab.containers}
    volumes = {name: name if spec.external else f"{student.id}-{name}" for name, spec in lab.volumes.items()}
    changed = {
        "hosts": {hosts[name]: machine for name, machine in lab.hosts.items()},
        "networks": {
            networks[name]: moving.network(name, network).model_copy(
                update={
                    "hosts": None if network.hosts is None else tuple(hosts[host] for host in network.hosts),
                    "driver_opts": _options(network.driver_opts, student),
                }
            )
            for name, network in lab.networks.items()
        },
        "containers": {
            containers[name]: _Moved(lab, student, moving, networks, containers, volumes, hosts).container(name, spec)
            for name, spec in lab.containers.items()
        },
        "volumes": {volumes[name]: spec for name, spec in lab.volumes.items()},
        "images": own_images(lab, student.id, containers, hosts),
        "expect": tuple(_expectations(lab, {**networks, **containers}, hosts)),
    }
    kept = {name: getattr(lab, name) for name in Lab.model_fields}
    made = Lab.model_construct(**{**kept, **changed})
    made.__dict__["given"] = {containers[name]: values for name, values in lab.given.items()}
    return Instance(student, made, {**hosts, **networks, **containers})


def shared(lab: Lab, among: Sequence[Mapping[str, str]]) -> Lab | None:
    """Return the lab of what all instances on these groups of hosts share; None where that is nothing."""
    networks = {name: spec for name, spec in lab.networks.items() if shares_lan(spec) and not spec.external}
    if not networks:
        return None
    hosts = {each[name]: machine for each in among for name, machine in lab.hosts.items()}
    kept = {name: getattr(lab, name) for name in Lab.model_fields}
    own = {
        f"{CLASS}-{name}": spec.model_copy(
            update={"hosts": tuple(dict.fromkeys(each[host] for each in among for host in lab.hosts_of(name)))}
        )
        for name, spec in networks.items()
    }
    changed = {"hosts": hosts, "networks": own, "containers": {}, "images": {}, "expect": ()}
    return Lab.model_construct(**{**kept, **changed})


def ports_of(lab: Lab) -> dict[tuple[str, int], int]:
    """Return the place of each published port (the host, the port) among those of an instance."""
    found = sorted(
        {(lab.host_of(n), p.published) for n, c in lab.containers.items() for p in c.ports if p.published is not None}
    )
    numbers = {port: at for at, port in enumerate(sorted({port for _, port in found}))}
    return {(host, port): numbers[port] for host, port in found}


def port_block(lab: Lab) -> int:
    """Return how many ports are set aside for each instance: ten, or as many tens as are needed."""
    return 10 * max(1, -(-len(set(ports_of(lab).values())) // 10))


def _network_name(lab: Lab, name: str, student: Student) -> str:
    if lab.networks[name].external:
        return name
    return f"{CLASS if shares_lan(lab.networks[name]) else student.id}-{name}"


def _options(options: Mapping[str, str], student: Student) -> dict[str, str]:
    """Return a network's options; the host's interface that one names has the student's number behind it."""
    return {key: f"{value}-{student.number}" if key == BRIDGE_NAME else value for key, value in options.items()}


@dataclass(frozen=True)
class _Moved:
    """What is needed to move a container into an instance."""

    lab: Lab
    student: Student
    moving: Moves
    networks: Mapping[str, str]
    containers: Mapping[str, str]
    volumes: Mapping[str, str]
    hosts: Mapping[str, str]

    def container(self, name: str, spec: Container) -> Container:
        owner = spec.owner
        ports = ports_of(self.lab)
        block, host = port_block(self.lab), self.lab.host_of(name)
        first = FIRST_PORT + self.student.number * block
        return spec.model_copy(
            update={
                "host": None if spec.host is None else self.hosts[spec.host],
                "image": own_image(self.lab, self.student.id, spec.image),
                "network_mode": spec.network_mode if owner is None else f"container:{self.containers[owner]}",
                "networks": {self.networks[n]: self._place(name, n, place) for n, place in spec.networks.items()},
                "volumes": tuple(self._mount(each) for each in spec.volumes),
                "depends_on": {self.containers[other]: what for other, what in spec.depends_on.items()},
                "pid": self._joined(spec.pid),
                "ipc": self._joined(spec.ipc),
                "mac_address": self._mac(spec.mode, spec.mac_address),
                "ports": tuple(self._port(port, first, ports, host) for port in spec.ports),
                "dns": tuple(map(self.moving.address, spec.dns)),
                "extra_hosts": {key: self.moving.text(value) for key, value in spec.extra_hosts.items()},
                "environment": {k: v if v is None else self.moving.text(v) for k, v in spec.environment.items()},
                **{key: self._words(getattr(spec, key)) for key in TEXTS},
            }
        )

    def _place(self, container: str, network: str, place: Attachment) -> Attachment:
        # On a LAN that all share, a short name would be that of every student's container.
        every = shares_lan(self.lab.networks[network])
        aliases = [f"{self.student.id}-{n}" for n in place.aliases] if every else [*place.aliases, container]
        return place.model_copy(
            update={
                "ip": None if place.ip is None else self._address(network, place.ip),
                "ip6": None if place.ip6 is None else self._address(network, place.ip6),
                "mac_address": self._mac(network, place.mac_address),
                "aliases": tuple(dict.fromkeys(aliases)),
            }
        )

    def _mount(self, mount: Mount) -> Mount:
        named = mount.type == "volume" and mount.source is not None
        return mount.model_copy(update={"source": self.volumes[str(mount.source)]}) if named else mount

    def _mac(self, network: str, mac: str | None) -> str | None:
        """Return a MAC address; on a LAN that all share, only one of them could have it, so that nobody gets it."""
        shared = network in self.lab.networks and shares_lan(self.lab.networks[network])
        return None if shared else mac

    def _joined(self, value: str | None) -> str | None:
        other = joins(value)
        return value if other is None else f"container:{self.containers[other]}"

    def _address(self, network: str, address: Address) -> Address:
        if not shares_lan(self.lab.networks[network]):
            return self.moving.address(address)
        return address + (self.student.number - 1) * stride(self.lab, network, address.version)

    def _words(self, words: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
        if words is None or isinstance(words, str):
            return words if words is None else self.moving.text(words)
        return tuple(map(self.moving.text, words))

    @staticmethod
    def _port(port: Port, first: int, ports: Mapping[tuple[str, int], int], host: str) -> Port:
        if port.published is None:
            return port
        return port.model_copy(update={"published": first + ports[host, port.published]})


def stride(lab: Lab, network: str, version: int) -> int:
    """Return how far apart two instances' addresses are on a LAN that they share: as far as one instance's reach."""
    places = (spec.networks[network] for spec in lab.containers.values() if network in spec.networks)
    fixed = [int(a) for place in places for a in place.addresses if a.version == version]
    return max(fixed) - min(fixed) + 1


def _expectations(lab: Lab, names: Mapping[str, str], hosts: Mapping[str, str]) -> Iterator[Expect]:
    """Yield the definition's exceptions with the instance's names: a pattern is about whom it was about before."""
    ends = {**{name: name for name in lab.outside}, **hosts, **{name: names[name] for name in lab.containers}}
    gates: dict[str, str] = {}
    for network in (*lab.networks, "bridge", GATEWAY_BRIDGE):
        own = names.get(network, network)
        gates[f"gateway:{network}"] = f"gateway:{own}"
        gates |= {f"gateway:{network}@{host}": f"gateway:{own}@{real}" for host, real in hosts.items()}
    for exception in lab.expect:
        for source in _meant(exception.source, ends):
            for to in _meant(exception.to, {**ends, **gates}):
                yield exception.model_copy(update={"source": source, "to": to})


def _meant(pattern: str, names: Mapping[str, str]) -> list[str]:
    """Return the names that a pattern means, or the pattern itself where it means all or none."""
    meant = [new for old, new in names.items() if fnmatchcase(old, pattern)]
    return [pattern] if not meant or len(meant) == len(names) else meant
