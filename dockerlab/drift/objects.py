"""Where what is on the hosts differs from the definition, whoever made it, and the command that would be right. Pure.

Names count here, and never labels: what a student typed is held against the definition as dockerlab's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from dockerlab import modes
from dockerlab.lab.image import full_name
from dockerlab.lab.model import Lab, Network
from dockerlab.modes.parent import ParentNetwork
from dockerlab.plan import build
from dockerlab.plan.build import Built
from dockerlab.snapshot import BINDING, ICC, MASQUERADE, ContainerState, NetworkState, Snapshot, orphaned


@dataclass(frozen=True)
class Difference:
    """One object of the lab that is not as the definition has it.

    `how` tells whether it is not there at all, does not run (or is cut off), or is made otherwise. `right` are the
    commands, as they are typed on the host, that make it what it should be.
    """

    host: str
    kind: str
    name: str
    what: str
    right: tuple[str, ...] = ()
    how: Literal["missing", "down", "other"] = "other"

    def __str__(self) -> str:
        said = f"{self.host}: {self.kind} {self.name} {self.what}"
        return f"{said}; right would be: {'; '.join(self.right)}" if self.right else said


def differences(lab: Lab, snapshots: Mapping[str, Snapshot], names: frozenset[str] | None = None) -> list[Difference]:
    """Return every difference, networks first; with `names`, those of the containers and networks of these names."""
    found = [
        difference
        for name in lab.networks
        if names is None or name in names
        for host in lab.hosts_of(name)
        if host in snapshots
        for difference in _network(lab, name, snapshots[host])
    ]
    for name in lab.containers:
        if (names is None or name in names) and lab.host_of(name) in snapshots:
            found += _container(lab, name, snapshots[lab.host_of(name)])
    return found


def _network(lab: Lab, name: str, snapshot: Snapshot) -> Iterator[Difference]:
    spec, state = lab.networks[name], snapshot.network(name)
    create = _typed(build.network(lab, name, snapshot.host, None))
    if state is None:
        # A Swarm's network shows on a worker only once a container is on it.
        if modes.for_driver(spec.driver).scope == "swarm" and snapshot.swarm.state == "inactive":
            yield Difference(
                snapshot.host, "network", name, "does not exist: this engine is in no Swarm", (), "missing"
            )
        elif modes.for_driver(spec.driver).scope == "host" or snapshot.swarm.manager:
            yield Difference(snapshot.host, "network", name, "does not exist", create, "missing")
        return
    wrong = list(_wrong_network(spec, state))
    if wrong:
        yield Difference(snapshot.host, "network", name, ", and ".join(wrong), _anew(lab, name, snapshot, create))


def _anew(lab: Lab, network: str, snapshot: Snapshot, create: tuple[str, ...]) -> tuple[str, ...]:
    """Return what makes a network anew: one with containers on it does not go, so that these are made anew as well."""
    users = [container.name for container in snapshot.containers if network in container.endpoints]
    ours = [name for name in lab.containers if name in users]
    others = [f"docker network disconnect --force {network} {name}" for name in users if name not in ours]
    gone = [f"docker rm --force {' '.join(ours)}"] if ours else []
    back = [line for name in ours for line in _typed(build.container(lab, name, None, {}))]
    return (*others, *gone, f"docker network rm {network}", *create, *back)


def _wrong_network(spec: Network, state: NetworkState) -> Iterator[str]:
    if state.driver != spec.driver:
        yield f"has driver {state.driver}, and the lab wants {spec.driver}"
        return
    wanted = tuple(pool.subnet for pool in spec.pools)
    if wanted and set(wanted) != set(state.subnets):
        yield f"has subnet {_listed(state.subnets)}, and the lab wants {_listed(wanted)}"
    gateways = tuple(str(pool.gateway) for pool in spec.pools if pool.gateway is not None)
    if not set(gateways) <= set(state.gateways):
        yield f"has gateway {_listed(state.gateways)}, and the lab wants {_listed(gateways)}"
    if spec.internal != state.internal:
        words = {True: "internal", False: "not internal"}
        yield f"is {words[state.internal]}, and the lab wants it {words[spec.internal]}"
    for option, value in _options(spec).items():
        if state.options.get(option) != value:
            yield f"has {_option(option, state.options.get(option))}, and the lab wants {value}"
    # What the lab does not say is the driver's default: whoever has set it has changed what the network does.
    known = modes.for_driver(spec.driver).options
    for option in state.options.keys() - _options(spec).keys():
        telling = option in known and not option.endswith((".name", ".mtu", ".vxlanid_list"))
        if telling and state.options[option] != DEFAULTS.get(option):
            yield f"has {_option(option, state.options[option])}, of which the lab says nothing"


DEFAULTS = {
    "macvlan_mode": "bridge",
    "ipvlan_mode": "l2",
    "ipvlan_flag": "bridge",
    ICC: "true",
    MASQUERADE: "true",
    BINDING: "0.0.0.0",  # noqa: S104 - the driver's, to be read and not bound
}
"""Options that some engines write down though nobody gave them."""


def _options(spec: Network) -> dict[str, str]:
    """Return the driver's options that a network is made with, also those that have a key of their own."""
    options = dict(spec.driver_opts)
    if isinstance(spec, ParentNetwork) and spec.parent is not None:
        options["parent"] = spec.parent
    for key in ("macvlan_mode", "ipvlan_mode"):
        value = getattr(spec, key, None)
        if value is not None:
            options[key] = str(value)
    return options


