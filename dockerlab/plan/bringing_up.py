"""The plan of `up`: absent is created, same is kept, changed is recreated, what the definition dropped is removed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from dockerlab import build, modes
from dockerlab.build import Built
from dockerlab.command import Command
from dockerlab.errors import ConflictError
from dockerlab.identity import Identity
from dockerlab.lab.model import Container, Lab
from dockerlab.plan.ownership import belongs, describe
from dockerlab.plan.steps import Action, Key, Plan, Step
from dockerlab.plan.swarm import swarm_steps
from dockerlab.plan.taking_down import remove_container, remove_network
from dockerlab.snapshot import LABEL_FINGERPRINT, ContainerState, NetworkState, Snapshot


@dataclass(frozen=True)
class Situation:
    """What `up` finds: a snapshot per host, and the address at which the hosts reach each other where it is known."""

    snapshots: Mapping[str, Snapshot]
    addresses: Mapping[str, str | None]

    def snapshot(self, host: str) -> Snapshot:
        """Return a host's snapshot; a host that was not looked at counts as empty."""
        return self.snapshots.get(host, Snapshot(host))


def up(
    lab: Lab,
    identity: Identity,
    situation: Situation,
    images: Mapping[tuple[str, str], Command] | None = None,
) -> Plan:
    """Return the steps that make the hosts agree with the definition.

    `images` are the commands that bring an image to a host that lacks it. Raises ConflictError, naming all of
    them, when objects that are not the lab's stand where it wants to build.
    """
    _refuse_foreign(lab, identity, situation)
    image_steps = [
        Step(Key(host, "image", image), "create", (command,)) for (host, image), command in (images or {}).items()
    ]
    swarm = swarm_steps(lab, identity, situation.snapshots, situation.addresses)
    networks = _networks(lab, identity, situation, after=frozenset(step.key for step in swarm))
    containers = _containers(lab, identity, situation, networks, frozenset(step.key for step in image_steps))
    dropped = _dropped(lab, identity, situation)
    steps = [*networks, *containers, *dropped]
    _refuse_guests(steps, identity, situation)
    return Plan((*image_steps, *swarm, *_in_turn(steps, frozenset(step.key for step in image_steps))))


def _in_turn(steps: list[Step], images: frozenset[Key]) -> list[Step]:
    """Let everything go after the images have come, and be made after all that goes.

    An image that cannot be had must not cost the lab that is there. What is new may want the ports, the addresses
    or the subnet of what goes.
    """
    gone = frozenset(step.key for step in steps if step.key.half == "unmake")
    return [replace(s, after=s.after | (gone if s.key.half == "make" else images)) for s in steps]


def _refuse_guests(steps: Iterable[Step], identity: Identity, situation: Situation) -> None:
    """Raise ConflictError when a network that has to go holds containers that are not the lab's."""
    held: list[str] = []
    for key in (step.key for step in steps if step.key.kind == "network" and step.key.half == "unmake"):
        snapshot = situation.snapshot(key.host)
        network = snapshot.network(key.name)
        for name in network.containers if network is not None else ():
            guest = snapshot.container(name)
            if guest is None or not belongs(guest.labels, identity):
                held.append(f"{key.host}: container {name} is on network {key.name} and not the lab's")
    if held:
        raise ConflictError(
            "nothing was changed, because networks that have to be made anew are in use:\n  "
            + "\n  ".join(held)
            + "\nRun 'docker network disconnect NETWORK CONTAINER' for each, and then up again."
        )


def _networks(lab: Lab, identity: Identity, situation: Situation, after: frozenset[Key]) -> list[Step]:
    steps: list[Step] = []
    for name in lab.networks:
        hosts = lab.hosts_of(name)
        in_swarm = _in_swarm(lab, name)
        if in_swarm:
            hosts = (_manager(after) or hosts[0],)
        for host in hosts:
            built = build.network(lab, name, host, identity)
            snapshot = situation.snapshot(host)
            found = snapshot.network(name)
            action = _action(found, built)
            if action == "recreate" and found is not None:
                users = frozenset(
                    Key(other, "container", c.name, "unmake")
                    for other, seen in situation.snapshots.items()
                    for c in seen.containers
                    if name in c.endpoints and belongs(c.labels, identity) and (in_swarm or other == host)
                )
                steps.append(remove_network(host, found, "clear", users))
            before = frozenset({Key(host, "network", name, "unmake"), *_chosen_before(lab, name, host)})
            before |= after if in_swarm else frozenset()
            steps.append(_step(Key(host, "network", name), action, built, before))
    return steps


def _chosen_before(lab: Lab, name: str, host: str) -> list[Key]:
    """Return the networks that go ahead: the engine must not give a subnet of theirs to one that names none."""
    if lab.networks[name].pools:
        return []
    fixed = (other for other, spec in lab.networks.items() if spec.pools and host in lab.hosts_of(other))
    return [Key(host, "network", other) for other in fixed]


def _manager(swarm: Iterable[Key]) -> str | None:
    """Return the host that the Swarm's steps call the manager: the one that the plan starts from."""
    return next((key.host for key in swarm if key.kind == "swarm" and key.name in ("init", "manager")), None)


