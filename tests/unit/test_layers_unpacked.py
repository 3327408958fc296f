"""Images that containerd keeps: which directory is which layer, and unpacked layers held against packed ones."""

import gzip
import io
import tarfile
from dataclasses import replace
from hashlib import sha256

import pytest

from dockerlab.errors import HostError
from dockerlab.hosts.fake import FakeHost
from dockerlab.layers.archive import GONE, chunks, contents_of, layers_in
from dockerlab.layers.describe import chain_ids
from dockerlab.layers.model import Container, Found, Image, Layer, Store
from dockerlab.layers.snapshots import chains, parents, placed, roots
from dockerlab.verify.image_checks import _unpacked

SNAPSHOTS = "/var/lib/docker/containerd/daemon/io.containerd.snapshotter.v1.overlayfs/snapshots"
DIFFS = ["sha256:" + "1" * 64, "sha256:" + "2" * 64]
BASE, TOP = chain_ids(DIFFS)
SITE = "a" * 64

LISTED = f"""\
KEY PARENT KIND
{SITE} {SITE}-init Active
{SITE}-init {TOP} Committed
bbb-init {BASE} Committed
{BASE}  Committed
{TOP} bbb-init Committed
"""
OPTIONS = (
    f"rw,lowerdir={SNAPSHOTS}/28/fs:{SNAPSHOTS}/25/fs:{SNAPSHOTS}/4/fs:{SNAPSHOTS}/1/fs,"
    f"upperdir={SNAPSHOTS}/29/fs,workdir={SNAPSHOTS}/29/work"
)
MOUNTED = f"""\
/proc/12/mountinfo:337 275 0:165 / / rw,relatime - overlay overlay {OPTIONS}
/proc/12/mountinfo:338 337 0:9 / /data rw - overlay overlay rw,lowerdir=/x,upperdir=/y,workdir=/z
/proc/self/mountinfo:99 25 0:165 / /var/lib/docker/rootfs/overlayfs/{SITE} rw,relatime - overlay overlay {OPTIONS}
"""


def web():
    layers = tuple(Layer(n, diff, chain, 1) for n, (diff, chain) in enumerate(zip(DIFFS, [BASE, TOP], strict=True), 1))
    return Image("sha256:web", ("web:latest",), "", (), 1, (), layers)


def found():
    return Found("vm0", "28.5.2", Store("overlayfs", True), (web(),), (Container(SITE, "site", web(), 1, 2, ()),), ())


def test_directories_by_the_kernel_and_containerd():
    """What a root merges and which snapshots it stands on go from the top down together; images share them."""
    merged = roots(MOUNTED)
    assert list(merged) == [12]
    seen = placed(found(), {SITE: merged[12]}, parents(LISTED))
    assert [layer.directory for layer in seen.images[0].layers] == [f"{SNAPSHOTS}/1/fs", f"{SNAPSHOTS}/25/fs"]
    directories = seen.containers[0].directories
    assert (directories.upper, directories.merged) == (f"{SNAPSHOTS}/29/fs", f"/var/lib/docker/rootfs/overlayfs/{SITE}")
    assert directories.init == (f"{SNAPSHOTS}/28/fs", f"{SNAPSHOTS}/4/fs")
    assert seen.containers[0].image.layers == seen.images[0].layers


@pytest.mark.parametrize("listed", ["", "KEY PARENT KIND\n", LISTED.replace(f"bbb-init {BASE}", "bbb-init ")])
def test_no_directory_is_guessed(listed):
    """Where the two lists are not as long as each other, no layer has a directory."""
    seen = placed(found(), {SITE: roots(MOUNTED)[12]}, parents(listed))
    assert [layer.directory for layer in seen.images[0].layers] == [None, None]
    assert seen.containers[0].directories is None


def test_forms_of_the_kernel():
    """Paths come with octal numbers, relative to the snapshots where there are many, and in one option each."""
    line = "/proc/3/mountinfo:1 2 0:7 / / rw - overlay overlay rw,{},upperdir=/s\\040p/9/fs,workdir=/s\\040p/9/work\n"
    both = ["/s p/8/fs", "/s p/7/fs"]
    for lower in ("lowerdir=8/fs:7/fs", "lowerdir+=/s\\040p/8/fs,lowerdir+=/s\\040p/7/fs"):
        assert list(roots(line.format(lower))[3].lower) == both
    assert roots("nothing that is a mount\n") == {}


