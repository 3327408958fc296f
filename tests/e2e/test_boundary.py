"""Sandboxes with a name: beside each other, within limits, gone afterwards; root inside them is nobody outside."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.named import call, on, sh

from dockerlab.errors import SandboxError
from dockerlab.sandbox import cgroups, layout, place
from dockerlab.sandbox.place import naming
from dockerlab.sandbox.place.limits import groups

A, B = "e2e-a", "e2e-b"
PIDS, MEMORY, DISK = 400, 512 << 20, 256 << 20
DENIED = r"(?i)not permitted|permission denied|no such|read-only|invalid|not found|can't|cannot|denied"


def namespaces() -> set[str]:
    """Return the namespaces that a process is in; one that has ended, and that nobody has waited for, is in none."""
    found = set()
    for directory in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # gone meanwhile
            if (directory / "stat").read_text().rpartition(")")[2].split()[0] != "Z":
                found |= {str(file.readlink()) for file in (directory / "ns").iterdir()}
    return found


def traces(*names: str) -> dict[str, object]:
    """What places of these names would leave on the machine, seen without their own eyes.

    Loop devices are the kernel's, which tests in other network namespaces share: those of other names are theirs.
    """
    loops = call(["losetup", "--all"]).stdout.splitlines()
    links = sorted(Path("/sys/class/net").iterdir())
    return {
        "namespaces": namespaces(),
        "links": links,
        "rules": call(["ip", "rule"]).stdout,
        "mounts": Path("/proc/self/mounts").read_text(),
        "loops": [line for line in loops if any(f"/{name}/disk" in line for name in names)],
        "groups": call(["find", "/sys/fs/cgroup", "-type", "d", "-name", "dockerlab-place*"]).stdout,
        "files": [path for path in (naming.DIRECTORY, naming.STORAGE) if path.exists()],
    }


@pytest.fixture(scope="module", params=["machine", "rootfs"])
def places(request: pytest.FixtureRequest) -> Iterator[list[place.Outcome]]:
    """Give two places beside each other, with one host each and limits; nothing of them is left in the end."""
    words = ["--hosts", "1"]
    if request.param == "rootfs":
        if not os.environ.get("DOCKERLAB_ROOTFS"):
            pytest.skip("DOCKERLAB_ROOTFS names no root file system with another engine (scripts/engine-root)")
        words += ["--rootfs", os.environ["DOCKERLAB_ROOTFS"]]
    place.take_down([A, B])
    before = traces(A, B)
    started = place.start([A, B], words, place.Limits(MEMORY, PIDS, 100, DISK))
    if any(place.unconfined(name) for name in (A, B)):
        place.take_down([A, B])
        pytest.skip(f"this machine has no boundary to offer: {started}")
    yield started
    ended = place.take_down([A, B])
    assert [outcome.failure for outcome in ended] == [None, None]
    assert traces(A, B) == before


@pytest.fixture(scope="module")
def image(places: list[place.Outcome]) -> str:
    """Give an image on A's vm0 that is busybox alone."""
    assert places
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as whole:
        whole.add(shutil.which("busybox") or "/bin/busybox", "busybox")
    imported = on(A, "docker", "import", "-", "alone", text=archive.getvalue())
    assert imported.returncode == 0, imported.stderr
    return "alone"


def test_side_by_side(places):
    """Two places start side by side with the same names and addresses, and the machine has no link to either."""
    assert [outcome.failure for outcome in places] == [None, None]
    assert all("192.168.22.61" in outcome.said and "alive" in outcome.said for outcome in places)
    assert not (Path("/sys/class/net") / layout.LINK).exists() or layout.hosts_there()
    found = place.usage(A)
    assert (found.hosts, found.unconfined) == (1, None)
    assert found.memory is not None
    assert found.memory < MEMORY


