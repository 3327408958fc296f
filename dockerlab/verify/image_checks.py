"""What a definition expects of its images' layers, held against what is on the hosts; nothing is changed for that."""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Iterator, Mapping

from dockerlab.errors import HostError
from dockerlab.hosts.base import Host
from dockerlab.lab.model import Lab
from dockerlab.layers.archive import chunks, contents_of, digests_in, layers_in
from dockerlab.layers.look import look
from dockerlab.layers.model import Container, Found, Image, counted
from dockerlab.layers.share import common, size_of
from dockerlab.plain import one_line
from dockerlab.snapshot import full_name
from dockerlab.survey import ask_all
from dockerlab.verify.verdicts import Checked, Verdict

Digests = Mapping[str, frozenset[str] | HostError]
"""By an image's ID, the digests of its layers that are what they say now, or why that cannot be told."""

PREFIX = "an image begins with the layers of what it is built on, and each step that writes files adds one"
SHARED = "a layer on the same layers is kept once, however many images have it"
COPY_UP = "a write goes into the container's own layer: a file of the image is copied up first, and the image stays"
UNSEEN = (
    "where containerd has unpacked layer {number} of {image} is not seen: that takes a container of it that runs, "
    "root on the host, and `ctr`, which comes with containerd"
)


def checks(lab: Lab, hosts: Mapping[str, Host]) -> tuple[Checked, ...]:
    """Return what was seen of everything that the images' `expect` says, on every host that has to have the image."""
    wanted: dict[str, list[str]] = {}
    for name, spec in lab.images.items():
        expect = spec.expect
        if expect.layers is not None or expect.shares or expect.unchanged_by:
            bounds = [value for value in expect.shares.values() if isinstance(value, str)]
            for host in lab.hosts_of_image(name):
                wanted.setdefault(host, []).extend([name, spec.base, *expect.shares, *bounds, *expect.unchanged_by])

    def ask(host: Host) -> tuple[Found, Digests]:
        found = look(host, wanted[host.name])
        written = {c.image.id: c.image for c in found.containers if c.changes and _asked(lab, c)}
        digests = _unpacked if found.store.containerd else _given
        return found, {image.id: digests(host, image) for image in written.values()}

    told = ask_all({name: hosts[name] for name in wanted}, ask)
    answers: dict[str, tuple[Found, Digests] | HostError] = {**told.answers, **told.failures}
    return tuple(
        check
        for name in lab.images
        for host in lab.hosts_of_image(name)
        if host in answers
        for check in _judged(lab, name, host, answers[host])
    )


def _asked(lab: Lab, container: Container) -> bool:
    return any(container.name in spec.expect.unchanged_by for spec in lab.images.values())


def _judged(lab: Lab, name: str, host: str, answer: tuple[Found, Digests] | HostError) -> Iterator[Checked]:
    if isinstance(answer, HostError):
        yield Checked(host, f"image {name}", "layers", "what `expect` says", str(answer), "unknown", "nobody answered")
        return
    yield from judge(lab, name, *answer)


def judge(lab: Lab, name: str, found: Found, digests: Digests) -> Iterator[Checked]:
    """Yield a verdict on each thing that is expected of an image on a host: pure."""
    expect = lab.images[name].expect
    if expect.layers is not None:
        yield _of_layers(lab, name, expect.layers, found)
    for other, bound in expect.shares.items():
        yield _of_shares(name, other, bound, found)
    for container in expect.unchanged_by:
        yield _of_writes(lab, name, container, found, digests)


def _of_layers(lab: Lab, name: str, own: int, found: Found) -> Checked:
    base = lab.images[name].base
    expected = f"all layers of {base}, and {own} of its own"
    image, below = _image(found, name), _image(found, base)
    if image is None or below is None:
        return _absent(found, name, "layers", expected, (name, base), PREFIX)
    shared = common(image, below)
    seen = f"{len(shared)} of {len(below.layers)} layers of {base}, and {len(image.layers) - len(shared)} of its own"
    right = len(shared) == len(below.layers) and len(image.layers) - len(shared) == own
    return Checked(found.host, f"image {name}", "layers", expected, seen, "pass" if right else "fail", PREFIX)