def packed(files, *, plain=False):
    """Return a tar archive of paths and what is there, and its digest unpacked."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            if content is None:
                member.type = tarfile.DIRTYPE
            elif content is GONE:
                member.type = tarfile.CHRTYPE
            elif content.startswith("-> "):
                member.type, member.linkname = tarfile.SYMTYPE, content[3:]
            elif content.startswith("= "):
                member.type, member.linkname = tarfile.LNKTYPE, content[2:]
            else:
                member.size = len(content)
            archive.addfile(member, io.BytesIO((content or "").encode()) if member.isreg() else None)
    whole = buffer.getvalue()
    return (whole if plain else gzip.compress(whole)), f"sha256:{sha256(whole).hexdigest()}"


LAYER = {"www": None, "www/a": "hello", "www/b": "-> a", "www/c": "= www/a", "bin/.wh.vi": "", "x/.wh..wh..opq": ""}
UNPACKED = {".": None, "./www": None, "./www/a": "hello", "./www/b": "-> a", "./www/c": "= ./www/a", "./bin/vi": GONE}


def saved(*blobs):
    """Return what `docker image save` gives of packed layers, in small pieces."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for number, blob in enumerate((*blobs, b'{"layers": []}', b"")):
            member = tarfile.TarInfo(f"blobs/{number}")
            member.size = len(blob)
            archive.addfile(member, io.BytesIO(blob))
    whole = buffer.getvalue()
    return [whole[at : at + 500] for at in range(0, len(whole), 500)]


@pytest.mark.parametrize("plain", [True, False])
def test_packed_and_unpacked_are_the_same(plain):
    """A layer's archive and its directory's say the same, though whiteouts, names and links are written otherwise."""
    blob, digest = packed(LAYER, plain=plain)
    layers = layers_in(saved(blob))
    assert list(layers) == [digest]
    directory, _ = packed(UNPACKED, plain=True)
    assert contents_of(chunks([directory])) == layers[digest]


@pytest.mark.parametrize(
    "change",
    [{"./www/a": "HELLO"}, {"./www/b": "-> c"}, {"./bin/vi": "back"}, {"./more": "added"}, {"./www/a": GONE}],
)
def test_a_changed_directory_is_seen(change):
    """Whatever is changed in, added to or gone from a directory makes it another layer than the packed one."""
    blob, digest = packed(LAYER)
    directory, _ = packed(UNPACKED | change, plain=True)
    assert contents_of(chunks([directory])) != layers_in(saved(blob))[digest]


def test_what_cannot_be_read():
    """A layer that zstd packed is not read, and says so; one that is broken has no digest that is asked for."""
    with pytest.raises(tarfile.TarError, match="zstd"):
        layers_in(saved(b"\x28\xb5\x2f\xfdrest"))
    blob, digest = packed(LAYER)
    assert digest not in layers_in(saved(blob[:-30]))


def image_at(directory, digest):
    return replace(web(), layers=(Layer(1, digest, digest, 1, directory),))


def test_both_copies_have_to_be_right():
    """A layer is whole where its packed copy has its digest and its directory holds the same; else it is not."""
    blob, digest = packed(LAYER)
    directory, _ = packed(UNPACKED, plain=True)

    host = FakeHost("vm0", lambda argv, _: b"".join(saved(blob)) if argv[0] == "docker" else directory)
    assert _unpacked(host, image_at("/d", digest)) == {digest}
    assert _unpacked(host, image_at("/d", "sha256:other")) == frozenset()
    unseen = _unpacked(host, image_at(None, digest))
    assert isinstance(unseen, HostError)
    assert "a container of it that runs" in str(unseen)


def test_containerd_is_asked_at_its_socket():
    """The command names socket, namespace and snapshotter, and only reads."""
    assert (
        " ".join(chains("overlayfs", "/s")) == "ctr --address /s --namespace moby snapshots --snapshotter overlayfs ls"
    )
