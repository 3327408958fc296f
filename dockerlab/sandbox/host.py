"""One host: what it is made of, its start, whether it lives, and its removal."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Iterable
from contextlib import suppress
from importlib.resources import as_file, files
from pathlib import Path

from dockerlab.gate import parsed
from dockerlab.sandbox import boundary, cgroups
from dockerlab.sandbox.commands import attempt, enter, run, start
from dockerlab.sandbox.layout import (
    CGROUP,
    DIRECTORY,
    IDENTITY,
    KNOWN_HOSTS,
    OUTSIDE,
    PATH,
    STORAGE,
    SWITCH_NS,
    VLAN,
    SandboxHost,
    host_address,
    inode,
    namespace_of,
)
from dockerlab.sandbox.network import TAGGED
from dockerlab.sandbox.processes import Process, first_process, interfaces, kill, listens
from dockerlab.sandbox.trees import followed, opened, remove_tree

LOGS = ("host.log", "sshd.log", "dockerd.log")
_LONGEST = 1 << 16
PATIENCE = 5.0
"""Seconds in which an engine that is there says its version, whole."""
_HOST_KEY = "etc/ssh/ssh_host_ed25519_key"
_SSHD = f"""\
HostKey /{_HOST_KEY}
PidFile /run/sshd.pid
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
PrintLastLog no
PrintMotd no
Subsystem sftp internal-sftp
SetEnv PATH={PATH}
"""


def prepare(name: str, users: int | None) -> None:
    """Write the files that a host has of its own, and make its host key; behind a boundary they are its root's."""
    own = DIRECTORY / name / "files"
    for directory in (DIRECTORY / name / "root", own / "etc/docker", STORAGE / name / "docker", STORAGE / name / "log"):
        directory.mkdir(parents=True)
    (STORAGE / name / "log" / "lastlog").touch()  # without it, an SSH server complains of that at each login
    address = host_address(name)
    _write(own / "etc/hostname", f"{name}\n")
    _write(own / "etc/hosts", f"127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n{address}\t{name}\n")
    _write(own / "etc/resolv.conf", f"nameserver {OUTSIDE}\n")
    _write(own / "etc/profile.d/dockerlab.sh", f"PATH={PATH}\n")
    _write(own / "etc/ssh/sshd_config", _SSHD)
    _write(own / "root/.ssh/authorized_keys", IDENTITY.with_suffix(".pub").read_text(), mode=0o600)
    _write(own / "etc/dockerlab/init.sh", files(__package__).joinpath("init.sh").read_text())
    make_key(own / _HOST_KEY, name)
    if users is not None:
        boundary.give(users, own, STORAGE / name)


def publish_keys(names: Iterable[str]) -> None:
    """Write the known_hosts file for those hosts, whole or not at all."""
    draft = KNOWN_HOSTS.with_suffix(".new")
    keys = {name: (DIRECTORY / name / "files" / f"{_HOST_KEY}.pub").read_text().split() for name in names}
    draft.write_text("".join(f"{host_address(name)} {kind} {key}\n" for name, (kind, key, *_) in keys.items()))
    draft.replace(KNOWN_HOSTS)


