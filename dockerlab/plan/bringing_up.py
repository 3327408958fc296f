"""The plan of `up`: absent is created, same is kept, changed is recreated, what the definition dropped is removed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache

from dockerlab import modes
from dockerlab.command import Command
from dockerlab.daemon import DaemonFile
from dockerlab.errors import ConflictError
from dockerlab.ground.present import Beneath
from dockerlab.identity import Identity
from dockerlab.lab.model import Container, Lab
from dockerlab.lab.process_rules import before, owners_of
from dockerlab.leases import Until
from dockerlab.plan import build, volumes
from dockerlab.plan.built import Built
from dockerlab.plan.daemons import changes, daemon_steps, foreseen, with_daemons
from dockerlab.plan.ground import ground_steps, with_ground
from dockerlab.plan.images import building, clearing, refused
from dockerlab.plan.leases import with_lease
from dockerlab.plan.order import Order
from dockerlab.plan.ownership import belongs, describe
from dockerlab.plan.steps import Action, Key, Plan, Step
from dockerlab.plan.swarm import swarm_steps
from dockerlab.plan.taking_down import remove_container, remove_network
from dockerlab.snapshot import LABEL_FINGERPRINT, ContainerState, NetworkState, Snapshot, full_name, orphaned


@dataclass(frozen=True)
class Situation:
    """What `up` finds: a snapshot per host, and the address at which the hosts reach each other where it is known.

    `files` are the settings of those engines of which the lab says anything, or which it has changed.
    """

    snapshots: Mapping[str, Snapshot]
    addresses: Mapping[str, str | None]
    files: Mapping[str, DaemonFile] = field(default_factory=dict)
    beneath: Mapping[str, Beneath] = field(default_factory=dict)
    """What is there now of those hosts themselves of which the lab says anything, or which it has changed."""

    def snapshot(self, host: str) -> Snapshot:
        """Return a host's snapshot; a host that was not looked at counts as empty."""
        return self.snapshots.get(host, Snapshot(host))


def up(
    lab: Lab,
    identity: Identity,
    situation: Situation,
    images: Mapping[tuple[str, str], Command] | None = None,
    until: Until = None,
) -> Plan:
    """Return the steps that make the hosts agree with the definition.

    `images` are the commands that bring an image to a host that lacks it, `until` is the end of the lab's lease.
    Raises ConflictError, naming all of them, when objects that are not the lab's stand where it wants to build.
    """
    _refuse_foreign(lab, identity, situation)
    situation = _after_restarts(lab, identity, situation)
    brought = [
        Step(Key(host, "image", image), "create", (command,)) for (host, image), command in (images or {}).items()
    ]
    built = building(lab, identity, situation.snapshots, (step.key for step in brought))
    image_steps = [*brought, *built]
    swarm = swarm_steps(lab, identity, situation.snapshots, situation.addresses)
    networks = _networks(lab, identity, situation, after=frozenset(step.key for step in swarm))
    storage = volumes.volume_steps(lab, identity, situation.snapshot)
    containers = _containers(lab, identity, situation, [*networks, *storage], image_steps)
    dropped = [*_dropped(lab, identity, situation), *volumes.dropped(lab, identity, situation.snapshots)]
    gone = frozenset(s.key for s in (*containers, *dropped) if s.key.kind == "container" and s.key.half == "unmake")
    old_images = clearing(lab, identity, situation.snapshots, built, gone)
    steps = [*networks, *storage, *containers, *dropped, *old_images]
    _refuse_guests(steps, identity, situation)
    ordered = [*image_steps, *swarm, *_in_turn(steps, frozenset(step.key for step in image_steps))]
    ordered = with_daemons(ordered, daemon_steps(lab, identity, situation.files))
    ordered = with_ground(ordered, *ground_steps(lab, identity, situation.snapshots, situation.beneath))
    return Plan(tuple(with_lease(ordered, lab, identity, situation.snapshots, until)), identity=identity)


def _after_restarts(lab: Lab, identity: Identity, situation: Situation) -> Situation:
    """Return the situation in which the lab finds itself where engines have to restart for their settings."""
    wanted = changes(lab, identity, situation.files)
    snapshots = {
        host: foreseen(snapshot, wanted[host], identity) if host in wanted else snapshot
        for host, snapshot in situation.snapshots.items()
    }
    return replace(situation, snapshots=snapshots)


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
    for name, spec in lab.networks.items():
        hosts = () if spec.external else lab.hosts_of(name)
        in_swarm = _in_swarm(lab, name)
        if in_swarm and hosts:
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
    own = {other: spec for other, spec in lab.networks.items() if spec.pools and not spec.external}
    fixed = (other for other in own if host in lab.hosts_of(other))
    return [Key(host, "network", other) for other in fixed]


def _manager(swarm: Iterable[Key]) -> str | None:
    """Return the host that the Swarm's steps call the manager: the one that the plan starts from."""
    return next((key.host for key in swarm if key.kind == "swarm" and key.name in ("init", "manager")), None)