def _containers(
    lab: Lab, identity: Identity, situation: Situation, networks: Iterable[Step], images: frozenset[Key]
) -> list[Step]:
    made = {step.key: step for step in networks if step.key.half == "make"}
    fingerprints: dict[str, str] = {}
    steps: dict[str, Step] = {}
    cleared: list[Step] = []
    for name in _owners_first(lab):
        spec, host = lab.containers[name], lab.host_of(name)
        needs = {n: build.network(lab, n, host, identity).fingerprint for n in spec.networks}
        if spec.owner is not None:
            needs[spec.owner] = fingerprints[spec.owner]
        built = build.container(lab, name, identity, needs)
        fingerprints[name] = built.fingerprint
        required = [key for key in made if key.name in spec.networks and key.host in (host, _scope_host(lab, key))]
        owners = [Key(host, "container", spec.owner)] if spec.owner is not None else []
        found = situation.snapshot(host).container(name)
        action = _action(found, built)
        if action == "keep" and found is not None:
            renewed = any(made[key].action != "keep" for key in required)
            owner_renewed = spec.owner is not None and steps[spec.owner].action != "keep"
            if renewed or owner_renewed or not _as_planned(found, spec.networks):
                action = "recreate"
        if action == "recreate" and found is not None:
            cleared.append(remove_container(host, found, "clear"))
        first = _fixed_before(lab, name)
        image = Key(host, "image", spec.image)
        before = frozenset({*required, *owners, *first, Key(host, "container", name, "unmake")}) | (images & {image})
        steps[name] = _step(Key(host, "container", name), action, built, before)
    return [*cleared, *steps.values()]


def _scope_host(lab: Lab, key: Key) -> str:
    """Return the host on which a Swarm-wide network is made, which serves containers everywhere."""
    return key.host if _in_swarm(lab, key.name) else ""


def _in_swarm(lab: Lab, network: str) -> bool:
    return modes.for_driver(lab.networks[network].driver).scope == "swarm"


def _owners_first(lab: Lab) -> list[str]:
    """Return the containers with every owner of a namespace ahead of those that join it."""
    return sorted(lab.containers, key=lambda name: lab.containers[name].owner is not None)


def _fixed_before(lab: Lab, name: str) -> frozenset[Key]:
    """Return the containers that go ahead: the engine must not give a fixed address of theirs to this one."""
    spec, host = lab.containers[name], lab.host_of(name)
    automatic = {network for network, place in spec.networks.items() if not place.addresses}
    return frozenset(
        Key(lab.host_of(other), "container", other)
        for other, theirs in lab.containers.items()
        if _freedom(theirs) < _freedom(spec)
        and any(
            place.addresses and network in automatic and (lab.host_of(other) == host or _in_swarm(lab, network))
            for network, place in theirs.networks.items()
        )
    )


def _freedom(spec: Container) -> int:
    """Return 0 for a container all of whose addresses are fixed, 2 for one that takes any, 1 for one in between."""
    fixed = [bool(place.addresses) for place in spec.networks.values()]
    return 0 if all(fixed) else 1 if any(fixed) else 2


def _as_planned(found: ContainerState, networks: Iterable[str]) -> bool:
    """Tell whether a container runs and is on every network that it should be on."""
    return found.running and set(networks) <= set(found.endpoints)


def _action(found: NetworkState | ContainerState | None, built: Built) -> Action:
    if found is None:
        return "create"
    return "keep" if found.labels.get(LABEL_FINGERPRINT) == built.fingerprint else "recreate"


def _step(key: Key, action: Action, built: Built, before: frozenset[Key]) -> Step:
    return Step(key, action, () if action == "keep" else built.create, built.undo, before)


def _dropped(lab: Lab, identity: Identity, situation: Situation) -> list[Step]:
    """Return the removal of what the lab once had and the definition no longer has."""
    wanted = {(lab.host_of(name), name) for name in lab.containers}
    steps: list[Step] = []
    for host, snapshot in situation.snapshots.items():
        gone = [c for c in snapshot.containers if belongs(c.labels, identity) and (host, c.name) not in wanted]
        steps += [remove_container(host, each, "remove") for each in gone]
        for found in snapshot.networks:
            named = found.name in lab.networks
            if belongs(found.labels, identity) and not (
                named and (found.scope == "swarm" or host in lab.hosts_of(found.name))
            ):
                users = frozenset(Key(host, "container", c.name, "unmake") for c in snapshot.containers)
                steps.append(remove_network(host, found, "remove", users))
    return steps


def _refuse_foreign(lab: Lab, identity: Identity, situation: Situation) -> None:
    """Raise ConflictError when a name that the lab wants is taken by something that it does not own."""
    foreign: list[str] = []
    for name in lab.containers:
        held = situation.snapshot(lab.host_of(name)).container(name)
        if held is not None and not belongs(held.labels, identity):
            foreign.append(f"{lab.host_of(name)}: container {name} {describe(held.labels)}")
    for name in lab.networks:
        for host in lab.hosts_of(name):
            there = situation.snapshot(host).network(name)
            if there is not None and not belongs(there.labels, identity):
                foreign.append(f"{host}: network {name} {describe(there.labels)}")
    if foreign:
        raise ConflictError(
            "nothing was created, because names are taken:\n  "
            + "\n  ".join(foreign)
            + "\nRename them in the definition, or remove what is there."
        )
