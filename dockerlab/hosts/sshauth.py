"""How to prove to an SSH server who we are: the agent's keys, key files, a password."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import paramiko
from paramiko.pkey import PublicBlob, UnknownKeyType

from dockerlab.errors import ConnectError
from dockerlab.hosts.passwords import VARIABLE, from_keyring
from dockerlab.hosts.sshconfig import Hop

Attempt = Callable[[], list[str]]
"""Tries one way to log in; returns what the server wants besides, which is nothing on success."""


def authenticate(host: str, hop: Hop, transport: paramiko.Transport) -> None:
    """Log in with the first thing that the server accepts; raises ConnectError with every one that was tried."""
    refused: list[str] = []
    agent = paramiko.Agent() if hop.agent else None
    try:
        for what, attempt in _attempts(hop, transport, agent, refused):
            try:
                attempt()
            except paramiko.BadAuthenticationType as error:
                refused.append(f"{what} (the server wants {' or '.join(error.allowed_types)})")
            except paramiko.AuthenticationException as error:
                timed_out = "timeout" in str(error).lower()
                if not transport.is_active():
                    raise _cut_off(host, hop, [*refused, what], timed_out=timed_out) from error
                refused.append(what)
            except (paramiko.SSHException, OSError, EOFError) as error:
                if not transport.is_active():
                    raise _cut_off(host, hop, [*refused, what], timed_out=False) from error
                refused.append(f"{what} ({error})")
            if transport.is_authenticated():
                return
    finally:
        if agent is not None:
            agent.close()
    tried = "; ".join(refused) or "no key found: neither in the agent nor in a file"
    raise ConnectError(
        host,
        f"authentication failed: {hop} accepted none of these: {tried}. Copy a key there with ssh-copy-id, name the "
        f"right one with IdentityFile in ~/.ssh/config, or give a password (prompt, {VARIABLE}, keyring)",
    )


def _attempts(
    hop: Hop, transport: paramiko.Transport, agent: paramiko.Agent | None, refused: list[str]
) -> Iterator[tuple[str, Attempt]]:
    """Yield each way to log in; a key file that cannot be used goes to `refused` at once."""
    public = {path: _public(path) for path in hop.identities}
    wanted = {blob for blob in public.values() if blob}
    in_agent = list(agent.get_keys()) if agent is not None else []
    # As OpenSSH: first the agent's keys that the configuration names, as a server allows only a few attempts.
    first = [key for key in in_agent if key.asbytes() in wanted]
    rest = [] if hop.only_identities else [key for key in in_agent if key.asbytes() not in wanted]
    for key in (*first, *rest):
        yield f"agent key {key.fingerprint}", partial(transport.auth_publickey, hop.user, key)
    held = {key.asbytes() for key in in_agent}
    for path in hop.identities:
        blob = public[path]
        if blob and blob in held:
            continue
        loaded = _load(path, refused)
        if loaded is not None:
            yield f"key {path}", partial(transport.auth_publickey, hop.user, loaded)
    yield from _passwords(hop, transport, refused)


def _passwords(hop: Hop, transport: paramiko.Transport, refused: list[str]) -> Iterator[tuple[str, Attempt]]:
    """Yield the passwords that there are for a hop: given with the call, kept in the keyring, typed by a person."""
    if hop.password is not None:
        yield f"password in {VARIABLE}", partial(transport.auth_password, hop.user, hop.password)
    try:
        kept = from_keyring(str(hop))
    except OSError as error:
        refused.append(str(error))
        kept = None
    if kept is not None:
        yield "password in the keyring", partial(transport.auth_password, hop.user, kept)
    if hop.ask is not None and hop.password is None and kept is None and _takes_passwords(hop, transport):
        typed = hop.ask(str(hop))
        if typed is not None:
            yield "password", partial(transport.auth_password, hop.user, typed)


def _takes_passwords(hop: Hop, transport: paramiko.Transport) -> bool:
    """Tell whether a server would take a password, before a person is asked for one."""
    try:
        transport.auth_none(hop.user)
    except paramiko.BadAuthenticationType as error:
        return not {"password", "keyboard-interactive"}.isdisjoint(error.allowed_types)
    return False


def _public(path: str) -> bytes | None:
    """Return the public half of a key file as the agent would hold it, if it lies beside the file."""
    try:
        blob: bytes = PublicBlob.from_file(f"{path}.pub").key_blob
    except (OSError, ValueError):
        return None
    return blob


def _load(path: str, refused: list[str]) -> paramiko.PKey | None:
    """Return a private key, or say in `refused` why it cannot be used."""
    try:
        return paramiko.PKey.from_path(path)
    except FileNotFoundError:
        refused.append(f"key {path} (no such file)")
    except (TypeError, paramiko.PasswordRequiredException):
        # The cryptography library's way to say that a key is encrypted is a TypeError.
        refused.append(f"key {path} (locked by a passphrase: unlock it with ssh-add)")
    except OSError as error:
        refused.append(f"key {path} ({error.strerror})")
    except (ValueError, paramiko.SSHException, UnknownKeyType):
        refused.append(f"key {path} (not a private key of a supported kind)")
    return None


def _cut_off(host: str, hop: Hop, tried: list[str], *, timed_out: bool) -> ConnectError:
    """Return the error for a server that ended the connection while we logged in."""
    if timed_out:
        return ConnectError(host, f"authentication: {hop} did not answer within {hop.timeout:g} s; is it overloaded?")
    return ConnectError(
        host,
        f"authentication failed: {hop} closed the connection after {len(tried)} attempts ({'; '.join(tried)}). "
        "A server allows only a few: name the right key with IdentityFile and IdentitiesOnly yes in ~/.ssh/config",
    )
