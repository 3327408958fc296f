"""Where the key of a new host is written down: the user's own known_hosts, or one beside an inventory."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import paramiko
from paramiko.hostkeys import HostKeyEntry, InvalidHostKey

from dockerlab.errors import HostKeyError
from dockerlab.hosts.sshconfig import USER_KNOWN_HOSTS, Hop, hashes_names

NAME = "known_hosts"
"""What the name of a file beside an inventory has to contain: another one may be read by another program."""


USER_FILES = tuple(str(Path(file).expanduser()) for file in USER_KNOWN_HOSTS)


def unfit(hop: Hop) -> str | None:
    """Return why the hop's first file is none to write a key into, or None where it is one.

    An inventory may come from anybody, and so may the path in it: a line of known_hosts in authorized_keys is a login
    for whoever has the host's key, and it would spoil any other file.
    """
    if not hop.known_hosts:
        return "UserKnownHostsFile is none"
    path = Path(hop.known_hosts[0])
    if hop.record_within is None or str(path) in USER_FILES:
        return f"{path} is no plain file" if path.exists() and not path.is_file() else None
    folder, beside = os.path.realpath(hop.record_within), os.path.realpath(path.parent)
    if os.path.commonpath([folder, beside]) != folder:
        return f"the inventory names {path}, which is not in its own folder: record it there by yourself"
    if NAME not in path.name:
        return f"the inventory names {path}: new keys go into a file alone that is called {NAME}"
    return _strange(path)


def _strange(path: Path) -> str | None:
    """Return why a file that an inventory names is none of known_hosts lines, or None; a new one is made."""
    try:
        found = path.lstat()
    except OSError:
        return None  # it is made, or why that cannot be is told then
    if not stat.S_ISREG(found.st_mode):
        return f"{path} is no plain file"
    if found.st_uid != os.geteuid():
        return f"{path} is somebody else's"
    line = _first_that_is_none(path)
    return None if line is None else f"{path}:{line} is no line of known_hosts, and nothing is added to it"


def record(host: str, hop: Hop, key: paramiko.PKey) -> None:
    """Append a key to the hop's first file, in one write so that parallel connections do not mix their lines.

    The host's name is hashed where the ssh configuration says so (HashKnownHosts). Raises HostKeyError.
    """
    reason = unfit(hop)
    if reason is not None:
        raise HostKeyError(host, f"there is no file to record the key of {hop} in: {reason}")
    path = Path(hop.known_hosts[0])
    name = paramiko.HostKeys.hash_host(hop.known_as) if hashes_names(hop) else hop.known_as
    line = f"{name} {key.get_name()} {key.get_base64()}\n"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        before = path.read_bytes() if path.exists() else b""
        if before and not before.endswith(b"\n"):
            line = f"\n{line}"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | (os.O_NOFOLLOW if hop.record_within is not None else 0)
        file = os.open(path, flags, 0o600)
        try:
            os.write(file, line.encode())
        finally:
            os.close(file)
    except OSError as error:
        raise HostKeyError(host, f"cannot record the key of {hop} in {path}: {error.strerror}") from error


def _first_that_is_none(path: Path) -> int | None:
    """Return the number of the first line that is none of known_hosts."""
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        text = line.strip()
        if text and not text.startswith(("#", "@")) and not _is_entry(text):
            return number
    return None


def _is_entry(text: str) -> bool:
    try:
        entry = HostKeyEntry.from_line(text)
    except InvalidHostKey:
        return False
    return entry is not None and entry.key is not None
