"""Images: the node image, and the way of any other image to a host."""

import io
import os
import struct
import subprocess
import tarfile

import pytest
from support.labs import lab

from dockerlab.errors import ConflictError, HostError
from dockerlab.hosts.fake import FakeHost
from dockerlab.provision import images
from dockerlab.snapshot import Snapshot

LAB = lab("""
    hosts: {vm0: , vm1: }
    containers:
      a: {host: vm0, image: "nginx:1.20"}
      b: {host: vm1, image: nginx}
      c: {host: vm1, image: dockerlab/node}
    """)


def elf(*kinds, wide=True):
    """Return the head of an ELF program with program headers of some kinds (3 is the interpreter)."""
    if wide:
        head = (
            b"\x7fELF\x02\x01\x01"
            + bytes(9)
            + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, 64, 0, 0, 64, 56, len(kinds), 0, 0, 0)
        )
        return head + b"".join(struct.pack("<I", kind) + bytes(52) for kind in kinds)
    head = (
        b"\x7fELF\x01\x01\x01"
        + bytes(9)
        + struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, 0, 52, 0, 0, 52, 32, len(kinds), 0, 0, 0)
    )
    return head + b"".join(struct.pack("<I", kind) + bytes(28) for kind in kinds)


STATIC, DYNAMIC = elf(1, 2), elf(1, 3, 2)


def local(has=()):
    """Return this machine's part: which images it holds."""
    return FakeHost("here", lambda argv, _given: (0, "") if argv[-1] in has else (1, "", "no such"))


def bring(snapshots=None, has=(), pull="missing"):
    hosts = {name: FakeHost(name, lambda _a, _g: "", address=f"10.0.0.{n}") for n, name in enumerate(LAB.hosts)}
    found = snapshots or {name: Snapshot(name) for name in LAB.hosts}
    made = images.bring(LAB, hosts, found, local(has), pull)
    return {key: command.argv[1] for key, command in made.items()}


def test_missing_images():
    """Every host is brought what its containers want, and the node image for probing; nothing that it has."""
    assert bring() == {
        ("vm0", "dockerlab/node"): "import",
        ("vm0", "nginx:1.20"): "pull",
        ("vm1", "dockerlab/node"): "import",
        ("vm1", "nginx"): "pull",
    }
    there = {
        "vm0": Snapshot("vm0", images=("nginx:1.20", "dockerlab/node:latest")),
        "vm1": Snapshot("vm1", images=("nginx:1.20", "dockerlab/node:latest")),
    }
    assert bring(there) == {("vm1", "nginx"): "pull"}


def test_from_this_machine():
    """An image that this machine holds is brought over the connection, saved here and loaded there."""
    assert bring(has=["nginx:1.20"])["vm0", "nginx:1.20"] == "load"
    controller = FakeHost("here", lambda argv, _given: b"archive" if argv[1] == "save" else "")
    host = FakeHost("vm0", lambda _argv, _given: "", address="10.0.0.1")
    made = images.bring(LAB, {"vm0": host, "vm1": host}, {h: Snapshot(h) for h in LAB.hosts}, controller, "missing")
    assert list(made["vm0", "nginx:1.20"].feeds()) == [b"archive"]
    assert controller.calls[-1] == ("docker", "save", "--", "nginx:1.20")


def test_on_this_machine_itself():
    """Where the host is this machine, an image that it lacks cannot come from it."""
    here = FakeHost("local", lambda _a, _g: "")
    one = lab("containers: {a: {image: nginx}}")
    made = images.bring(one, {"local": here}, {"local": Snapshot("local")}, FakeHost("c", lambda _a, _g: ""), "missing")
    assert made["local", "nginx"].argv == ("docker", "pull", "nginx")


def test_never():
    """With `never` every missing image is told at once, and nothing is brought; the node image is made all the same."""
    with pytest.raises(ConflictError) as caught:
        bring(pull="never")
    assert str(caught.value) == (
        "vm0: image nginx:1.20 is missing\nvm1: image nginx is missing\n"
        "nothing was created; leave out --pull never, or load the images"
    )
    there = {"vm0": Snapshot("vm0", images=("nginx:1.20",)), "vm1": Snapshot("vm1", images=("nginx:latest",))}
    assert bring(there, pull="never") == {("vm0", "dockerlab/node"): "import", ("vm1", "dockerlab/node"): "import"}


