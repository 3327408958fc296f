"""Whether a server is the one that it was: known_hosts, read and kept as OpenSSH does."""

from __future__ import annotations

import hmac
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import paramiko
from paramiko.hostkeys import HostKeyEntry, InvalidHostKey

from dockerlab.errors import HostKeyError
from dockerlab.hosts.recording import record, unfit
from dockerlab.hosts.sshconfig import Hop

RSA_SIGNATURES = ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa")
"""The algorithms that sign with the one kind of key that known_hosts calls ssh-rsa."""


@dataclass(frozen=True)
class KnownKey:
    """A key that a file lists for a host."""

    file: str
    line: int
    key: paramiko.PKey
    revoked: bool = False

    @property
    def place(self) -> str:
        """Return where the key stands, as `file:line`."""
        return f"{self.file}:{self.line}"


def known_keys(hop: Hop) -> tuple[KnownKey, ...]:
    """Return every key that the hop's files list for it; files that do not exist list none."""
    found: list[KnownKey] = []
    for file in hop.known_hosts:
        try:
            text = Path(file).read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            continue
        except OSError as error:
            raise HostKeyError(str(hop), f"cannot read the host keys in {file}: {error.strerror}") from error
        for number, line in enumerate(text.splitlines(), start=1):
            known = _parse(file, number, line, hop.known_as)
            if known is not None:
                found.append(known)
    return tuple(found)


def _parse(file: str, number: int, line: str, name: str) -> KnownKey | None:
    """Return the key of one line if the line is about the name; one that cannot be read vouches for nobody."""
    marker, _, rest = line.strip().partition(" ") if line.lstrip().startswith("@") else ("", "", line)
    if marker not in {"", "@revoked"}:
        return None
    try:
        entry = HostKeyEntry.from_line(rest.strip())
    except InvalidHostKey:
        return None
    if entry is None or entry.key is None or not _matches(entry.hostnames or (), name):
        return None
    return KnownKey(file, number, entry.key, revoked=marker == "@revoked")


def _matches(patterns: Iterable[str], name: str) -> bool:
    """Tell whether a line's patterns (plain, wildcard, negated or hashed) mean the name."""
    found = False
    for pattern in patterns:
        if pattern.startswith("|1|"):
            found |= hmac.compare_digest(paramiko.HostKeys.hash_host(name, pattern), pattern)
        elif pattern.startswith("!"):
            if _fits(name, pattern[1:]):
                return False
        else:
            found |= _fits(name, pattern)
    return found


def _fits(name: str, pattern: str) -> bool:
    """Match a name against a pattern in which only `*` and `?` are special."""
    return fnmatchcase(name.lower(), pattern.lower().replace("[", "[[]"))


def preferred(types: Sequence[str], known: Sequence[KnownKey]) -> tuple[str, ...]:
    """Return the key types with those first that are known, so that a server shows the key that can be checked."""
    names = {key.key.get_name() for key in known if not key.revoked}
    wanted = {*names, *(RSA_SIGNATURES if "ssh-rsa" in names else ())}
    return tuple(sorted(types, key=lambda name: name not in wanted))


def verify(host: str, hop: Hop, key: paramiko.PKey, known: Sequence[KnownKey]) -> None:
    """Hold a server's key against the known ones; record a new one if the hop allows that.

    Raises HostKeyError unless the very key is known or was recorded now.
    """
    same = [k for k in known if k.key == key]
    revoked = [k for k in same if k.revoked]
    listed = [k for k in known if not k.revoked]
    if revoked:
        raise HostKeyError(host, f"the key of {hop} is marked as revoked in {revoked[0].place}: do not use this host")
    if same:
        return
    changed = [k for k in listed if k.key.get_name() == key.get_name()]
    if changed:
        raise HostKeyError(host, _changed(hop, key, changed[0]))
    if listed:
        raise HostKeyError(host, _other_type(hop, key, listed))
    if not hop.accept_new:
        raise HostKeyError(host, _unknown(hop, key))
    record(host, hop, key)


def _shown(key: paramiko.PKey) -> str:
    """Return a key's type and fingerprint as OpenSSH prints them."""
    return f"{key.get_name()} {key.fingerprint}"


def _unknown(hop: Hop, key: paramiko.PKey) -> str:
    told = (
        f"the host key of {hop} is not known: {_shown(key)}. Compare the fingerprint with the host's own "
        "(ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub), then "
    )
    reason = unfit(hop)
    if reason is not None:
        return f"{told}add it to known_hosts. That is for you to do: {reason}"
    return (
        f"{told}accept it: {_keyscan(hop, key)} >> {shlex.quote(hop.known_hosts[0])}, "
        "or log in once with ssh, or repeat with --accept-new-host-keys"
    )


def _changed(hop: Hop, key: paramiko.PKey, known: KnownKey) -> str:
    return (
        f"the host key of {hop} HAS CHANGED: it shows {_shown(key)}, but {known.place} has {known.key.fingerprint}. "
        "Somebody may be in between, or the host was installed anew. Nothing was run. Only if you know why it changed: "
        f"ssh-keygen -f {shlex.quote(known.file)} -R {shlex.quote(hop.known_as)}, then accept the new key"
    )


def _other_type(hop: Hop, key: paramiko.PKey, listed: Sequence[KnownKey]) -> str:
    names = ", ".join(f"{k.key.get_name()} in {k.place}" for k in listed)
    return (
        f"key type mismatch: {hop} offers only {_shown(key)}, but known is {names}. The host may have been given keys "
        "of another type; the known key can neither confirm nor deny this one. Compare the fingerprint with the "
        f"host's own, then add it: {_keyscan(hop, key)} >> {shlex.quote(listed[0].file)}"
    )


def _keyscan(hop: Hop, key: paramiko.PKey) -> str:
    """Return the command that fetches the key's line; ssh-keyscan names ECDSA keys without their curve."""
    kind = key.get_name().removeprefix("ssh-").partition("-")[0]
    port = f" -p {hop.port}" if hop.port != 22 else ""
    return f"ssh-keyscan -t {kind}{port} {shlex.quote(hop.hostname)}"
