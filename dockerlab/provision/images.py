"""Images: the lab's own tiny node image, made where it is needed, and the way of any other image to a host."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Literal

from dockerlab import render
from dockerlab.command import Command
from dockerlab.errors import ConflictError, HostError
from dockerlab.gate import NONSENSE, nonsense
from dockerlab.hosts.base import Host
from dockerlab.lab.container import NODE
from dockerlab.lab.model import Lab
from dockerlab.snapshot import Snapshot, full_name

__all__ = ["NODE", "Pull", "bring", "busybox", "full_name", "is_static", "node_archive"]

Pull = Literal["missing", "never", "always"]

BUSYBOX = ("/bin/busybox", "/usr/bin/busybox")
PULLED = "busybox:stable-musl"
APPLETS = (
    "arp arping awk brctl cat chmod chown clear cp cut date dd df dmesg du echo egrep env expr false fgrep "
    "find free grep head hostname httpd id ifconfig ip ipcalc kill killall less ln ls mkdir mktemp more mv nc "
    "netstat nproc nsenter nslookup pgrep pidof ping ping6 pkill printf ps pwd readlink realpath rm rmdir "
    "route sed seq sh sleep sort stat sysctl tail tar tee telnet test timeout top touch tr traceroute "
    "traceroute6 true tty uname uniq unshare uptime vi watch wc wget which whoami xargs yes"
)
"""The names under which the image offers its busybox."""

FILES = {
    "etc/passwd": r"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n",
    "etc/group": r"root:x:0:\nnogroup:x:65534:\n",
    "www/index.html": r"dockerlab\n",  # what a web server that a lab starts as `httpd -h /www` has to give
}
"""The image's files beside its program, as printf takes them, for the script; the archive has real ends of lines."""

DIRECTORIES = ("bin", "dev", "etc", "proc", "root", "sys", "tmp", "var", "www")

PATH = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
STAY = 'CMD ["sh","-c","trap exit TERM INT; while :; do sleep 3600 & wait; done"]'

IMPORT = """
# Make the image {{ image }} from a static busybox: sh, ping, ip, nc, httpd, wget, nslookup, nsenter
docker import
  --change {{ stay }}  # stays, and goes at once when it is stopped
  --change {{ path }}  # where it looks for programs
  -  # a tar archive on standard input
  {{ image }}
"""
LOAD = """
# Bring image {{ image }} from this machine: saved here, loaded there, over the connection that is open
docker load
"""
PULL = """
# Get image {{ image }} from its registry
docker pull {{ image }}
"""

WRITE_FILES = " &&\n  ".join(f"printf '{text}' >{path}" for path, text in FILES.items())

NODE_SCRIPT = f"""\
# The image {NODE}: a static busybox and its names
docker image inspect {NODE} >/dev/null 2>&1 || (
  umask 022; stay='{STAY}'
  root=$(mktemp -d) && cd "$root" && mkdir {" ".join(DIRECTORIES)} && chmod 1777 tmp &&
  cp "$(command -v busybox)" bin/busybox &&
  {WRITE_FILES} &&
  for name in $(bin/busybox --list); do [ "$name" = busybox ] || ln -s busybox "bin/$name"; done &&
  tar -c {" ".join(DIRECTORIES)} | docker import --change "$stay" --change '{PATH}' - {NODE} &&
  rm -r "$root"
)
"""
"""The same image in a script that has no dockerlab beside it; wants a static busybox on the host."""


def bring(
    lab: Lab, hosts: Mapping[str, Host], snapshots: Mapping[str, Snapshot], controller: Host, pull: Pull
) -> dict[tuple[str, str], Command]:
    """Return the command that brings each image to each host that lacks it: (host, image) to command.

    Images that the lab builds are not brought, but what they are built on is. Raises ConflictError when `pull` is
    `never` and something is missing.
    """
    wanted = {(host, image) for host in lab.hosts for image in {NODE, *lab.images_needed(host)}}
    missing = {(host, image) for host, image in wanted if not snapshots[host].has_image(image)}
    if pull == "never" and missing - {(h, NODE) for h, _ in missing}:
        lines = (f"{host}: image {image} is missing" for host, image in sorted(missing) if image != NODE)
        raise ConflictError("\n".join(lines) + "\nnothing was created; leave out --pull never, or load the images")
    due = wanted if pull == "always" else missing
    return {(h, i): _command(hosts[h], i, controller, h if (h, i) in missing else None) for h, i in sorted(due)}