@pytest.mark.usefixtures("places")
def test_nobody_outside():
    """Every process of a host is somebody on the machine that nobody else is, and another in each place."""
    seen = []
    for name in (A, B):
        pids = set().union(*(cgroups.pids_of(file) for group in groups(name) for file in group.rglob("cgroup.procs")))
        users = {Path(f"/proc/{pid}/status").read_text().split("\nUid:")[1].split()[0] for pid in pids}
        roots = {Path(f"/proc/{pid}/uid_map").read_text().split()[1] for pid in pids}
        assert all(int(user) >= 2_000_000_000 for user in users)
        assert len(roots) == 1
        seen.append(roots)
    assert seen[0] != seen[1]


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("mknod /tmp/disk b 7 0", id="device of a disk"),
        pytest.param("mknod /tmp/memory c 1 1", id="device of the memory"),
        pytest.param("cat /dev/kmsg /dev/vda /dev/sda /dev/loop0 /dev/mem", id="the machine's devices"),
        pytest.param("losetup --find --show /etc/passwd", id="loop device"),
        pytest.param("echo '|/bin/true' >/proc/sys/kernel/core_pattern", id="core_pattern"),
        pytest.param("echo /bin/true >/proc/sys/kernel/modprobe", id="modprobe's path"),
        pytest.param("echo h >/proc/sysrq-trigger", id="sysrq"),
        pytest.param("head -c 1 /proc/kcore", id="the kernel's memory"),
        pytest.param("busybox insmod /bin/true", id="kernel module"),
        pytest.param("date --set @0", id="the clock"),
        pytest.param("mount -t debugfs debugfs /mnt", id="debugfs"),
        pytest.param("echo a >$(ls /sys/fs/cgroup/devices/devices.allow)", id="device rules"),
        pytest.param("echo 1G >$(ls -d /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.lim*)", id="more memory"),
        pytest.param("echo max >$(ls -d /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max)", id="more processes"),
        pytest.param(
            "mkdir /tmp/g; mount -t cgroup -o memory g /tmp/g && echo /bin/true >/tmp/g/release_agent",
            id="release_agent",
        ),
        pytest.param("cat /proc/1/root/root/.ssh/id_ed25519 /root/.bash_history", id="the machine's home"),
        pytest.param("chown 70000 /tmp", id="a user beyond its own"),
    ],
)
@pytest.mark.usefixtures("places")
def test_refused(script):
    """Root of a host is refused what would reach the machine, by the kernel, whatever he is root of."""
    tried = sh(A, script)
    assert tried.returncode != 0, tried.stdout
    assert re.search(DENIED, tried.stderr), tried.stderr


@pytest.mark.usefixtures("places")
def test_what_can_be_written():
    """Of /proc/sys and /sys, root of a host may write what is of his own namespaces alone."""
    found = sh(A, "find /proc/sys /sys -xdev -type f -writable 2>/dev/null").stdout.split()
    own = re.compile(
        r"/proc/sys/(net|user|fs/mqueue)/|/proc/sys/kernel/(msg|sem|shm|auto_msg|pid_max|ns_last)|/sys/(devices/virtual|class)/net/"
    )
    assert [path for path in found if not own.match(path)] == []


@pytest.mark.usefixtures("places")
def test_files(tmp_path):
    """What a host writes stays in it; what the machine alone may read, and what is no system's, is not there at all."""
    canary = tmp_path / "canary-of-the-machine"
    canary.write_text("x")
    written = sh(A, "touch /usr/canary /etc/canary /canary && rm /etc/passwd- /usr/bin/true; ls /etc/shadow")
    assert written.stdout.strip() == "/etc/shadow", written.stderr
    assert not any(Path(path).exists() for path in ("/usr/canary", "/etc/canary", "/canary"))
    assert Path("/usr/bin/true").exists()
    assert re.fullmatch(r"([^:\n]+:\*:::::::\n)+", sh(A, "cat /etc/shadow").stdout)
    # As root of all its mounts, and without them.
    bare = (
        "unshare --mount sh -c 'umount -l /etc /usr /root /home /var/lib/docker; busybox find / -name \"canary-of*\"'"
    )
    assert "canary-of" not in sh(A, bare).stdout
    assert "canary-of" not in sh(A, "find / -name 'canary-of*' 2>/dev/null").stdout


@pytest.mark.parametrize("flags", ["--privileged", "--privileged --pid=host --net=host --ipc=host", "--cap-add=ALL"])
def test_containers(image, flags):
    """A container with all rights has those of its host, and the host has none on the machine."""
    script = (
        "/busybox mknod /d b 7 0 && echo OUT; echo x >/proc/sys/kernel/core_pattern && echo OUT;"
        "/busybox mount -t ext4 /dev/vda /mnt && echo OUT; /busybox insmod /busybox && echo OUT;"
        "/busybox cat /proc/self/uid_map; /busybox cat /proc/[0-9]*/comm"
    )
    ran = on(A, "docker", "run", "--rm", *flags.split(), image, "/busybox", "sh", "-c", script)
    assert ran.returncode == 0, ran.stderr
    assert "OUT" not in ran.stdout
    assert int(ran.stdout.split()[1]) >= 2_000_000_000
    assert not {"hold.sh", "dnsmasq", "pytest"} & set(ran.stdout.split())