def _of_shares(name: str, other: str, bound: int | str, found: Found) -> Checked:
    one, two = _image(found, name), _image(found, other)
    exact = f"{bound} bytes" if isinstance(bound, int) else f"the layers of {bound}"
    expected = f"shares with {other} {exact}, and nothing else"
    limit = _image(found, bound) if isinstance(bound, str) else None
    if one is None or two is None or (isinstance(bound, str) and limit is None):
        return _absent(found, name, "shares", expected, (name, other, str(bound)), SHARED)
    shared = common(one, two)
    size = size_of(shared)
    seen = f"{counted(len(shared))}, {'an unknown number of' if size is None else size} bytes"
    if limit is not None:
        verdict: Verdict = "pass" if [s.chain_id for s in shared] == [s.chain_id for s in limit.layers] else "fail"
    else:
        verdict = "unknown" if size is None else "pass" if size == bound else "fail"
    return Checked(found.host, f"image {name}", "shares", expected, seen, verdict, SHARED)


def _of_writes(lab: Lab, name: str, container: str, found: Found, digests: Digests) -> Checked:
    expected = f"what container {container} writes changes no layer of it"
    subject = f"image {name}"

    def told(seen: str, verdict: Verdict) -> Checked:
        return Checked(found.host, subject, "writes", expected, seen, verdict, COPY_UP)

    image = _image(found, name)
    writer = next((c for c in found.containers if c.name == container), None)
    if lab.host_of(container) != found.host:
        return told(f"{container} does not run on {found.host}: it cannot write there", "pass")
    if image is None or writer is None:
        return _absent(found, name, "writes", expected, (name, container), COPY_UP)
    if writer.image.id != image.id:
        return told(f"{container} is made from another image than {name} is now", "unknown")
    if not writer.changes:
        return told(f"{container} has written nothing, which proves nothing", "unknown")
    return told(*_intact(image, writer, digests.get(image.id, frozenset())))


def _intact(image: Image, writer: Container, now: frozenset[str] | HostError) -> tuple[str, Verdict]:
    """Return whether an image's layers still are what their digests say, and the verdict."""
    if isinstance(now, HostError):
        # The engine keeps a checksum of each file of a layer, and refuses to give out one that does not agree.
        return str(now), "fail" if "integrity check" in str(now) else "unknown"
    changed = [layer.number for layer in image.layers if layer.diff_id not in now]
    if changed:
        return f"layer {changed[0]} no longer is what its digest says", "fail"
    return f"{_written(writer)}; its {counted(len(image.layers))} still as their digests say", "pass"


def _written(container: Container) -> str:
    """Return what a container has written, by the file of its image that tells most."""
    copied = next((c for c in container.changes if c.what == "C" and c.layer is not None), None)
    if copied is not None:
        return f"{copied.path} was copied up from layer {copied.layer} ({copied.was} B there, {copied.size} B now)"
    first = next((c for c in container.changes if c.kind != "directory"), container.changes[0])
    words = {"A": "added", "C": "changed", "D": "deleted"}
    path = one_line(first.path)
    return f"{path} was {words[first.what]}, {container.written} B in its own layer"


def _absent(found: Found, name: str, rule: str, expected: str, needed: Iterable[str], because: str) -> Checked:
    there = {*(n for i in found.images for n in i.names), *(c.name for c in found.containers)}
    missing = [each for each in needed if full_name(each) not in there and each not in there]
    seen = f"not there: {', '.join(dict.fromkeys(missing)) or name}"
    return Checked(found.host, f"image {name}", rule, expected, seen, "unknown", because)


def _image(found: Found, name: str) -> Image | None:
    return next((image for image in found.images if full_name(name) in image.names), None)


def _given(host: Host, image: Image) -> frozenset[str] | HostError:
    """Return the digests of all that the engine gives out of an image, layers among it; changes nothing."""
    try:
        return digests_in(host.stream(["docker", "image", "save", image.id], timeout=600))
    except tarfile.TarError as error:
        return HostError(host.name, f"what 'docker image save' gave cannot be read: {error}")
    except HostError as error:
        return error


def _unpacked(host: Host, image: Image) -> frozenset[str] | HostError:
    """Return the digests of the layers whose packed copy has that digest and whose directory holds what is packed.

    containerd gives out packed copies, and containers have what was unpacked from them: both have to be right.
    """
    unseen = next((layer for layer in image.layers if layer.directory is None), None)
    if unseen is not None:
        return HostError(host.name, UNSEEN.format(number=unseen.number, image=image.name))
    try:
        packed = layers_in(host.stream(["docker", "image", "save", image.id], timeout=600))
        there = {
            layer.diff_id: contents_of(
                chunks(host.stream(["tar", "-C", layer.directory, "-cf", "-", "."], timeout=600))
            )
            for layer in image.layers
            if layer.directory is not None
        }
    except tarfile.TarError as error:
        return HostError(host.name, f"the layers of {image.name} cannot be read: {error}")
    except HostError as error:
        return error
    return frozenset(digest for digest, contents in there.items() if packed.get(digest) == contents)