def _option(name: str, value: str | None) -> str:
    short = name.rpartition(".")[2]
    return f"no {short}" if value is None else f"{short} {value}"


def _container(lab: Lab, name: str, snapshot: Snapshot) -> Iterator[Difference]:
    spec, state, host = lab.containers[name], snapshot.container(name), snapshot.host
    create = _typed(build.container(lab, name, None, {}))
    if state is None:
        yield Difference(host, "container", name, "does not exist", create, "missing")
        return
    anew = (f"docker rm --force {name}", *create)
    wrong = list(_wrong_container(lab, name, state, snapshot))
    if wrong:
        yield Difference(host, "container", name, ", and ".join(wrong), anew)
    elif not state.running:
        what = f"does not run ({state.status}, exit code {state.exit_code})"
        yield Difference(host, "container", name, what, (f"docker start {name}",), "down")
    else:
        owner = snapshot.container(spec.owner or "")
        if owner is not None and orphaned(state, owner):
            what = f"is in the network namespace that {owner.name} had before it started anew, and so it is cut off"
            yield Difference(host, "container", name, what, (f"docker restart {name}",), "down")


def _wrong_container(lab: Lab, name: str, state: ContainerState, snapshot: Snapshot) -> Iterator[str]:
    spec = lab.containers[name]
    if full_name(state.image) != full_name(spec.image) and not state.image.startswith("sha256:"):
        yield f"runs image {state.image}, and the lab wants {spec.image}"
    wanted = set(spec.networks) or ({"bridge"} if spec.mode == "bridge" else set())
    mode = _mode(state, snapshot)
    if not wanted and mode != spec.mode:
        yield f"is in mode {mode}, and the lab wants {spec.mode}"
        return
    if wanted and mode.startswith(("container:", "host", "none")):
        yield f"is in mode {mode}, and the lab wants it on {_listed(sorted(wanted))}"
        return
    there = set(state.endpoints) if wanted else set()
    if there != wanted:
        yield f"is on {_listed(sorted(there)) or 'no network'}, and the lab wants it on {_listed(sorted(wanted))}"
    for network, place in spec.networks.items():
        endpoint = state.endpoints.get(network)
        held = {address.ip for address in endpoint.addresses} if endpoint is not None else set()
        if endpoint is not None and state.running and not set(place.addresses) <= held:
            yield f"has {_listed(sorted(held, key=str))} on {network}, and the lab wants {_listed(place.addresses)}"
    yield from _wrong_ports(lab, name, state)


def _wrong_ports(lab: Lab, name: str, state: ContainerState) -> Iterator[str]:
    spec = lab.containers[name]
    if spec.mode == "host":
        return
    held = {(port.host_port, port.container_port, port.protocol) for port in state.published}
    wanted = {(p.published, p.target, str(p.protocol)) for p in spec.ports if p.published is not None}
    for published, target, protocol in sorted(wanted - held, key=str):
        yield f"does not publish its port {target}/{protocol} as {published}"
    for published, target, protocol in sorted(held - wanted):
        if not any(port.published is None and port.target == target for port in spec.ports):
            yield f"publishes its port {target}/{protocol} as {published}, of which the lab says nothing"


def _mode(state: ContainerState, snapshot: Snapshot) -> str:
    """Return a container's network mode, with the name of the container that it joins instead of its ID."""
    kind, _, joined = state.network_mode.partition(":")
    if kind != "container":
        return state.network_mode
    owner = next((c.name for c in snapshot.containers if joined in (c.id, c.name)), joined[:12])
    return f"container:{owner}"


def _typed(built: Built) -> tuple[str, ...]:
    return tuple(command.shell() for command in built.create)


def _listed(items: object) -> str:
    return ", ".join(str(item) for item in items) if isinstance(items, (tuple, list)) else str(items)