def test_a_disk_of_the_machine(image):
    """The engine of a host has no device of the machine's to give, and mounts nothing but what is the host's own."""
    asked = on(A, "docker", "run", "--rm", "--volume", "/:/machine", image, "/busybox", "ls", "/machine/root/.ssh")
    assert asked.stdout.split() in ([], ["authorized_keys"])
    assert on(A, "docker", "run", "--rm", "--device", "/dev/loop0", image, "/busybox", "true").returncode != 0


@pytest.mark.usefixtures("places")
def test_the_network():
    """No packet leads from a host to the machine, or to another place's hosts, though they have the same addresses."""
    listening = "busybox httpd -p 8099 -h /etc; sleep 0.1; busybox nc -w 1 127.0.0.1 8099 </dev/null && echo there"
    assert "there" in sh(B, listening).stdout
    with socket.create_server(("", 0)) as server:
        port = server.getsockname()[1]
        addresses = call(["hostname", "-I"]).stdout.split() or ["127.0.0.1"]
        tried = [
            f"busybox nc -w 1 {address} {wanted} </dev/null && echo OUT {address} {wanted}"
            for address, wanted in [(a, port) for a in (*addresses[:3], "192.168.22.254", "127.0.0.1") if ":" not in a]
            + [(a, 8099) for a in ("192.168.22.61", "192.168.22.62", "192.168.22.254", "192.168.22.1")]
        ]
        assert "OUT" not in sh(A, "\n".join(tried)).stdout
        server.settimeout(0.1)
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.usefixtures("places")
def test_fork_bomb():
    """Processes without end end at the place's limit; the machine, the other place and who judges go on."""
    bomb = sh(A, f"for i in $(busybox seq {PIDS * 2}); do sleep 300 >/dev/null 2>&1 & done; true")
    assert "fork" in bomb.stdout + bomb.stderr
    found = place.usage(A)
    assert found.pids is not None
    assert found.pids <= PIDS
    assert sh(B, "echo works").stdout == "works\n"
    assert call(place.argv(A, ["echo", "judged"])).stdout == "judged\n"
    for pid in set().union(*(cgroups.pids_of(file) for group in groups(A) for file in group.rglob("cgroup.procs"))):
        if Path(f"/proc/{pid}/comm").read_text() == "sleep\n" and b"300" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGKILL)


@pytest.mark.usefixtures("places")
def test_full_disk():
    """What a host stores ends at the size of its place's disk."""
    filled = sh(A, f"dd if=/dev/zero of=/var/lib/docker/full bs=1M count={(DISK >> 20) * 2}; rm /var/lib/docker/full")
    assert "No space left" in filled.stderr
    image = naming.STORAGE / A / "disk"
    assert image.stat().st_blocks * 512 <= DISK + (1 << 20)


@pytest.mark.usefixtures("places")
def test_memory():
    """A program that takes more memory than its place has is ended, and the place goes on."""
    eaten = sh(A, f"python3 -c 'x = bytearray({MEMORY * 2})'; echo $?")
    assert eaten.stdout.strip() in {"137", "1"}, eaten
    assert sh(A, "echo works").stdout == "works\n"
    assert sh(B, "echo works").stdout == "works\n"


def test_killed_in_the_middle():
    """A start that is killed anywhere leaves nothing that `down` does not find, and `down` leaves nothing."""
    name = "e2e-cut"
    place.remove(name)
    before = traces(name)
    for seconds in (0.4, 0.5, 0.6, 0.9):
        child = subprocess.Popen(
            [sys.executable, "-m", "dockerlab", "sandbox", "up", "--name", name, "--hosts", "1"], stderr=subprocess.PIPE
        )
        time.sleep(seconds)
        child.kill()
        child.communicate()
        place.remove(name)
        deadline = time.monotonic() + 5  # who waited for a process of it may take a moment to end
        while (left := traces(name)) != before and time.monotonic() < deadline:
            time.sleep(0.05)
        assert left == before
    with pytest.raises(SandboxError, match="there is no sandbox e2e-cut: 'dockerlab sandbox up --name e2e-cut'"):
        place.argv(name, ["true"])