def launch(name: str, rootfs: Path | None, users: int | None) -> None:
    """Start a host whose files and network are ready, behind the boundary if there is one; it lives on by itself."""
    own, storage = DIRECTORY / name, STORAGE / name
    for file in ("enter.sh", "boundary.sh", "cgroups.sh"):
        with as_file(files(__package__).joinpath(file)) as script:
            # The copy stays readable for the new process, whatever becomes of the package's own file.
            shutil.copy(script, own / file)
    # Whoever starts it, what it takes counts where its containers do: below the sandbox's own group.
    if users is None:
        groups = cgroups.make(f"{CGROUP}/{name}/host")
        new = ["unshare", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child"]
        call = [str(own / "enter.sh"), name, str(rootfs or "/"), str(own), str(storage), f"/{CGROUP}/{name}"]
    else:
        groups = cgroups.make(f"{CGROUP}/{name}")
        for group, _ in groups:
            boundary.give_group(users, group)
        new = ["unshare", "--mount"]
        call = [
            str(own / "boundary.sh"),
            name,
            str(boundary.BELOW),
            str(own),
            str(storage),
            str(boundary.USERS),
            f"/{CGROUP}/{name}",
        ]
    first = cgroups.entering([group for group, _ in groups], [*new, "/bin/sh", *call])
    start(enter(namespace_of(name), first), storage / "log/host.log")


def examine(name: str, processes: list[Process]) -> SandboxHost:
    """Return a host with what of it is alive, according to these processes."""
    address = host_address(name)
    pid = first_process(processes, inode(namespace_of(name)))
    if pid is None or not {"eth0", TAGGED} <= interfaces(pid):
        return SandboxHost(name, address, namespace=False, sshd=False, dockerd=False)
    engine = engine_version(pid)
    return SandboxHost(name, address, sshd=listens(pid, "tcp", 22), dockerd=engine is not None, engine=engine)


def engine_version(pid: int) -> str | None:
    """Return the version of the engine that answers inside the host whose first process this is, or None."""
    import http.client  # noqa: PLC0415 - a command that only looks whether there is a sandbox asks no engine

    connection = http.client.HTTPConnection("localhost", timeout=PATIENCE)
    way = connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    way.settimeout(PATIENCE)
    late = threading.Timer(PATIENCE, _cut, (way,))
    late.daemon = True
    try:
        with followed(pid, "run", "docker.sock") as file:
            connection.sock.connect(f"/proc/self/fd/{file}")
        # Who answers a byte now and then is cut off as well: the host may be somebody else's.
        late.start()
        connection.request("GET", "/version")
        found = parsed(connection.getresponse().read(_LONGEST))
        return str(found["Version"])
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError):
        # Not there, not ready, going, or no engine: for the caller, one and the same.
        return None
    finally:
        late.cancel()
        connection.close()


def _cut(way: socket.socket) -> None:
    """End a connection on which somebody may be waiting."""
    with suppress(OSError):  # it has ended by itself
        way.shutdown(socket.SHUT_RDWR)


def release(name: str, processes: list[Process]) -> None:
    """Let the host's supervisor start services again that somebody has told it to leave stopped."""
    pid = first_process(processes, inode(namespace_of(name)))
    if pid is None:
        return
    with suppress(FileNotFoundError, NotADirectoryError), opened(pid, "run", "dockerlab") as folder:
        for name_of in os.listdir(f"/proc/self/fd/{folder}"):  # noqa: PTH208 - a descriptor has no Path
            if name_of.endswith(".stopped"):
                os.unlink(name_of, dir_fd=folder)


def remove(name: str) -> None:
    """Remove whatever there is of a host and leave the others alone."""
    namespace = inode(namespace_of(name))
    if namespace is not None:
        kill(lambda process: process.namespace == namespace)
    attempt(["ip", "netns", "delete", namespace_of(name)])
    for port in (name, f"{name}.{VLAN}"):
        attempt(["ip", "-n", SWITCH_NS, "link", "delete", port])
    for directory in (DIRECTORY / name, STORAGE / name):
        remove_tree(directory)


def last_words(name: str, lines: int = 12) -> str:
    """Return the last lines of each of a host's logs, for a message about what went wrong."""
    told = []
    for log in LOGS:
        path = STORAGE / name / "log" / log
        tail = path.read_text(errors="replace").splitlines()[-lines:] if path.exists() else []
        told += [f"  {log}: {line}" for line in tail]
    return "\n".join(told) or "  its logs are empty"


def make_key(path: Path, comment: str) -> None:
    """Make an SSH key pair without a passphrase."""
    path.parent.mkdir(parents=True, exist_ok=True)
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)])


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
