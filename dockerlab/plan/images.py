"""Images that a lab builds: what `up` builds and clears away, and what `down` removes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from dockerlab.identity import Identity
from dockerlab.plan import build_image
from dockerlab.plan.ownership import belongs, describe
from dockerlab.plan.steps import Action, Key, Kind, Ours, Step
from dockerlab.snapshot import LABEL_BASE, LABEL_FINGERPRINT, LABEL_IMAGE, ImageState, Snapshot, full_name

if TYPE_CHECKING:
    from dockerlab.lab.model import Lab

KIND: Kind = "built image"


def building(lab: Lab, identity: Identity, snapshots: Mapping[str, Snapshot], brought: Iterable[Key]) -> list[Step]:
    """Return a step for each image on each host, after those that bring or build what it is built on.

    An image is kept where its definition and the image that it is built on are still the same.
    """
    coming = set(brought)
    steps: dict[Key, Step] = {}
    for name in lab.images_in_order():
        spec = lab.images[name]
        base = lab.built(spec.base)
        for host in lab.hosts_of_image(name):
            built = build_image.image(lab, name, host, identity)
            snapshot = snapshots.get(host, Snapshot(host))
            found = snapshot.image(full_name(name))
            below = Key(host, "image", spec.base) if base is None else Key(host, KIND, base)
            renewed = below in coming or (below in steps and steps[below].action != "keep")
            action: Action = "create"
            if found is not None:
                there = snapshot.image(full_name(spec.base))
                moved = there is not None and found.labels.get(LABEL_BASE) != there.id
                same = found.labels.get(LABEL_FINGERPRINT) == built.fingerprint
                action = "keep" if same and not moved and not renewed else "recreate"
            key = Key(host, KIND, name)
            commands = () if action == "keep" else built.create
            steps[key] = Step(key, action, commands, built.undo, frozenset({below}))
    return list(steps.values())


def refused(lab: Lab, identity: Identity, snapshots: Mapping[str, Snapshot]) -> list[str]:
    """Return a line for each image of somebody else that has a name which the lab wants."""
    found = (
        (host, name, snapshots.get(host, Snapshot(host)).image(full_name(name)))
        for name in lab.images
        for host in lab.hosts_of_image(name)
    )
    return [
        f"{host}: image {name} {describe(image.labels)}"
        for host, name, image in found
        if image is not None and not belongs(image.labels, identity)
    ]


def clearing(
    lab: Lab, identity: Identity, snapshots: Mapping[str, Snapshot], built: Iterable[Step], after: frozenset[Key]
) -> list[Step]:
    """Return the removal of what the definition no longer has, of what was built anew, and of what a crash has left.

    What is still in use is left for the next time.
    """
    anew = {(step.key.host, full_name(step.key.name)) for step in built if step.action != "keep"}
    kept = {(host, full_name(name)) for name in lab.images for host in lab.hosts_of_image(name)} - anew
    steps: list[Step] = []
    for host, snapshot in snapshots.items():
        live: set[str] = set()
        for image in snapshot.image_states:
            if any((host, name) in kept for name in image.names):
                live |= {image.id, *_ancestors(image, snapshot)}

        def dropped(image: ImageState, live: frozenset[str] = frozenset(live)) -> bool:
            return belongs(image.labels, identity) and image.id not in live

        gone, _ = removal(host, snapshot, dropped, lambda labels: belongs(labels, identity), after)
        for step in gone:
            again = any((host, full_name(step.key.name)) == each for each in anew)
            steps.append(Step(step.key, "clear" if again else "remove", step.commands, step.undo, step.after))
    return steps


def removing(snapshots: Mapping[str, Snapshot], ours: Ours, after: frozenset[Key]) -> tuple[list[Step], list[str]]:
    """Return the removal of all images with labels that are `ours`, and notes on those that have to stay."""
    steps: list[Step] = []
    notes: list[str] = []
    for host, snapshot in snapshots.items():
        more, kept = removal(host, snapshot, lambda image: ours(image.labels), ours, after)
        steps += more
        notes += kept
    return steps, notes


def removal(
    host: str, snapshot: Snapshot, wanted: Callable[[ImageState], bool], ours: Ours, after: frozenset[Key]
) -> tuple[list[Step], list[str]]:
    """Return a step for each name of the images that are `wanted` away, and a note for each name in use by others.

    What is removed is what was looked at, by its ID, and never what is below it.
    """
    going = {image.id: image for image in snapshot.image_states if wanted(image)}
    notes: dict[str, str] = {}
    for image in list(going.values()):
        user = _user(image, snapshot, going, ours)
        if user is not None:
            for each in (image.id, *_ancestors(image, snapshot)):
                if each in going:
                    name = _name(going.pop(each))
                    notes[name] = f"{host}: image {name} is kept: {user}, and then down again"
    groups: dict[str, list[ImageState]] = {}
    for image in sorted(going.values(), key=lambda image: -len(_ancestors(image, snapshot))):
        groups.setdefault(_name(image), []).append(image)
    steps = []
    for name, images in groups.items():
        ids = {image.id for image in images}
        above = {_name(i) for i in going.values() if not ids.isdisjoint(_ancestors(i, snapshot))} - {name}
        before = after | {Key(host, KIND, other, "unmake") for other in above}
        command = build_image.remove(host, name, tuple(image.id for image in images))
        steps.append(Step(Key(host, KIND, name, "unmake"), "remove", (command,), after=before))
    return steps, list(notes.values())


def _user(image: ImageState, snapshot: Snapshot, going: Mapping[str, ImageState], ours: Ours) -> str | None:
    """Return what somebody has to remove before an image can go, None where nothing is in the way."""
    tags = [name for name in image.names if "@" not in name and name != image.labels.get(LABEL_IMAGE)]
    if tags:
        return f"it has another name, too; run 'docker image rm {tags[0]}'"
    for container in snapshot.containers:
        if container.image_id == image.id and not ours(container.labels):
            return f"container {container.name} is made from it; run 'docker rm --force {container.name}'"
    for other in snapshot.image_states:
        if other.parent == image.id and other.id not in going:
            called = other.names[0] if other.names else other.id.removeprefix("sha256:")[:12]
            return f"image {called} is built on it; run 'docker image rm {called}'"
    return None


def _ancestors(image: ImageState, snapshot: Snapshot) -> list[str]:
    """Return the IDs of what an image was made from on this engine, the nearest first."""
    by_id = {each.id: each for each in snapshot.image_states}
    found: list[str] = []
    current = image
    while current.parent and current.parent not in found:
        found.append(current.parent)
        if current.parent not in by_id:
            break
        current = by_id[current.parent]
    return found


def _name(image: ImageState) -> str:
    """Return the name of the image that this one is, or was made for; a lab's own are called without `:latest`."""
    return image.labels.get(LABEL_IMAGE, image.id).removesuffix(":latest")