def _containers(
    lab: Lab, identity: Identity, situation: Situation, parts: Iterable[Step], images: Iterable[Step]
) -> list[Step]:
    """Return the steps of the containers; `parts` are those of the networks and volumes that they are made of."""
    had = {step.key: step for step in images}
    made = {step.key: step for step in parts if step.key.half == "make"}
    fingerprints: dict[str, str] = {}
    steps: dict[str, Step] = {}
    cleared: list[Step] = []
    freedom = {name: _freedom(spec) for name, spec in lab.containers.items()}

    @cache
    def of_volume(volume: str, host: str) -> str:
        return volumes.volume(lab, volume, host, identity).fingerprint

    @cache
    def of_network(network: str, host: str) -> str:
        return build.network(lab, network, host, identity).fingerprint

    order = Order(lab)
    for name in order.first_to_last:
        spec, host = lab.containers[name], lab.host_of(name)
        needs = {network: of_network(network, host) for network in spec.networks}
        needs |= {f"volume {each}": of_volume(each, host) for each in sorted(spec.named_volumes)}
        owners = owners_of(spec)
        needs |= {owner: fingerprints[owner] for owner in owners}
        image = image_key(lab, name)
        built = build.container(lab, name, identity, needs)
        fingerprints[name] = built.fingerprint
        required = [key for key in made if _is_for(lab, key, spec, host)]
        found = situation.snapshot(host).container(name)
        action = _action(found, built)
        if action == "keep" and found is not None:
            renewed = any(made[key].action != "keep" for key in required)
            owner_renewed = any(steps[owner].action != "keep" for owner in owners)
            owner_renewed |= spec.owner is not None and _left_behind(found, situation.snapshot(host), spec.owner)
            renewed |= image in had and not _of_image(found, had[image], situation.snapshot(host))
            if renewed or owner_renewed or not _as_planned(found, spec.networks, ends=name in lab.jobs):
                action = "recreate"
        if action == "recreate" and found is not None:
            cleared.append(remove_container(host, found, "clear"))
        first = order.also_after(name, _fixed_before(lab, name, freedom))
        waited = [Key(lab.host_of(other), "container", other) for other in before(lab, name)]
        after = frozenset({*required, *waited, *first, Key(host, "container", name, "unmake")})
        after |= frozenset({image} & had.keys())
        steps[name] = _step(Key(host, "container", name), action, built, after)
    return [*cleared, *steps.values()]


def image_key(lab: Lab, container: str) -> Key:
    """Return the step by which a container's image is there: brought, or built."""
    image, host = lab.containers[container].image, lab.host_of(container)
    name = lab.built(image)
    return Key(host, "image", image) if name is None else Key(host, "built image", name)


def _of_image(found: ContainerState, image: Step, snapshot: Snapshot) -> bool:
    """Tell whether a container is made from the image that a step keeps; what is brought says nothing of that."""
    if image.key.kind == "image":
        return True
    there = snapshot.image(full_name(image.key.name))
    return image.action == "keep" and there is not None and found.image_id == there.id


def _scope_host(lab: Lab, key: Key) -> str:
    """Return the host on which a Swarm-wide network is made, which serves containers everywhere."""
    return key.host if _in_swarm(lab, key.name) else ""


def _in_swarm(lab: Lab, network: str) -> bool:
    return modes.for_driver(lab.networks[network].driver).scope == "swarm"


def _is_for(lab: Lab, key: Key, spec: Container, host: str) -> bool:
    """Tell whether a step makes a network or a volume that a container is made with."""
    if key.kind == "volume":
        return key.name in spec.named_volumes and key.host == host
    return key.name in spec.networks and key.host in (host, _scope_host(lab, key))


def _fixed_before(lab: Lab, name: str, freedom: Mapping[str, int]) -> frozenset[Key]:
    """Return the containers that go ahead: the engine must not give a fixed address of theirs to this one."""
    spec, host = lab.containers[name], lab.host_of(name)
    automatic = {network for network, place in spec.networks.items() if not place.addresses}
    return frozenset(
        Key(lab.host_of(other), "container", other)
        for other, theirs in lab.containers.items()
        if freedom[other] < freedom[name]
        and any(
            place.addresses and network in automatic and (lab.host_of(other) == host or _in_swarm(lab, network))
            for network, place in theirs.networks.items()
        )
    )


def _freedom(spec: Container) -> int:
    """Return 0 for a container all of whose addresses are fixed, 2 for one that takes any, 1 for one in between."""
    fixed = [bool(place.addresses) for place in spec.networks.values()]
    return 0 if all(fixed) else 1 if any(fixed) else 2


def _left_behind(found: ContainerState, snapshot: Snapshot, owner: str) -> bool:
    """Tell whether a container is in a network namespace that its owner no longer has."""
    there = snapshot.container(owner)
    return there is not None and orphaned(found, there)


def _as_planned(found: ContainerState, networks: Iterable[str], *, ends: bool) -> bool:
    """Tell whether a container runs, or has ended well where it `ends`, and is on all networks that it should be on."""
    well = found.running or (ends and found.status == "exited" and found.exit_code == 0)
    return well and set(networks) <= set(found.endpoints)


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
    for name, spec in lab.networks.items():
        for host in () if spec.external else lab.hosts_of(name):
            there = situation.snapshot(host).network(name)
            if there is not None and not belongs(there.labels, identity):
                foreign.append(f"{host}: network {name} {describe(there.labels)}")
    for name, volume in lab.volumes.items():
        for host in () if volume.external else lab.hosts_of_volume(name):
            kept = situation.snapshot(host).volume(name)
            if kept is not None and not belongs(kept.labels, identity):
                foreign.append(f"{host}: volume {name} {describe(kept.labels)}")
    foreign += refused(lab, identity, situation.snapshots)
    if foreign:
        raise ConflictError(
            "nothing was created, because names are taken:\n  "
            + "\n  ".join(foreign)
            + "\nRename them in the definition, or remove what is there."
        )