def _command(host: Host, image: str, controller: Host, missing_on: str | None) -> Command:
    if image == NODE:
        made = render.command(IMPORT, host.name, image=NODE, stay=STAY, path=PATH)
        return _fed(made, lambda: [node_archive(busybox(host, controller))])
    if missing_on is not None and controller.address != host.address and _has(controller, image):
        return _fed(
            render.command(LOAD, host.name, image=image), lambda: controller.stream(["docker", "save", "--", image])
        )
    return render.command(PULL, host.name, image=image)


def _fed(command: Command, feeds: Callable[[], Iterable[bytes]]) -> Command:
    return Command(command.host, command.parts, command.why, feeds=feeds)


def _has(host: Host, image: str) -> bool:
    return host.run(["docker", "image", "inspect", "--format", "{{.Id}}", "--", image], timeout=20).ok


def busybox(host: Host, controller: Host) -> bytes:
    """Return a static busybox that runs on `host`: the host's own, this machine's, or one from a pulled image.

    Raises HostError, with the remedy, when there is none.
    """
    return busybox_at_hand(host, controller) or _pulled_busybox(host)


def busybox_at_hand(host: Host, controller: Host) -> bytes | None:
    """Return a static busybox that runs on `host`, the host's own or this machine's, or None; reads only."""
    for path in BUSYBOX:
        found = host.run(["cat", path], timeout=60)
        if found.ok and is_static(found.stdout):
            return found.stdout
    if controller.run(["uname", "-m"]).text == host.run(["uname", "-m"]).text:
        for path in BUSYBOX:
            if Path(path).is_file() and is_static(content := Path(path).read_bytes()):
                return content
    return None


def is_static(program: bytes) -> bool:
    """Tell whether an ELF program has no interpreter, that is, runs in an image that holds nothing else."""
    if program[:4] != b"\x7fELF" or len(program) < 64:
        return False
    wide, order = program[4] == 2, "little" if program[5] == 1 else "big"
    table, size, count = (32, 54, 56) if wide else (28, 42, 44)

    def number(at: int, length: int) -> int:
        return int.from_bytes(program[at : at + length], order)  # type: ignore[arg-type]

    start, step = number(table, 8 if wide else 4), number(size, 2)
    interpreter = 3
    return all(number(start + i * step, 4) != interpreter for i in range(number(count, 2)))


def _pulled_busybox(host: Host) -> bytes:
    made = host.run(["docker", "create", PULLED], timeout=300)
    if not made.ok:
        reason = made.error.rpartition("\n")[2]
        raise HostError(
            host.name,
            f"cannot make the image {NODE}: no static busybox on the host or on this machine, and {PULLED} could not "
            f"be pulled ({reason}); install the package busybox-static",
        )
    container = made.text.strip()
    try:
        copied = host.run(["docker", "cp", f"{container}:/bin/busybox", "-"], timeout=60)
    finally:
        host.run(["docker", "rm", container])
    if not copied.ok:
        raise HostError(host.name, f"could not copy /bin/busybox out of {PULLED}: {copied.error}")
    try:
        with tarfile.open(fileobj=io.BytesIO(copied.stdout), mode="r:") as archive:
            member = archive.extractfile("busybox")
            if member is None:
                raise HostError(host.name, f"{PULLED} holds no /bin/busybox as a file")
            return member.read()
    except (tarfile.TarError, *NONSENSE) as error:
        raise nonsense(host.name, "its docker command", error) from error


def node_archive(program: bytes) -> bytes:
    """Return the file system of the node image as a tar archive: busybox and a link for each of its names."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for directory in DIRECTORIES:
            entry = tarfile.TarInfo(directory)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if directory == "tmp" else 0o755
            archive.addfile(entry)
        _add(archive, "bin/busybox", program, 0o755)
        for path, text in FILES.items():
            _add(archive, path, text.replace("\\n", "\n").encode(), 0o644)
        for name in APPLETS.split():
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
    return buffer.getvalue()


def _add(archive: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))