def test_always():
    """With `always` what is there is pulled again."""
    there = {"vm0": Snapshot("vm0", images=("nginx:1.20",)), "vm1": Snapshot("vm1", images=("nginx:latest",))}
    brought = bring(there, has=["nginx"], pull="always")
    assert brought["vm0", "nginx:1.20"] == "pull"
    assert brought["vm1", "nginx"] == "pull"


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("nginx", "nginx:latest"),
        ("nginx:1.20", "nginx:1.20"),
        ("registry:5000/nginx", "registry:5000/nginx:latest"),
        ("registry:5000/nginx:2", "registry:5000/nginx:2"),
        ("nginx@sha256:abc", "nginx@sha256:abc"),
    ],
)
def test_full_name(name, full):
    """A name without a tag means `latest`; a port of a registry is no tag."""
    assert images.full_name(name) == full


@pytest.mark.parametrize(
    ("program", "static"),
    [
        (STATIC, True),
        (DYNAMIC, False),
        (elf(1, wide=False) + bytes(64), True),
        (elf(3, wide=False) + bytes(64), False),
        (b"#!/bin/sh\n" + bytes(80), False),
        (b"", False),
        (b"\x7fELF", False),
    ],
)
def test_is_static(program, static):
    """A program without an interpreter is static, of 64 or 32 bits; anything that is no program is not."""
    assert images.is_static(program) is static


def test_busybox_of_the_host():
    """The host's own static busybox is taken first; a dynamic one is passed over."""

    def respond(argv, _given):
        return {"/bin/busybox": (0, DYNAMIC), "/usr/bin/busybox": (0, STATIC)}.get(argv[-1], (1, "", "no"))

    host = FakeHost("vm0", respond)
    assert images.busybox(host, FakeHost("here", lambda _a, _g: "")) == STATIC
    assert host.calls == [("cat", "/bin/busybox"), ("cat", "/usr/bin/busybox")]


def pulled(*, created=(0, "c1\n"), copied=None):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("busybox")
        entry.size = len(STATIC)
        archive.addfile(entry, io.BytesIO(STATIC))

    def respond(argv, _given):
        answers = {"create": created, "cp": copied or (0, buffer.getvalue()), "rm": ""}
        return answers[argv[1]] if argv[0] == "docker" else (0, "mips") if argv[0] == "uname" else (1, "", "no")

    return FakeHost("vm0", respond)


def test_busybox_from_an_image():
    """Where neither machine has one, it comes from a pulled image, and the container for that goes again."""
    host = pulled()
    assert images.busybox(host, FakeHost("here", lambda _a, _g: "sparc")) == STATIC
    assert host.calls[-1] == ("docker", "rm", "c1")


@pytest.mark.parametrize(
    ("host", "message"),
    [
        (pulled(created=(1, "", "first\nno such host")), r"could not be pulled \(no such host\); install the package"),
        (pulled(created=(1, "", "")), r"could not be pulled \(\); install the package busybox-static"),
        (pulled(copied=(1, "", "no space")), "could not copy /bin/busybox .*: no space"),
    ],
)
def test_no_busybox(host, message):
    """Where there is none at all, the error names the host and the remedy."""
    with pytest.raises(HostError, match=message) as caught:
        images.busybox(host, FakeHost("here", lambda _a, _g: "sparc"))
    assert caught.value.host == "vm0"


def test_node_archive():
    """The image holds busybox once and a link for each of its names, and a page to serve."""
    with tarfile.open(fileobj=io.BytesIO(images.node_archive(STATIC))) as archive:
        members = {member.name: member for member in archive}
        assert archive.extractfile("bin/busybox").read() == STATIC
        assert archive.extractfile("www/index.html").read() == b"dockerlab\n"
    assert members["bin/busybox"].mode == 0o755
    for name in ("sh", "ping", "ip", "nc", "httpd", "wget", "nslookup", "nsenter", "sleep"):
        assert members[f"bin/{name}"].linkname == "busybox"
    assert members["tmp"].mode == 0o1777


def test_node_script(tmp_path):
    """The image that a rendered script makes is the one that `up` makes: the same files, the same changes."""
    said, made = tmp_path / "said", tmp_path / "made"
    programs = {
        "busybox": "#!/bin/sh\nprintf '%s\\n' busybox " + images.APPLETS + "\n",
        "docker": f"#!/bin/sh\n[ $1 = import ] || exit 1\nprintf '%s\\n' \"$@\" >{said}\ncat >{made}\n",
    }
    for name, text in programs.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    search = f"{tmp_path}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh"], input=images.NODE_SCRIPT.encode(), env={"PATH": search}, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    program = programs["busybox"].encode()
    assert _members(made.read_bytes()) == _members(images.node_archive(program))
    assert said.read_text().splitlines() == [
        "import", "--change", images.STAY, "--change", images.PATH, "-", images.NODE,
    ]  # fmt: skip


def _members(content):
    """Return what is in an archive: name to kind, mode (links have none of their own), target and content."""
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        return {
            member.name: (
                member.type,
                None if member.issym() else member.mode,
                member.linkname,
                archive.extractfile(member).read() if member.isfile() else b"",
            )
            for member in archive
        }
